// Proves comparisons, logic and arithmetic against a row by row model, in all encodings.

import Base
import Columnar
import Planning
import Testing

@testable import Execution

struct ComparisonAndArithmeticTests {
  static let types: [DataType] = [
    .boolean, .tinyint, .smallint, .integer, .bigint, .real, .double, .date, .timestamp(precision: 3),
    .decimal(precision: 12, scale: 2), .decimal(precision: 30, scale: 4), .varcharUnbounded, .char(length: 6),
  ]

  @Test(arguments: types)
  func comparisonsAgreeWithTheModel(_ type: DataType) throws {
    try check(type, type) { left, right in
      ComparisonOperator.allCases.map { .comparison($0, left, right) }
    }
  }

  @Test(arguments: [DataType.tinyint, .smallint, .integer, .bigint, .real, .double])
  func arithmeticAgreesWithTheModel(_ type: DataType) throws {
    try check(type, type) { left, right in
      ArithmeticOperator.allCases.map { .arithmetic($0, left, right, type, Origin()) }
    }
  }

  /// Runs every expression over all pairs of forms and several sizes, and compares with the model.
  private func check(
    _ leftType: DataType, _ rightType: DataType, _ expressions: (Expression, Expression) -> [Expression]
  ) throws {
    let left = Symbol(id: 1, name: "a", type: leftType)
    let right = Symbol(id: 2, name: "b", type: rightType)
    var random = RandomVectors(seed: 7)
    for leftForm in Form.allCases {
      for rightForm in Form.allCases {
        for count in [0, 1, 65] {
          let batch = Batch(
            columns: [
              random.vector(leftType, count: count, leftForm), random.vector(rightType, count: count, rightForm),
            ],
            count: count)
          for expression in expressions(.symbol(left), .symbol(right)) {
            try expectAgreement(expression, layout: [left, right], batch)
          }
        }
      }
    }
  }
}

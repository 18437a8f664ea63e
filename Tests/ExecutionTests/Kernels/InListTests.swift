// Proves IN with constants and with columns, short and long lists, NULLs in value and list.

import Base
import Columnar
import Planning
import Testing

@testable import Execution

struct InListTests {
  static let types: [DataType] = [
    .boolean, .tinyint, .smallint, .integer, .bigint, .real, .double, .date, .decimal(precision: 10, scale: 2),
    .decimal(precision: 30, scale: 2), .varcharUnbounded, .char(length: 6),
  ]

  /// IN by its definition: an OR of comparisons.
  private func expanded(_ value: Expression, _ list: [Expression]) -> Expression {
    .or(list.map { .comparison(.equal, value, $0) })
  }

  @Test(arguments: types)
  func agreesWithComparisons(_ type: DataType) throws {
    let symbol = Symbol(id: 1, name: "a", type: type)
    let other = Symbol(id: 2, name: "b", type: type)
    var random = RandomVectors(seed: 21)
    for size in [1, 8, 20] {
      for hasNull in [false, true] {
        var list: [Expression] = (0..<size).map { _ in .constant(random.value(type), type) }
        if hasNull { list.append(.constant(.null, type)) }
        for form in Form.allCases {
          let batch = Batch(
            columns: [random.vector(type, count: 40, form), random.vector(type, count: 40, .flatWithNulls)], count: 40)
          for mixed in [list, list + [.symbol(other)]] {
            let program = try ExpressionProgram(.inList(.symbol(symbol), mixed), layout: [symbol, other])
            let found = try program.evaluate(batch)
            for row in 0..<40 {
              let values = [1: batch.columns[0].value(at: row), 2: batch.columns[1].value(at: row)]
              let expected = try ReferenceModel(row: values).evaluate(expanded(.symbol(symbol), mixed))
              #expect(found.value(at: row) == expected, "\(type) row \(row) of \(form)")
            }
          }
        }
      }
    }
  }

  @Test func longStringsAndPrefixes() {
    let long = (0..<20).map { Expression.constant(.text("a string with a long common start \($0)"), .varcharUnbounded) }
    #expect(outcome(.inList(long[7], long)) == "true")
    #expect(outcome(.inList(text("a string with a long common start 77"), long)) == "false")
  }
}

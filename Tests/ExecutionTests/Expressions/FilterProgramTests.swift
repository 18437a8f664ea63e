// Proves that filters select the true rows, and that rows which do not reach a failing part raise no error.

import Base
import Columnar
import Planning
import Testing

@testable import Execution

struct FilterProgramTests {
  let a = Symbol(id: 1, name: "a", type: .bigint)
  let b = Symbol(id: 2, name: "b", type: .bigint)

  private func compare(_ comparison: ComparisonOperator, _ symbol: Symbol, _ number: Int64) -> Expression {
    .comparison(comparison, .symbol(symbol), .constant(.integer(number), symbol.type))
  }

  private func reciprocalAbove(_ symbol: Symbol, _ number: Int64) -> Expression {
    let one = Expression.constant(.integer(1), .bigint)
    return .comparison(
      .greaterThan, .arithmetic(.divide, one, .symbol(symbol), .bigint, Origin(SourceLocation(line: 1, column: 9))),
      .constant(.integer(number), .bigint))
  }

  private func expectSelected(_ predicate: Expression, _ batch: Batch, seed: String) throws {
    let layout = [a, b]
    let program = try FilterProgram(predicate, layout: layout)
    let expected = try (0..<batch.count).filter { row in
      let values = [1: batch.columns[0].value(at: row), 2: batch.columns[1].value(at: row)]
      return try ReferenceModel(row: values).evaluate(predicate) == .boolean(true)
    }
    for _ in 0..<20 {
      let selection = try program.select(batch)
      let buffer = selection.materialised()
      let found = (0..<selection.count).map { Int(buffer.pointer(to: Int32.self)[$0]) }
      #expect(found == expected, "\(seed)")
      #expect(selection.isAll == (expected.count == batch.count))
    }
  }

  @Test(arguments: [0, 1, 7, 64, 300, 8193])
  func selectsTheTrueRows(_ count: Int) throws {
    var random = RandomVectors(seed: UInt64(count))
    let predicates: [Expression] = [
      .true, .false, .constant(.null, .boolean),
      compare(.greaterThan, a, 0),
      .and([compare(.greaterThan, a, -50), compare(.lessThan, b, 50)]),
      .and([compare(.greaterThan, a, 95), compare(.lessThan, b, 0), compare(.notEqual, b, -3)]),
      .or([compare(.equal, a, 1), .isNull(.symbol(b)), compare(.lessThan, b, -90)]),
      .not(.or([compare(.equal, a, 1), compare(.lessThan, b, 0)])),
      .and([compare(.notEqual, a, 0), reciprocalAbove(a, 0)]),
      .and([compare(.greaterThan, a, 98), compare(.notEqual, b, 0), reciprocalAbove(b, -1)]),
      .or([compare(.equal, a, 0), reciprocalAbove(a, 0)]),
      .and([.or([compare(.equal, a, 0), reciprocalAbove(a, -1)]), compare(.lessThan, b, 50)]),
    ]
    for (index, predicate) in predicates.enumerated() {
      for form in count > 1000 ? [.flatWithNulls] : Form.allCases {
        let batch = Batch(
          columns: [random.vector(.bigint, count: count, form), random.vector(.bigint, count: count, .flatWithNulls)],
          count: count)
        try expectSelected(predicate, batch, seed: "predicate \(index), \(form)")
      }
    }
  }

  @Test func aRowThatReachesTheDivisionFails() throws {
    let program = try FilterProgram(reciprocalAbove(a, 0), layout: [a, b])
    let zero = Vector.repeating(.integer(0), type: .bigint, count: 3)
    let error = #expect(throws: WaterbearError.self) {
      try program.select(Batch(columns: [zero, zero], count: 3))
    }
    #expect(error?.code == .divisionByZero)
    #expect(error?.description == "line 1:9: Division by zero")
    // No rows, no error.
    #expect(
      try program.select(Batch(columns: [zero, zero].map { Vector(constant: $0.single, count: 0) }, count: 0)).count
        == 0)
  }

  @Test func branchesRunOnTheirRowsOnly() throws {
    let one = Expression.constant(.integer(1), .bigint)
    let division = Expression.arithmetic(.divide, one, .symbol(a), .bigint, Origin())
    let guarded: [Expression] = [
      .searchedCase([WhenClause(condition: compare(.equal, a, 0), result: one)], otherwise: division, .bigint),
      .searchedCase([WhenClause(condition: compare(.notEqual, a, 0), result: division)], otherwise: nil, .bigint),
      .coalesce(
        [
          .searchedCase([WhenClause(condition: compare(.equal, a, 0), result: one)], otherwise: nil, .bigint), division,
        ], .bigint),
      .searchedCase(
        [
          WhenClause(condition: .isNull(.symbol(b)), result: .symbol(a)),
          WhenClause(condition: compare(.greaterThan, b, 10), result: .constant(.null, .bigint)),
          WhenClause(condition: compare(.equal, b, 0), result: .symbol(b)),
        ], otherwise: .arithmetic(.divide, .symbol(a), .symbol(b), .bigint, Origin()), .bigint),
    ]
    var random = RandomVectors(seed: 3)
    for expression in guarded {
      for form in Form.allCases {
        for count in [0, 1, 65, 300] {
          let small = (-3...3).map { Value.integer($0) }
          let batch = Batch(
            columns: [
              random.vector(.bigint, count: count, form, from: small),
              random.vector(.bigint, count: count, .flatWithNulls, from: small + [.integer(20)]),
            ], count: count)
          try expectAgreement(expression, layout: [a, b], batch)
        }
      }
    }
  }
}

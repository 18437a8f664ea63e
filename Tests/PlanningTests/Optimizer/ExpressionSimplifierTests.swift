// Owns the tests of the simplifier: what comes out has the value that went in, for every row and with NULLs.

import Columnar
import Execution
import LocalRunner
import Testing

@testable import Planning

/// Random conditions over a few columns of different types, with constants that lie on, between and outside values.
private struct RandomCondition {
  var generator: SeededNumbers

  static let columns: [Symbol] = [
    Symbol(id: 0, name: "tiny", type: .tinyint), Symbol(id: 1, name: "whole", type: .integer),
    Symbol(id: 2, name: "money", type: .decimal(precision: 4, scale: 2)), Symbol(id: 3, name: "day", type: .date),
    Symbol(id: 4, name: "flag", type: .boolean), Symbol(id: 5, name: "text", type: .varchar(length: 3)),
  ]
  static let values: [[Value]] = [
    [-128, 0, 1, 127].map { .integer($0) }, [-3, 0, 1, 40_000].map { .integer($0) },
    [-9999, 0, 125, 9999].map { .integer($0) }, [-1, 0, 1, 20_000].map { .integer($0) },
    [.boolean(true), .boolean(false)], ["", "a", "b"].map { .text($0) },
  ]

  mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[Int.random(in: 0..<elements.count, using: &generator)]
  }

  mutating func condition(depth: Int) -> Expression {
    switch Int.random(in: 0..<(depth > 0 ? 10 : 6), using: &generator) {
    case 0, 1, 2: return comparison()
    case 3: return .isNull(.symbol(pick(Self.columns)))
    case 4: return pick([.symbol(Self.columns[4]), .true, .false, .constant(.null, .boolean)])
    case 5: return membership()
    case 6, 7: return .and((0..<Int.random(in: 2...3, using: &generator)).map { _ in condition(depth: depth - 1) })
    case 8: return .or((0..<Int.random(in: 2...3, using: &generator)).map { _ in condition(depth: depth - 1) })
    default: return .not(condition(depth: depth - 1))
    }
  }

  private mutating func comparison() -> Expression {
    let (value, type) = operand()
    let constant = Expression.constant(constant(type), type)
    let op = pick(ComparisonOperator.allCases)
    return pick([true, false]) ? .comparison(op, value, constant) : .comparison(op, constant, value)
  }

  private mutating func membership() -> Expression {
    let (value, type) = operand()
    return .inList(value, (0..<Int.random(in: 1...3, using: &generator)).map { _ in .constant(constant(type), type) })
  }

  /// A column, perhaps cast to a wider type.
  private mutating func operand() -> (Expression, DataType) {
    let symbol = pick(Self.columns)
    let wider: [DataType]
    switch symbol.type {
    case .tinyint: wider = [.bigint, .decimal(precision: 10, scale: 3), .double]
    case .integer: wider = [.bigint, .decimal(precision: 14, scale: 2), .double]
    case .decimal: wider = [.decimal(precision: 9, scale: 4), .decimal(precision: 30, scale: 6)]
    case .date: wider = [.timestamp(precision: 3)]
    default: wider = []
    }
    guard !wider.isEmpty, pick([true, false]) else { return (.symbol(symbol), symbol.type) }
    let type = pick(wider)
    return (.cast(.symbol(symbol), type, isTry: false, Origin()), type)
  }

  private mutating func constant(_ type: DataType) -> Value {
    if pick([true, false, false, false, false, false]) { return .null }
    switch type {
    case .boolean: return .boolean(pick([true, false]))
    case .varchar: return .text(pick(["", "a", "aa", "b"]))
    case .double: return .double(pick([-128, 0, 0.5, 1, 127.5, 40_000, 1e12, -1e12, .infinity, .nan]))
    case .timestamp: return .integer(pick([-86_400_000_000, -1, 0, 1, 86_400_000_000, 1 << 60, -(1 << 60)]))
    case .decimal(let precision, _) where precision > 18:
      return .int128(pick([0, 1_250_000, 1_250_001, -99_990_000, 99_990_001, 100_000_000_000]))
    case .decimal: return .integer(pick([-9999, 0, 100, 12_500, 12_501, 127_000, 127_001, 999_900, 999_901]))
    case .tinyint: return .integer(pick([-128, 0, 1, 127]))
    default: return .integer(pick([-129, -3, 0, 1, 128, 40_000]))
    }
  }
}

struct ExpressionSimplifierTests {
  private let simplifier = ExpressionSimplifier(evaluator: ConstantFolder())

  private func value(_ expression: Expression, _ row: [Value]) throws -> Value {
    try ConstantFolder().evaluate(
      expression.replacingSymbols { symbol in .constant(row[symbol.id], symbol.type) })
  }

  @Test func simplifiedConditionsHaveTheSameValues() throws {
    var random = RandomCondition(generator: SeededNumbers(seed: 7))
    for number in 0..<1500 {
      let condition = random.condition(depth: 3)
      let simple = simplifier.simplify(condition)
      let filter = BooleanSimplifier.filter(simple)
      for _ in 0..<6 {
        let row = RandomCondition.values.map { random.pick($0 + [.null]) }
        let expected = try value(condition, row)
        #expect(try value(simple, row) == expected, "\(number): \(PlanText.text(condition)) for \(row)")
        let passes = try value(filter, row) == .boolean(true)
        #expect(passes == (expected == .boolean(true)), "\(number): \(PlanText.text(condition)) as filter of \(row)")
      }
    }
  }

  @Test func whatAnOrImpliesHoldsForEveryRowThatPasses() throws {
    var random = RandomCondition(generator: SeededNumbers(seed: 8))
    var found = 0
    let known = Set(RandomCondition.columns.prefix(3))
    for _ in 0..<1500 {
      let condition = simplifier.simplify(.or([random.condition(depth: 2), random.condition(depth: 2)]))
      guard let implied = BooleanSimplifier.implied(by: condition, on: known) else { continue }
      found += 1
      #expect(implied.symbols.isSubset(of: known))
      for _ in 0..<10 {
        let row = RandomCondition.values.map { random.pick($0 + [.null]) }
        if try value(condition, row) == .boolean(true) {
          #expect(try value(implied, row) == .boolean(true), "\(PlanText.text(condition)) for \(row)")
        }
      }
    }
    #expect(found > 50)
  }

  private func text(_ expression: Expression) -> String { PlanText.text(simplifier.simplify(expression)) }

  @Test func castsLeaveColumns() {
    let whole = Expression.symbol(RandomCondition.columns[1])
    let wide = Expression.cast(whole, .decimal(precision: 14, scale: 2), isTry: false, Origin())
    let compare = { (op: ComparisonOperator, hundredths: Int64) in
      Expression.comparison(op, wide, .constant(.integer(hundredths), .decimal(precision: 14, scale: 2)))
    }
    #expect(text(compare(.equal, 500)) == "(whole = 5)")
    #expect(text(compare(.lessThan, 550)) == "(whole <= 5)")
    #expect(text(compare(.greaterThanOrEqual, 550)) == "(whole > 5)")
    #expect(text(compare(.lessThan, -550)) == "(whole <= -6)")
    #expect(text(compare(.equal, 550)) == "((whole is null) and null)")
    #expect(text(compare(.isDistinctFrom, 550)) == "true")
    #expect(text(compare(.lessThan, 999_999_999_999)) == "(not (whole is null) or null)")
  }

  @Test func conditionsOfOneValueBecomeLists() {
    let whole = Expression.symbol(RandomCondition.columns[1])
    let flag = Expression.symbol(RandomCondition.columns[4])
    let equal = { (number: Int64) in Expression.comparison(.equal, whole, .constant(.integer(number), .integer)) }
    #expect(text(.or([equal(1), flag, equal(2), equal(1)])) == "((whole in (1, 2)) or flag)")
    #expect(text(.or([.and([flag, equal(1)]), .and([equal(2), flag])])) == "(flag and (whole in (1, 2)))")
    #expect(text(.or([flag, .and([flag, equal(2)])])) == "flag")
    #expect(text(.not(.and([equal(1), .not(flag)]))) == "((whole <> 1) or flag)")
    #expect(text(.inList(whole, [.constant(.integer(3), .integer), .constant(.integer(3), .integer)])) == "(whole = 3)")
    #expect(text(.comparison(.lessThan, .constant(.integer(3), .integer), whole)) == "(whole > 3)")
  }

  @Test func branchesThatAreNeverTakenGo() {
    let flag = Expression.symbol(RandomCondition.columns[4])
    let number = { (value: Int64) in Expression.constant(.integer(value), .integer) }
    let chosen = Expression.searchedCase(
      [WhenClause(condition: .false, result: number(1)), WhenClause(condition: flag, result: number(2)),
        WhenClause(condition: .true, result: number(3)), WhenClause(condition: flag, result: number(4))],
      otherwise: number(5), .integer)
    #expect(text(chosen) == "case when flag then 2 else 3 end")
    #expect(text(.cast(chosen, .bigint, isTry: false, Origin())) == "case when flag then bigint 2 else bigint 3 end")
    #expect(text(.coalesce([.constant(.null, .integer), number(1), number(2)], .integer)) == "1")
  }

  @Test func whatFailsStaysUntilItIsReached() {
    let zero = Expression.constant(.integer(0), .integer)
    let quotient = Expression.arithmetic(.divide, .constant(.integer(1), .integer), zero, .integer, Origin())
    #expect(text(quotient) == "(1 / 0)")
    #expect(quotient.mayFail)
  }
}

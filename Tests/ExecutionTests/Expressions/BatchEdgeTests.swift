// Proves what only large or odd batches show: full ones, and ones with anything behind their NULLs.

import Base
import Columnar
import Planning
import Testing

@testable import Execution

struct BatchEdgeTests {
  let a = Symbol(id: 1, name: "a", type: .bigint)
  let b = Symbol(id: 2, name: "b", type: .bigint)

  @Test(arguments: [8192, 8193])
  func fullBatchesAgreeWithTheModel(_ count: Int) throws {
    var random = RandomVectors(seed: 12)
    let small = (-50...50).map { Value.integer($0) }
    let sum = Expression.arithmetic(.add, .symbol(a), .symbol(b), .bigint, Origin())
    let expressions: [Expression] = [
      sum, .comparison(.lessThan, .symbol(a), .symbol(b)), .isNull(sum),
      .and([.comparison(.greaterThan, .symbol(a), .symbol(b)), .not(.isNull(.symbol(a)))]),
      .searchedCase(
        [WhenClause(condition: .comparison(.greaterThan, sum, number(0)), result: sum)], otherwise: .symbol(b),
        .bigint),
    ]
    for form in [Form.flatWithNulls, .dictionaryWithNulls] {
      let batch = Batch(
        columns: [
          random.vector(.bigint, count: count, form, from: small),
          random.vector(.bigint, count: count, .flatWithNulls, from: small),
        ], count: count)
      for expression in expressions { try expectAgreement(expression, layout: [a, b], batch) }
    }
  }

  /// What lies behind a NULL may be anything.
  private func columnWithRubbish(_ type: DataType, _ rubbish: Int64) -> Vector {
    let values = Buffer(count: 3, of: Int64.self)
    for row in 0..<3 { values.pointer(to: Int64.self)[row] = row == 1 ? rubbish : 4 }
    let validity = Bitmap(repeating: true, count: 3)
    validity.clear(1)
    return Vector(flat: type, count: 3, values: values, validity: validity)
  }

  @Test(arguments: ArithmeticOperator.allCases)
  func rubbishBehindNullsRaisesNoError(_ operation: ArithmeticOperator) throws {
    for rubbish in [Int64.max, .min, 0] {
      let column = columnWithRubbish(.bigint, rubbish)
      let program = try ExpressionProgram(
        .arithmetic(operation, .symbol(a), .symbol(b), .bigint, Origin()), layout: [a, b])
      let result = try program.evaluate(Batch(columns: [column, column], count: 3))
      #expect(result.isNull(1) && !result.isNull(0) && !result.isNull(2))
    }
  }

  @Test func rubbishStringsBehindNullsAreNotTouched() throws {
    let name = Symbol(id: 1, name: "name", type: .varcharUnbounded)
    let views = Buffer(count: 3, of: StringView.self)
    for row in 0..<3 { views.pointer(to: StringView.self)[row] = .empty }
    // A long string at an address that is not mapped.
    views.pointer(to: StringView.self)[1] = StringView(head: 100, tail: 8)
    let validity = Bitmap(repeating: true, count: 3)
    validity.clear(1)
    let column = Vector(flat: name.type, count: 3, values: views, validity: validity)
    let value = Expression.symbol(name)
    let varchar = DataType.varcharUnbounded
    let expressions: [Expression] = [
      .comparison(.lessThan, value, text("x")), .comparison(.equal, value, value),
      .inList(value, [text("a"), text("b")]),
      .like(value, pattern: text("%a%"), escape: nil, Origin()), .cast(value, .bigint, isTry: true, Origin()),
      .cast(value, .varchar(length: 3), isTry: false, Origin()), .comparison(.isDistinctFrom, value, text("x")),
      call(.length, [value], .bigint), call(.upper, [value], varchar), call(.trim, [value], varchar),
      call(.reverse, [value], varchar), call(.substring, [value, number(2)], varchar),
      call(.concat, [value, value], varchar), call(.replace, [value, text("a")], varchar),
      call(.splitPart, [value, text(","), number(1)], varchar), call(.strpos, [value, text("a")], .bigint),
      call(.startsWith, [value, text("a")], .boolean), call(.lpad, [value, number(3), text("-")], varchar),
      call(.greatest, [value, text("a")], varchar),
    ]
    for expression in expressions {
      let program = try ExpressionProgram(expression, layout: [name])
      #expect(try program.evaluate(Batch(columns: [column], count: 3)).count == 3)
    }
    var hashes: [UInt64] = [0, 0, 0]
    hashes.withUnsafeMutableBufferPointer { hashRows([column], count: 3, into: $0.baseAddress!) }
    #expect(hashes[0] == hashes[2] && hashes[0] != hashes[1])
  }
}

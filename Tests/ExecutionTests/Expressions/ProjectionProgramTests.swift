// Proves that sharing between expressions changes no value, and that random numbers follow from their seed.

import Base
import Columnar
import Planning
import Testing

@testable import Execution

struct ProjectionProgramTests {
  let a = Symbol(id: 1, name: "a", type: .bigint)
  let b = Symbol(id: 2, name: "b", type: .bigint)

  @Test func sharedPartsGiveWhatSinglePartsGive() throws {
    let sum = Expression.arithmetic(.add, .symbol(a), .symbol(b), .bigint, Origin())
    let product = Expression.arithmetic(.multiply, sum, sum, .bigint, Origin())
    let isLarge = Expression.comparison(.greaterThan, product, number(50))
    let expressions: [Expression] = [
      sum, product, isLarge, .isNull(product),
      .searchedCase([WhenClause(condition: isLarge, result: product)], otherwise: sum, .bigint),
      .searchedCase(
        [WhenClause(condition: .comparison(.notEqual, sum, number(0)),
          result: .arithmetic(.divide, product, sum, .bigint, Origin()))], otherwise: nil, .bigint),
      .inList(sum, [.symbol(a), number(3), .symbol(b)]),
      .and([.isNull(sum), isLarge, .not(isLarge)]),
    ]
    var random = RandomVectors(seed: 4)
    let small = (-9...9).map { Value.integer($0) }
    let program = try ProjectionProgram(expressions, layout: [a, b])
    for form in Form.allCases {
      for count in [0, 1, 100] {
        let batch = Batch(
          columns: [random.vector(.bigint, count: count, form, from: small),
            random.vector(.bigint, count: count, .flatWithNulls, from: small)], count: count)
        let found = try program.evaluate(batch)
        #expect(found.count == expressions.count)
        for (index, expression) in expressions.enumerated() {
          for row in 0..<count {
            let values = [1: batch.columns[0].value(at: row), 2: batch.columns[1].value(at: row)]
            let alone = expression.replacingSymbols { .constant(values[$0.id]!, $0.type) }
            #expect(found[index].value(at: row) == (try ConstantFolder().evaluate(alone)), "\(index), row \(row)")
          }
        }
      }
    }
  }

  @Test func randomNumbersFollowFromTheSeed() throws {
    let random = Expression.function(.random, [], .double, Origin())
    let batch = Batch(columns: [], count: 1000)
    func numbers(_ seed: UInt64) throws -> [[Value]] {
      let program = try ProjectionProgram([random, random], layout: [], seed: seed)
      return try program.evaluate(batch).map { vector in (0..<1000).map { vector.value(at: $0) } }
    }
    let first = try numbers(1)
    #expect(try numbers(1) == first)
    #expect(try numbers(2) != first)
    #expect(first[0] != first[1])
    #expect(Set(first[0]).count == 1000)
    for case .double(let number) in first[0] { #expect(number >= 0 && number < 1) }
    let average = first[0].reduce(0.0) { sum, value in
      if case .double(let number) = value { sum + number } else { sum }
    } / 1000
    #expect(average > 0.4 && average < 0.6)
  }

  @Test func aMissingColumnIsNamed() {
    let error = #expect(throws: WaterbearError.self) { try ExpressionProgram(.symbol(b), layout: [a]) }
    #expect(error?.message.contains("b_2") == true)
  }
}

// Owns a second, slow and simple implementation of expressions: one row at a time, from the SQL rules.

import Base
import Columnar
import Planning
import Testing

@testable import Execution

/// Evaluates `expression` for one row. `row` holds the symbols' values by id.
struct ReferenceModel {
  let row: [Int: Value]

  func evaluate(_ expression: Expression) throws -> Value {
    switch expression {
    case .symbol(let symbol): return row[symbol.id]!
    case .constant(let value, _): return value
    case .comparison(let comparison, let left, let right):
      return compare(comparison, try evaluate(left), try evaluate(right), left.type)
    case .arithmetic(let operation, let left, let right, let type, _):
      return try arithmetic(operation, try evaluate(left), try evaluate(right), type, left.type, right.type)
    case .and(let operands): return try logic(operands, decisive: false)
    case .or(let operands): return try logic(operands, decisive: true)
    case .not(let operand):
      guard case .boolean(let flag) = try evaluate(operand) else { return .null }
      return .boolean(!flag)
    case .isNull(let operand): return .boolean(try evaluate(operand).isNull)
    case .searchedCase(let clauses, let otherwise, _):
      for clause in clauses where try evaluate(clause.condition) == .boolean(true) {
        return try evaluate(clause.result)
      }
      return try otherwise.map(evaluate) ?? .null
    case .coalesce(let operands, _):
      for operand in operands {
        let value = try evaluate(operand)
        if !value.isNull { return value }
      }
      return .null
    default: preconditionFailure("the model does not know \(expression)")
    }
  }

  private func logic(_ operands: [Expression], decisive: Bool) throws -> Value {
    var sawNull = false
    for operand in operands {
      let value = try evaluate(operand)
      if value == .boolean(decisive) { return value }
      if value.isNull { sawNull = true }
    }
    return sawNull ? .null : .boolean(!decisive)
  }

  private func compare(_ comparison: ComparisonOperator, _ left: Value, _ right: Value, _ type: DataType) -> Value {
    if comparison == .isDistinctFrom {
      if left.isNull || right.isNull { return .boolean(left.isNull != right.isNull) }
      if case .double(let a) = left, case .double(let b) = right {
        return .boolean(!(a == b || (a.isNaN && b.isNaN)))
      }
      return compare(.notEqual, left, right, type)
    }
    if left.isNull || right.isNull { return .null }
    switch (left, right) {
    case (.double(let a), .double(let b)): return .boolean(holds(comparison, a, b))
    case (.boolean(let a), .boolean(let b)): return .boolean(holds(comparison, a ? 1 : 0, b ? 1 : 0))
    case (.bytes(var a), .bytes(var b)):
      if case .char = type {
        while a.count < b.count { a.append(0x20) }
        while b.count < a.count { b.append(0x20) }
      }
      let order = a == b ? 0 : a.lexicographicallyPrecedes(b) ? -1 : 1
      return .boolean(holds(comparison, order, 0))
    default: return .boolean(holds(comparison, left.asInt128!, right.asInt128!))
    }
  }

  private func holds<Element: Comparable>(_ comparison: ComparisonOperator, _ a: Element, _ b: Element) -> Bool {
    switch comparison {
    case .equal: a == b
    case .notEqual: a != b
    case .lessThan: a < b
    case .lessThanOrEqual: a <= b
    case .greaterThan: a > b
    case .greaterThanOrEqual: a >= b
    case .isDistinctFrom: preconditionFailure("handled before")
    }
  }

  private func arithmetic(
    _ operation: ArithmeticOperator, _ left: Value, _ right: Value, _ type: DataType, _ leftType: DataType,
    _ rightType: DataType
  ) throws -> Value {
    if left.isNull || right.isNull { return .null }
    if case .double(let a) = left, case .double(let b) = right {
      let result: Double
      switch operation {
      case .add: result = a + b
      case .subtract: result = a - b
      case .multiply: result = a * b
      case .divide: result = a / b
      case .modulus: result = a.truncatingRemainder(dividingBy: b)
      }
      return .double(type == .real ? Double(Float(result)) : result)
    }
    let a = left.asInt128!
    let b = right.asInt128!
    if b == 0, operation == .divide || operation == .modulus {
      throw WaterbearError(.divisionByZero, "Division by zero")
    }
    let result: Int128
    let verb: String
    switch operation {
    case .add: (result, verb) = (a + b, "addition")
    case .subtract: (result, verb) = (a - b, "subtraction")
    case .multiply: (result, verb) = (a * b, "multiplication")
    case .divide: (result, verb) = (a / b, "division")
    case .modulus: (result, verb) = (a % b, "modulus")
    }
    let limit = Int128(1) << (type.layout.stride * 8 - 1)
    guard result >= -limit, result < limit else {
      throw WaterbearError(
        .numericValueOutOfRange, "\(type) \(verb) overflow: \(a) \(operation.rawValue) \(b)")
    }
    return .integer(Int64(result))
  }
}

/// Whether two values are the same, with NaN the same as NaN.
func same(_ left: Value, _ right: Value) -> Bool {
  if case .double(let a) = left, case .double(let b) = right { return a == b || (a.isNaN && b.isNaN) }
  return left == right
}

/// Expects program and model to agree on every row, or on the error of a row that fails.
func expectAgreement(
  _ expression: Expression, layout: [Symbol], _ batch: Batch, sourceLocation: Testing.SourceLocation = #_sourceLocation
) throws {
  try expectRows(of: expression, layout: layout, batch, sourceLocation: sourceLocation) { values in
    try ReferenceModel(row: values).evaluate(expression)
  }
}

/// Expects each row of a column to be what the expression gives for that row's values alone: that encodings, NULLs and
/// neighbours make no difference.
func expectRowByRow(
  _ expression: Expression, layout: [Symbol], _ batch: Batch, sourceLocation: Testing.SourceLocation = #_sourceLocation
) throws {
  try expectRows(of: expression, layout: layout, batch, sourceLocation: sourceLocation) { values in
    let constant = expression.replacingSymbols { symbol in
      values[symbol.id].map { .constant($0, symbol.type) }
    }
    return try ConstantFolder().evaluate(constant)
  }
}

private func expectRows(
  of expression: Expression, layout: [Symbol], _ batch: Batch, sourceLocation: Testing.SourceLocation,
  _ model: ([Int: Value]) throws -> Value
) throws {
  var expected: [Value] = []
  var failures: Set<String> = []
  for row in 0..<batch.count {
    let values = Dictionary(uniqueKeysWithValues: zip(layout.map(\.id), batch.columns.map { $0.value(at: row) }))
    do {
      expected.append(try model(values))
    } catch let error as WaterbearError {
      failures.insert("\(error.code.rawValue): \(error.message)")
    }
  }
  let program = try ExpressionProgram(expression, layout: layout)
  // Twice: the second time meets what the program keeps between batches.
  for _ in 0..<2 {
    do {
      let result = try program.evaluate(batch)
      #expect(result.count == batch.count && result.type == expression.type, sourceLocation: sourceLocation)
      #expect(failures.isEmpty, "\(expression) should fail", sourceLocation: sourceLocation)
      guard failures.isEmpty else { return }
      for row in 0..<batch.count where !same(result.value(at: row), expected[row]) {
        Issue.record(
          "\(expression) row \(row): \(result.value(at: row)) instead of \(expected[row])",
          sourceLocation: sourceLocation)
        return
      }
    } catch let error as WaterbearError {
      #expect(
        failures.contains("\(error.code.rawValue): \(error.message)"), "\(expression): \(error), model: \(failures)",
        sourceLocation: sourceLocation)
    }
  }
}

/// The value of a constant expression as text, or its error as `CODE: message`.
func outcome(_ expression: Expression) -> String {
  do {
    let value = try ConstantFolder().evaluate(expression)
    return ValueFormatter(expression.type).text(value) ?? "NULL"
  } catch let error as WaterbearError {
    return "\(error.code.rawValue): \(error.message)"
  } catch {
    return "\(error)"
  }
}

/// A varchar constant.
func text(_ text: String) -> Expression { .constant(.text(text), .varcharUnbounded) }
/// A bigint constant.
func number(_ number: Int64) -> Expression { .constant(.integer(number), .bigint) }
/// A double constant.
func double(_ number: Double) -> Expression { .constant(.double(number), .double) }
/// A constant of a type that is read from text, such as a date, a decimal or a timestamp.
func literal(_ text: String, _ type: DataType) -> Expression {
  let cast = Expression.cast(.constant(.text(text), .varcharUnbounded), type, isTry: false, Origin())
  do {
    return .constant(try ConstantFolder().evaluate(cast), type)
  } catch {
    preconditionFailure("\(text) is no \(type): \(error)")
  }
}

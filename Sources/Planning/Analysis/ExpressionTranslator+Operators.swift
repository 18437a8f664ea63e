// Owns the typing of operators, predicates and conditional forms.

import Base
import Columnar
import SQLSyntax

extension ExpressionTranslator {
  // MARK: Comparisons

  /// A comparison with both sides coerced to their common type.
  func compare(
    _ comparison: ComparisonOperator, _ left: Expression, _ right: Expression, _ location: SourceLocation
  ) throws -> Expression {
    guard let type = TypeCoercion.common(left.type, right.type) else {
      let message =
        comparison == .isDistinctFrom
        ? "Cannot check if \(left.type) is distinct from \(right.type)"
        : "Cannot apply operator: \(left.type) \(comparison.rawValue) \(right.type)"
      throw WaterbearError(.typeMismatch, message, at: location)
    }
    return .comparison(comparison, left.coerced(to: type), right.coerced(to: type))
  }

  func between(
    _ value: SyntaxExpression, _ low: SyntaxExpression, _ high: SyntaxExpression, _ location: SourceLocation
  ) throws -> Expression {
    let operands = try [value, low, high].map(translate)
    guard let first = TypeCoercion.common(operands[0].type, operands[1].type),
      let type = TypeCoercion.common(first, operands[2].type)
    else {
      throw WaterbearError(
        .typeMismatch,
        "Cannot check if \(operands[0].type) is BETWEEN \(operands[1].type) and \(operands[2].type)", at: location)
    }
    let coerced = operands.map { $0.coerced(to: type) }
    return .and([
      .comparison(.greaterThanOrEqual, coerced[0], coerced[1]),
      .comparison(.lessThanOrEqual, coerced[0], coerced[2]),
    ])
  }

  func inList(
    _ value: SyntaxExpression, _ items: [SyntaxExpression], _ location: SourceLocation
  ) throws -> Expression {
    let (operands, _) = try unify([value] + items, "IN value and list items")
    return .inList(operands[0], Array(operands.dropFirst()))
  }

  func like(
    _ value: SyntaxExpression, _ pattern: SyntaxExpression, _ escape: SyntaxExpression?,
    _ location: SourceLocation
  ) throws -> Expression {
    func text(_ expression: SyntaxExpression, _ what: String) throws -> Expression {
      let operand = try translate(expression)
      guard TypeCoercion.isText(operand.type) || operand.type == .unknown else {
        throw WaterbearError(
          .typeMismatch, "\(what) must evaluate to a varchar (actual: \(operand.type))", at: expression.location)
      }
      return operand.type == .unknown ? operand.coerced(to: .varcharUnbounded) : operand
    }
    let subject = try text(value, "Left side of LIKE expression")
    let wanted = try text(pattern, "Pattern for LIKE expression").coerced(to: .varcharUnbounded)
    let mark = try escape.map { try text($0, "Escape for LIKE expression").coerced(to: .varcharUnbounded) }
    return .like(subject, pattern: wanted, escape: mark, Origin(location))
  }

  /// All values coerced to one type.
  func unify(_ expressions: [SyntaxExpression], _ what: String) throws -> ([Expression], DataType) {
    let values = try expressions.map(translate)
    var type = DataType.unknown
    for (value, expression) in zip(values, expressions) {
      guard let common = TypeCoercion.common(type, value.type) else {
        let all = values.map(\.type).unique.map(\.description).joined(separator: ", ")
        throw WaterbearError(
          .typeMismatch,
          "\(what) must be the same type or coercible to a common type. "
            + "Cannot find common type between \(type) and \(value.type), all types (without duplicates): [\(all)]",
          at: expression.location)
      }
      type = common
    }
    return (values.map { $0.coerced(to: type) }, type)
  }

  // MARK: Arithmetic

  func arithmetic(
    _ operation: ArithmeticOperator, _ left: Expression, _ right: Expression, _ location: SourceLocation
  ) throws -> Expression {
    let origin = Origin(location)
    if let result = numericArithmetic(operation, left, right, origin) { return result }
    if let result = timeArithmetic(operation, left, right, origin) { return result }
    throw WaterbearError(
      .typeMismatch, "Cannot apply operator: \(left.type) \(operation.rawValue) \(right.type)", at: location)
  }

  private func numericArithmetic(
    _ operation: ArithmeticOperator, _ left: Expression, _ right: Expression, _ origin: Origin
  ) -> Expression? {
    // A bare NULL takes the other side's type, or integer where both are.
    let leftType = left.type == .unknown ? (right.type == .unknown ? .integer : right.type) : left.type
    let rightType = right.type == .unknown ? leftType : right.type
    guard TypeCoercion.isNumber(leftType), TypeCoercion.isNumber(rightType),
      let common = TypeCoercion.common(leftType, rightType)
    else { return nil }
    guard case .decimal = common, let first = TypeCoercion.asDecimal(leftType),
      let second = TypeCoercion.asDecimal(rightType)
    else {
      return .arithmetic(operation, left.coerced(to: common), right.coerced(to: common), common, origin)
    }
    guard let result = TypeCoercion.decimalResult(operation, first, second) else { return nil }
    return .arithmetic(
      operation, left.coerced(to: .decimal(precision: first.precision, scale: first.scale)),
      right.coerced(to: .decimal(precision: second.precision, scale: second.scale)), result, origin)
  }

  private func timeArithmetic(
    _ operation: ArithmeticOperator, _ left: Expression, _ right: Expression, _ origin: Origin
  ) -> Expression? {
    switch (left.type, operation, right.type) {
    case (.date, .add, .intervalDayToSecond), (.date, .subtract, .intervalDayToSecond),
      (.date, .add, .intervalYearToMonth), (.date, .subtract, .intervalYearToMonth):
      return .arithmetic(operation, left, right, .date, origin)
    case (.timestamp(let precision), .add, .intervalDayToSecond),
      (.timestamp(let precision), .subtract, .intervalDayToSecond):
      return .arithmetic(operation, left, right, .timestamp(precision: max(precision, 3)), origin)
    case (.timestamp, .add, .intervalYearToMonth), (.timestamp, .subtract, .intervalYearToMonth):
      return .arithmetic(operation, left, right, left.type, origin)
    case (.intervalDayToSecond, .add, .intervalDayToSecond), (.intervalDayToSecond, .subtract, .intervalDayToSecond),
      (.intervalYearToMonth, .add, .intervalYearToMonth), (.intervalYearToMonth, .subtract, .intervalYearToMonth):
      return .arithmetic(operation, left, right, left.type, origin)
    case (.intervalDayToSecond, .multiply, let factor), (.intervalYearToMonth, .multiply, let factor):
      guard TypeCoercion.isInteger(factor) else { return nil }
      return .arithmetic(.multiply, left, right.coerced(to: .bigint), left.type, origin)
    case (.intervalDayToSecond, .add, .date), (.intervalDayToSecond, .add, .timestamp),
      (.intervalYearToMonth, .add, .date), (.intervalYearToMonth, .add, .timestamp),
      (_, .multiply, .intervalDayToSecond), (_, .multiply, .intervalYearToMonth):
      return timeArithmetic(operation, right, left, origin)
    default: return nil
    }
  }

  func negate(_ operand: Expression, _ location: SourceLocation) throws -> Expression {
    switch operand.type {
    case .intervalDayToSecond, .intervalYearToMonth: break
    case .unknown: return operand
    default:
      guard TypeCoercion.isNumber(operand.type) else {
        throw WaterbearError(.typeMismatch, "Cannot negate \(operand.type)", at: location)
      }
    }
    return .negate(operand, Origin(location))
  }

  func plus(_ operand: Expression, _ location: SourceLocation) throws -> Expression {
    guard TypeCoercion.isNumber(operand.type) || operand.type == .unknown else {
      throw WaterbearError(
        .typeMismatch, "Unary '+' operator cannot by applied to \(operand.type) type", at: location)
    }
    return operand
  }

  // MARK: Conditions

  func searchedCase(
    _ clauses: [SyntaxWhenClause], _ otherwise: SyntaxExpression?
  ) throws -> Expression {
    let conditions = try clauses.map { clause in
      try boolean(clause.condition) { "CASE WHEN clause must evaluate to a boolean (actual: \($0))" }
    }
    return try finishCase(conditions, clauses.map(\.result), otherwise)
  }

  func simpleCase(
    _ operand: SyntaxExpression, _ clauses: [SyntaxWhenClause], _ otherwise: SyntaxExpression?
  ) throws -> Expression {
    let subject = try translate(operand)
    guard subject.isDeterministic else {
      throw unsupported("A CASE on a value that changes with each use", operand.location)
    }
    let conditions = try clauses.map { clause in
      let value = try translate(clause.condition)
      guard let type = TypeCoercion.common(subject.type, value.type) else {
        throw WaterbearError(
          .typeMismatch,
          "CASE operand type does not match WHEN clause operand type: \(subject.type) vs \(value.type)",
          at: clause.condition.location)
      }
      return Expression.comparison(.equal, subject.coerced(to: type), value.coerced(to: type))
    }
    return try finishCase(conditions, clauses.map(\.result), otherwise)
  }

  private func finishCase(
    _ conditions: [Expression], _ results: [SyntaxExpression], _ otherwise: SyntaxExpression?
  ) throws -> Expression {
    let (values, type) = try unify(results + (otherwise.map { [$0] } ?? []), "All CASE results")
    let clauses = zip(conditions, values).map { WhenClause(condition: $0, result: $1) }
    return .searchedCase(clauses, otherwise: otherwise == nil ? nil : values[values.count - 1], type)
  }

  func nullIf(
    _ first: SyntaxExpression, _ second: SyntaxExpression, _ location: SourceLocation
  ) throws -> Expression {
    let value = try translate(first)
    let other = try translate(second)
    guard let type = TypeCoercion.common(value.type, other.type) else {
      throw WaterbearError(
        .typeMismatch, "Types are not comparable with NULLIF: \(value.type) vs \(other.type)", at: location)
    }
    guard value.isDeterministic else {
      throw unsupported("NULLIF of a value that changes with each use", location)
    }
    let equal = Expression.comparison(.equal, value.coerced(to: type), other.coerced(to: type))
    let clause = WhenClause(condition: equal, result: .constant(.null, value.type))
    return .searchedCase([clause], otherwise: value, value.type)
  }

  func tryExpression(_ operand: SyntaxExpression, _ location: SourceLocation) throws -> Expression {
    let value = try translate(operand)
    switch value {
    case .cast(let source, let type, _, let origin) where Self.cannotFail(source):
      return .cast(source, type, isTry: true, origin)
    case _ where Self.cannotFail(value): return value
    default: throw unsupported("TRY of anything but a CAST", location)
    }
  }

  private static func cannotFail(_ expression: Expression) -> Bool {
    switch expression {
    case .symbol, .constant: true
    case .comparison, .and, .or, .not, .isNull, .inList, .coalesce:
      expression.children.allSatisfy(cannotFail)
    default: false
    }
  }

  func cast(
    _ operand: Expression, _ name: TypeName, _ isTry: Bool, _ location: SourceLocation
  ) throws -> Expression {
    let type = try TypeResolution.resolve(name)
    guard TypeCoercion.canCast(operand.type, to: type) else {
      throw WaterbearError(.typeMismatch, "Cannot cast \(operand.type) to \(type)", at: location)
    }
    if case .constant(let value, _) = operand {
      if value.isNull { return .constant(.null, type) }
      let converted = operand.coerced(to: type)
      if case .constant(_, type) = converted { return converted }
    }
    return operand.type == type ? operand : .cast(operand, type, isTry: isTry, Origin(location))
  }
}

// Owns the translation of a written expression into a typed one: names, literals and forms. Operators, calls and
// subqueries are in the extensions.

import Base
import Columnar
import SQLSyntax

/// Translates the expressions of one clause. Subqueries it meets are planned and left in `pending`.
final class ExpressionTranslator {
  let planner: QueryPlanner
  let scope: Scope
  let environment: Environment
  /// What the expressions belong to, for messages: `WHERE clause`.
  let clause: String
  /// Where aggregates go; nil where the clause allows none.
  var aggregates: AggregateCollector?
  var pending: [PendingSubquery] = []
  /// Names that stand for outputs of the select list; they come before columns (ORDER BY).
  var aliases: [String: [Expression]] = [:]
  /// The aggregate whose argument is being translated.
  var enclosingAggregate: String?

  init(
    planner: QueryPlanner, scope: Scope, environment: Environment, clause: String,
    aggregates: AggregateCollector? = nil
  ) {
    self.planner = planner
    self.scope = scope
    self.environment = environment
    self.clause = clause
    self.aggregates = aggregates
  }

  func translate(_ expression: SyntaxExpression) throws -> Expression {
    let location = expression.location
    switch expression.kind {
    case .null, .boolean, .integer, .decimal, .double, .string, .binary, .typed, .interval, .currentTime,
      .sessionValue:
      return try translateLiteral(expression)
    case .identifier, .dereference: return try translateName(expression)
    case .arithmetic(let operation, let left, let right):
      return try arithmetic(ArithmeticOperator(operation), translate(left), translate(right), location)
    case .negated(let operand): return try negate(translate(operand), location)
    case .plus(let operand): return try plus(translate(operand), location)
    case .comparison(let comparison, let left, let right):
      if let rows = try compareRows(ComparisonOperator(comparison), left, right, location) { return rows }
      return try compare(ComparisonOperator(comparison), translate(left), translate(right), location)
    case .logical(let operation, let terms):
      let operands = try terms.map {
        try boolean($0) { "Logical expression term must evaluate to a boolean (actual: \($0))" }
      }
      return operation == .and ? .and(operands) : .or(operands)
    case .not(let operand):
      return .not(
        try boolean(operand) { "Value of logical NOT expression must evaluate to a boolean (actual: \($0))" })
    case .between(let value, let low, let high): return try between(value, low, high, location)
    case .inList(let value, let items):
      if case .row(let row) = value.kind { return try rowInList(row, items, location) }
      return try inList(value, items, location)
    case .like(let value, let pattern, let escape): return try like(value, pattern, escape, location)
    case .isNull(let operand): return .isNull(try translate(operand))
    case .isNotNull(let operand): return .not(.isNull(try translate(operand)))
    case .simpleCase(let operand, let clauses, let otherwise):
      return try simpleCase(operand, clauses, otherwise)
    case .searchedCase(let clauses, let otherwise): return try searchedCase(clauses, otherwise)
    case .cast(let operand, let type, let isTry): return try cast(translate(operand), type, isTry, location)
    case .coalesce(let operands):
      let (values, type) = try unify(operands, "All COALESCE operands")
      return .coalesce(values, type)
    case .ifThenElse(let condition, let yes, let no):
      return try searchedCase([SyntaxWhenClause(condition: condition, result: yes)], no)
    case .nullIf(let first, let second): return try nullIf(first, second, location)
    case .tryExpression(let operand): return try tryExpression(operand, location)
    case .call(let call): return try translateCall(call, location)
    case .extract(let field, let operand): return try extract(field, operand, location)
    case .trim(let kind, let character, let operand): return try trim(kind, character, operand, location)
    case .exists, .subquery, .inSubquery, .quantified: return try translateSubquery(expression)
    case .grouping(let columns): return try grouping(columns, location)
    case .parameter: throw unsupported("A parameter (?)", location)
    case .row: throw unsupported("A row value", location)
    case .array: throw unsupported("ARRAY", location)
    case .subscript: throw unsupported("A subscript", location)
    case .lambda: throw unsupported("A lambda expression", location)
    case .atTimeZone: throw unsupported("AT TIME ZONE", location)
    }
  }

  /// The value as a boolean; `message` is given the type it has instead.
  func boolean(_ expression: SyntaxExpression, _ message: (DataType) -> String) throws -> Expression {
    let value = try translate(expression)
    guard TypeCoercion.canCoerce(value.type, to: .boolean) else {
      throw WaterbearError(.typeMismatch, message(value.type), at: expression.location)
    }
    return value.coerced(to: .boolean)
  }

  func unsupported(_ thing: String, _ location: SourceLocation) -> WaterbearError {
    WaterbearError(.notSupported, "\(thing) is not supported", at: location)
  }

  // MARK: Names

  /// The parts of a dotted name; nil for anything else.
  static func name(_ expression: SyntaxExpression) -> [Identifier]? {
    switch expression.kind {
    case .identifier(let name): return [name]
    case .dereference(let base, let field): return Self.name(base).map { $0 + [field] }
    default: return nil
    }
  }

  private func translateName(_ expression: SyntaxExpression) throws -> Expression {
    guard let parts = Self.name(expression) else { throw unsupported("A field of a row", expression.location) }
    if parts.count == 1, enclosingAggregate == nil, let outputs = aliases[parts[0].canonical]?.unique {
      if outputs.count > 1 {
        throw WaterbearError(
          .ambiguousName, "Column '\(parts[0].value)' is ambiguous", at: expression.location)
      }
      return outputs[0]
    }
    return .symbol(try resolve(parts, at: expression.location).symbol)
  }

  /// The column that a dotted name means, in this query or one around it.
  func resolve(_ parts: [Identifier], at location: SourceLocation) throws -> Field {
    let written = parts.map(\.value).joined(separator: ".")
    guard let field = try scope.resolve(parts.map(\.canonical), written: written, at: location) else {
      throw WaterbearError(
        .columnNotFound, "Column '\(written)' cannot be resolved", at: location, remedy: suggestion(for: parts))
    }
    return field
  }

  /// The columns in reach that start alike, for a misspelled name.
  private func suggestion(for parts: [Identifier]) -> String? {
    let start = parts[parts.count - 1].canonical.prefix(3)
    let near = scope.fields.compactMap(\.name).filter { $0.hasPrefix(start) }.unique.prefix(5)
    return near.isEmpty ? nil : "Columns with similar names: \(near.joined(separator: ", "))."
  }

  // MARK: Literals

  private func translateLiteral(_ expression: SyntaxExpression) throws -> Expression {
    let location = expression.location
    switch expression.kind {
    case .null: return .constant(.null, .unknown)
    case .boolean(let value): return .constant(.boolean(value), .boolean)
    case .integer(let value):
      return .constant(.integer(value), Int32(exactly: value) == nil ? .bigint : .integer)
    case .decimal(let text):
      guard let (value, type) = LiteralValues.decimal(text) else {
        throw WaterbearError(.invalidLiteral, "Invalid decimal literal: \(text)", at: location)
      }
      return .constant(value, type)
    case .double(let value): return .constant(.double(value), .double)
    case .string(let text): return .constant(.text(text), .varchar(length: text.unicodeScalars.count))
    case .binary(let bytes): return .constant(.bytes(bytes), .varbinary)
    case .interval(let interval):
      guard let (value, type) = LiteralValues.interval(interval) else {
        throw WaterbearError(.invalidLiteral, "Invalid INTERVAL literal: \(interval.text)", at: location)
      }
      return .constant(.integer(value), type)
    case .typed(let type, let text): return try typedLiteral(type, text, location)
    case .currentTime(let function, let precision): return try currentTime(function, precision, location)
    case .sessionValue(let value): return sessionValue(value)
    default: preconditionFailure("translate(_:) hands literals only to translateLiteral")
    }
  }

  private func typedLiteral(_ type: String, _ text: String, _ location: SourceLocation) throws -> Expression {
    func invalid() -> WaterbearError {
      WaterbearError(.invalidLiteral, "'\(text)' is not a valid \(type.uppercased()) literal", at: location)
    }
    switch type {
    case "date":
      guard let days = LiteralValues.date(text), Int32(exactly: days) != nil else { throw invalid() }
      return .constant(.integer(days), .date)
    case "timestamp":
      guard let (microseconds, precision) = LiteralValues.timestamp(text) else { throw invalid() }
      return .constant(.integer(microseconds), .timestamp(precision: precision))
    case "decimal":
      guard let (value, type) = LiteralValues.decimal(text) else { throw invalid() }
      return .constant(value, type)
    default:
      let target = try TypeResolution.resolve(TypeName(base: type, at: location))
      let source = Expression.constant(.text(text), .varchar(length: text.unicodeScalars.count))
      return .cast(source, target, isTry: false, Origin(location))
    }
  }

  /// Times are the session's local ones, fixed when the query started.
  private func currentTime(
    _ function: CurrentTime, _ precision: Int?, _ location: SourceLocation
  ) throws -> Expression {
    let context = planner.context
    let local = context.startMicroseconds + Int64(context.timeZoneOffsetSeconds) * 1_000_000
    switch function {
    case .date: return .constant(.integer(floorDivide(local, 86_400_000_000)), .date)
    case .timestamp, .localTimestamp:
      let digits = precision ?? 3
      guard digits <= 6 else { throw unsupported("\(function.rawValue) with precision \(digits)", location) }
      var unit: Int64 = 1
      for _ in digits..<6 { unit *= 10 }
      return .constant(.integer(floorDivide(local, unit) * unit), .timestamp(precision: digits))
    case .time, .localTime: throw unsupported(function.rawValue, location)
    }
  }

  private func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }

  private func sessionValue(_ value: SessionValue) -> Expression {
    let text: String?
    switch value {
    case .user: text = planner.context.user
    case .catalog: text = planner.context.catalog
    case .schema: text = planner.context.schema
    case .path: text = ""
    }
    return .constant(text.map { .text($0) } ?? .null, .varcharUnbounded)
  }
}

extension ArithmeticOperator {
  init(_ syntax: SyntaxArithmetic) {
    switch syntax {
    case .add: self = .add
    case .subtract: self = .subtract
    case .multiply: self = .multiply
    case .divide: self = .divide
    case .modulus: self = .modulus
    }
  }
}

extension ComparisonOperator {
  init(_ syntax: SyntaxComparison) {
    switch syntax {
    case .equal: self = .equal
    case .notEqual: self = .notEqual
    case .lessThan: self = .lessThan
    case .lessThanOrEqual: self = .lessThanOrEqual
    case .greaterThan: self = .greaterThan
    case .greaterThanOrEqual: self = .greaterThanOrEqual
    case .isDistinctFrom: self = .isDistinctFrom
    }
  }
}

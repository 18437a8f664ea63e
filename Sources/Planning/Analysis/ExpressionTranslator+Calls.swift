// Owns the resolution of function calls: scalar functions, aggregates, and the forms that stand for functions.

import Base
import Columnar
import SQLSyntax

extension ExpressionTranslator {
  func translateCall(_ call: FunctionCall, _ location: SourceLocation) throws -> Expression {
    guard call.name.parts.count == 1 else {
      throw WaterbearError(.functionNotFound, "Function '\(call.name.canonical)' not registered", at: location)
    }
    let name = call.name.suffix
    if call.window != nil { throw unsupported("The window function \(name)", location) }
    if let function = AggregateResolution.named(name) { return try aggregate(function, call, location) }
    if call.isDistinct || call.filter != nil || !call.orderBy.isEmpty || call.nullTreatment != nil {
      if let misused = Self.misuse(call, name) {
        throw WaterbearError(.functionNotAggregate, misused, at: location)
      }
    }
    if call.isStar {
      throw WaterbearError(.functionNotFound, "Function '\(name)' not registered", at: location)
    }
    let arguments = try call.arguments.map(translate)
    if let special = try specialFunction(name, call.arguments, arguments, location) { return special }
    guard let signatures = ScalarSignatures.named(name) else {
      throw WaterbearError(
        .functionNotFound, "Function '\(name)' not registered", at: location,
        remedy: "SHOW FUNCTIONS lists the functions there are.")
    }
    let types = arguments.map(\.type)
    for signature in signatures {
      guard let accepted = signature.accept(types) else { continue }
      let coerced = zip(arguments, accepted).map { $0.coerced(to: $1) }
      return .function(signature.function, coerced, signature.result(accepted), Origin(location))
    }
    let expected = signatures.map { signature in
      "\(name)(\(signature.parameters.map(\.description).joined(separator: ", ")))"
    }
    throw unexpectedParameters(name, types, expected.unique.joined(separator: ", "), location)
  }

  private static func misuse(_ call: FunctionCall, _ name: String) -> String? {
    if call.isDistinct { return "DISTINCT is not supported for non-aggregation functions" }
    if call.filter != nil { return "Filter is only valid for aggregation functions: '\(name)'" }
    if !call.orderBy.isEmpty { return "ORDER BY is only valid for aggregation functions: '\(name)'" }
    return "Cannot specify null treatment clause for '\(name)' function"
  }

  private func unexpectedParameters(
    _ name: String, _ types: [DataType], _ expected: String, _ location: SourceLocation
  ) -> WaterbearError {
    let list = types.map(\.description).joined(separator: ", ")
    return WaterbearError(
      .functionNotFound, "Unexpected parameters (\(list)) for function \(name). Expected: \(expected)", at: location)
  }

  /// Functions whose typing is not a list of signatures; nil where `name` is none of them.
  private func specialFunction(
    _ name: String, _ syntax: [SyntaxExpression], _ arguments: [Expression], _ location: SourceLocation
  ) throws -> Expression? {
    switch (name, arguments.count) {
    case ("mod", 2): return try arithmetic(.modulus, arguments[0], arguments[1], location)
    case ("greatest", 1...), ("least", 1...):
      let (values, type) = try unify(syntax, "All \(name) arguments")
      let function = name == "least" ? ScalarFunction.least : .greatest
      return .function(function, values, type, Origin(location))
    case ("date", 1):
      return try cast(arguments[0], TypeName(base: "date", at: location), false, location)
    case ("typeof", 1):
      return .constant(.text(arguments[0].type.description), .varcharUnbounded)
    case ("now", 0):
      return try translate(SyntaxExpression(.currentTime(.timestamp, precision: nil), at: location))
    default: return nil
    }
  }

  // MARK: Aggregates

  private func aggregate(
    _ named: AggregateFunction, _ call: FunctionCall, _ location: SourceLocation
  ) throws -> Expression {
    let name = call.name.suffix
    guard let aggregates else {
      throw WaterbearError(
        .expressionNotScalar,
        "\(clause) cannot contain aggregations, window functions or grouping operations: "
          + "[\(SyntaxExpression(.call(call), at: location))]", at: location)
    }
    if let enclosing = enclosingAggregate {
      throw WaterbearError(
        .nestedAggregation,
        "Cannot nest aggregations inside aggregation '\(enclosing)': [\(SyntaxExpression(.call(call), at: location))]",
        at: location)
    }
    if call.nullTreatment != nil {
      throw unsupported("A null treatment clause on an aggregate", location)
    }
    enclosingAggregate = name
    defer { enclosingAggregate = nil }
    // Subqueries in here belong to the rows before grouping.
    let outside = pending
    pending = []
    let arguments = try call.arguments.map(translate)
    let filter = try call.filter.map { condition in
      try boolean(condition) { "Filter expression must evaluate to a boolean (actual: \($0))" }
    }
    // The order of rows matters to none of the aggregates there are; the keys are only checked.
    for item in call.orderBy { _ = try translate(item.key) }
    aggregates.pending += pending
    pending = outside

    let isCountAll = named == .count && arguments.isEmpty
    if call.isStar, !isCountAll {
      throw unexpectedParameters(name, [], AggregateResolution.expected(named), location)
    }
    let function = isCountAll ? AggregateFunction.countAll : named
    guard let types = AggregateResolution.argumentTypes(function, arguments.map(\.type)) else {
      throw unexpectedParameters(name, arguments.map(\.type), AggregateResolution.expected(function), location)
    }
    let coerced = zip(arguments, types).map { $0.coerced(to: $1) }
    let isDistinct = call.isDistinct && !function.ignoresDuplicates && !coerced.isEmpty
    let entry = AggregateCollector.Call(
      function: function, arguments: coerced, isDistinct: isDistinct, filter: filter)
    return .symbol(aggregates.add(entry, planner.symbols))
  }

  /// GROUPING(a, b): a bit per column, set where the row at hand is not grouped by it.
  func grouping(_ columns: [QualifiedName], _ location: SourceLocation) throws -> Expression {
    guard let aggregates else {
      throw WaterbearError(
        .expressionNotScalar,
        "\(clause) cannot contain aggregations, window functions or grouping operations: "
          + "[\(SyntaxExpression(.grouping(columns), at: location))]", at: location)
    }
    aggregates.usesGrouping = true
    guard columns.count <= 63 else {
      throw WaterbearError(.invalidArguments, "GROUPING supports up to 63 column arguments", at: location)
    }
    var bits: Int64 = 0
    for column in columns {
      let field = try resolve(column.parts, at: column.location)
      guard let index = aggregates.keys.firstIndex(of: .symbol(field.symbol)) else {
        throw WaterbearError(
          .invalidArguments,
          "The arguments to GROUPING() must be expressions referenced by the GROUP BY at the associated query level. "
            + "Mismatch due to \(column).", at: location)
      }
      bits = bits << 1 | (aggregates.present.contains(index) ? 0 : 1)
    }
    return .constant(.integer(bits), columns.count <= 31 ? .integer : .bigint)
  }

  // MARK: Forms

  func extract(
    _ field: Identifier, _ operand: SyntaxExpression, _ location: SourceLocation
  ) throws -> Expression {
    let names = [
      "year", "quarter", "month", "week", "day", "day_of_month", "day_of_week", "dow", "day_of_year", "doy",
      "year_of_week", "yow", "hour", "minute", "second",
    ]
    guard names.contains(field.canonical) else {
      throw WaterbearError(.syntaxError, "Invalid EXTRACT field: \(field.value)", at: location)
    }
    let value = try translate(operand)
    for signature in ScalarSignatures.named(field.canonical) ?? [] {
      guard let types = signature.accept([value.type]) else { continue }
      return .function(signature.function, [value.coerced(to: types[0])], .bigint, Origin(location))
    }
    throw WaterbearError(
      .typeMismatch,
      "Type of argument to extract must be DATE, TIME, TIMESTAMP, or INTERVAL (actual \(value.type))",
      at: operand.location)
  }

  func trim(
    _ kind: TrimKind, _ character: SyntaxExpression?, _ operand: SyntaxExpression, _ location: SourceLocation
  ) throws -> Expression {
    let name: String
    switch kind {
    case .both: name = "trim"
    case .leading: name = "ltrim"
    case .trailing: name = "rtrim"
    }
    let call = FunctionCall(
      name: QualifiedName([Identifier(name, at: location)]), arguments: [operand] + (character.map { [$0] } ?? []))
    return try translateCall(call, location)
  }
}

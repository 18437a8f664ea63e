// Owns the translation of subqueries in expressions: each is planned at once and left pending, to be joined by
// whoever owns the rows the expression is computed on.

import Base
import Columnar
import SQLSyntax

extension ExpressionTranslator {
  func translateSubquery(_ expression: SyntaxExpression) throws -> Expression {
    let location = expression.location
    switch expression.kind {
    case .subquery(let query):
      let (plan, value) = try planColumn(query, location)
      return .symbol(leave(.scalar(value: value), plan, named: value.name, value.type, location))
    case .exists(let query):
      let plan = try planner.planQuery(query, in: environment.inside(scope), isOutermost: false)
      return .symbol(leave(.exists, plan.node, named: "exists", .boolean, location))
    case .inSubquery(let operand, let query):
      return .symbol(try leaveIn(translateOperands(operand), query, location))
    case .quantified(let comparison, let quantifier, let operand, let query):
      return try quantified(ComparisonOperator(comparison), quantifier, operand, query, location)
    default: preconditionFailure("translate(_:) hands subqueries only to translateSubquery")
    }
  }

  /// Plans a subquery that must have one column.
  private func planColumn(_ query: Query, _ location: SourceLocation) throws -> (PlanNode, Symbol) {
    let plan = try planner.planQuery(query, in: environment.inside(scope), isOutermost: false)
    let fields = plan.visibleFields
    guard fields.count == 1 else { throw Self.severalColumns(fields.count, location) }
    return (plan.node, fields[0].symbol)
  }

  private static func severalColumns(_ count: Int, _ location: SourceLocation) -> WaterbearError {
    WaterbearError(
      .notSupported, "Multiple columns returned by subquery are not yet supported. Found \(count)", at: location)
  }

  /// The values of a row, or the only one.
  func translateOperands(_ expression: SyntaxExpression) throws -> [Expression] {
    if case .row(let items) = expression.kind { return try items.map(translate) }
    return [try translate(expression)]
  }

  private func leave(
    _ kind: PendingSubquery.Kind, _ plan: PlanNode, named name: String, _ type: DataType,
    _ location: SourceLocation
  ) -> Symbol {
    let result = planner.symbols.symbol(name, type)
    pending.append(
      PendingSubquery(
        kind: kind, plan: plan, result: result, outerSymbols: plan.freeSymbols, location: location))
    return result
  }

  private func leaveIn(_ operands: [Expression], _ query: Query, _ location: SourceLocation) throws -> Symbol {
    let plan = try planner.planQuery(query, in: environment.inside(scope), isOutermost: false)
    let fields = plan.visibleFields
    guard operands.count > 1 || fields.count == 1 else { throw Self.severalColumns(fields.count, location) }
    let types = zip(operands, fields).compactMap { TypeCoercion.common($0.type, $1.symbol.type) }
    guard types.count == operands.count, types.count == fields.count else {
      let (left, right) = (Self.typeText(operands.map(\.type)), Self.typeText(fields.map(\.symbol.type)))
      throw WaterbearError(
        .typeMismatch, "Value expression and result of subquery must be of the same type: \(left) vs \(right)",
        at: location)
    }
    var builder = PlanBuilder(node: plan.node, symbols: planner.symbols)
    let values = zip(fields, types).map { Expression.symbol($0.symbol).coerced(to: $1) }
    let columns = builder.symbols(for: values, named: "value")
    return leave(
      .isIn(operands: zip(operands, types).map { $0.coerced(to: $1) }, values: columns), builder.node, named: "in",
      .boolean, location)
  }

  private static func typeText(_ types: [DataType]) -> String {
    types.count == 1 ? "\(types[0])" : "row(\(types.map(\.description).joined(separator: ", ")))"
  }

  /// The plan with its column in `type`.
  private func coerce(_ plan: PlanNode, _ value: Symbol, to type: DataType) -> (PlanNode, Symbol) {
    let expression = Expression.symbol(value).coerced(to: type)
    if expression == .symbol(value) { return (plan, value) }
    let column = planner.symbols.symbol(value.name, type)
    let node = PlanNode.project(ProjectNode(source: plan, assignments: [Assignment(column, expression)]))
    return (node, column)
  }

  private func quantified(
    _ comparison: ComparisonOperator, _ quantifier: Quantifier, _ operand: SyntaxExpression, _ query: Query,
    _ location: SourceLocation
  ) throws -> Expression {
    let isAll = quantifier == .all
    // These two are IN and NOT IN by definition.
    if comparison == .equal, !isAll { return .symbol(try leaveIn(translateOperands(operand), query, location)) }
    if comparison == .notEqual, isAll {
      return .not(.symbol(try leaveIn(translateOperands(operand), query, location)))
    }
    let value = try translate(operand)
    let (plan, column) = try planColumn(query, location)
    guard let type = TypeCoercion.common(value.type, column.type) else {
      throw WaterbearError(
        .typeMismatch,
        "Value expression and result of subquery must be of the same type for quantified comparison: "
          + "\(value.type) vs \(column.type)", at: location)
    }
    let (node, coerced) = coerce(plan, column, to: type)
    return .symbol(
      leave(
        .quantified(comparison, isAll: isAll, operand: value.coerced(to: type), value: coerced), node,
        named: "quantified", .boolean, location))
  }
}

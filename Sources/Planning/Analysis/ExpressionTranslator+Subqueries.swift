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
      let value = try translate(operand)
      return .symbol(try leaveIn(value, query, location))
    case .quantified(let comparison, let quantifier, let operand, let query):
      return try quantified(ComparisonOperator(comparison), quantifier, operand, query, location)
    default: preconditionFailure("translate(_:) hands subqueries only to translateSubquery")
    }
  }

  /// Plans a subquery that must have one column.
  private func planColumn(_ query: Query, _ location: SourceLocation) throws -> (PlanNode, Symbol) {
    let plan = try planner.planQuery(query, in: environment.inside(scope), isOutermost: false)
    let fields = plan.visibleFields
    guard fields.count == 1 else {
      throw WaterbearError(
        .notSupported, "Multiple columns returned by subquery are not yet supported. Found \(fields.count)",
        at: location)
    }
    return (plan.node, fields[0].symbol)
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

  private func leaveIn(_ operand: Expression, _ query: Query, _ location: SourceLocation) throws -> Symbol {
    let (plan, value) = try planColumn(query, location)
    guard let type = TypeCoercion.common(operand.type, value.type) else {
      throw WaterbearError(
        .typeMismatch,
        "Value expression and result of subquery must be of the same type: \(operand.type) vs \(value.type)",
        at: location)
    }
    let (node, column) = coerce(plan, value, to: type)
    return leave(
      .isIn(operand: operand.coerced(to: type), value: column), node, named: "in", .boolean, location)
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
    let value = try translate(operand)
    let isAll = quantifier == .all
    // These two are IN and NOT IN by definition.
    if comparison == .equal, !isAll { return .symbol(try leaveIn(value, query, location)) }
    if comparison == .notEqual, isAll { return .not(.symbol(try leaveIn(value, query, location))) }
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

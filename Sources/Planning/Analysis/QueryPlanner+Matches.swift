// Owns the joining of subqueries that ask for a match: IN, correlated EXISTS and quantified comparisons.

import Base
import Columnar

extension QueryPlanner {
  /// IN and correlated EXISTS: a join that marks or filters the rows with a match in `plan`. Throws NOT_SUPPORTED where
  /// the subquery cannot be separated from the outer rows.
  func joinMatches(
    _ subquery: PendingSubquery, _ plan: PlanNode, _ membership: (operands: [Expression], values: [Symbol])?,
    _ outer: Set<Symbol>, to builder: inout PlanBuilder, wanted: Bool?
  ) throws {
    let pulled = try Decorrelation(symbols: symbols, location: subquery.location).pull(plan, outer: outer)
    var source = builder
    var inner = PlanBuilder(node: pulled.node, symbols: symbols)
    var criteria: [EquiClause] = []
    var rest: [Expression] = []
    // The answer to IN may be NULL; the join that knows of NULLs takes one key pair and leaves the rest to its filter.
    var isNullAware = membership != nil && wanted != true
    if let (operands, values) = membership {
      if isNullAware, values.count > 1 {
        guard wanted == false else { throw WaterbearError.unsupportedCorrelation(at: subquery.location) }
        // NOT IN of rows: none may be equal or be left open by a NULL.
        isNullAware = false
        rest = zip(operands, values).map { Expression.comparison(.equal, $0, .symbol($1)).mayBeTrue }
      } else {
        let keys = source.symbols(for: operands, named: "key")
        criteria = zip(keys, values).map { EquiClause(left: $0, right: $1) }
      }
    }
    let innerColumns = Set(inner.node.outputs)
    let outerColumns = Set(source.node.outputs)
    for condition in pulled.conditions {
      guard !isNullAware, let pair = Self.equality(condition, outerColumns, innerColumns) else {
        rest.append(condition)
        continue
      }
      criteria.append(
        EquiClause(
          left: source.symbol(for: pair.left, named: "key"), right: inner.symbol(for: pair.right, named: "key")))
    }
    let filter = rest.isEmpty ? nil : Expression.conjunction(rest)
    let columns = builder.node.outputs
    if let wanted, wanted || !isNullAware || filter == nil {
      let kind: JoinKind = wanted ? .semi : isNullAware ? .nullAwareAnti : .anti
      builder.node = .join(
        JoinNode(
          kind: kind, left: source.node, right: inner.node, criteria: criteria, filter: filter,
          outputs: source.node.outputs))
      builder.node = trimmed(builder.node, to: columns)
      return
    }
    builder.node = .semiJoin(
      SemiJoinNode(
        source: source.node, filteringSource: inner.node, criteria: criteria, filter: filter,
        mark: subquery.result, isNullAware: isNullAware))
    if let wanted {
      builder.filter(wanted ? .symbol(subquery.result) : .not(.symbol(subquery.result)))
    }
  }

  // MARK: Quantified comparisons

  /// `a op ALL/ANY (query)` by the least and greatest value and the counts of rows and of values.
  func joinQuantified(
    _ subquery: PendingSubquery, _ comparison: ComparisonOperator, _ isAll: Bool, _ operand: Expression,
    _ value: Symbol, to builder: inout PlanBuilder
  ) {
    let least = symbols.symbol("min", value.type)
    let greatest = symbols.symbol("max", value.type)
    let rows = symbols.symbol("count", .bigint)
    let values = symbols.symbol("count", .bigint)
    builder.crossJoin(
      .aggregate(
        AggregateNode(
          source: subquery.plan, keys: [],
          aggregations: [
            Aggregation(function: .min, arguments: [value], output: least),
            Aggregation(function: .max, arguments: [value], output: greatest),
            Aggregation(function: .countAll, arguments: [], output: rows),
            Aggregation(function: .count, arguments: [value], output: values),
          ])))
    func compare(_ comparison: ComparisonOperator, _ left: Expression, _ right: Symbol) -> Expression {
      .comparison(comparison, left, .symbol(right))
    }
    let bound: Expression
    switch (comparison, isAll) {
    case (.lessThan, true), (.lessThanOrEqual, true), (.greaterThan, false), (.greaterThanOrEqual, false):
      bound = compare(comparison, operand, least)
    case (.equal, true): bound = .and([compare(.equal, .symbol(least), greatest), compare(.equal, operand, greatest)])
    case (.notEqual, false):
      bound = .or([compare(.notEqual, .symbol(least), greatest), compare(.notEqual, operand, greatest)])
    default: bound = compare(comparison, operand, greatest)
    }
    let isEmpty = compare(.equal, .constant(.integer(0), .bigint), rows)
    let hasNulls = Expression.comparison(.notEqual, .symbol(rows), .symbol(values))
    let unknown = Expression.constant(.null, .boolean)
    // A NULL among the values leaves the answer open unless another value settles it.
    let withNulls: Expression = isAll ? .and([bound, unknown]) : .or([bound, unknown])
    builder.append([
      Assignment(
        subquery.result,
        .searchedCase(
          [
            WhenClause(condition: isEmpty, result: isAll ? .true : .false),
            WhenClause(condition: hasNulls, result: withNulls),
          ], otherwise: bound, .boolean))
    ])
  }
}

extension Expression {
  /// Whether this condition is not false.
  var mayBeTrue: Expression { .comparison(.isDistinctFrom, self, .false) }
}

// Owns the joining of pending subqueries to the plan whose rows ask for them.

import Base
import Columnar

extension QueryPlanner {
  /// Joins each subquery, so that its result is a column of the plan.
  func join(_ pending: [PendingSubquery], to builder: inout PlanBuilder) throws {
    for subquery in pending { try join(subquery, to: &builder, wanted: nil) }
  }

  /// Keeps the rows for which `predicate`, which speaks of the subqueries' results, is true. Where the predicate is a
  /// lone [NOT] IN or [NOT] EXISTS, the rows are filtered by the join itself.
  func joinAsFilter(
    _ predicate: Expression, _ pending: [PendingSubquery], to builder: inout PlanBuilder
  ) throws {
    let columns = builder.node.outputs
    guard let last = pending.last else {
      builder.filter(predicate)
      return
    }
    try join(Array(pending.dropLast()), to: &builder)
    if predicate == .symbol(last.result), last.isMembership {
      try join(last, to: &builder, wanted: true)
    } else if predicate == .not(.symbol(last.result)), last.isMembership {
      try join(last, to: &builder, wanted: false)
    } else {
      let rejects = last.isScalar && Self.isFalseForNull(predicate, last.result)
      try join(last, to: &builder, wanted: rejects ? true : nil)
      builder.filter(predicate)
    }
    builder.node = trimmed(builder.node, to: columns)
  }

  /// Whether the predicate cannot be true where `symbol` is NULL.
  private static func isFalseForNull(_ predicate: Expression, _ symbol: Symbol) -> Bool {
    func isNullForNull(_ expression: Expression) -> Bool {
      switch expression {
      case .symbol(let other): other == symbol
      case .arithmetic(_, let left, let right, _, _): isNullForNull(left) || isNullForNull(right)
      case .negate(let operand, _): isNullForNull(operand)
      case .cast(let operand, _, _, _): isNullForNull(operand)
      default: false
      }
    }
    guard case .comparison(let comparison, let left, let right) = predicate, comparison != .isDistinctFrom else {
      return false
    }
    return isNullForNull(left) || isNullForNull(right)
  }

  /// Joins one subquery. `wanted` tells that only rows with that answer matter (for a scalar: rows with a value);
  /// then the result need not become a column unless it is a scalar.
  private func join(_ subquery: PendingSubquery, to builder: inout PlanBuilder, wanted: Bool?) throws {
    let own = Set(builder.node.outputs)
    let outer = subquery.outerSymbols.intersection(own)
    switch subquery.kind {
    case .scalar(let value):
      if outer.isEmpty {
        joinSingleRow(subquery, value, to: &builder)
      } else {
        try joinCorrelatedScalar(subquery, value, outer, to: &builder, dropsMisses: wanted == true)
      }
    case .exists:
      if let answer = Self.knownExistence(subquery.plan) {
        try answerExistence(answer, subquery, to: &builder, wanted: wanted)
      } else if outer.isEmpty {
        joinUncorrelatedExists(subquery, to: &builder, wanted: wanted)
      } else {
        let plan = Self.rowsOnly(subquery.plan)
        try joinMatches(subquery, plan, nil, outer, to: &builder, wanted: wanted)
      }
    case .isIn(let operand, let value):
      try joinMatches(subquery, subquery.plan, (operand, value), outer, to: &builder, wanted: wanted)
    case .quantified(let comparison, let isAll, let operand, let value):
      guard outer.isEmpty else { throw WaterbearError.unsupportedCorrelation(at: subquery.location) }
      joinQuantified(subquery, comparison, isAll, operand, value, to: &builder)
    }
  }

  // MARK: Scalars

  private func joinSingleRow(_ subquery: PendingSubquery, _ value: Symbol, to builder: inout PlanBuilder) {
    let single =
      Self.hasOneRow(subquery.plan)
      ? subquery.plan
      : .enforceSingleRow(EnforceSingleRowNode(source: subquery.plan, origin: Origin(subquery.location)))
    builder.crossJoin(
      .project(ProjectNode(source: single, assignments: [Assignment(subquery.result, .symbol(value))])))
  }

  private static func hasOneRow(_ node: PlanNode) -> Bool {
    switch node {
    case .project(let node): hasOneRow(node.source)
    case .aggregate(let node): node.keys.isEmpty
    case .values(let node): node.rows.count == 1
    case .enforceSingleRow: true
    default: false
    }
  }

  /// A subquery that aggregates the rows matching the outer one: grouped by the matching columns and joined on them.
  /// Where no group matches, the aggregates have the values they have for no rows.
  private func joinCorrelatedScalar(
    _ subquery: PendingSubquery, _ value: Symbol, _ outer: Set<Symbol>, to builder: inout PlanBuilder,
    dropsMisses: Bool
  ) throws {
    var result = Expression.symbol(value)
    var having = Expression.true
    var node = subquery.plan
    // What stands above the aggregation is computed above the join.
    descent: while true {
      switch node {
      case .project(let project):
        let assigned = Dictionary(uniqueKeysWithValues: project.assignments.map { ($0.symbol, $0.expression) })
        result = result.replacingSymbols { assigned[$0] }
        having = having.replacingSymbols { assigned[$0] }
        node = project.source
      case .filter(let filter):
        having = having == .true ? filter.predicate : .and([filter.predicate, having])
        node = filter.source
      case .sort(let sort): node = sort.source
      case .enforceSingleRow(let enforce): node = enforce.source
      default: break descent
      }
    }
    var defaults: [Symbol: Expression] = [:]
    switch node {
    case .values(let values) where values.outputs.isEmpty && values.rows.count == 1: break
    case .aggregate(var aggregate) where aggregate.keys.isEmpty:
      let decorrelation = Decorrelation(symbols: symbols, location: subquery.location)
      let pulled = try decorrelation.pull(aggregate.source, outer: outer)
      let (source, keys, conditions) = try decorrelation.keyed(pulled, outer)
      aggregate.source = source
      aggregate.keys = keys
      for aggregation in aggregate.aggregations {
        switch aggregation.function {
        case .count, .countAll, .countIf:
          defaults[aggregation.output] = .coalesce(
            [.symbol(aggregation.output), .constant(.integer(0), .bigint)], .bigint)
        default: break
        }
      }
      let kind = dropsMisses && defaults.isEmpty && !keys.isEmpty ? JoinKind.inner : .left
      builder.node = join(
        builder.node, .aggregate(aggregate), kind, conditions,
        outputs: builder.node.outputs + aggregate.aggregations.map(\.output))
    default: throw WaterbearError.unsupportedCorrelation(at: subquery.location)
    }
    result = result.replacingSymbols { defaults[$0] }
    having = having.replacingSymbols { defaults[$0] }
    if having != .true {
      result = .searchedCase([WhenClause(condition: having, result: result)], otherwise: nil, result.type)
    }
    builder.append([Assignment(subquery.result, result)])
  }

  // MARK: EXISTS

  /// Whether there is a row, where that follows from the plan alone.
  private static func knownExistence(_ node: PlanNode) -> Bool? {
    switch node {
    case .project(let node): knownExistence(node.source)
    case .sort(let node): knownExistence(node.source)
    case .aggregate(let node): node.keys.isEmpty ? true : nil
    case .enforceSingleRow: true
    case .values(let node): !node.rows.isEmpty
    case .limit(let node): node.count == 0 ? false : nil
    case .topN(let node): node.count == 0 ? false : nil
    default: nil
    }
  }

  /// The plan without what does not change whether it has rows.
  private static func rowsOnly(_ node: PlanNode) -> PlanNode {
    switch node {
    case .project(let inner): return rowsOnly(inner.source)
    case .sort(let inner): return rowsOnly(inner.source)
    case .topN(let inner) where inner.count > 0: return rowsOnly(inner.source)
    case .limit(let inner) where inner.offset == 0 && inner.count != 0: return rowsOnly(inner.source)
    case .aggregate(let inner) where !inner.keys.isEmpty: return rowsOnly(inner.source)
    default: return node
    }
  }

  private func answerExistence(
    _ answer: Bool, _ subquery: PendingSubquery, to builder: inout PlanBuilder, wanted: Bool?
  ) throws {
    if let wanted {
      if wanted != answer { builder.filter(.false) }
    } else {
      builder.append([Assignment(subquery.result, answer ? .true : .false)])
    }
  }

  /// One row is looked for once, and its count joined to every row.
  private func joinUncorrelatedExists(
    _ subquery: PendingSubquery, to builder: inout PlanBuilder, wanted: Bool?
  ) {
    let first = PlanNode.limit(LimitNode(source: Self.rowsOnly(subquery.plan), count: 1))
    let count = symbols.symbol("count", .bigint)
    let counted = PlanNode.aggregate(
      AggregateNode(
        source: first, keys: [], aggregations: [Aggregation(function: .countAll, arguments: [], output: count)]))
    let exists = Expression.comparison(.greaterThan, .symbol(count), .constant(.integer(0), .bigint))
    builder.crossJoin(
      .project(ProjectNode(source: counted, assignments: [Assignment(subquery.result, exists)])))
    if let wanted {
      builder.filter(wanted ? .symbol(subquery.result) : .not(.symbol(subquery.result)))
    }
  }

  // MARK: Matches

  /// IN and correlated EXISTS: a join that marks or filters the rows with a match in `plan`.
  private func joinMatches(
    _ subquery: PendingSubquery, _ plan: PlanNode, _ membership: (operand: Expression, value: Symbol)?,
    _ outer: Set<Symbol>, to builder: inout PlanBuilder, wanted: Bool?
  ) throws {
    let pulled = try Decorrelation(symbols: symbols, location: subquery.location).pull(plan, outer: outer)
    var source = builder
    var inner = PlanBuilder(node: pulled.node, symbols: symbols)
    var criteria: [EquiClause] = []
    if let (operand, value) = membership {
      criteria = [EquiClause(left: source.symbol(for: operand, named: "key"), right: value)]
    }
    // The answer to IN may be NULL; the join that knows of NULLs takes one key pair and leaves the rest to its filter.
    let isNullAware = membership != nil && wanted != true
    let innerColumns = Set(inner.node.outputs)
    let outerColumns = Set(source.node.outputs)
    var rest: [Expression] = []
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
  private func joinQuantified(
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

extension PendingSubquery {
  /// Whether it asks for a match: IN or EXISTS.
  var isMembership: Bool {
    switch kind {
    case .exists, .isIn: true
    case .scalar, .quantified: false
    }
  }

  var isScalar: Bool {
    if case .scalar = kind { return true }
    return false
  }
}

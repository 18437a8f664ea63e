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
      let rejects = last.isScalar && predicate.rejectsNulls(of: [last.result])
      try join(last, to: &builder, wanted: rejects ? true : nil)
      builder.filter(predicate)
    }
    builder.node = trimmed(builder.node, to: columns)
  }

  /// Joins one subquery. `wanted` tells that only rows with that answer matter (for a scalar: rows where it is not
  /// NULL); then the result need not become a column unless it is a scalar. A random operand is one for each row,
  /// however many values it is compared with.
  private func join(_ subquery: PendingSubquery, to builder: inout PlanBuilder, wanted: Bool?) throws {
    let subquery = subquery.mapOperand { operand in
      operand.isDeterministic ? operand : .symbol(builder.symbol(for: operand, named: "operand"))
    }
    let outer = subquery.outerSymbols.intersection(builder.node.outputs)
    var joined = builder
    do {
      try join(subquery, outer, to: &joined, wanted: wanted)
      builder = joined
    } catch let error as WaterbearError where error.code == .notSupported {
      // A plan for any correlation; it costs more.
      try joinRowwise(subquery, to: &builder, wanted: wanted)
    }
  }

  private func join(
    _ subquery: PendingSubquery, _ outer: Set<Symbol>, to builder: inout PlanBuilder, wanted: Bool?
  ) throws {
    switch subquery.kind {
    case .scalar(let value):
      if outer.isEmpty {
        joinSingleRow(subquery, value, to: &builder)
      } else {
        try joinCorrelatedScalar(subquery, value, outer, to: &builder, dropsNulls: wanted == true)
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
    case .isIn(let operands, let values):
      try joinMatches(subquery, subquery.plan, (operands, values), outer, to: &builder, wanted: wanted)
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
  /// Where no group matches, the aggregates have the values they have for no rows; outer rows without a group are kept
  /// here, since the result need not be NULL for them. The optimiser sees where it is and the filter above minds.
  private func joinCorrelatedScalar(
    _ subquery: PendingSubquery, _ value: Symbol, _ outer: Set<Symbol>, to builder: inout PlanBuilder,
    dropsNulls: Bool
  ) throws {
    var result = Expression.symbol(value)
    var having = Expression.true
    // What is random and used more than once, the outermost first.
    var drawn: [Assignment] = []
    var node = subquery.plan
    // What stands above the aggregation is computed above the join.
    descent: while true {
      switch node {
      case .project(let project):
        var assigned: [Symbol: Expression] = [:]
        var kept: [Assignment] = []
        for assignment in project.assignments {
          let uses = ([result, having] + drawn.map(\.expression)).reduce(0) { $0 + $1.count(of: assignment.symbol) }
          if uses < 2 || assignment.expression.isDeterministic {
            assigned[assignment.symbol] = assignment.expression
          } else {
            kept.append(assignment)
          }
        }
        result = result.replacingSymbols { assigned[$0] }
        having = having.replacingSymbols { assigned[$0] }
        drawn = drawn.map { Assignment($0.symbol, $0.expression.replacingSymbols { assigned[$0] }) } + kept
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
      builder.node = join(
        builder.node, .aggregate(aggregate), .left, conditions,
        outputs: builder.node.outputs + aggregate.aggregations.map(\.output))
    default:
      return try joinCorrelatedRow(subquery, value, outer, to: &builder, dropsNulls: dropsNulls)
    }
    result = result.replacingSymbols { defaults[$0] }
    having = having.replacingSymbols { defaults[$0] }
    for assignment in drawn.reversed() {
      builder.append([Assignment(assignment.symbol, assignment.expression.replacingSymbols { defaults[$0] })])
    }
    if having != .true {
      result = .searchedCase([WhenClause(condition: having, result: result)], otherwise: nil, result.type)
    }
    builder.append([Assignment(subquery.result, result)])
  }

  /// A subquery that must have one row at most for each outer row: joined on the matching columns as it is where that
  /// is certain, else as one row for each of their values and a count of the rows that it stands for. The result is
  /// NULL for outer rows without a match, so that these need not be kept where `dropsNulls`.
  private func joinCorrelatedRow(
    _ subquery: PendingSubquery, _ value: Symbol, _ outer: Set<Symbol>, to builder: inout PlanBuilder,
    dropsNulls: Bool
  ) throws {
    let decorrelation = Decorrelation(symbols: symbols, location: subquery.location)
    let pulled = try decorrelation.pull(subquery.plan, outer: outer)
    let (node, keys, conditions) = try decorrelation.keyed(pulled, outer)
    let kind = dropsNulls && !keys.isEmpty ? JoinKind.inner : .left
    if let unique = node.uniqueKey, unique.isSubset(of: keys) {
      builder.node = join(builder.node, node, kind, conditions, outputs: builder.node.outputs + [value])
      return builder.append([Assignment(subquery.result, .symbol(value))])
    }
    let only = symbols.symbol(value.name, value.type)
    let count = symbols.symbol("count", .bigint)
    let counted = PlanNode.aggregate(
      AggregateNode(
        source: node, keys: keys,
        aggregations: [
          Aggregation(function: .anyValue, arguments: [value], output: only),
          Aggregation(function: .countAll, arguments: [], output: count),
        ]))
    builder.node = join(builder.node, counted, kind, conditions, outputs: builder.node.outputs + [only, count])
    let isOnly = Expression.function(.onlyRow, [.symbol(count)], .boolean, Origin(subquery.location))
    builder.append([
      Assignment(
        subquery.result,
        .searchedCase([WhenClause(condition: isOnly, result: .symbol(only))], otherwise: nil, only.type))
    ])
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

  // MARK: Any correlation

  /// Computes the subquery beside each row of the plan, whatever it uses of it.
  private func joinRowwise(
    _ subquery: PendingSubquery, to builder: inout PlanBuilder, wanted: Bool?
  ) throws {
    let columns = builder.node.outputs
    let rowwise = RowwiseSubquery(planner: self, location: subquery.location)
    let outer = rowwise.numbered(builder.node)
    func rows() throws -> RowwiseSubquery.Rows { try rowwise.rows(of: subquery.plan, beside: outer) }
    let result: Expression
    switch subquery.kind {
    case .scalar(let value):
      var found = try rows()
      if !Self.hasOneRow(subquery.plan) { found = rowwise.onlyRow(of: found, outer) }
      builder.node = found.node
      let clause = WhenClause(condition: .symbol(found.mask), result: .symbol(value))
      result = .searchedCase([clause], otherwise: nil, value.type)
    case .exists:
      let summary = try rowwise.summary(of: rows(), .true, beside: outer)
      builder.node = summary.node
      result = .coalesce([.symbol(summary.isAny), .false], .boolean)
    case .isIn(let operands, let values):
      let equalities = zip(operands, values).map { Expression.comparison(.equal, $0, .symbol($1)) }
      var found: RowwiseSubquery.Rows?
      if let pulled = try rowwise.pulled(subquery.plan, outer.node) {
        // A row that differs for certain need not be looked at.
        found = rowwise.matching(
          pulled, beside: outer.node, where: nil, if: .conjunction(equalities.map(\.mayBeTrue)))
      }
      let summary = try rowwise.summary(of: found ?? rows(), .conjunction(equalities), beside: outer)
      builder.node = summary.node
      result = summary.anyMatch
    case .quantified(let comparison, let isAll, let operand, let value):
      // What holds for all is what fails for none.
      let holds = Expression.comparison(comparison, operand, .symbol(value))
      let summary = try rowwise.summary(of: rows(), isAll ? .not(holds) : holds, beside: outer)
      builder.node = summary.node
      result = isAll ? .not(summary.anyMatch) : summary.anyMatch
    }
    builder.append([Assignment(subquery.result, result)])
    builder.node = trimmed(builder.node, to: columns + [subquery.result])
    if let wanted, subquery.isMembership {
      builder.filter(wanted ? .symbol(subquery.result) : .not(.symbol(subquery.result)))
    }
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

extension Expression {
  /// How often a symbol is used.
  fileprivate func count(of symbol: Symbol) -> Int {
    if case .symbol(symbol) = self { return 1 }
    return children.reduce(0) { $0 + $1.count(of: symbol) }
  }
}

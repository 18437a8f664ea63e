// Owns correlated subqueries that no join alone can answer: the outer rows are told apart by numbers and carried down
// through the subquery's plan, so that each node of it works on the rows of all outer rows at once.

import Base
import Columnar

/// Builds, beside each row of an outer plan, the rows that a subquery has for it.
struct RowwiseSubquery {
  /// Rows of an outer plan that a number tells apart.
  struct Outer {
    var node: PlanNode
    var id: Symbol
    /// True on rows that are asked about; others are carried along and get no rows. Nil: all are.
    var mask: Symbol?

    /// Whether a row is asked about.
    var isAsked: Expression { mask.map(Expression.symbol) ?? .true }
  }

  /// What a subquery has for each outer row. Every outer row is there at least once.
  struct Rows {
    /// Its outputs are those of the outer plan, those of the subquery and `mask`.
    var node: PlanNode
    /// True on rows that the subquery has. Others stand for outer rows without any and hold nothing of meaning.
    var mask: Symbol
  }

  let planner: QueryPlanner
  let location: SourceLocation

  var symbols: SymbolAllocator { planner.symbols }
  var unsupported: WaterbearError { .unsupportedCorrelation(at: location) }

  /// The plan with a number for each row.
  func numbered(_ node: PlanNode) -> Outer {
    let id = symbols.symbol("unique", .bigint)
    return Outer(node: .uniqueID(UniqueIDNode(source: node, id: id)), id: id)
  }

  /// The rows with a number for each, to ask for what another plan has beside them.
  func numbered(_ rows: Rows) -> Outer {
    var outer = numbered(rows.node)
    outer.mask = rows.mask
    return outer
  }

  /// The rows of `node`, which may use the columns of `outer`, beside each row of `outer`. Throws NOT_SUPPORTED for
  /// full joins whose sides use outer columns, and for unions of branches that use them in other ways than conditions.
  func rows(of node: PlanNode, beside outer: Outer) throws -> Rows {
    if let pulled = try pulled(node, outer.node) { return matching(pulled, beside: outer.node, where: outer.mask) }
    switch node {
    case .filter(let filter):
      let source = try rows(of: filter.source, beside: outer)
      return masked(source.node, .symbol(source.mask), and: filter.predicate)
    case .project(let project): return try rows(of: project, beside: outer)
    case .aggregate(let aggregate): return try rows(of: aggregate, beside: outer)
    case .sort(let sort): return try rows(of: sort.source, beside: outer)
    case .topN(let top):
      return try first(top.count, of: top.source, by: top.orderings, beside: outer)
    case .limit(let limit): return try rows(of: limit, beside: outer)
    case .enforceSingleRow(let enforce):
      var source = try onlyRow(of: rows(of: enforce.source, beside: outer), outer)
      source.node = emptied(enforce.source.outputs, where: source.mask, of: source.node)
      let mask = symbols.symbol("match", .boolean)
      return Rows(node: appended([Assignment(mask, outer.isAsked)], to: source.node), mask: mask)
    case .uniqueID(let unique):
      var source = try rows(of: unique.source, beside: outer)
      source.node = .uniqueID(UniqueIDNode(source: source.node, id: unique.id))
      return source
    case .rowNumber(var numbered):
      let source = try rows(of: numbered.source, beside: outer)
      numbered.source = source.node
      numbered.partition = [outer.id] + numbered.partition
      numbered.orderings = [Self.matchesFirst(source.mask)] + numbered.orderings
      return Rows(node: .rowNumber(numbered), mask: source.mask)
    case .join(let join): return try rows(of: join, beside: outer)
    case .semiJoin(let join): return try rows(of: join, beside: outer)
    default: throw unsupported
    }
  }

  // MARK: Leaves

  /// The plan without its uses of the columns of `outer`; nil where some cannot be taken out of it.
  func pulled(_ node: PlanNode, _ outer: PlanNode) throws -> Decorrelation.Pulled? {
    let used = node.freeSymbols.intersection(outer.outputs)
    do {
      return try Decorrelation(symbols: symbols, location: location).pull(node, outer: used)
    } catch let error as WaterbearError where error.code == .notSupported {
      return nil
    }
  }

  /// Each outer row with those of `pulled` that its conditions and `condition` hold for; with none where `isAsked` is
  /// not true.
  func matching(
    _ pulled: Decorrelation.Pulled, beside outer: PlanNode, where isAsked: Symbol?, if condition: Expression = .true
  ) -> Rows {
    let mask = symbols.symbol("match", .boolean)
    let right = appended([Assignment(mask, .true)], to: pulled.node)
    var conditions = pulled.conditions + condition.conjuncts
    if let isAsked { conditions = [.symbol(isAsked)] + guarded(conditions, on: outer, where: isAsked) }
    let node = planner.join(outer, right, .left, conditions, outputs: outer.outputs + right.outputs)
    return Rows(node: node, mask: mask)
  }

  // MARK: Nodes

  private func rows(of project: ProjectNode, beside outer: Outer) throws -> Rows {
    let source = try rows(of: project.source, beside: outer)
    let carried = (outer.node.outputs + [source.mask]).filter { symbol in
      !project.assignments.contains { $0.symbol == symbol }
    }
    let computed = project.assignments.map { assignment in
      Assignment(assignment.symbol, Self.computed(assignment.expression, where: source.mask))
    }
    let node = PlanNode.project(
      ProjectNode(source: source.node, assignments: carried.map { Assignment($0, .symbol($0)) } + computed))
    return Rows(node: node, mask: source.mask)
  }

  /// Groups for each outer row. Rows that stand for none are kept out of the aggregates.
  private func rows(of aggregate: AggregateNode, beside outer: Outer) throws -> Rows {
    var source = try rows(of: aggregate.source, beside: outer)
    var grouped = aggregate
    var filters: [Symbol: Symbol] = [:]
    var assignments: [Assignment] = []
    for (index, aggregation) in aggregate.aggregations.enumerated() {
      guard let filter = aggregation.filter else {
        grouped.aggregations[index].filter = source.mask
        continue
      }
      if filters[filter] == nil {
        let symbol = symbols.symbol(filter.name, .boolean)
        filters[filter] = symbol
        assignments.append(Assignment(symbol, .and([.symbol(source.mask), .symbol(filter)])))
      }
      grouped.aggregations[index].filter = filters[filter]
    }
    source.node = appended(assignments, to: source.node)
    grouped.source = source.node
    grouped.keys = (outer.node.outputs + aggregate.keys).unique
    let mask = symbols.symbol("match", .boolean)
    if aggregate.keys.isEmpty {
      return Rows(node: appended([Assignment(mask, outer.isAsked)], to: .aggregate(grouped)), mask: mask)
    }
    grouped.aggregations.append(Aggregation(function: .boolOr, arguments: [source.mask], output: mask))
    return Rows(node: .aggregate(grouped), mask: mask)
  }

  private func rows(of limit: LimitNode, beside outer: Outer) throws -> Rows {
    let (last, overflow) = (limit.count ?? Int.max).addingReportingOverflow(limit.offset)
    let count = overflow || limit.count == nil ? nil : last
    let (below, orderings) = limit.ordered
    if limit.offset == 0 { return try first(count ?? .max, of: below, by: orderings, beside: outer) }
    let source = try rows(of: below, beside: outer)
    let number = symbols.symbol("row_number", .bigint)
    let numbered = PlanNode.rowNumber(
      RowNumberNode(
        source: source.node, partition: [outer.id], orderings: [Self.matchesFirst(source.mask)] + orderings,
        most: count.map { max($0, 1) }, number: number))
    let isBehind = Expression.comparison(
      .greaterThan, .symbol(number), .constant(.integer(Int64(limit.offset)), .bigint))
    return masked(numbered, .symbol(source.mask), and: limit.count == 0 ? .false : isBehind)
  }

  /// The first rows for each outer row.
  private func first(
    _ count: Int, of node: PlanNode, by orderings: [Ordering], beside outer: Outer
  ) throws -> Rows {
    let source = try rows(of: node, beside: outer)
    let number = symbols.symbol("row_number", .bigint)
    let numbered = PlanNode.rowNumber(
      RowNumberNode(
        source: source.node, partition: [outer.id], orderings: [Self.matchesFirst(source.mask)] + orderings,
        most: max(count, 1), number: number))
    if count > 0 { return Rows(node: numbered, mask: source.mask) }
    return masked(numbered, .symbol(source.mask), and: .false)
  }

  /// One row for each outer row; SUBQUERY_MULTIPLE_ROWS where the subquery has several.
  func onlyRow(of rows: Rows, _ outer: Outer) -> Rows {
    let number = symbols.symbol("row_number", .bigint)
    var builder = PlanBuilder(
      node: .rowNumber(
        RowNumberNode(
          source: rows.node, partition: [outer.id], orderings: [Self.matchesFirst(rows.mask)], most: 2,
          number: number)),
      symbols: symbols)
    let isFirst = Expression.comparison(.equal, .symbol(number), .constant(.integer(1), .bigint))
    // A second row is there only to be complained about.
    let check = WhenClause(
      condition: .and([.not(isFirst), .symbol(rows.mask)]),
      result: .function(.onlyRow, [.symbol(number)], .boolean, Origin(location)))
    builder.filter(.searchedCase([check], otherwise: isFirst, .boolean))
    return Rows(node: builder.node, mask: rows.mask)
  }

  // MARK: Expressions

  /// Rows of the subquery before others.
  static func matchesFirst(_ mask: Symbol) -> Ordering { Ordering(symbol: mask, ascending: false) }

  /// The expression where `mask` is true; it is not to fail on rows that stand for none.
  private static func computed(_ expression: Expression, where mask: Symbol) -> Expression {
    switch expression {
    case .symbol, .constant: expression
    default: .searchedCase([WhenClause(condition: .symbol(mask), result: expression)], otherwise: nil, expression.type)
    }
  }

  /// The conditions of a join of the rows of `left`, of which only those with a true `mask` matter: nothing is computed
  /// from others. Equalities of the sides stay such, to be keys.
  func guarded(_ conditions: [Expression], on left: PlanNode, where mask: Symbol) -> [Expression] {
    let columns = Set(left.outputs)
    func side(_ expression: Expression) -> Expression {
      expression.symbols.isDisjoint(with: columns) ? expression : Self.computed(expression, where: mask)
    }
    return conditions.map { condition in
      guard case .comparison(let comparison, let first, let second) = condition,
        first.symbols.isDisjoint(with: columns) || second.symbols.isDisjoint(with: columns)
      else { return side(condition) }
      return .comparison(comparison, side(first), side(second))
    }
  }

  /// The plan with a new mask: `condition` where `given`, which says so far which rows the subquery has, is true.
  func masked(_ node: PlanNode, _ given: Expression, and condition: Expression) -> Rows {
    let symbol = symbols.symbol("match", .boolean)
    let clause = WhenClause(condition: given, result: condition)
    let value = Expression.searchedCase([clause], otherwise: .false, .boolean)
    return Rows(node: appended([Assignment(symbol, value)], to: node), mask: symbol)
  }

  /// The plan with NULL in `columns` where `mask` is not true.
  func emptied(_ columns: [Symbol], where mask: Symbol, of node: PlanNode) -> PlanNode {
    let emptied = Set(columns)
    return .project(
      ProjectNode(
        source: node,
        assignments: node.outputs.map { symbol in
          guard emptied.contains(symbol) else { return Assignment(symbol, .symbol(symbol)) }
          let clause = WhenClause(condition: .symbol(mask), result: .symbol(symbol))
          return Assignment(symbol, .searchedCase([clause], otherwise: nil, symbol.type))
        }))
  }

  func appended(_ assignments: [Assignment], to node: PlanNode) -> PlanNode {
    var builder = PlanBuilder(node: node, symbols: symbols)
    builder.append(assignments)
    return builder.node
  }
}

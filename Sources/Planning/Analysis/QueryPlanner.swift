// Owns the planning of whole queries: WITH, bodies of every kind, and ORDER BY, OFFSET and LIMIT behind them.

import Base
import Columnar
import ConnectorAPI
import SQLSyntax

/// Plans one statement's queries. Names, types and plan nodes are made in one pass over the tree.
final class QueryPlanner {
  let catalogs: Catalogs
  let context: QueryContext
  let symbols = SymbolAllocator()
  var nextScanID = 0
  /// Table references so far, those in WITH queries counted at each use.
  private var relationCount = 0

  init(catalogs: Catalogs, context: QueryContext) {
    self.catalogs = catalogs
    self.context = context
  }

  /// Counts a table reference; WITH queries that use one another can unfold without end otherwise.
  func countRelation(at location: SourceLocation) throws {
    relationCount += 1
    if relationCount > context.maximumRelations {
      throw WaterbearError(
        .queryHasTooManyStages,
        "The query unfolds to more than \(context.maximumRelations) table references", at: location,
        remedy: "WITH queries count at each use; use fewer of them inside one another.")
    }
  }

  /// Plans a query. The order of rows only matters to the outermost one and where a limit follows.
  func planQuery(_ query: Query, in outer: Environment, isOutermost: Bool) throws -> RelationPlan {
    let environment = try withQueries(of: query, in: outer)
    let limits = try rowLimits(of: query)
    let keepsOrder = isOutermost || limits.isLimited
    let orderBy = query.orderBy
    if case .select(let select) = query.body {
      return try planSelect(
        select, orderBy: orderBy, keepsOrder: keepsOrder, limits: limits, in: environment)
    }
    let plan = try planBody(query.body, in: environment, keepsOrder: keepsOrder && orderBy.isEmpty)
    guard !orderBy.isEmpty || limits.isLimited else { return plan }
    return try order(plan, by: orderBy, keepsOrder: keepsOrder, limits: limits, in: environment)
  }

  func planBody(_ body: QueryBody, in environment: Environment, keepsOrder: Bool) throws -> RelationPlan {
    switch body {
    case .select(let select):
      return try planSelect(select, orderBy: [], keepsOrder: false, limits: RowLimits(), in: environment)
    case .setOperation(let operation): return try planSetOperation(operation, in: environment)
    case .values(let rows, let location): return try planValues(rows, location.wrappedValue, in: environment)
    case .table(let name): return unqualified(try planTable(name, in: environment))
    case .parenthesised(let query): return try planQuery(query, in: environment, isOutermost: keepsOrder)
    }
  }

  /// The fields of a query's result can be named without a relation only.
  func unqualified(_ plan: RelationPlan) -> RelationPlan {
    var plan = plan
    plan.fields = plan.visibleFields.map { field in
      Field(name: field.name, displayName: field.displayName, qualifier: [], symbol: field.symbol)
    }
    return plan
  }

  private func withQueries(of query: Query, in outer: Environment) throws -> Environment {
    guard let with = query.with else { return outer }
    var environment = outer
    var seen: Set<String> = []
    for named in with.queries {
      if !seen.insert(named.name.canonical).inserted {
        throw WaterbearError(
          .duplicateNamedQuery, "WITH query name '\(named.name.value)' specified more than once",
          at: named.name.location)
      }
      environment.named[named.name.canonical] = Environment.NamedQuery(
        syntax: named, environment: environment, isRecursive: with.isRecursive)
    }
    return environment
  }

  // MARK: Order and limits

  /// OFFSET and LIMIT as numbers.
  struct RowLimits {
    var offset = 0
    var count: Int?

    var isLimited: Bool { offset > 0 || count != nil }
  }

  private func rowLimits(of query: Query) throws -> RowLimits {
    var limits = RowLimits()
    if let offset = query.offset { limits.offset = try number(offset, "OFFSET") }
    switch query.limit {
    case nil, .all: break
    case .rows(let rows): limits.count = try number(rows, "LIMIT")
    case .fetchFirst(let rows, let withTies, let location):
      if withTies {
        throw WaterbearError(
          .notSupported, "FETCH FIRST WITH TIES is not supported", at: location.wrappedValue)
      }
      limits.count = try rows.map { try number($0, "FETCH FIRST") } ?? 1
      if limits.count == 0 {
        throw WaterbearError(
          .invalidLimitClause, "FETCH FIRST row count must be positive (actual value: 0)", at: rows?.location)
      }
    }
    return limits
  }

  private func number(_ rows: RowCount, _ clause: String) throws -> Int {
    switch rows.kind {
    case .number(let number): return Int(number)
    case .parameter:
      throw WaterbearError(.notSupported, "A parameter (?) in \(clause) is not supported", at: rows.location)
    }
  }

  /// ORDER BY and limits over a body whose columns can be named by their output names only.
  private func order(
    _ plan: RelationPlan, by items: [SortItem], keepsOrder: Bool, limits: RowLimits, in environment: Environment
  ) throws -> RelationPlan {
    let scope = Scope(fields: plan.fields, outer: environment.outer)
    let translator = ExpressionTranslator(
      planner: self, scope: scope, environment: environment, clause: "ORDER BY clause")
    let outputs = plan.fields.map { Expression.symbol($0.symbol) }
    let keys = try items.map { try sortKey($0, outputs: outputs, translator) }
    var builder = PlanBuilder(node: plan.node, symbols: symbols)
    try join(translator.pending, to: &builder)
    if keepsOrder {
      let sorted = builder.symbols(for: keys, named: "sort")
      builder.node = limited(builder.node, orderings(items, sorted), limits)
    }
    return RelationPlan(node: trimmed(builder.node, to: plan.fields.map(\.symbol)), fields: plan.fields)
  }

  /// The expression to sort by: an output where an ordinal is written.
  func sortKey(
    _ item: SortItem, outputs: [Expression], _ translator: ExpressionTranslator
  ) throws -> Expression {
    guard case .integer(let position) = item.key.kind else { return try translator.translate(item.key) }
    guard position >= 1, position <= Int64(outputs.count) else {
      throw WaterbearError(
        .invalidColumnReference, "ORDER BY position \(position) is not in select list", at: item.key.location)
    }
    return outputs[Int(position) - 1]
  }

  func orderings(_ items: [SortItem], _ keys: [Symbol]) -> [Ordering] {
    var seen: Set<Symbol> = []
    return zip(items, keys).compactMap { item, symbol in
      // A second key on the same column decides nothing.
      guard seen.insert(symbol).inserted else { return nil }
      return Ordering(symbol: symbol, ascending: item.isAscending, nullsFirst: item.nullsFirst ?? false)
    }
  }

  /// Sorts and limits; a limit on sorted rows becomes a TopN, unless it is for more rows than are kept in memory.
  func limited(_ node: PlanNode, _ orderings: [Ordering], _ limits: RowLimits) -> PlanNode {
    var node = node
    let (last, overflow) = limits.offset.addingReportingOverflow(limits.count ?? 0)
    if !orderings.isEmpty {
      if limits.count != nil, !overflow, last <= TopNNode.countMax {
        node = .topN(TopNNode(source: node, orderings: orderings, count: last))
        if limits.offset == 0 { return node }
      } else {
        node = .sort(SortNode(source: node, orderings: orderings))
      }
    }
    guard limits.isLimited else { return node }
    return .limit(LimitNode(source: node, count: limits.count, offset: limits.offset))
  }

  /// The plan with only `columns` left, where it has others.
  func trimmed(_ node: PlanNode, to columns: [Symbol]) -> PlanNode {
    if node.outputs == columns { return node }
    return .project(
      ProjectNode(source: node, assignments: columns.unique.map { Assignment($0, .symbol($0)) }))
  }
}

// Owns the separation of a correlated subquery into a plan of its own and the conditions that tie it to the outer
// rows.

import Base
import Columnar

/// Takes the conditions on outer columns out of a plan. Throws NOT_SUPPORTED where they cannot be taken out without
/// changing what the plan means.
struct Decorrelation {
  /// A plan that uses no outer columns, and the conditions taken out of it; the inner columns they need are among the
  /// plan's outputs.
  struct Pulled {
    var node: PlanNode
    var conditions: [Expression] = []
  }

  let symbols: SymbolAllocator
  let location: SourceLocation

  /// Takes conditions on the symbols `outer` out of `node`.
  func pull(_ node: PlanNode, outer: Set<Symbol>) throws -> Pulled {
    if node.freeSymbols.isDisjoint(with: outer) { return Pulled(node: node) }
    switch node {
    case .filter(let filter):
      var pulled = try pull(filter.source, outer: outer)
      let conjuncts = filter.predicate.conjuncts
      let kept = conjuncts.filter { $0.symbols.isDisjoint(with: outer) }
      if !kept.isEmpty {
        pulled.node = .filter(FilterNode(source: pulled.node, predicate: .conjunction(kept)))
      }
      pulled.conditions += conjuncts.filter { !$0.symbols.isDisjoint(with: outer) }
      return pulled
    case .project(let project):
      guard project.assignments.allSatisfy({ $0.expression.symbols.isDisjoint(with: outer) }) else {
        throw WaterbearError.unsupportedCorrelation(at: location)
      }
      var pulled = try pull(project.source, outer: outer)
      let needed = neededColumns(of: pulled, outer)
      let extra = needed.filter { symbol in !project.assignments.contains { $0.symbol == symbol } }
      pulled.node = .project(
        ProjectNode(
          source: pulled.node, assignments: project.assignments + extra.map { Assignment($0, .symbol($0)) }))
      return pulled
    case .join(let join): return try pull(join, outer: outer)
    case .semiJoin(var semiJoin):
      guard semiJoin.filteringSource.freeSymbols.isDisjoint(with: outer),
        semiJoin.filter?.symbols.isDisjoint(with: outer) ?? true
      else { throw WaterbearError.unsupportedCorrelation(at: location) }
      var pulled = try pull(semiJoin.source, outer: outer)
      semiJoin.source = pulled.node
      pulled.node = .semiJoin(semiJoin)
      return pulled
    case .aggregate(let aggregate): return try pull(aggregate, outer: outer)
    // Without a limit the order inside a subquery means nothing.
    case .sort(let sort): return try pull(sort.source, outer: outer)
    case .topN(let top): return try pull(first: top.count, after: 0, of: top.source, by: top.orderings, outer: outer)
    case .limit(let limit):
      let (source, orderings) = limit.ordered
      return try pull(first: limit.count, after: limit.offset, of: source, by: orderings, outer: outer)
    case .rowNumber(var numbered):
      let (node, keys, conditions) = try keyed(pull(numbered.source, outer: outer), outer)
      numbered.source = node
      numbered.partition = (numbered.partition + keys).unique
      return Pulled(node: .rowNumber(numbered), conditions: conditions)
    case .union(let union): return try pull(union, outer: outer)
    default: throw WaterbearError.unsupportedCorrelation(at: location)
    }
  }

  private func neededColumns(of pulled: Pulled, _ outer: Set<Symbol>) -> [Symbol] {
    let used = pulled.conditions.reduce(into: Set<Symbol>()) { $0.formUnion($1.symbols) }
    return pulled.node.outputs.filter { used.contains($0) }
  }

  private func pull(_ join: JoinNode, outer: Set<Symbol>) throws -> Pulled {
    var join = join
    let left = try pull(join.left, outer: outer)
    var conditions = left.conditions
    join.left = left.node
    switch join.kind {
    case .inner:
      let right = try pull(join.right, outer: outer)
      join.right = right.node
      conditions += right.conditions
      let conjuncts = join.filter?.conjuncts ?? []
      conditions += conjuncts.filter { !$0.symbols.isDisjoint(with: outer) }
      let kept = conjuncts.filter { $0.symbols.isDisjoint(with: outer) }
      join.filter = kept.isEmpty ? nil : .conjunction(kept)
    case .left, .semi, .anti, .nullAwareAnti:
      // Conditions on the right side decide about matches here and cannot wait.
      guard join.right.freeSymbols.isDisjoint(with: outer), join.filter?.symbols.isDisjoint(with: outer) ?? true
      else { throw WaterbearError.unsupportedCorrelation(at: location) }
    case .right, .full: throw WaterbearError.unsupportedCorrelation(at: location)
    }
    let used = conditions.reduce(into: Set<Symbol>()) { $0.formUnion($1.symbols) }
    let present = Set(join.outputs)
    let isOneSided = join.kind != .inner && join.kind != .left
    let available = isOneSided ? join.left.outputs : join.left.outputs + join.right.outputs
    if isOneSided {
      join.outputs = available
    } else {
      join.outputs += available.filter { used.contains($0) && !present.contains($0) }
    }
    return Pulled(node: .join(join), conditions: conditions)
  }

  /// Below a grouping only equalities can be taken out: the inner side becomes one more key.
  private func pull(_ aggregate: AggregateNode, outer: Set<Symbol>) throws -> Pulled {
    guard !aggregate.keys.isEmpty else { throw WaterbearError.unsupportedCorrelation(at: location) }
    let pulled = try pull(aggregate.source, outer: outer)
    let (node, keys, conditions) = try keyed(pulled, outer)
    var grouped = aggregate
    grouped.source = node
    grouped.keys = (aggregate.keys + keys).unique
    return Pulled(node: .aggregate(grouped), conditions: conditions)
  }

  /// A limit counts the rows of each outer row: those that agree in the inner sides of equalities.
  private func pull(
    first count: Int?, after offset: Int, of source: PlanNode, by orderings: [Ordering], outer: Set<Symbol>
  ) throws -> Pulled {
    let (node, keys, conditions) = try keyed(pull(source, outer: outer), outer)
    let (last, overflow) = (count ?? 0).addingReportingOverflow(offset)
    guard last > 0, !overflow else { throw WaterbearError.unsupportedCorrelation(at: location) }
    let number = symbols.symbol("row_number", .bigint)
    var builder = PlanBuilder(
      node: .rowNumber(
        RowNumberNode(
          source: node, partition: keys, orderings: orderings, most: count == nil ? nil : last, number: number)),
      symbols: symbols)
    if offset > 0 {
      builder.filter(
        .comparison(.greaterThan, .symbol(number), .constant(.integer(Int64(offset)), .bigint)))
    }
    return Pulled(node: builder.node, conditions: conditions)
  }

  /// The plan with a column for the inner side of each condition on inner columns, all of which must be equalities of
  /// an inner and an outer expression; the conditions then speak of those columns.
  func keyed(
    _ pulled: Pulled, _ outer: Set<Symbol>
  ) throws -> (node: PlanNode, keys: [Symbol], conditions: [Expression]) {
    let inner = Set(pulled.node.outputs)
    let onInner = pulled.conditions.filter { !$0.symbols.isDisjoint(with: inner) }
    let pairs = try onInner.map { condition in
      guard let pair = QueryPlanner.equality(condition, inner, outer) else {
        throw WaterbearError.unsupportedCorrelation(at: location)
      }
      return pair
    }
    var builder = PlanBuilder(node: pulled.node, symbols: symbols)
    let keys = builder.symbols(for: pairs.map(\.left), named: "key")
    let conditions = zip(keys, pairs).map { Expression.comparison(.equal, .symbol($0), $1.right) }
    let onOuter = pulled.conditions.filter { $0.symbols.isDisjoint(with: inner) }
    return (builder.node, keys.unique, conditions + onOuter)
  }
}

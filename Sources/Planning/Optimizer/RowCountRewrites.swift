// Owns small rewrites around row counts and duplicates: top-N from sort and limit, sorts that nobody sees, DISTINCT
// aggregates as two plain ones.

struct RowCountRewrites {
  /// Up to so many rows a sort with a limit keeps them in memory.
  static let topNMax = 1_000_000

  let symbols: SymbolAllocator

  func optimize(_ node: PlanNode) -> PlanNode {
    switch node.mapSources(optimize) {
    case .limit(let limit): return optimize(limit)
    case .aggregate(var aggregate):
      aggregate.source = withoutOrder(aggregate.source)
      return withoutDistinct(aggregate)
    case .join(var join):
      (join.left, join.right) = (withoutOrder(join.left), withoutOrder(join.right))
      return .join(join)
    case let other: return other
    }
  }

  private func optimize(_ limit: LimitNode) -> PlanNode {
    guard let count = limit.count else { return .limit(limit) }
    let (wanted, overflow) = count.addingReportingOverflow(limit.offset)
    guard !overflow, wanted <= Self.topNMax else { return .limit(limit) }
    let sorted: PlanNode
    switch limit.source {
    case .sort(let sort):
      sorted = .topN(TopNNode(source: sort.source, orderings: sort.orderings, count: wanted))
    case .project(var project):
      // Sorting and cutting first lets the projection run on the rows that stay.
      guard case .sort(let sort) = project.source else { return .limit(limit) }
      project.source = .topN(TopNNode(source: sort.source, orderings: sort.orderings, count: wanted))
      sorted = .project(project)
    default: return .limit(limit)
    }
    return limit.offset == 0 ? sorted : .limit(LimitNode(source: sorted, count: count, offset: limit.offset))
  }

  /// An order that an aggregation or a join loses again need not be made.
  private func withoutOrder(_ node: PlanNode) -> PlanNode {
    switch node {
    case .sort(let sort): return withoutOrder(sort.source)
    case .project(var project):
      project.source = withoutOrder(project.source)
      return .project(project)
    default: return node
    }
  }

  /// `count(DISTINCT x) GROUP BY k` as `count(x)` over the distinct pairs of k and x, where all aggregates are of that
  /// kind and over the same arguments.
  private func withoutDistinct(_ aggregate: AggregateNode) -> PlanNode {
    var aggregate = aggregate
    for index in aggregate.aggregations.indices where aggregate.aggregations[index].function.ignoresDuplicates {
      aggregate.aggregations[index].isDistinct = false
    }
    guard let first = aggregate.aggregations.first, aggregate.step == .single,
      aggregate.aggregations.allSatisfy({
        $0.isDistinct && $0.filter == nil && $0.arguments == first.arguments && !$0.arguments.isEmpty
      })
    else { return .aggregate(aggregate) }
    let fresh = first.arguments.filter { !aggregate.keys.contains($0) }
    aggregate.source = .aggregate(
      AggregateNode(source: aggregate.source, keys: aggregate.keys + fresh, aggregations: []))
    for index in aggregate.aggregations.indices { aggregate.aggregations[index].isDistinct = false }
    return .aggregate(aggregate)
  }
}

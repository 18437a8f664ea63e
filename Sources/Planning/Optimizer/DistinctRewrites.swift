// Owns the removal of work on duplicates: DISTINCT of distinct rows, DISTINCT inside aggregates.

struct DistinctRewrites {
  let symbols: SymbolAllocator

  func optimize(_ aggregate: AggregateNode) -> PlanNode {
    guard aggregate.step == .single else { return .aggregate(aggregate) }
    if aggregate.aggregations.isEmpty { return distinct(aggregate) }
    var aggregate = aggregate
    for index in aggregate.aggregations.indices where aggregate.aggregations[index].function.ignoresDuplicates {
      aggregate.aggregations[index].isDistinct = false
    }
    return withoutDistinct(aggregate)
  }

  private func distinct(_ aggregate: AggregateNode) -> PlanNode {
    // No keys and nothing to compute: one row.
    if aggregate.keys.isEmpty { return .values(ValuesNode(outputs: [], rows: [[]])) }
    guard let key = aggregate.source.uniqueKey, key.isSubset(of: aggregate.keys) else { return .aggregate(aggregate) }
    return .project(
      ProjectNode(source: aggregate.source, assignments: aggregate.keys.map { Assignment($0, .symbol($0)) }))
  }

  /// `count(DISTINCT x) GROUP BY k` as `count(x)` over the distinct pairs of k and x, where all aggregates are of that
  /// kind and over the same arguments.
  private func withoutDistinct(_ aggregate: AggregateNode) -> PlanNode {
    var aggregate = aggregate
    guard let first = aggregate.aggregations.first,
      aggregate.aggregations.allSatisfy({
        $0.isDistinct && $0.filter == nil && $0.arguments == first.arguments && !$0.arguments.isEmpty
      })
    else { return .aggregate(aggregate) }
    let keys = aggregate.keys + first.arguments.filter { !aggregate.keys.contains($0) }
    aggregate.source = distinct(AggregateNode(source: aggregate.source, keys: keys, aggregations: []))
    for index in aggregate.aggregations.indices { aggregate.aggregations[index].isDistinct = false }
    return .aggregate(aggregate)
  }
}

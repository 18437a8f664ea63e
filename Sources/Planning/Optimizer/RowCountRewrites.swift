// Owns small rewrites around row counts, order and duplicates: top-N from sort and limit, limits moved down, sorts that
// nobody sees, unions in unions, DISTINCT where rows are distinct.

/// One walk from the leaves to the root; each rule looks at a node whose sources are done.
struct RowCountRewrites {
  let symbols: SymbolAllocator

  func optimize(_ node: PlanNode) -> PlanNode {
    switch node.mapSources(optimize) {
    case .limit(let limit): return LimitRewrites().optimize(limit)
    case .topN(let topN): return LimitRewrites().optimize(topN)
    case .sort(var sort):
      sort.source = sort.source.withoutOrder
      let isSorted = RowBounds(of: sort.source).most.map { $0 <= 1 } ?? false
      return isSorted ? sort.source : .sort(sort)
    case .aggregate(var aggregate):
      aggregate.source = aggregate.source.withoutOrder
      return DistinctRewrites(symbols: symbols).optimize(aggregate)
    case .join(var join):
      (join.left, join.right) = (join.left.withoutOrder, join.right.withoutOrder)
      return .join(join)
    case .semiJoin(var join):
      join.filteringSource = join.filteringSource.withoutOrder
      return .semiJoin(join)
    case .union(let union): return optimize(union)
    case .rowNumber(var numbered):
      if !numbered.orderings.isEmpty { numbered.source = numbered.source.withoutOrder }
      return .rowNumber(numbered)
    case .enforceSingleRow(var enforce):
      enforce.source = enforce.source.withoutOrder
      return RowBounds(of: enforce.source).isExactlyOne ? enforce.source : .enforceSingleRow(enforce)
    case let other: return other
    }
  }

  /// UNION ALL of UNION ALL is one; a union of one source is a projection.
  private func optimize(_ union: UnionNode) -> PlanNode {
    var flat = UnionNode(sources: [], outputs: union.outputs, mappings: [])
    for (source, mapping) in zip(union.sources, union.mappings) {
      guard case .union(let inner) = source else {
        flat.sources.append(source.withoutOrder)
        flat.mappings.append(mapping)
        continue
      }
      let positions = mapping.compactMap { inner.outputs.firstIndex(of: $0) }
      flat.sources += inner.sources
      flat.mappings += inner.mappings.map { names in positions.map { names[$0] } }
    }
    guard flat.sources.count == 1 else { return .union(flat) }
    let assignments = zip(flat.outputs, flat.mappings[0]).map { Assignment($0, .symbol($1)) }
    return .project(ProjectNode(source: flat.sources[0], assignments: assignments))
  }
}

extension PlanNode {
  /// The plan without sorts whose order its consumer loses again.
  fileprivate var withoutOrder: PlanNode {
    switch self {
    case .sort(let sort): return sort.source.withoutOrder
    case .project(var project):
      project.source = project.source.withoutOrder
      return .project(project)
    case .filter(var filter):
      filter.source = filter.source.withoutOrder
      return .filter(filter)
    default: return self
    }
  }
}

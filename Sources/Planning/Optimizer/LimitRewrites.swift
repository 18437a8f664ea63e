// Owns what becomes of LIMIT and top-N: merged with what they stand on, moved below what keeps row counts.

/// Rules for a limit or top-N whose source is optimised already.
struct LimitRewrites {
  func optimize(_ limit: LimitNode) -> PlanNode {
    guard let count = limit.count else {
      return limit.offset == 0 ? limit.source : .limit(limit)
    }
    let (wanted, overflow) = count.addingReportingOverflow(limit.offset)
    guard !overflow else { return .limit(limit) }
    if limit.offset > 0 {
      // The rows to drop must be made first: a limit for all of them, moved down as far as it goes.
      return .limit(
        LimitNode(
          source: optimize(LimitNode(source: limit.source, count: wanted)), count: count, offset: limit.offset))
    }
    return limited(limit.source, to: count)
  }

  /// The first `count` rows of `node`.
  private func limited(_ node: PlanNode, to count: Int) -> PlanNode {
    if let most = RowBounds(of: node).most, most <= count { return node }
    switch node {
    case .sort(let sort) where count <= TopNNode.countMax:
      return optimize(TopNNode(source: sort.source, orderings: sort.orderings, count: count))
    case .topN(var topN):
      topN.count = min(topN.count, count)
      return .topN(topN)
    case .limit(var limit):
      // The limit below lets more through than wanted here.
      limit.count = min(limit.count ?? count, count)
      return limit.offset == 0 ? limited(limit.source, to: limit.count ?? count) : .limit(limit)
    case .project(var project):
      // Cutting first lets the projection run on the rows that stay.
      project.source = limited(project.source, to: count)
      return .project(project)
    case .union(var union):
      union.sources = union.sources.map { limited($0, to: count) }
      return .limit(LimitNode(source: .union(union), count: count))
    case .join(var join) where join.kind == .left:
      // Every left row gives at least one.
      join.left = limited(join.left, to: count)
      return .limit(LimitNode(source: .join(join), count: count))
    case .semiJoin(var join):
      join.source = limited(join.source, to: count)
      return .semiJoin(join)
    default: return .limit(LimitNode(source: node, count: count))
    }
  }

  func optimize(_ topN: TopNNode) -> PlanNode {
    if let most = RowBounds(of: topN.source).most, most <= 1, topN.count > 0 { return topN.source }
    switch topN.source {
    case .sort(let sort):
      return optimize(TopNNode(source: sort.source, orderings: topN.orderings, count: topN.count))
    case .project(var project):
      guard let below = renamed(topN.orderings, through: project) else { return .topN(topN) }
      project.source = optimize(TopNNode(source: project.source, orderings: below, count: topN.count))
      return .project(project)
    case .union(var union):
      union.sources = zip(union.sources, union.mappings).map { source, mapping in
        let names = Dictionary(zip(union.outputs, mapping), uniquingKeysWith: { first, _ in first })
        let orderings = topN.orderings.map { ordering in
          Ordering(
            symbol: names[ordering.symbol] ?? ordering.symbol, ascending: ordering.ascending,
            nullsFirst: ordering.nullsFirst)
        }
        if let most = RowBounds(of: source).most, most <= topN.count { return source }
        return optimize(TopNNode(source: source, orderings: orderings, count: topN.count))
      }
      return .topN(TopNNode(source: .union(union), orderings: topN.orderings, count: topN.count))
    case .join(var join) where join.kind == .left && topN.isOrdered(byColumnsOf: join.left):
      if let most = RowBounds(of: join.left).most, most <= topN.count { return .topN(topN) }
      join.left = optimize(TopNNode(source: join.left, orderings: topN.orderings, count: topN.count))
      return .topN(TopNNode(source: .join(join), orderings: topN.orderings, count: topN.count))
    default: return .topN(topN)
    }
  }

  /// The orderings by the columns below a projection; nil where one is computed by it.
  private func renamed(_ orderings: [Ordering], through project: ProjectNode) -> [Ordering]? {
    var names: [Symbol: Symbol] = [:]
    for assignment in project.assignments {
      if case .symbol(let old) = assignment.expression { names[assignment.symbol] = old }
    }
    let below = orderings.compactMap { ordering in
      names[ordering.symbol].map {
        Ordering(symbol: $0, ascending: ordering.ascending, nullsFirst: ordering.nullsFirst)
      }
    }
    return below.count == orderings.count ? below : nil
  }
}

extension TopNNode {
  fileprivate func isOrdered(byColumnsOf node: PlanNode) -> Bool {
    orderings.allSatisfy { node.outputs.contains($0.symbol) }
  }
}

// Owns the decision about every join: in which order inner, semi and anti joins run, which side is built, and whether
// the build side is copied to all tasks.

/// Reorders joins by cost. Needs filters to be where they belong, and columns pruned.
struct JoinReordering {
  let statistics: PlanStatistics
  let options: PlanningOptions

  func optimize(_ node: PlanNode) -> PlanNode {
    switch node {
    case .join(let join) where JoinGraph.isPart(node): return reordered(join)
    case .join(var join):
      join.left = optimize(join.left)
      join.right = optimize(join.right)
      return .join(sided(join))
    case .semiJoin(var join):
      join.source = optimize(join.source)
      join.filteringSource = optimize(join.filteringSource)
      join.distribution = distribution(of: join)
      return .semiJoin(join)
    default: return node.mapSources(optimize)
    }
  }

  /// Up to so many relations are ordered together; a set of them is a word of bits, and the time grows with the cube.
  static let relationsMax = 40

  private func reordered(_ join: JoinNode) -> PlanNode {
    guard JoinGraph.relationCount(of: .join(join)) <= Self.relationsMax else { return inWrittenOrder(join) }
    let graph = JoinGraph(.join(join), leaf: optimize)
    var order = JoinOrder(graph, statistics: statistics, options: options)
    var plan = order.plan()
    if !graph.remaining.isEmpty {
      plan = .filter(FilterNode(source: plan, predicate: .conjunction(graph.remaining)))
    }
    return .project(
      ProjectNode(source: plan, assignments: join.outputs.map { Assignment($0, .symbol(graph.resolve($0))) }))
  }

  /// What is too much to be ordered keeps the order in which it was written, down to what is not.
  private func inWrittenOrder(_ join: JoinNode) -> PlanNode {
    var join = join
    join.left = optimize(join.left)
    join.right = optimize(join.right)
    if join.kind == .inner { return .join(sided(join)) }
    let left = statistics.side(join.left)
    join.distribution = JoinCosts(options: options).choice(
      join.kind, left, statistics.side(join.right), keys: join.criteria,
      output: (rows: left.estimate.rows, bytes: left.bytes)
    ).distribution
    return .join(join)
  }

  /// An outer join builds the side with which it is cheaper.
  private func sided(_ join: JoinNode) -> JoinNode {
    let costs = JoinCosts(options: options)
    let left = statistics.side(join.left)
    let right = statistics.side(join.right)
    let estimate = PlanStatistics.join(join.kind, left.estimate, right.estimate, on: join.criteria, filter: join.filter)
    let output = (rows: estimate.rows, bytes: estimate.bytes(of: join.outputs))
    var turned = join
    turned.kind = join.kind == .left ? .right : join.kind == .right ? .left : join.kind
    (turned.left, turned.right) = (join.right, join.left)
    turned.criteria = join.criteria.map { EquiClause(left: $0.right, right: $0.left) }
    let straight = costs.choice(join.kind, left, right, keys: join.criteria, output: output)
    let reverse = costs.choice(turned.kind, right, left, keys: turned.criteria, output: output)
    var chosen = reverse.cost < straight.cost ? turned : join
    chosen.distribution = (reverse.cost < straight.cost ? reverse : straight).distribution
    return chosen
  }

  private func distribution(of join: SemiJoinNode) -> JoinDistribution {
    let source = statistics.side(join.source)
    let kind: JoinKind = join.isNullAware ? .nullAwareAnti : .semi
    return JoinCosts(options: options).choice(
      kind, source, statistics.side(join.filteringSource), keys: join.criteria,
      output: (rows: source.estimate.rows, bytes: source.bytes)
    ).distribution
  }
}

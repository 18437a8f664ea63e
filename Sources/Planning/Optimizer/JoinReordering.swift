// Owns the order of inner joins, which side is built, and whether the build side is broadcast.

import Columnar

/// Reorders trees of inner joins by estimated size and decides the distribution of every join.
struct JoinReordering {
  /// Up to so many relations all orders are tried; above it, the next best join is taken each time.
  static let exhaustiveMax = 9

  let statistics: PlanStatistics
  let options: PlanningOptions

  func optimize(_ node: PlanNode) -> PlanNode {
    switch node {
    case .join(let join) where join.kind == .inner: return reordered(join)
    case .join(var join):
      join.left = optimize(join.left)
      join.right = optimize(join.right)
      return .join(distributed(sided(join)))
    case .semiJoin(var join):
      join.source = optimize(join.source)
      join.filteringSource = optimize(join.filteringSource)
      join.distribution = distribution(
        left: statistics.estimate(join.source), right: statistics.estimate(join.filteringSource),
        rightSymbols: join.criteria.map(\.right))
      return .semiJoin(join)
    default: return node.mapSources(optimize)
    }
  }

  /// Inner joins as a set of relations and conditions between them.
  private struct JoinGraph {
    var relations: [PlanNode] = []
    var clauses: [EquiClause] = []
    var filters: [Expression] = []
    /// Which relation a symbol comes from.
    var origin: [Symbol: Int] = [:]

    mutating func flatten(_ node: PlanNode, _ leaf: (PlanNode) -> PlanNode) {
      guard case .join(let join) = node, join.kind == .inner else {
        let relation = leaf(node)
        for symbol in relation.outputs { origin[symbol] = relations.count }
        relations.append(relation)
        return
      }
      flatten(join.left, leaf)
      flatten(join.right, leaf)
      clauses += join.criteria
      if let filter = join.filter { filters += filter.conjuncts }
    }
  }

  /// A joined subset of the relations.
  private struct Candidate {
    var node: PlanNode
    var estimate: PlanEstimate
    /// Sum of the rows of all joins within.
    var cost: Double
    var symbols: Set<Symbol>
  }

  private func reordered(_ join: JoinNode) -> PlanNode {
    var graph = JoinGraph()
    graph.flatten(.join(join), optimize)
    addTransitiveClauses(to: &graph)
    let leaves = graph.relations.map { relation in
      Candidate(
        node: relation, estimate: statistics.estimate(relation), cost: 0, symbols: Set(relation.outputs))
    }
    let best = leaves.count <= Self.exhaustiveMax ? exhaustive(leaves, graph) : greedy(leaves, graph)
    // What a filter needs may not have met in one join; the outputs are those that the old tree had.
    let rest = graph.filters.filter { !$0.isDeterministic || $0.symbols.isEmpty }
    let filtered = rest.isEmpty
      ? best.node : .filter(FilterNode(source: best.node, predicate: .conjunction(rest)))
    return .project(
      ProjectNode(source: filtered, assignments: join.outputs.map { Assignment($0, .symbol($0)) }))
  }

  /// `a = b` and `b = c` also join a with c.
  private func addTransitiveClauses(to graph: inout JoinGraph) {
    var classes: [[Symbol]] = []
    for clause in graph.clauses {
      let touching = classes.indices.filter { classes[$0].contains(clause.left) || classes[$0].contains(clause.right) }
      var merged = touching.flatMap { classes[$0] }
      for symbol in [clause.left, clause.right] where !merged.contains(symbol) { merged.append(symbol) }
      for index in touching.reversed() { classes.remove(at: index) }
      classes.append(merged)
    }
    for group in classes where group.count > 2 {
      for (position, left) in group.enumerated() {
        for right in group[(position + 1)...] {
          let known = graph.clauses.contains { Set([$0.left, $0.right]) == [left, right] }
          if !known && left.type.layout == right.type.layout && graph.origin[left] != graph.origin[right] {
            graph.clauses.append(EquiClause(left: left, right: right))
          }
        }
      }
    }
  }

  /// The cheapest tree over all subsets, from small to large (dynamic programming; cross products only where nothing
  /// else connects).
  private func exhaustive(_ leaves: [Candidate], _ graph: JoinGraph) -> Candidate {
    let all = (1 << leaves.count) - 1
    var best: [Int: Candidate] = [:]
    for (index, leaf) in leaves.enumerated() { best[1 << index] = leaf }
    guard all > 1 else { return leaves[0] }
    for subset in 1...all where subset.nonzeroBitCount > 1 {
      var connected: Candidate?
      var crossed: Candidate?
      var part = (subset - 1) & subset
      while part > 0 {
        let other = subset ^ part
        // Each split once; which side is built is decided by size.
        if part > other, let left = best[part], let right = best[other] {
          let isConnected = !clauses(between: left, and: right, graph).isEmpty
          let candidate = joined(left, right, graph)
          if isConnected {
            if connected.map({ candidate.cost < $0.cost }) ?? true { connected = candidate }
          } else if crossed.map({ candidate.cost < $0.cost }) ?? true {
            crossed = candidate
          }
        }
        part = (part - 1) & subset
      }
      best[subset] = connected ?? crossed
    }
    // Every subset splits into smaller ones, so the whole set has a tree.
    return best[all]!
  }

  private func greedy(_ leaves: [Candidate], _ graph: JoinGraph) -> Candidate {
    var open = leaves
    while open.count > 1 {
      var choice: (left: Int, right: Int, candidate: Candidate, isConnected: Bool)?
      for left in open.indices {
        for right in open.indices where right > left {
          let isConnected = !clauses(between: open[left], and: open[right], graph).isEmpty
          if let choice, choice.isConnected && !isConnected { continue }
          let candidate = joined(open[left], open[right], graph)
          if choice.map({ (isConnected && !$0.isConnected) || candidate.estimate.rows < $0.candidate.estimate.rows })
            ?? true
          {
            choice = (left, right, candidate, isConnected)
          }
        }
      }
      guard let choice else { break }
      open.remove(at: choice.right)
      open[choice.left] = choice.candidate
    }
    return open[0]
  }

  private func clauses(between left: Candidate, and right: Candidate, _ graph: JoinGraph) -> [EquiClause] {
    graph.clauses.compactMap { clause in
      if left.symbols.contains(clause.left) && right.symbols.contains(clause.right) { return clause }
      if left.symbols.contains(clause.right) && right.symbols.contains(clause.left) {
        return EquiClause(left: clause.right, right: clause.left)
      }
      return nil
    }
  }

  private func joined(_ first: Candidate, _ second: Candidate, _ graph: JoinGraph) -> Candidate {
    // The smaller side is built.
    let isSwapped = first.estimate.bytes(of: first.node.outputs) < second.estimate.bytes(of: second.node.outputs)
    let (left, right) = isSwapped ? (second, first) : (first, second)
    let criteria = independent(clauses(between: left, and: right, graph), graph)
    let symbols = left.symbols.union(right.symbols)
    let filters = graph.filters.filter { filter in
      let used = filter.symbols
      return filter.isDeterministic && !used.isEmpty && used.isSubset(of: symbols) && !used.isSubset(of: left.symbols)
        && !used.isSubset(of: right.symbols)
    }
    var estimate = PlanStatistics.joined(left.estimate, right.estimate, on: criteria)
    if !filters.isEmpty { estimate = SelectivityEstimator.apply(.conjunction(filters), to: estimate) }
    let node = JoinNode(
      kind: .inner, left: left.node, right: right.node, criteria: criteria,
      filter: filters.isEmpty ? nil : .conjunction(filters), outputs: left.node.outputs + right.node.outputs)
    // A row that is built costs more than one that streams past.
    let cost = left.cost + right.cost + estimate.rows + 2 * right.estimate.rows + 0.5 * left.estimate.rows
    return Candidate(node: .join(distributed(node)), estimate: estimate, cost: cost, symbols: symbols)
  }

  /// Without the pairs that follow from others: where two relations of one side were joined on these very symbols
  /// before, one of the two is enough. (Two symbols of one relation were compared by nobody yet.)
  private func independent(_ clauses: [EquiClause], _ graph: JoinGraph) -> [EquiClause] {
    var kept: [EquiClause] = []
    for clause in clauses {
      let follows = kept.contains { other in
        (other.right == clause.right && graph.origin[other.left] != graph.origin[clause.left])
          || (other.left == clause.left && graph.origin[other.right] != graph.origin[clause.right])
      }
      if !follows { kept.append(clause) }
    }
    return kept
  }

  // MARK: Sides and distribution

  /// An outer join builds its smaller side, too, if turning it around allows that.
  private func sided(_ join: JoinNode) -> JoinNode {
    guard join.kind == .left || join.kind == .right else { return join }
    let left = statistics.estimate(join.left)
    let right = statistics.estimate(join.right)
    guard left.bytes(of: join.left.outputs) * 2 < right.bytes(of: join.right.outputs) else { return join }
    var turned = join
    turned.kind = join.kind == .left ? .right : .left
    (turned.left, turned.right) = (join.right, join.left)
    turned.criteria = join.criteria.map { EquiClause(left: $0.right, right: $0.left) }
    return turned
  }

  private func distributed(_ join: JoinNode) -> JoinNode {
    var join = join
    join.distribution = distribution(
      left: statistics.estimate(join.left), right: statistics.estimate(join.right), rightSymbols: join.right.outputs)
    return join
  }

  /// A build side that is small is copied to every task: cheaper than moving the large side.
  private func distribution(
    left: PlanEstimate, right: PlanEstimate, rightSymbols: [Symbol]
  ) -> JoinDistribution {
    if let forced = options.joinDistribution { return forced }
    let bytes = right.bytes(of: rightSymbols)
    guard bytes <= Double(options.broadcastBytesMax) else { return .partitioned }
    // Every task builds its own copy, so the copy must be small beside what the task streams past it.
    return bytes <= Double(options.broadcastBytesMax) / 16 || right.rows * 8 < left.rows ? .broadcast : .partitioned
  }
}

// Owns the search for the cheapest order of a set of joins.

/// Finds the best tree over a join graph: all orders for few relations, the next best join each time for many.
struct JoinOrder {
  /// Up to so many relations all orders are tried.
  static let exhaustiveMax = 9

  private let graph: JoinGraph
  private let costs: JoinCosts
  private var best: [Int: Candidate] = [:]

  /// The cheapest way found to join a set of relations.
  private struct Candidate {
    var side: JoinSide
    /// Of all joins within.
    var cost: Double
    /// The two sets it is joined of; nil for a relation.
    var parts: Parts?
  }

  private struct Parts {
    var left: Int
    var right: Int
    var kind: JoinKind
    var distribution: JoinDistribution
    var isConnected: Bool
  }

  init(_ graph: JoinGraph, statistics: PlanStatistics, options: PlanningOptions) {
    self.graph = graph
    costs = JoinCosts(options: options)
    for (index, relation) in graph.relations.enumerated() {
      best[1 << index] = Candidate(side: statistics.side(relation.node), cost: 0, parts: nil)
    }
  }

  /// The joined plan of all relations.
  mutating func plan() -> PlanNode {
    let all = (1 << graph.relations.count) - 1
    if graph.relations.count <= Self.exhaustiveMax {
      searchAll(all, connected: true)
      if best[all] == nil { searchAll(all, connected: false) }
    } else {
      searchGreedily()
    }
    return node(of: all)
  }

  /// From small sets to large ones. Sets that nothing connects are built only where there is no other way.
  private mutating func searchAll(_ all: Int, connected: Bool) {
    guard all > 1 else { return }
    for subset in 1...all where subset.nonzeroBitCount > 1 && best[subset] == nil {
      guard let output = estimate(of: subset, connected: connected) else { continue }
      var part = (subset - 1) & subset
      while part > 0 {
        consider(part, subset ^ part, output: output, connected: connected)
        part = (part - 1) & subset
      }
    }
  }

  /// What a set of relations gives, found by joining one of them to all others, so that it is the same for all ways to
  /// join the set; nil where the set cannot be joined.
  private func estimate(of subset: Int, connected: Bool) -> PlanEstimate? {
    for index in graph.relations.indices.reversed() where subset >> index & 1 == 1 {
      let rest = subset ^ (1 << index)
      if let found = estimate(rest, 1 << index, connected: connected) { return found }
    }
    return nil
  }

  private func estimate(_ left: Int, _ right: Int, connected: Bool) -> PlanEstimate? {
    guard let probe = best[left], let build = best[right], let join = join(left, right),
      join.isConnected || !connected
    else { return nil }
    let filter = join.kind == .inner ? graph.filters(left, right) : graph.reducerFilter(right)
    return PlanStatistics.join(
      join.kind, probe.side.estimate, build.side.estimate, on: join.criteria,
      filter: filter.isEmpty ? nil : .conjunction(filter))
  }

  /// How two sets can be joined; nil where they cannot.
  private func join(_ left: Int, _ right: Int) -> (kind: JoinKind, criteria: [EquiClause], isConnected: Bool)? {
    if left & graph.reducers == left { return nil }
    if right.nonzeroBitCount == 1 && graph.reducers & right != 0 {
      let index = right.trailingZeroBitCount
      return graph.criteria(of: index, over: left).map { (graph.relations[index].kind, $0, true) }
    }
    let criteria = graph.clauses(left, right)
    // One row multiplies nothing, so it may come in anywhere.
    return (.inner, criteria, !criteria.isEmpty || left & graph.singles == left || right & graph.singles == right)
  }

  private mutating func searchGreedily() {
    var open = graph.relations.indices.map { 1 << $0 }
    while open.count > 1 {
      var choice: (set: Int, left: Int, right: Int)?
      for left in open {
        for right in open where left != right {
          let set = left | right
          if let output = best[set]?.side.estimate ?? estimate(left, right, connected: false) {
            consider(left, right, output: output, connected: false)
          }
          guard let found = best[set] else { continue }
          guard let current = choice.flatMap({ best[$0.set] }) else {
            choice = (set, left, right)
            continue
          }
          let isBetterConnected = (found.parts?.isConnected ?? false) && !(current.parts?.isConnected ?? false)
          let isWorseConnected = !(found.parts?.isConnected ?? false) && (current.parts?.isConnected ?? false)
          if isBetterConnected || (!isWorseConnected && found.side.estimate.rows < current.side.estimate.rows) {
            choice = (set, left, right)
          }
        }
      }
      // Any two sets of inner relations can be joined, so there is always one until the last.
      guard let choice else { preconditionFailure("no join of \(open.count) sets of relations") }
      open.removeAll { $0 == choice.left || $0 == choice.right }
      open.append(choice.set)
    }
  }

  /// Notes the join of two sets if it is the best known for both together.
  private mutating func consider(_ left: Int, _ right: Int, output: PlanEstimate, connected: Bool) {
    guard let probe = best[left], let build = best[right], let join = join(left, right),
      join.isConnected || !connected
    else { return }
    let known = best[left | right]
    if let known, known.parts?.isConnected ?? false, !join.isConnected { return }
    let rowBytes =
      join.kind == .inner ? probe.side.rowBytes + build.side.rowBytes - 8 : probe.side.rowBytes
    let bytes = output.rows * rowBytes
    let choice = costs.choice(
      join.kind, probe.side, build.side, keys: join.criteria, output: (rows: output.rows, bytes: bytes))
    let cost = probe.cost + build.cost + choice.cost
    let isFirstConnected = join.isConnected && !(known?.parts?.isConnected ?? false)
    if let known, !isFirstConnected, known.cost <= cost { return }
    best[left | right] = Candidate(
      side: JoinSide(estimate: output, bytes: bytes, spread: choice.spread), cost: cost,
      parts: Parts(
        left: left, right: right, kind: join.kind, distribution: choice.distribution,
        isConnected: join.isConnected))
  }

  /// The tree of the best joins found for a set.
  private func node(of set: Int) -> PlanNode {
    guard let parts = best[set]?.parts else { return graph.relations[set.trailingZeroBitCount].node }
    let left = node(of: parts.left)
    let right = node(of: parts.right)
    guard parts.kind == .inner else {
      let index = parts.right.trailingZeroBitCount
      return .join(
        JoinNode(
          kind: parts.kind, left: left, right: right, criteria: graph.criteria(of: index, over: parts.left) ?? [],
          filter: graph.relations[index].filter, outputs: left.outputs, distribution: parts.distribution))
    }
    let filters = graph.filters(parts.left, parts.right)
    return .join(
      JoinNode(
        kind: .inner, left: left, right: right, criteria: graph.clauses(parts.left, parts.right),
        filter: filters.isEmpty ? nil : .conjunction(filters), outputs: left.outputs + right.outputs,
        distribution: parts.distribution))
  }
}

extension JoinSide {
  fileprivate var rowBytes: Double { bytes / max(estimate.rows, 1) }
}

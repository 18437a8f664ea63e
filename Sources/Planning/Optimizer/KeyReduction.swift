// Owns dropping rows before much is done to them that a join drops later: an aggregation joined on its keys, and the
// side that a semi or anti join builds, read only rows whose keys the other side may have.

import Columnar

/// Finds aggregations that are joined on a group key with few keys on the other side, and semi joins of few rows with
/// many, and puts a semi join with the few keys below. The keys come from a copy of the part of the other side that
/// makes them; it must be cheap beside what it saves. This is what the average per part in TPC-H's query 17 needs, and
/// the lines of few orders in query 4.
struct KeyReduction {
  let statistics: PlanStatistics
  let costs: JoinCosts
  let symbols: SymbolAllocator
  let scans: ScanNumbers

  /// Nanoseconds, as in `JoinCosts`: a row that is aggregated, a row and a byte that are read.
  static let aggregatedRow = 10.0
  static let scannedRow = 4.0
  static let scannedByte = 0.5
  /// So many tasks are taken to copy the keys.
  static let copies = 8.0
  /// The share of the work that must be saved: estimates are not so good that less would be sure.
  static let savedShare = 0.4

  /// The plan with aggregations reduced. Before joins are ordered, which then takes the new semi joins along.
  func reducingGroups(_ node: PlanNode) -> PlanNode {
    let node = node.mapSources(reducingGroups)
    guard case .join(let join) = node else { return node }
    return .join(reduced(join))
  }

  /// The plan with the build sides of partitioned semi and anti joins reduced. When joins are ordered, so that what is
  /// copied runs as the original does.
  func reducingMatches(_ node: PlanNode) -> PlanNode {
    let node = node.mapSources(reducingMatches)
    guard case .join(var join) = node, join.kind == .semi || join.kind == .anti,
      join.distribution == .partitioned, !join.right.isReduced, let clause = join.criteria.first
    else { return node }
    let estimate = statistics.estimate(join.right)
    let work = estimate.rows * JoinCosts.buildRow + sending(estimate, join.right.outputs)
    join.right = matched(join.right, clause.right, by: sources(of: clause.left, in: join.left), saving: work)
    return .join(join)
  }

  /// A plan whose column has every value that counts, and perhaps more.
  private struct KeySource {
    var node: PlanNode
    var key: Symbol
  }

  private func reduced(_ join: JoinNode) -> JoinNode {
    var join = join
    for clause in join.criteria {
      // Rows of the right side without a match are not seen; those of the left neither, unless they are kept.
      if join.kind == .inner || join.kind == .left || join.kind == .semi || join.kind == .anti {
        join.right = reduced(join.right, clause.right, by: sources(of: clause.left, in: join.left))
      }
      if join.kind == .inner || join.kind == .right || join.kind == .semi {
        join.left = reduced(join.left, clause.left, by: sources(of: clause.right, in: join.right))
      }
    }
    return join
  }

  /// `node` with the aggregation that makes `key` reduced, if there is one and one of the sources pays.
  private func reduced(_ node: PlanNode, _ key: Symbol, by sources: [KeySource]) -> PlanNode {
    if sources.isEmpty { return node }
    switch node {
    case .project(var project):
      guard case .symbol(let inner)? = project.assignments.first(where: { $0.symbol == key })?.expression else {
        return node
      }
      project.source = reduced(project.source, inner, by: sources)
      return .project(project)
    case .filter(var filter):
      filter.source = reduced(filter.source, key, by: sources)
      return .filter(filter)
    case .join(var join) where join.kind == .inner || join.kind == .semi:
      if join.left.outputs.contains(key) {
        join.left = reduced(join.left, key, by: sources)
      } else {
        join.right = reduced(join.right, key, by: sources)
      }
      return .join(join)
    case .aggregate(var aggregate) where aggregate.step == .single && aggregate.keys.contains(key):
      let groups = statistics.estimate(node)
      let work = statistics.estimate(aggregate.source).rows * Self.aggregatedRow + sending(groups, aggregate.keys)
      aggregate.source = matched(aggregate.source, key, by: sources, saving: work)
      return .aggregate(aggregate)
    default: return node
    }
  }

  private func sending(_ rows: PlanEstimate, _ columns: [Symbol]) -> Double {
    rows.rows * JoinCosts.exchangeRow + rows.bytes(of: columns) * JoinCosts.exchangeByte
  }

  /// The rows of `node` whose `key` is among those of the best source; all rows if none pays. `work` is what all rows
  /// cost above `node`.
  private func matched(
    _ node: PlanNode, _ key: Symbol, by sources: [KeySource], saving work: Double
  ) -> PlanNode {
    let rows = statistics.estimate(node)
    let ranked = sources.map { ($0, saving(of: $0, rows, key, work: work)) }.max { $0.1 < $1.1 }
    guard let (best, saved) = ranked, saved > Self.savedShare * work else { return node }
    var copier = PlanCopier(symbols: symbols, scans: scans)
    let keys = copier.copy(best.node)
    return matched(node, key, keys, copier.copy(best.key))
  }

  /// The rows of `node` whose `key` is among the keys; tested before anything is computed of them.
  private func matched(_ node: PlanNode, _ key: Symbol, _ keys: PlanNode, _ keySymbol: Symbol) -> PlanNode {
    if case .project(var project) = node,
      case .symbol(let inner)? = project.assignments.first(where: { $0.symbol == key })?.expression
    {
      project.source = matched(project.source, inner, keys, keySymbol)
      return .project(project)
    }
    let criteria = [EquiClause(left: key, right: keySymbol)]
    let (left, right) = (statistics.side(node), statistics.side(keys))
    let choice = costs.choice(.semi, left, right, keys: criteria, output: (rows: left.estimate.rows, bytes: left.bytes))
    return .join(
      JoinNode(
        kind: .semi, left: node, right: keys, criteria: criteria, outputs: node.outputs,
        distribution: choice.distribution))
  }

  /// What is saved by going on only with rows that have the keys of `source`, less what it costs to make and to copy
  /// them and to look each row up.
  private func saving(of source: KeySource, _ rows: PlanEstimate, _ key: Symbol, work: Double) -> Double {
    let keys = statistics.estimate(source.node)
    guard rows.isKnown, keys.isKnown else { return 0 }
    let share = keys.distinct(source.key) / max(1, rows.distinct(key))
    guard share < 0.5 else { return 0 }
    let copied = keys.rows * (JoinCosts.buildRow + JoinCosts.copyReadRow) * Self.copies
    return (1 - share) * work - cost(source.node) - copied - rows.rows * JoinCosts.probeRow - JoinCosts.stage
  }

  /// What it costs to run a plan once more.
  private func cost(_ node: PlanNode) -> Double {
    let below = node.sources.reduce(0) { $0 + cost($1) }
    switch node {
    case .tableScan:
      let estimate = statistics.estimate(node)
      return estimate.rows * Self.scannedRow + estimate.bytes(of: node.outputs) * Self.scannedByte
    case .join(let join):
      let (left, right) = (statistics.estimate(join.left), statistics.estimate(join.right))
      return below + left.rows * JoinCosts.probeRow + right.rows * JoinCosts.buildRow + JoinCosts.stage
    case .aggregate(let aggregate):
      return below + statistics.estimate(aggregate.source).rows * Self.aggregatedRow + JoinCosts.stage
    default: return below
    }
  }

  /// Plans that give all values of `key` that `node` gives: the node itself and parts of it.
  private func sources(of key: Symbol, in node: PlanNode) -> [KeySource] {
    var found: [KeySource] = []
    collect(key, node, into: &found)
    return found.filter { $0.node.isCopyable }
  }

  private func collect(_ key: Symbol, _ node: PlanNode, into found: inout [KeySource]) {
    switch node {
    case .project(let project):
      guard case .symbol(let inner)? = project.assignments.first(where: { $0.symbol == key })?.expression else {
        return
      }
      collect(inner, project.source, into: &found)
    case .filter:
      found.append(KeySource(node: node, key: key))
    case .join(let join) where join.kind == .anti || join.kind == .nullAwareAnti: collect(key, join.left, into: &found)
    case .join(let join):
      guard join.kind == .inner || join.kind == .semi else { return }
      found.append(KeySource(node: node, key: key))
      let side = join.left.outputs.contains(key) ? join.left : join.right
      collect(key, side, into: &found)
      for clause in join.criteria {
        if clause.left == key { collect(clause.right, join.right, into: &found) }
        if clause.right == key { collect(clause.left, join.left, into: &found) }
      }
    case .aggregate(let aggregate) where aggregate.keys.contains(key): collect(key, aggregate.source, into: &found)
    case .sort(let sort): collect(key, sort.source, into: &found)
    case .limit, .topN, .values: found.append(KeySource(node: node, key: key))
    default: break
    }
  }
}

extension PlanNode {
  /// Whether rows were dropped by their keys here already.
  var isReduced: Bool {
    switch self {
    case .join(let join): join.kind == .semi
    case .project(let project): project.source.isReduced
    default: false
    }
  }

  /// Whether a copy gives the same rows as the original.
  fileprivate var isCopyable: Bool {
    let own: Bool
    switch self {
    case .limit, .topN: own = false
    default: own = expressions.allSatisfy(\.isDeterministic)
    }
    return own && sources.allSatisfy(\.isCopyable)
  }
}

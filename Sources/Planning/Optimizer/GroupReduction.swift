// Owns leaving groups unmade that a join drops again: an aggregation joined on its keys reads only rows whose keys the
// other side may have.

import Columnar

/// Finds aggregations that are joined on a group key with few keys on the other side, and puts a semi join with those
/// keys below them. The keys come from a copy of the part of the other side that makes them; it must be cheap beside
/// what it saves. This is what the average per part in TPC-H's query 17 needs.
struct GroupReduction {
  let statistics: PlanStatistics
  let symbols: SymbolAllocator
  let scans: ScanNumbers

  /// Nanoseconds, as in `JoinCosts`: a row that is aggregated, a row and a byte that are read.
  static let aggregatedRow = 40.0
  static let scannedRow = 5.0
  static let scannedByte = 1.0
  /// So many tasks are taken to copy the keys.
  static let copies = 8.0

  func optimize(_ node: PlanNode) -> PlanNode {
    switch node {
    case .join(var join):
      join.left = optimize(join.left)
      join.right = optimize(join.right)
      return .join(reduced(join))
    default: return node.mapSources(optimize)
    }
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
      let ranked = sources.map { ($0, saving(of: $0, in: aggregate, key)) }.max { $0.1 < $1.1 }
      guard let (best, saved) = ranked, saved > 0 else { return node }
      var copier = PlanCopier(symbols: symbols, scans: scans)
      let keys = copier.copy(best.node)
      aggregate.source = matched(aggregate.source, key, keys, copier.copy(best.key))
      return .aggregate(aggregate)
    default: return node
    }
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
    return .join(JoinNode(kind: .semi, left: node, right: keys, criteria: criteria, outputs: node.outputs))
  }

  /// What is saved by aggregating only rows with the keys of `source`, less what it costs to make them.
  private func saving(of source: KeySource, in aggregate: AggregateNode, _ key: Symbol) -> Double {
    let rows = statistics.estimate(aggregate.source)
    let keys = statistics.estimate(source.node)
    guard rows.isKnown, keys.isKnown else { return 0 }
    let share = keys.distinct(source.key) / max(1, rows.distinct(key))
    guard share < 0.5 else { return 0 }
    let groups = statistics.estimate(.aggregate(aggregate))
    let groupBytes = groups.bytes(of: aggregate.keys) / max(1, groups.rows)
    let perGroup = JoinCosts.exchangeRow + JoinCosts.exchangeByte * groupBytes
    let saved = (1 - share) * (rows.rows * Self.aggregatedRow + groups.rows * perGroup)
    let copied = keys.rows * (JoinCosts.buildRow + JoinCosts.copyReadRow) * Self.copies
    return saved - scanCost(source.node) - copied - rows.rows * JoinCosts.probeRow - JoinCosts.stage
  }

  private func scanCost(_ node: PlanNode) -> Double {
    guard case .tableScan = node else { return node.sources.reduce(0) { $0 + scanCost($1) } }
    let estimate = statistics.estimate(node)
    return estimate.rows * Self.scannedRow + estimate.bytes(of: node.outputs) * Self.scannedByte
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

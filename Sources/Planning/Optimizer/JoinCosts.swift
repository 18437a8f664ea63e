// Owns what a join costs, by how its sides meet. Figures are nanoseconds of one core, as TPC-H at scale 1 shows them
// for this engine, from scan to spool; only their relations matter.

/// How the rows of a plan are spread over tasks, with what decides about the number of tasks.
enum Spread {
  case single
  /// Tasks read pieces of tables, so many bytes in all.
  case source(bytes: Double)
  /// Tasks read hash partitions. Each list of symbols describes the spreading.
  case hash(keys: [[Symbol]], bytes: Double)
}

/// A plan as one side of a join.
struct JoinSide {
  var estimate: PlanEstimate
  /// In memory, of the columns that leave it.
  var bytes: Double
  var spread: Spread

  var isSingle: Bool { if case .single = spread { true } else { false } }
}

/// A way to run a join, and what it costs beyond its sides.
struct JoinChoice {
  var distribution: JoinDistribution
  var cost: Double
  var spread: Spread
}

struct JoinCosts {
  /// Hashing and matching a row that streams past.
  static let probeRow = 4.0
  /// A row of the build side, its bytes apart.
  static let buildRow = 10.0
  static let buildByte = 0.2
  /// A row that leaves the join.
  static let outputRow = 4.0
  static let outputByte = 0.2
  /// A row through an exchange: partitioned, encoded, compressed, sealed, and all of that undone.
  static let exchangeRow = 12.0
  static let exchangeByte = 1.0
  /// A copied build side is written once and read by every task.
  static let copyReadRow = 2.0
  static let copyReadByte = 0.3
  /// What another stage costs whatever its size.
  static let stage = 3_000_000.0

  let options: PlanningOptions

  /// The cheapest way to join, the right side being built. `keys` are the equal symbols of the sides, in order.
  func choice(
    _ kind: JoinKind, _ left: JoinSide, _ right: JoinSide, keys: [EquiClause], output: (rows: Double, bytes: Double)
  ) -> JoinChoice {
    let work =
      left.estimate.rows * Self.probeRow + output.rows * Self.outputRow + output.bytes * Self.outputByte
    if left.isSingle && right.isSingle {
      return JoinChoice(distribution: .partitioned, cost: work + build(right), spread: .single)
    }
    let copied = broadcast(left, right, work: work)
    if mustBroadcast(kind, keys) { return copied }
    let spread = partitioned(kind, left, right, keys: keys, work: work)
    if !mayBroadcast(kind) { return spread }
    if let forced = options.joinDistribution { return forced == .broadcast ? copied : spread }
    let isTooLarge = right.bytes > Double(options.broadcastBytesMax) || !right.estimate.isKnown
    return isTooLarge || spread.cost < copied.cost ? spread : copied
  }

  /// Without keys there is nothing to partition by; with NOT IN every task must see whether there is a NULL.
  private func mustBroadcast(_ kind: JoinKind, _ keys: [EquiClause]) -> Bool {
    (keys.isEmpty && mayBroadcast(kind)) || kind == .nullAwareAnti
  }

  /// A copy in every task would give the right side's unmatched rows once per task.
  private func mayBroadcast(_ kind: JoinKind) -> Bool { kind != .right && kind != .full }

  private func build(_ side: JoinSide) -> Double {
    side.estimate.rows * Self.buildRow + side.bytes * Self.buildByte
  }

  private func broadcast(_ left: JoinSide, _ right: JoinSide, work: Double) -> JoinChoice {
    let write = right.bytes * Self.exchangeByte / 2 + Self.stage
    let read = right.estimate.rows * Self.copyReadRow + right.bytes * Self.copyReadByte
    return JoinChoice(
      distribution: .broadcast, cost: work + write + tasks(left.spread) * (read + build(right)), spread: left.spread)
  }

  private func partitioned(
    _ kind: JoinKind, _ left: JoinSide, _ right: JoinSide, keys: [EquiClause], work: Double
  ) -> JoinChoice {
    let leftKeys = keys.map(\.left)
    let rightKeys = keys.map(\.right)
    let known: [[Symbol]]
    switch kind {
    case .inner: known = [leftKeys, rightKeys]
    case .left, .semi, .anti, .nullAwareAnti: known = [leftKeys]
    case .right: known = [rightKeys]
    case .full: known = []
    }
    let cost = work + exchange(left, by: leftKeys) + exchange(right, by: rightKeys) + build(right)
    return JoinChoice(
      distribution: .partitioned, cost: cost, spread: .hash(keys: known, bytes: left.bytes + right.bytes))
  }

  private func exchange(_ side: JoinSide, by keys: [Symbol]) -> Double {
    if case .hash(let lists, _) = side.spread, lists.contains(where: { Set($0) == Set(keys) }) { return 0 }
    return side.estimate.rows * Self.exchangeRow + side.bytes * Self.exchangeByte + Self.stage
  }

  /// How many tasks run a stage with this input.
  private func tasks(_ spread: Spread) -> Double {
    let parallel = { (bytes: Double, target: Double) in
      max(min(Double(options.taskSlots * 2), bytes / Double(1 << 20)), bytes / target, 1)
    }
    switch spread {
    case .single: return 1
    case .source(let bytes): return parallel(bytes, Double(options.taskInputBytes))
    case .hash(_, let bytes):
      return min(Double(options.partitionCount), parallel(bytes, Double(options.taskInputBytes) * 2))
    }
  }
}

extension PlanStatistics {
  /// A plan that is no join to be ordered, as a side of one.
  func side(_ node: PlanNode) -> JoinSide {
    let estimate = estimate(node)
    return JoinSide(estimate: estimate, bytes: estimate.bytes(of: node.outputs), spread: spread(node))
  }

  /// How the rows of `node` will be spread, if exchanges are placed where they are needed.
  private func spread(_ node: PlanNode) -> Spread {
    switch node {
    case .tableScan: return .source(bytes: estimate(node).bytes(of: node.outputs))
    case .values, .sort, .topN, .limit, .enforceSingleRow: return .single
    case .rowNumber(let numbered):
      return numbered.partition.isEmpty
        ? .single : .hash(keys: [numbered.partition], bytes: estimate(node).bytes(of: node.outputs))
    case .aggregate(let aggregate):
      return aggregate.keys.isEmpty
        ? .single : .hash(keys: [aggregate.keys], bytes: estimate(node).bytes(of: node.outputs))
    case .join(let join):
      let left = spread(join.left)
      if join.distribution == .broadcast || join.criteria.isEmpty { return left }
      if case .single = left, case .single = spread(join.right) { return .single }
      let bytes = side(join.left).bytes + side(join.right).bytes
      return .hash(keys: [join.criteria.map(\.left)], bytes: bytes)
    case .semiJoin(let join): return spread(join.source)
    case .union(let union):
      return .source(bytes: union.sources.reduce(0) { $0 + estimate($1).bytes(of: $1.outputs) })
    case .filter, .project, .uniqueID, .exchange, .tableWriter, .tableFinish, .output: return spread(node.sources[0])
    case .remoteSource: return .single
    }
  }
}

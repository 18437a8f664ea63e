// Owns the choice of dynamic filters between stages: where one side of a join will have few keys, scans on the other
// side wait for them, so that rows without a partner are not exchanged. Knows nothing of how filters are applied.

import Base

/// Adds key sources to fragments. Pure; a plan is small, so that all pairs are looked at.
struct KeySourcePlacement {
  /// A scanned row that is not exchanged and joined is worth reading this many keys less.
  private static let keysPerDroppedRow = 1.0 / 3
  /// The largest share of rows that may be left.
  private static let keptShareMax = 0.6

  private var fragments: [PlanFragment]
  private let statistics: PlanStatistics
  /// Fewer rows dropped than this are not worth the waiting.
  private let droppedRowsMin: Double
  private var estimates: [Int: PlanEstimate] = [:]

  /// `statistics` know the fragments' output.
  init(_ fragments: [PlanFragment], statistics: PlanStatistics, droppedRowsMin: Double) {
    self.fragments = fragments
    self.droppedRowsMin = droppedRowsMin
    self.statistics = statistics
  }

  /// The fragments with their filters, numbered anew so that inputs have higher numbers than their consumers.
  mutating func place() -> [PlanFragment] {
    for number in fragments.indices { consider(fragments[number].root, in: number) }
    return FragmentOrder.numbered(fragments)
  }

  /// A column of a fragment's output.
  private struct Column: Hashable {
    let fragment: Int
    let symbol: Symbol
  }

  private mutating func consider(_ node: PlanNode, in number: Int) {
    for source in node.sources { consider(source, in: number) }
    switch node {
    case .join(let join):
      for clause in join.criteria {
        if [.inner, .right, .semi].contains(join.kind) {
          link(keys: (clause.right, join.right), to: (clause.left, join.left), in: number)
        }
        if [.inner, .left, .semi, .anti].contains(join.kind) {
          link(keys: (clause.left, join.left), to: (clause.right, join.right), in: number)
        }
      }
    case .semiJoin(let join) where !join.isNullAware:
      for clause in join.criteria {
        link(keys: (clause.left, join.source), to: (clause.right, join.filteringSource), in: number)
      }
    default: break
    }
  }

  /// Restricts the scans below `target` to the keys that `keys` can give, where that is worth it.
  private mutating func link(
    keys: (symbol: Symbol, node: PlanNode), to target: (symbol: Symbol, node: PlanNode), in number: Int
  ) {
    let producers = origins(of: keys.symbol, in: keys.node)
    guard !producers.isEmpty else { return }
    let scans = ScanSearch(fragments: fragments).origins(of: target.symbol, in: target.node, fragment: number)
    for scan in scans where scan.fragment != number {
      var best: (column: Column, gain: Double)?
      for column in producers {
        guard let gain = gain(of: column, for: scan), gain > best?.gain ?? 0 else { continue }
        if !isNeeded(scan.fragment, by: column.fragment) { best = (column, gain) }
      }
      if let best { add(best.column, to: scan) }
    }
  }

  private mutating func add(_ column: Column, to scan: ScanOrigin) {
    let known = fragments[scan.fragment].inputs.contains { $0.fragment == column.fragment }
    let source = KeySource(
      fragment: column.fragment, columns: fragments[column.fragment].outputSymbols, key: column.symbol,
      scan: scan.scan.id, restricted: scan.symbol)
    // What a fragment reads anyway restricts its scans without further ado.
    let isRestricted = fragments[scan.fragment].keySources.contains {
      $0.fragment == column.fragment && $0.scan == source.scan && $0.restricted == source.restricted
    }
    if isRestricted { return }
    if known {
      guard fragments[scan.fragment].keySources.contains(where: { $0.fragment == column.fragment }) else { return }
    } else {
      fragments[scan.fragment].inputs.append(FragmentInput(fragment: column.fragment, mode: .broadcast))
    }
    fragments[scan.fragment].keySources.append(source)
  }

  /// How many rows less there are to read; nil where the filter is not worth it.
  private mutating func gain(of column: Column, for scan: ScanOrigin) -> Double? {
    let keys = estimate(column.fragment)
    let table = statistics.estimate(.tableScan(scan.scan))
    guard keys.isKnown, table.isKnown else { return nil }
    let kept = min(1, keys.distinct(column.symbol) / table.distinct(scan.symbol))
    let dropped = statistics.estimate(scan.rows).rows * (1 - kept)
    guard kept <= Self.keptShareMax, dropped >= droppedRowsMin else { return nil }
    let gain = dropped * Self.keysPerDroppedRow - keys.rows
    return gain > 0 ? gain : nil
  }

  private mutating func estimate(_ fragment: Int) -> PlanEstimate {
    if let known = estimates[fragment] { return known }
    let made = statistics.estimate(fragments[fragment].root)
    estimates[fragment] = made
    return made
  }

  /// Whether the output of `other` depends on that of `fragment`.
  private func isNeeded(_ fragment: Int, by other: Int) -> Bool {
    var seen: Set<Int> = [other]
    var open = [other]
    while let next = open.popLast() {
      if next == fragment { return true }
      for input in fragments[next].inputs where seen.insert(input.fragment).inserted { open.append(input.fragment) }
    }
    return false
  }

  // MARK: Where columns come from

  /// The fragments' columns that hold at least all values of `symbol`, the nearest first.
  private func origins(of symbol: Symbol, in node: PlanNode) -> [Column] {
    switch node {
    case .remoteSource(let source):
      guard source.fragments.count == 1, source.outputs.contains(symbol) else { return [] }
      let number = source.fragments[0]
      return [Column(fragment: number, symbol: symbol)] + origins(of: symbol, in: fragments[number].root)
    case .project(let project):
      let assignment = project.assignments.first { $0.symbol == symbol }
      guard case .symbol(let inner)? = assignment?.expression else { return [] }
      return origins(of: inner, in: project.source)
    case .aggregate(let aggregate):
      return aggregate.keys.contains(symbol) ? origins(of: symbol, in: aggregate.source) : []
    case .filter, .join, .sort, .topN, .limit, .enforceSingleRow, .uniqueID, .rowNumber:
      // An outer join adds NULLs, which have no partner.
      return node.sources.first { $0.outputs.contains(symbol) }.map { origins(of: symbol, in: $0) } ?? []
    case .semiJoin(let join): return symbol == join.mark ? [] : origins(of: symbol, in: join.source)
    case .tableScan, .values, .union, .exchange, .output, .tableWriter, .tableFinish: return []
    }
  }
}

/// The numbering of fragments.
enum FragmentOrder {
  /// The same fragments under numbers that grow from consumers to producers, changed as little as that allows.
  static func numbered(_ fragments: [PlanFragment]) -> [PlanFragment] {
    var consumers = fragments.map { _ in 0 }
    for fragment in fragments { for input in Set(fragment.inputs.map(\.fragment)) { consumers[input] += 1 } }
    var names = [Int](repeating: 0, count: fragments.count)
    var order: [Int] = []
    var isDone = [Bool](repeating: false, count: fragments.count)
    while order.count < fragments.count {
      guard let next = fragments.indices.first(where: { !isDone[$0] && consumers[$0] == 0 }) else {
        preconditionFailure("fragments form a circle")
      }
      isDone[next] = true
      names[next] = order.count
      order.append(next)
      for input in Set(fragments[next].inputs.map(\.fragment)) { consumers[input] -= 1 }
    }
    return order.map { renamed(fragments[$0], names) }
  }

  private static func renamed(_ fragment: PlanFragment, _ names: [Int]) -> PlanFragment {
    var fragment = fragment
    fragment.number = names[fragment.number]
    fragment.root = renamed(fragment.root, names)
    for index in fragment.inputs.indices { fragment.inputs[index].fragment = names[fragment.inputs[index].fragment] }
    for index in fragment.keySources.indices {
      fragment.keySources[index].fragment = names[fragment.keySources[index].fragment]
    }
    return fragment
  }

  private static func renamed(_ node: PlanNode, _ names: [Int]) -> PlanNode {
    guard case .remoteSource(var source) = node else { return node.mapSources { renamed($0, names) } }
    source.fragments = source.fragments.map { names[$0] }
    return .remoteSource(source)
  }
}

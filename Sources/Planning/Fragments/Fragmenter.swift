// Owns the cut of a plan with exchanges into fragments.

import Base

/// Cuts a plan. Fragment 0 holds the root; numbers grow from consumers to producers.
public struct Fragmenter {
  private let partitionCount: Int
  private var fragments: [PlanFragment?] = []

  private init(partitionCount: Int) { self.partitionCount = partitionCount }

  /// Places exchanges in `plan`, whose root is an output node, and cuts it there. Hash exchanges get `partitionCount`
  /// partitions. QUERY_HAS_TOO_MANY_STAGES if there are more fragments than `stageCountMax`.
  public static func fragment(
    _ plan: PlanNode, symbols: SymbolAllocator, partitionCount: Int, stageCountMax: Int
  ) throws -> FragmentedPlan {
    try fragment(
      plan, symbols: symbols, statistics: nil, partitionCount: partitionCount, stageCountMax: stageCountMax)
  }

  /// The same, with estimates to choose by: the fragments then carry the size of their output, and scans the keys of
  /// other fragments that spare them at least `dynamicFilterRowsMin` rows.
  static func fragment(
    _ plan: PlanNode, symbols: SymbolAllocator, statistics: PlanStatistics?, partitionCount: Int, stageCountMax: Int,
    dynamicFilterRowsMin: Double = 0
  ) throws -> FragmentedPlan {
    guard case .output(let output) = plan else { preconditionFailure("the root of a plan is its output") }
    let placement = ExchangePlacement(symbols: symbols, statistics: statistics)
    let placed = ColumnPruning().optimize(placement.place(plan))
    var fragmenter = Fragmenter(partitionCount: partitionCount)
    fragmenter.add(placed, output: .single)
    guard fragmenter.fragments.count <= stageCountMax else {
      throw WaterbearError(
        .queryHasTooManyStages,
        "Number of stages in the query (\(fragmenter.fragments.count)) exceeds the allowed maximum (\(stageCountMax))",
        remedy: "split the query, or raise query.max-stage-count")
    }
    var fragments = fragmenter.fragments.compactMap { $0 }
    if let statistics {
      var filters = KeySourcePlacement(
        fragments, statistics: statistics.knowing(fragments), droppedRowsMin: dynamicFilterRowsMin)
      fragments = filters.place()
    }
    if let sizes = statistics?.knowing(fragments) {
      for index in fragments.indices {
        let estimate = sizes.estimate(fragments[index].root)
        guard estimate.isKnown else { continue }
        fragments[index].estimatedOutputBytes = Int64(min(estimate.bytes(of: fragments[index].outputSymbols), 1e18))
      }
    }
    return FragmentedPlan(fragments: FragmentSharing.shared(fragments), columnNames: output.columnNames)
  }

  /// Makes a fragment of `root` and, before it returns, of everything below. Returns its number.
  @discardableResult
  private mutating func add(_ root: PlanNode, output: OutputPartitioning) -> Int {
    let number = fragments.count
    fragments.append(nil)
    var cut = Cut()
    let rest = detach(root, into: &cut)
    let kind: FragmentKind = cut.hasScan ? .source : cut.hasPartitionedInput ? .hash : .single
    let inputs = cut.inputs.map { input in
      kind == .single ? FragmentInput(fragment: input.fragment, mode: .gathered) : input
    }
    fragments[number] = PlanFragment(
      number: number, root: rest, kind: kind, inputs: inputs, output: output, outputSymbols: root.outputs,
      isDeterministic: rest.isRepeatable)
    return number
  }

  /// What was found while a fragment's tree was cut from those below.
  private struct Cut {
    var inputs: [FragmentInput] = []
    var hasScan = false
    var hasPartitionedInput = false
  }

  private mutating func detach(_ node: PlanNode, into cut: inout Cut) -> PlanNode {
    switch node {
    case .tableScan:
      cut.hasScan = true
      return node
    case .exchange(let exchange):
      let (output, mode) = partitioning(of: exchange)
      let number = add(exchange.source, output: output)
      cut.inputs.append(FragmentInput(fragment: number, mode: mode, keys: output.keys(in: exchange.source.outputs)))
      if mode == .partitioned { cut.hasPartitionedInput = true }
      return .remoteSource(
        RemoteSourceNode(fragments: [number], outputs: exchange.source.outputs, orderings: exchange.orderings))
    default:
      return node.mapSources { detach($0, into: &cut) }
    }
  }

  private func partitioning(of exchange: ExchangeNode) -> (OutputPartitioning, InputMode) {
    switch exchange.partitioning {
    case .single: (.single, .gathered)
    case .broadcast: (.single, .broadcast)
    case .hash(let symbols): (.hash(symbols: symbols, count: partitionCount), .partitioned)
    }
  }
}

extension OutputPartitioning {
  /// Where the columns that decide about the partition lie among `outputs`; nil where there is but one partition.
  fileprivate func keys(in outputs: [Symbol]) -> [Int]? {
    guard case .hash(let symbols, _) = self else { return nil }
    let places = symbols.compactMap { outputs.firstIndex(of: $0) }
    return places.count == symbols.count ? places : nil
  }
}

extension PlanNode {
  /// Whether the same input rows in the same order give the same rows whenever the fragment runs.
  fileprivate var isRepeatable: Bool {
    let own: Bool
    switch self {
    case .filter(let node): own = node.predicate.isDeterministic
    case .project(let node): own = node.assignments.allSatisfy(\.expression.isDeterministic)
    case .join(let node): own = node.filter?.isDeterministic ?? true
    case .semiJoin(let node): own = node.filter?.isDeterministic ?? true
    case .values(let node): own = node.rows.allSatisfy { $0.allSatisfy(\.isDeterministic) }
    default: own = true
    }
    return own && sources.allSatisfy(\.isRepeatable)
  }
}

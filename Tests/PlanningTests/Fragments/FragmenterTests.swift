// Owns the tests of fragments: that they fit together, and that rows meet where nodes need them to.

import LocalRunner
import Testing

@testable import Planning

/// What is wrong with a plan's fragments, as text; found without a look at how exchanges were placed.
private struct FragmentSoundness {
  /// How the rows of a node are spread over the tasks of its fragment.
  enum Spread {
    case single, copied, arbitrary
    case hashed([[Symbol]])
  }

  let plan: FragmentedPlan
  private(set) var faults: [String] = []

  init(_ plan: FragmentedPlan) {
    self.plan = plan
    var readers: [Int: Int] = [:]
    for fragment in plan.fragments {
      let filters = Set(fragment.keySources.map(\.fragment))
      for input in fragment.inputs {
        // Keys are read beside the one who reads the rows.
        if !filters.contains(input.fragment) { readers[input.fragment, default: 0] += 1 }
        if input.fragment <= fragment.number { faults.append("\(fragment.number) reads \(input.fragment)") }
      }
      if case .hash(let symbols, _) = fragment.output, !symbols.allSatisfy(fragment.outputSymbols.contains) {
        faults.append("\(fragment.number) is partitioned by what it does not give")
      }
      if fragment.root.outputs != fragment.outputSymbols { faults.append("\(fragment.number) gives other columns") }
      _ = spread(fragment.root, in: fragment)
      for source in fragment.keySources { check(source, of: fragment) }
    }
    for fragment in plan.fragments.dropFirst() where readers[fragment.number] == nil {
      faults.append("nobody reads \(fragment.number)")
    }
  }

  private mutating func check(_ source: KeySource, of fragment: PlanFragment) {
    let input = FragmentInput(fragment: source.fragment, mode: .broadcast)
    let producer = plan.fragments[source.fragment]
    if !fragment.inputs.contains(input) { faults.append("\(fragment.number) has no keys of \(source.fragment)") }
    if producer.outputSymbols != source.columns || !source.columns.contains(source.key) {
      faults.append("\(fragment.number) takes other keys than \(source.fragment) gives")
    }
    func reads(_ node: PlanNode) -> Bool {
      if case .tableScan(let scan) = node, scan.id == source.scan { return node.outputs.contains(source.restricted) }
      return node.sources.contains(where: reads)
    }
    if !reads(fragment.root) { faults.append("\(fragment.number) does not scan \(source.restricted)") }
  }

  private mutating func spread(_ node: PlanNode, in fragment: PlanFragment) -> Spread {
    let sources = node.sources.map { spread($0, in: fragment) }
    switch node {
    case .tableScan: return fragment.kind == .source ? .arbitrary : fault("a scan", in: fragment)
    case .values: return fragment.kind == .single ? .single : fault("values", in: fragment)
    case .remoteSource(let source): return spread(source, in: fragment)
    case .join(let join): return spread(join.kind, join.criteria, sources, in: fragment)
    case .semiJoin(let join):
      return spread(join.isNullAware ? .nullAwareAnti : .semi, join.criteria, sources, in: fragment)
    case .aggregate(let aggregate): return spread(aggregate, sources[0], in: fragment)
    case .rowNumber(let numbered):
      switch sources[0] {
      case .hashed(let lists):
        let fitting = lists.filter { $0.allSatisfy(numbered.partition.contains) && !numbered.partition.isEmpty }
        return fitting.isEmpty ? fault("numbers of some rows", in: fragment) : .hashed(fitting)
      case .single: return .single
      default: return fault("numbers of some rows", in: fragment)
      }
    case .sort(let sort):
      if case .single = sources[0] { return .single }
      let isMerged = plan.fragments.contains { $0.root.merges(fragment.number, by: sort.orderings) }
      return isMerged ? sources[0] : fault("a sort of some rows that nobody merges", in: fragment)
    case .enforceSingleRow:
      if case .single = sources[0] { return .single }
      return fault("one row of some", in: fragment)
    case .project(let project):
      guard case .hashed(let lists) = sources[0] else { return sources[0] }
      return .hashed(lists.map { list in list.map { symbol in project.renamed(symbol) } })
    case .union:
      if fragment.kind == .hash { return .hashed([node.outputs]) }
      return fragment.kind == .single ? .single : .arbitrary
    case .tableWriter:
      if case .single = sources[0] { return .single }
      return .arbitrary
    case .tableFinish:
      if case .single = sources[0] { return .single }
      return fault("the end of some writers", in: fragment)
    case .filter, .topN, .limit, .uniqueID, .output: return sources[0]
    case .exchange: return fault("an exchange", in: fragment)
    }
  }

  private mutating func spread(_ source: RemoteSourceNode, in fragment: PlanFragment) -> Spread {
    let number = source.fragments[0]
    guard let mode = fragment.inputs.first(where: { $0.fragment == number })?.mode,
      let producer = plan.fragments.first(where: { $0.number == number })
    else { return fault("an unknown input", in: fragment) }
    if producer.outputSymbols != source.outputs { faults.append("\(fragment.number) takes other columns") }
    if let orderings = source.orderings, producer.root.sortedBy != orderings {
      faults.append("\(fragment.number) merges what is not sorted")
    }
    switch (mode, producer.output) {
    case (.gathered, .single): return .single
    case (.broadcast, .single): return .copied
    case (.partitioned, .hash(let symbols, _)): return .hashed([symbols])
    default: return fault("an input of the wrong kind", in: fragment)
    }
  }

  private mutating func spread(
    _ kind: JoinKind, _ criteria: [EquiClause], _ sources: [Spread], in fragment: PlanFragment
  ) -> Spread {
    let emitsRight = kind == .right || kind == .full
    switch (sources[0], sources[1]) {
    case (.single, .single): return .single
    case (let left, .copied) where !emitsRight: return left
    case (.hashed(let left), .hashed(let right)) where kind != .nullAwareAnti:
      for list in left {
        // A column may be compared with several, so the partners are those that the right side is spread by.
        let partners = right.first { other in
          other.count == list.count
            && zip(list, other).allSatisfy { criteria.contains(EquiClause(left: $0, right: $1)) }
        }
        guard let partners else { continue }
        switch kind {
        case .inner: return .hashed([list, partners])
        case .right: return .hashed([partners])
        case .full: return .arbitrary
        default: return .hashed([list])
        }
      }
    default: break
    }
    return fault("a \(kind) join whose rows do not meet", in: fragment)
  }

  private mutating func spread(_ aggregate: AggregateNode, _ source: Spread, in fragment: PlanFragment) -> Spread {
    switch (aggregate.step, source) {
    case (.partial, _): return source
    case (_, .single): return .single
    case (_, .hashed(let lists)):
      let fitting = lists.filter { list in !list.isEmpty && list.allSatisfy(aggregate.keys.contains) }
      if !fitting.isEmpty { return .hashed(fitting) }
    default: break
    }
    return fault("groups in several tasks", in: fragment)
  }

  private mutating func fault(_ what: String, in fragment: PlanFragment) -> Spread {
    faults.append("\(what) in fragment \(fragment.number)")
    return .arbitrary
  }
}

extension ProjectNode {
  fileprivate func renamed(_ symbol: Symbol) -> Symbol {
    assignments.first { $0.expression == .symbol(symbol) }?.symbol ?? symbol
  }
}

struct FragmenterTests {
  @Test(arguments: 1...22)
  func benchmarkFragmentsFitTogether(_ number: Int) throws {
    let sql = try Snapshot.file("../../sql/tpch/\(number < 10 ? "q0\(number)" : "q\(number)").sql")
    #expect(FragmentSoundness(try snapshotRunner().plan(sql)).faults == [])
  }

  @Test(arguments: [nil, JoinDistribution.partitioned, .broadcast])
  func randomFragmentsFitTogether(_ distribution: JoinDistribution?) throws {
    for seed in UInt64(1)...400 {
      var random = RandomQuery(seed: seed)
      let sql = random.query()
      // Some queries are not supported; the tests of random queries count them.
      guard let logical = try? plan(sql) else { continue }
      var options = PlanningOptions()
      options.joinDistribution = distribution
      let optimizer = Optimizer(
        catalogs: MemoryCatalog.catalogs, evaluator: ReferenceFolding(), symbols: logical.symbols, options: options)
      let fragments = try Fragmenter.fragment(
        optimizer.optimize(logical.root), symbols: logical.symbols, partitionCount: 4, stageCountMax: 150)
      #expect(FragmentSoundness(fragments).faults == [], "seed \(seed): \(sql)")
    }
  }

  @Test func tooManyStagesAreRefused() throws {
    let logical = try plan("SELECT a FROM t GROUP BY a")
    let error = #expect(throws: (any Error).self) {
      try Fragmenter.fragment(logical.root, symbols: logical.symbols, partitionCount: 4, stageCountMax: 1)
    }
    #expect("\(try #require(error))" == "Number of stages in the query (2) exceeds the allowed maximum (1)")
  }
}

extension PlanNode {
  /// The order in which the node gives its rows, where a sort is at its top.
  fileprivate var sortedBy: [Ordering]? {
    switch self {
    case .sort(let sort): sort.orderings
    case .project(let project): project.source.sortedBy
    default: nil
    }
  }

  fileprivate func merges(_ fragment: Int, by orderings: [Ordering]) -> Bool {
    if case .remoteSource(let source) = self { return source.fragments == [fragment] && source.orderings == orderings }
    return sources.contains { $0.merges(fragment, by: orderings) }
  }
}

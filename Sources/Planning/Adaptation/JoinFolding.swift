// Owns the change of a join from spread sides to a copied build side: the stage that would have spread the other side
// does the join itself.

import Base

/// Looks for a join whose build side turned out small while the stage of the other side has not begun.
///
///     join ──┬── probe ── …                 probe, joined ──┬── …
///            └── build (complete)    ►                      └── build, copied
///
/// The probe's fragment takes over what the join's did, and who reads the join reads it instead. The join's fragment is
/// left with nothing. The build side's output stays as it lies: each task reads all of its partitions.
struct JoinFolding {
  let fragments: [PlanFragment]
  let figures: [FragmentFigures]
  let options: AdaptiveOptions

  /// The fragments that change, with the decision; nil where there is nothing to gain.
  func fold(build: Int) -> (fragments: [PlanFragment], decision: PlanRevision.Decision)? {
    let size = figures[build].bytes
    guard figures[build].isComplete, size <= options.broadcastBytesMax else { return nil }
    let expected = fragments[build].estimatedOutputBytes
    if let expected, Double(size) > Double(expected) / options.surpriseMin { return nil }
    for join in fragments {
      guard join.inputs.contains(where: { $0.fragment == build && $0.mode == .partitioned }),
        let probe = probe(of: join, build: build), isWorthwhile(probe, size),
        let folded = folded(join, into: fragments[probe], build: build)
      else { continue }
      let reason = "stage \(build) gave only \(DataSize(bytes: size)); stage \(probe) does the join with a copy of it"
      return (folded, PlanRevision.Decision(kind: .joinMadeBroadcast, fragment: join.number, reason: reason))
    }
    return nil
  }

  private func isWorthwhile(_ probe: Int, _ size: Int64) -> Bool {
    let expected = fragments[probe].estimatedOutputBytes ?? options.broadcastBytesMax
    return Double(size) <= Double(expected) / options.gainMin
  }

  private func readers(of number: Int) -> [PlanFragment] {
    fragments.filter { $0.inputs.contains { $0.fragment == number } }
  }

  /// The fragment of the other side of the join with `build`, if both fragments and all readers can still change.
  private func probe(of join: PlanFragment, build: Int) -> Int? {
    guard join.number != 0, join.kind == .hash, figures[join.number].mayChange else { return nil }
    let spread = join.inputs.filter { $0.mode == .partitioned }.map(\.fragment)
    guard spread.count == 2, spread[0] != spread[1], let probe = spread.first(where: { $0 != build }),
      figures[probe].mayChange, readers(of: probe).count == 1, fragments[probe].kind != .single,
      case .hash = fragments[probe].output, readers(of: join.number).allSatisfy({ figures[$0.number].mayChange })
    else { return nil }
    return probe
  }

  // MARK: The new fragments

  private func folded(_ join: PlanFragment, into probe: PlanFragment, build: Int) -> [PlanFragment]? {
    guard let root = folded(join.root, probe: probe, build: build) else { return nil }
    var merged = probe
    merged.root = root
    for input in join.inputs where input.fragment != probe.number {
      let copied = FragmentInput(fragment: input.fragment, mode: .broadcast)
      if let known = merged.inputs.first(where: { $0.fragment == input.fragment }) {
        guard known.mode == copied.mode else { return nil }
      } else {
        merged.inputs.append(copied)
      }
    }
    merged.output = join.output
    merged.outputSymbols = join.outputSymbols
    merged.isDeterministic = probe.isDeterministic && join.isDeterministic
    merged.estimatedOutputBytes = join.estimatedOutputBytes
    merged.keySources += join.keySources
    var rest = join
    rest.root = .values(ValuesNode(outputs: join.outputSymbols, rows: []))
    rest.kind = .single
    rest.inputs = []
    rest.keySources = []
    let redirected = readers(of: join.number).map { $0.reading(probe.number, insteadOf: join.number) }
    return [merged, rest] + redirected
  }

  /// The join's tree with the probe's in place of what it reads of it; nil where a node on the way needs rows to be
  /// spread as the join would have got them.
  private func folded(_ node: PlanNode, probe: PlanFragment, build: Int) -> PlanNode? {
    switch node {
    case .remoteSource(let source): return source.fragments == [probe.number] ? probe.root : nil
    case .filter(var filter):
      guard let inner = folded(filter.source, probe: probe, build: build) else { return nil }
      filter.source = inner
      return .filter(filter)
    case .project(var project):
      guard let inner = folded(project.source, probe: probe, build: build) else { return nil }
      project.source = inner
      return .project(project)
    case .aggregate(var aggregate) where aggregate.step == .partial:
      guard let inner = folded(aggregate.source, probe: probe, build: build) else { return nil }
      aggregate.source = inner
      return .aggregate(aggregate)
    // Who reads them merges them, whichever task has which of them.
    case .sort(var sort):
      guard let inner = folded(sort.source, probe: probe, build: build) else { return nil }
      sort.source = inner
      return .sort(sort)
    case .topN(var topN):
      guard let inner = folded(topN.source, probe: probe, build: build) else { return nil }
      topN.source = inner
      return .topN(topN)
    case .join(var join):
      let isCopied = join.distribution == .broadcast && !reads(build, join.right)
      let becomesCopied = reads(build, join.right) && join.kind.keepsOnlyLeftRows
      guard isCopied || becomesCopied, let inner = folded(join.left, probe: probe, build: build) else { return nil }
      join.left = inner
      join.distribution = .broadcast
      return .join(join)
    case .semiJoin(var join):
      let isCopied = join.distribution == .broadcast || reads(build, join.filteringSource)
      guard isCopied, let inner = folded(join.source, probe: probe, build: build) else { return nil }
      join.source = inner
      join.distribution = .broadcast
      return .semiJoin(join)
    default: return nil
    }
  }

  /// Whether the tree's only partitioned input is the build side.
  private func reads(_ build: Int, _ node: PlanNode) -> Bool {
    switch node {
    case .remoteSource(let source): return source.fragments == [build]
    case .filter, .project: return reads(build, node.sources[0])
    default: return false
    }
  }
}

extension PlanFragment {
  /// The same with another fragment's rows, which have the same columns.
  func reading(_ new: Int, insteadOf old: Int) -> PlanFragment {
    func renamed(_ number: Int) -> Int { number == old ? new : number }
    func redirected(_ node: PlanNode) -> PlanNode {
      guard case .remoteSource(var source) = node else { return node.mapSources(redirected) }
      source.fragments = source.fragments.map(renamed)
      return .remoteSource(source)
    }
    var reader = self
    reader.root = redirected(reader.root)
    for index in reader.inputs.indices { reader.inputs[index].fragment = renamed(reader.inputs[index].fragment) }
    for index in reader.keySources.indices {
      reader.keySources[index].fragment = renamed(reader.keySources[index].fragment)
    }
    return reader
  }
}

extension JoinKind {
  /// Whether a copy of the right side in each task gives each row of the result once.
  fileprivate var keepsOnlyLeftRows: Bool {
    switch self {
    case .inner, .left, .semi, .anti: true
    case .right, .full, .nullAwareAnti: false
    }
  }
}

// Owns the change of a join from a copied build side to spread sides: two fragments more, one that spreads the build
// side's rows again, and one that joins.

import Base

/// Looks for a join whose copied build side turned out too big while the stage of the join has not begun.
///
///     probe, joined ──┬── …                       joined ──┬── probe ── …
///                     └── build (complete)   ►             └── spread ── build
///
/// The join's fragment keeps its number and its splits, and only gives what it would have joined. Who reads it reads
/// the new fragment that joins instead. All that was done stays.
struct JoinSpreading {
  let fragments: [PlanFragment]
  let figures: [FragmentFigures]
  let options: AdaptiveOptions

  /// The fragments that change and the new ones, with the decision; nil where copies are good enough.
  func spread(build: Int) -> (fragments: [PlanFragment], decision: PlanRevision.Decision)? {
    let size = figures[build].bytes
    guard figures[build].isComplete, size > options.broadcastBytesMax,
      fragments.count + 2 <= options.stageCountMax
    else { return nil }
    if let expected = fragments[build].estimatedOutputBytes, Double(size) < Double(expected) * options.surpriseMin {
      return nil
    }
    let copied = FragmentInput(fragment: build, mode: .broadcast)
    for fragment in fragments where fragment.inputs.contains(copied) {
      guard fragment.number != 0, fragment.kind != .single, figures[fragment.number].mayChange,
        readers(of: fragment.number).allSatisfy({ figures[$0.number].mayChange }),
        let found = found(in: fragment.root, build: build), let spread = spread(fragment, found, build: build)
      else { continue }
      let reason = "stage \(build) gave \(DataSize(bytes: size)), too much for copies; stage \(spread.joined) joins it "
        + "with the rows of stage \(fragment.number), both spread"
      return (
        spread.fragments, PlanRevision.Decision(kind: .joinMadePartitioned, fragment: fragment.number, reason: reason)
      )
    }
    return nil
  }

  private func readers(of number: Int) -> [PlanFragment] {
    fragments.filter { $0.inputs.contains { $0.fragment == number } }
  }

  // MARK: The join

  /// The join that builds the copied side. Nothing above it cares which rows of the fragment are in which task; all
  /// scans are below its other side.
  private func found(in node: PlanNode, build: Int) -> JoinNode? {
    switch node {
    case .join(let join):
      guard join.distribution == .broadcast else { return nil }
      if reads(build, join.right) {
        let kinds: [JoinKind] = [.inner, .left, .semi, .anti]
        return kinds.contains(join.kind) && !join.criteria.isEmpty && !reads(build, join.left) ? join : nil
      }
      return join.right.hasScan ? nil : found(in: join.left, build: build)
    case .semiJoin(let join):
      guard join.distribution == .broadcast, !reads(build, join.filteringSource), !join.filteringSource.hasScan
      else { return nil }
      return found(in: join.source, build: build)
    case .aggregate(let aggregate): return aggregate.step == .partial ? found(in: aggregate.source, build: build) : nil
    case .filter, .project, .sort, .topN, .tableWriter: return found(in: node.sources[0], build: build)
    default: return nil
    }
  }

  private func reads(_ build: Int, _ node: PlanNode) -> Bool { node.remoteFragments.contains(build) }

  // MARK: The new fragments

  private func spread(
    _ fragment: PlanFragment, _ join: JoinNode, build: Int
  ) -> (fragments: [PlanFragment], joined: Int)? {
    guard join.right.remoteFragments == [build], !join.right.hasScan else { return nil }
    let (spreadNumber, joinedNumber) = (fragments.count, fragments.count + 1)
    let leftKeys = join.criteria.map(\.left)
    let rightKeys = join.criteria.map(\.right)
    guard let leftPlaces = places(of: leftKeys, in: join.left.outputs),
      let rightPlaces = places(of: rightKeys, in: join.right.outputs)
    else { return nil }
    let count = options.partitionCount

    var probe = fragment
    probe.root = join.left
    probe.output = .hash(symbols: leftKeys, count: count)
    probe.outputSymbols = join.left.outputs
    probe.estimatedOutputBytes = nil
    let needed = Set(join.left.remoteFragments).union(fragment.keySources.map(\.fragment))
    probe.inputs = fragment.inputs.filter { needed.contains($0.fragment) }

    let spread = PlanFragment(
      number: spreadNumber, root: join.right, kind: .single,
      inputs: [FragmentInput(fragment: build, mode: .gathered)], output: .hash(symbols: rightKeys, count: count),
      outputSymbols: join.right.outputs, isDeterministic: fragment.isDeterministic,
      estimatedOutputBytes: figures[build].bytes)

    var local = join
    local.left = .remoteSource(RemoteSourceNode(fragments: [fragment.number], outputs: join.left.outputs))
    local.right = .remoteSource(RemoteSourceNode(fragments: [spreadNumber], outputs: join.right.outputs))
    local.distribution = .partitioned
    let root = replaced(fragment.root, build: build, by: .join(local))
    let copies = Set(root.remoteFragments).subtracting([fragment.number, spreadNumber])
    let joined = PlanFragment(
      number: joinedNumber, root: root, kind: .hash,
      inputs: [
        FragmentInput(fragment: fragment.number, mode: .partitioned, keys: leftPlaces),
        FragmentInput(fragment: spreadNumber, mode: .partitioned, keys: rightPlaces),
      ] + copies.sorted().map { FragmentInput(fragment: $0, mode: .broadcast) },
      output: fragment.output, outputSymbols: fragment.outputSymbols, isDeterministic: fragment.isDeterministic,
      estimatedOutputBytes: fragment.estimatedOutputBytes)
    let redirected = readers(of: fragment.number).map { $0.reading(joinedNumber, insteadOf: fragment.number) }
    return ([probe, spread, joined] + redirected, joinedNumber)
  }

  private func places(of keys: [Symbol], in outputs: [Symbol]) -> [Int]? {
    let places = keys.compactMap { outputs.firstIndex(of: $0) }
    return places.count == keys.count ? places : nil
  }

  /// The tree with `node` in place of the join that `found` gives.
  private func replaced(_ root: PlanNode, build: Int, by node: PlanNode) -> PlanNode {
    if case .join(let join) = root, reads(build, join.right) { return node }
    return root.mapSources { reads(build, $0) ? replaced($0, build: build, by: node) : $0 }
  }
}

extension PlanNode {
  /// The fragments that the tree reads.
  fileprivate var remoteFragments: [Int] {
    if case .remoteSource(let source) = self { return source.fragments }
    return sources.flatMap(\.remoteFragments)
  }

  fileprivate var hasScan: Bool {
    if case .tableScan = self { return true }
    return sources.contains(where: \.hasScan)
  }
}

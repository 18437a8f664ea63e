// Owns running equal fragments once: where a plan does the same work in two places, such as for a WITH query that is
// named twice, both readers read one output. Knows nothing of how fragments are made or run.

/// Drops fragments that give the same rows as others. Pure; a plan is small, so that all pairs are looked at.
struct FragmentSharing {
  private var fragments: [PlanFragment]
  private var isDropped: [Bool]

  private init(_ fragments: [PlanFragment]) {
    self.fragments = fragments
    isDropped = fragments.map { _ in false }
  }

  /// The fragments without those that have an equal one, numbered anew from 0 in the same order.
  static func shared(_ fragments: [PlanFragment]) -> [PlanFragment] {
    var sharing = FragmentSharing(fragments)
    // From the leaves up, so that what reads equal fragments is equal too.
    for number in fragments.indices.reversed() { sharing.drop(number) }
    return sharing.isDropped.contains(true) ? sharing.remaining() : fragments
  }

  /// Lets a fragment's readers read an equal one. That one has a higher number, so the order stays right.
  private mutating func drop(_ number: Int) {
    let equal = fragments.indices.dropFirst(number + 1).first { other in
      !isDropped[other] && giveTheSame(number, other)
    }
    guard let equal else { return }
    let readers = fragments.indices.prefix(number).filter { reads($0, number) }
    // Who reads both needs them as two inputs, each in its own mode.
    guard !readers.contains(where: { reads($0, equal) }) else { return }
    for reader in readers { redirect(reader, from: number, to: equal) }
    isDropped[number] = true
  }

  private func reads(_ reader: Int, _ number: Int) -> Bool {
    !isDropped[reader] && fragments[reader].inputs.contains { $0.fragment == number }
  }

  private func giveTheSame(_ number: Int, _ other: Int) -> Bool {
    let (one, two) = (fragments[number], fragments[other])
    guard one.isDeterministic, two.isDeterministic, one.kind == two.kind,
      one.inputs.count == two.inputs.count, Set(one.inputs) == Set(two.inputs),
      one.outputSymbols.count == two.outputSymbols.count,
      one.output.partitionCount == two.output.partitionCount
    else { return false }
    var match = PlanMatch()
    guard match.matches(one.root, two.root), match.matches(one.outputSymbols, two.outputSymbols),
      match.matches(one.keySources, two.keySources)
    else { return false }
    switch (one.output, two.output) {
    case (.single, .single): return true
    case (.hash(let left, _), .hash(let right, _)): return match.matches(left, right)
    default: return false
    }
  }

  private mutating func redirect(_ reader: Int, from number: Int, to other: Int) {
    for index in fragments[reader].inputs.indices where fragments[reader].inputs[index].fragment == number {
      fragments[reader].inputs[index].fragment = other
    }
    let (names, others) = (fragments[number].outputSymbols, fragments[other].outputSymbols)
    for index in fragments[reader].keySources.indices where fragments[reader].keySources[index].fragment == number {
      fragments[reader].keySources[index].rename(fragment: other, columns: others)
    }
    fragments[reader].root = Self.redirected(fragments[reader].root) { source in
      guard source.fragments == [number] else { return .remoteSource(source) }
      let orderings = source.orderings?.map { $0.renamed(names, others) }
      let remote = PlanNode.remoteSource(
        RemoteSourceNode(fragments: [other], outputs: others, orderings: orderings))
      let assignments = zip(names, others).map { Assignment($0, .symbol($1)) }
      return .project(ProjectNode(source: remote, assignments: assignments))
    }
  }

  private static func redirected(_ node: PlanNode, _ replacement: (RemoteSourceNode) -> PlanNode) -> PlanNode {
    if case .remoteSource(let source) = node { return replacement(source) }
    return node.mapSources { redirected($0, replacement) }
  }

  private func remaining() -> [PlanFragment] {
    var names: [Int] = []
    for dropped in isDropped { names.append((names.last ?? -1) + (dropped ? 0 : 1)) }
    return fragments.indices.filter { !isDropped[$0] }.map { number in
      var fragment = fragments[number]
      fragment.number = names[number]
      for index in fragment.inputs.indices {
        fragment.inputs[index].fragment = names[fragment.inputs[index].fragment]
      }
      for index in fragment.keySources.indices {
        fragment.keySources[index].fragment = names[fragment.keySources[index].fragment]
      }
      fragment.root = Self.redirected(fragment.root) { source in
        var source = source
        source.fragments = source.fragments.map { names[$0] }
        return .remoteSource(source)
      }
      return fragment
    }
  }
}

extension Ordering {
  /// The same by the symbol that stands for this one's.
  fileprivate func renamed(_ names: [Symbol], _ others: [Symbol]) -> Ordering {
    guard let place = names.firstIndex(of: symbol) else { preconditionFailure("\(symbol) is no column of its source") }
    return Ordering(symbol: others[place], ascending: ascending, nullsFirst: nullsFirst)
  }
}

extension KeySource {
  /// Takes the keys from another fragment that gives the same in the same order.
  fileprivate mutating func rename(fragment other: Int, columns others: [Symbol]) {
    guard let place = columns.firstIndex(of: key) else { preconditionFailure("a key is a column of its fragment") }
    (fragment, columns, key) = (other, others, others[place])
  }
}

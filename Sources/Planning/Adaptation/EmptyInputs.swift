// Owns what follows from inputs without rows: which fragments give no rows either, and which are read by nobody then.

/// Works out the fragments with nothing to do, where some are known to be empty. Pure; O(nodes of the plan).
struct EmptyInputs {
  private let fragments: [PlanFragment]
  private let empty: Set<Int>
  /// Fragments that give no rows by what they read, whether that was seen or not.
  private var derived: Set<Int> = []

  init(fragments: [PlanFragment], empty: Set<Int>) {
    self.fragments = fragments
    self.empty = empty
    // Inputs are worked out before their readers, in whatever order they are numbered.
    var isDone = fragments.map { _ in false }
    for fragment in fragments { derive(fragment.number, &isDone) }
  }

  private mutating func derive(_ number: Int, _ isDone: inout [Bool]) {
    guard !isDone[number] else { return }
    isDone[number] = true
    for input in fragments[number].inputs { derive(input.fragment, &isDone) }
    if isEmpty(fragments[number].root, in: number) { derived.insert(number) }
  }

  /// The fragments with nothing to do, each with the reason in words.
  var idle: [Int: String] {
    var needed: Set<Int> = []
    var waiting = [0]
    while let number = waiting.popLast() {
      guard needed.insert(number).inserted, !derived.contains(number) else { continue }
      waiting += read(by: fragments[number].root, in: number)
      waiting += fragments[number].keySources.map(\.fragment)
    }
    var reasons: [Int: String] = [:]
    let all = "as \(names(empty)) gave no rows"
    for fragment in fragments {
      if derived.contains(fragment.number) {
        let causes = empty.intersection(inputs(of: fragment.number))
        reasons[fragment.number] = causes.isEmpty ? "it has no rows" : "it has no rows, as \(names(causes)) gave none"
      } else if !needed.contains(fragment.number) {
        reasons[fragment.number] = empty.isEmpty ? "nobody reads its rows" : "nobody reads its rows, \(all)"
      }
    }
    return reasons
  }

  private func names(_ numbers: Set<Int>) -> String {
    let list = numbers.sorted().map { "\($0)" }.joined(separator: ", ")
    return numbers.count == 1 ? "stage \(list)" : "stages \(list)"
  }

  /// All fragments that one depends on.
  private func inputs(of number: Int) -> Set<Int> {
    var found: Set<Int> = []
    var waiting = fragments[number].inputs.map(\.fragment)
    while let next = waiting.popLast() {
      if found.insert(next).inserted { waiting += fragments[next].inputs.map(\.fragment) }
    }
    return found
  }

  private func isKnownEmpty(_ fragment: Int) -> Bool { empty.contains(fragment) || derived.contains(fragment) }

  /// Whether no row can leave the node, for certain.
  private func isEmpty(_ node: PlanNode, in number: Int) -> Bool {
    switch node {
    case .remoteSource(let source): return source.fragments.allSatisfy(isKnownEmpty)
    case .values(let values): return values.rows.isEmpty && number != 0
    // Rows without a partner among no keys are not wanted.
    case .tableScan(let scan):
      return fragments[number].keySources.contains { $0.scan == scan.id && isKnownEmpty($0.fragment) }
    case .aggregate(let aggregate):
      // Without keys there is a row for no rows; but the final step makes it, not the partial one.
      return (!aggregate.keys.isEmpty || aggregate.step == .partial) && isEmpty(aggregate.source, in: number)
    case .join(let join):
      let (left, right) = (isEmpty(join.left, in: number), isEmpty(join.right, in: number))
      switch join.kind {
      case .inner, .semi: return left || right
      case .left, .anti, .nullAwareAnti: return left
      case .right: return right
      case .full: return left && right
      }
    case .semiJoin(let join): return isEmpty(join.source, in: number)
    case .limit(let limit): return limit.count == 0 || isEmpty(limit.source, in: number)
    case .union(let union): return union.sources.allSatisfy { isEmpty($0, in: number) }
    case .filter, .project, .sort, .topN, .uniqueID, .rowNumber, .exchange, .output:
      return node.sources.allSatisfy { isEmpty($0, in: number) }
    // One row at least, or the word of what was written.
    case .enforceSingleRow, .tableWriter, .tableFinish: return false
    }
  }

  /// The fragments whose rows matter to the node.
  private func read(by node: PlanNode, in number: Int) -> [Int] {
    if isEmpty(node, in: number) { return [] }
    if case .remoteSource(let source) = node { return source.fragments }
    return node.sources.flatMap { read(by: $0, in: number) }
  }
}

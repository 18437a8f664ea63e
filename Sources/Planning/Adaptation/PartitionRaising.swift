// Owns the choice of more hash partitions for exchanges whose tasks would be too big by what is known by now.

import Base

/// Raises the number of partitions of exchanges into which nobody has written yet. Sides that are read together keep
/// the same number.
struct PartitionRaising {
  private let fragments: [PlanFragment]
  private let figures: [FragmentFigures]
  private let options: AdaptiveOptions.Partitioning
  /// By fragment, where known: bytes of its output, by what its inputs really gave.
  private let sizes: [Double?]

  init(fragments: [PlanFragment], figures: [FragmentFigures], options: AdaptiveOptions.Partitioning) {
    self.fragments = fragments
    self.figures = figures
    self.options = options
    sizes = Self.sizes(fragments, figures)
  }

  /// The fragments that write into more partitions from now on, with the decisions.
  func raised() -> (fragments: [PlanFragment], decisions: [PlanRevision.Decision]) {
    var changed: [PlanFragment] = []
    var decisions: [PlanRevision.Decision] = []
    var seen: Set<Int> = []
    for reader in fragments where reader.kind == .hash && !seen.contains(reader.number) {
      let group = group(of: reader.number)
      seen.formUnion(group.readers)
      guard group.readers.union(group.writers).allSatisfy({ figures[$0].mayChange }),
        let count = fragments[group.writers.min() ?? 0].hashPartitionCount, count < options.count
      else { continue }
      for number in group.readers.sorted() {
        let inputs = fragments[number].inputs.filter { $0.mode == .partitioned }.map { sizes[$0.fragment] }
        let size = inputs.reduce(0) { $0 + ($1 ?? 0) } / Double(count)
        guard size > Double(options.taskBytesMax) else { continue }
        changed += group.writers.sorted().map { fragments[$0].writing(partitions: options.count) }
        let reason = "its tasks would read \(DataSize(bytes: Int64(min(size, 1e18)))) each of \(count) partitions; "
          + "it gets \(options.count)"
        decisions.append(PlanRevision.Decision(kind: .partitionsRaised, fragment: number, reason: reason))
        break
      }
    }
    return (changed, decisions)
  }

  /// All fragments that read partitions of the same exchanges as `reader`, directly or through others, and those that
  /// write them.
  private func group(of reader: Int) -> (readers: Set<Int>, writers: Set<Int>) {
    var readers: Set<Int> = []
    var writers: Set<Int> = []
    var waiting = [reader]
    while let next = waiting.popLast() {
      guard readers.insert(next).inserted else { continue }
      for input in fragments[next].inputs where input.mode == .partitioned && writers.insert(input.fragment).inserted {
        waiting += fragments.filter { fragment in
          fragment.inputs.contains { $0.fragment == input.fragment && $0.mode == .partitioned }
        }.map(\.number)
      }
    }
    return (readers, writers)
  }

  /// Real sizes where a fragment is complete; else what was expected, in proportion to what its inputs gave beyond what
  /// was expected of them.
  private static func sizes(_ fragments: [PlanFragment], _ figures: [FragmentFigures]) -> [Double?] {
    var sizes = [Double?](repeating: nil, count: fragments.count)
    var isDone = fragments.map { _ in false }
    func size(_ number: Int) -> Double? {
      if isDone[number] { return sizes[number] }
      isDone[number] = true
      if figures[number].isComplete {
        sizes[number] = Double(figures[number].bytes)
      } else if let expected = fragments[number].estimatedOutputBytes {
        var growth = 1.0
        for input in fragments[number].inputs {
          guard let real = size(input.fragment), let planned = fragments[input.fragment].estimatedOutputBytes
          else { continue }
          growth = max(growth, real / Double(max(planned, 1)))
        }
        sizes[number] = Double(expected) * growth
      }
      return sizes[number]
    }
    for fragment in fragments { _ = size(fragment.number) }
    return sizes
  }
}

extension PlanFragment {
  fileprivate var hashPartitionCount: Int? {
    if case .hash(_, let count) = output { return count }
    return nil
  }

  fileprivate func writing(partitions: Int) -> PlanFragment {
    guard case .hash(let symbols, _) = output else { return self }
    var copy = self
    copy.output = .hash(symbols: symbols, count: partitions)
    return copy
  }
}

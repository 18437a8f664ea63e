// Owns the choice of a join's build side by the real sizes of both.

import Base

/// Lets the smaller side of joins be built, in a fragment that has not begun. The sides' rows stay where they are.
struct JoinSwapping {
  private(set) var fragment: PlanFragment
  private(set) var decisions: [PlanRevision.Decision] = []
  private let figures: [FragmentFigures]
  private let options: AdaptiveOptions

  init(fragment: PlanFragment, figures: [FragmentFigures], options: AdaptiveOptions) {
    self.fragment = fragment
    self.figures = figures
    self.options = options
  }

  /// Whether any join was changed.
  mutating func swap() -> Bool {
    fragment.root = visit(fragment.root)
    return !decisions.isEmpty
  }

  private mutating func visit(_ node: PlanNode) -> PlanNode {
    // The closure of `mapSources` cannot change what it is a part of.
    var copy = self
    let node = node.mapSources { copy.visit($0) }
    self = copy
    guard case .join(let join) = node, let kind = join.kind.mirrored, !join.criteria.isEmpty,
      let left = bytes(of: join.left), let right = bytes(of: join.right), isWorthwhile(join, left, right)
    else { return node }
    decisions.append(
      PlanRevision.Decision(
        kind: .joinSidesSwapped, fragment: fragment.number,
        reason: "the side of \(DataSize(bytes: left)) is built instead of the one of \(DataSize(bytes: right))"))
    return .join(
      JoinNode(
        kind: kind, left: join.right, right: join.left,
        criteria: join.criteria.map { EquiClause(left: $0.right, right: $0.left) }, filter: join.filter,
        outputs: join.outputs, distribution: .partitioned))
  }

  private func isWorthwhile(_ join: JoinNode, _ left: Int64, _ right: Int64) -> Bool {
    guard right >= options.minSizeThreshold, Double(right) > options.sizeDifferenceRatio * Double(max(left, 1))
    else { return false }
    guard join.distribution == .broadcast else { return true }
    // A copied side is built once for all tasks of a process. Only where it is bigger than any that would have been
    // copied had its size been known is it better streamed by each task past its share of the other side. Rows that the
    // copied side keeps without a partner would come once for each task.
    return right > options.broadcastBytesMax && (join.kind == .inner || join.kind == .left)
  }

  /// The size of a side that is read from other stages, all of them complete; nil for any other.
  private func bytes(of node: PlanNode) -> Int64? {
    switch node {
    case .remoteSource(let source):
      guard source.fragments.allSatisfy({ figures[$0].isComplete }) else { return nil }
      return source.fragments.reduce(0) { $0 + figures[$1].bytes }
    case .filter(let filter): return bytes(of: filter.source)
    case .project(let project): return bytes(of: project.source)
    default: return nil
    }
  }
}

extension JoinKind {
  /// The same join with its sides exchanged; nil where only one side's rows leave it.
  fileprivate var mirrored: JoinKind? {
    switch self {
    case .inner: .inner
    case .left: .right
    case .right: .left
    case .full: .full
    case .semi, .anti, .nullAwareAnti: nil
    }
  }
}

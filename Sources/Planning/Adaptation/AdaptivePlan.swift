// Owns a running query's fragments and how they change by what its stages really leave. Knows no scheduler: it is told
// figures, and answers with fragments. The parts by topic are in the files beside this one.

import Base

/// What settings say about changing plans while they run.
public struct AdaptiveOptions: Hashable, Codable, Sendable {
  /// `join-max-broadcast-table-size` in bytes.
  public var broadcastBytesMax: Int64
  /// Whether joins may be spread in another way than planned; not where the session asks for one way.
  public var mayDistribute: Bool
  /// `fault-tolerant-execution-adaptive-join-reordering-enabled`.
  public var mayReorder: Bool
  /// `…-size-difference-ratio`: how many times bigger the build side must be.
  public var sizeDifferenceRatio: Double
  /// `…-min-size-threshold`: a smaller build side stays one, in bytes.
  public var minSizeThreshold: Int64
  /// How many times bigger than a build side the rows must be that are not spread when it is copied instead: each task
  /// reads a copy.
  public var gainMin = 8.0
  /// How many times smaller than expected a build side must be to be copied after all, and how many times bigger to be
  /// spread. Else the choice was made knowing what is known now.
  public var surpriseMin = 2.0
  /// Partitions of exchanges that were not planned.
  public var partitionCount = 16
  /// `query.max-stage-count`, for stages that are added.
  public var stageCountMax = 150
  /// Nil: the number of partitions stays what it is.
  public var partitioning: Partitioning?

  /// `fault-tolerant-execution-runtime-adaptive-partitioning-…`.
  public struct Partitioning: Hashable, Codable, Sendable {
    /// `…-partition-count`: how many partitions there are instead.
    public var count: Int
    /// `…-max-task-size`: what a partition may have on average, in bytes, before there are more of them.
    public var taskBytesMax: Int64

    public init(count: Int, taskBytesMax: Int64) {
      self.count = count
      self.taskBytesMax = taskBytesMax
    }
  }

  public init(
    broadcastBytesMax: Int64 = 100 << 20, mayDistribute: Bool = true, mayReorder: Bool = true,
    sizeDifferenceRatio: Double = 1.5, minSizeThreshold: Int64 = 32 << 20
  ) {
    self.broadcastBytesMax = broadcastBytesMax
    self.mayDistribute = mayDistribute
    self.mayReorder = mayReorder
    self.sizeDifferenceRatio = sizeDifferenceRatio
    self.minSizeThreshold = minSizeThreshold
  }
}

/// How far the stage of a fragment is.
public struct FragmentFigures: Hashable, Sendable {
  /// All its rows are there.
  public var isComplete: Bool
  /// It was given up, as nothing would come of it.
  public var isSkipped: Bool
  /// It has begun: its fragment must stay what it is.
  public var isFixed: Bool
  /// It has been complete, and gave no rows.
  public var isEmpty: Bool
  public var rows: Int64
  public var bytes: Int64

  public init(
    isComplete: Bool = false, isSkipped: Bool = false, isFixed: Bool = false, isEmpty: Bool = false, rows: Int64 = 0,
    bytes: Int64 = 0
  ) {
    self.isComplete = isComplete
    self.isSkipped = isSkipped
    self.isFixed = isFixed
    self.isEmpty = isEmpty
    self.rows = rows
    self.bytes = bytes
  }
}

extension FragmentFigures {
  /// Whether the fragment may become another one: it has not begun, and will.
  var mayChange: Bool { !isFixed && !isComplete && !isSkipped }
}

/// A change of fragments that have not begun.
public struct PlanRevision: Sendable {
  /// What can be decided.
  public enum Kind: Sendable {
    case joinSidesSwapped
    case joinMadeBroadcast
    case joinMadePartitioned
    case partitionsRaised
  }

  /// One thing that was decided, and why, with figures.
  public struct Decision: Sendable {
    public var kind: Kind
    public var fragment: Int
    public var reason: String
  }

  /// The fragments that are others now.
  public var changed: Set<Int>
  public var decisions: [Decision]
}

/// The fragments of a running query. A value; small as plans are.
public struct AdaptivePlan: Sendable {
  /// By number.
  public private(set) var fragments: [PlanFragment]
  public let options: AdaptiveOptions

  public init(_ fragments: [PlanFragment], options: AdaptiveOptions) {
    self.fragments = fragments
    self.options = options
  }

  /// Looks at the plan again after fragment `ended` has become complete, before its readers begin. Nil where it stays.
  /// New fragments come after all others, and read what ended, or each other.
  public mutating func revise(_ figures: [FragmentFigures], ended: Int) -> PlanRevision? {
    var figures = figures
    var revision = PlanRevision(changed: [], decisions: [])
    func take(_ fragments: [PlanFragment], _ decisions: [PlanRevision.Decision], _ plan: inout AdaptivePlan) {
      for fragment in fragments {
        if fragment.number == plan.fragments.count {
          plan.fragments.append(fragment)
          figures.append(FragmentFigures())
        } else {
          plan.fragments[fragment.number] = fragment
        }
        revision.changed.insert(fragment.number)
      }
      revision.decisions += decisions
    }
    if options.mayDistribute {
      let folding = JoinFolding(fragments: fragments, figures: figures, options: options)
      if let folded = folding.fold(build: ended) { take(folded.fragments, [folded.decision], &self) }
      let spreading = JoinSpreading(fragments: fragments, figures: figures, options: options)
      if let spread = spreading.spread(build: ended) { take(spread.fragments, [spread.decision], &self) }
    }
    if options.mayReorder {
      for number in fragments.indices where fragments[number].inputs.contains(where: { $0.fragment == ended }) {
        var swapping = JoinSwapping(fragment: fragments[number], figures: figures, options: options)
        guard !figures[number].isFixed, !figures[number].isSkipped, swapping.swap() else { continue }
        take([swapping.fragment], swapping.decisions, &self)
      }
    }
    if let partitioning = options.partitioning {
      let raised = PartitionRaising(fragments: fragments, figures: figures, options: partitioning).raised()
      take(raised.fragments, raised.decisions, &self)
    }
    return revision.changed.isEmpty ? nil : revision
  }

  /// The fragments from which no rows can come, or whose rows nobody reads, each with the reason.
  public func idle(_ figures: [FragmentFigures]) -> [Int: String] {
    let empty = Set(figures.indices.filter { figures[$0].isEmpty })
    return EmptyInputs(fragments: fragments, empty: empty).idle
  }
}

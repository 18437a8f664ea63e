// Owns what the scheduler asks of whoever knows a query's plan, and what it is answered. Knows no plan itself.
import Base

/// Looks at a query's plan again whenever one of its stages has ended.
///
/// Called by the scheduler in the middle of an event, so that what it decides is stored in the same transaction as
/// what it was decided by. The same calls must give the same answers; a change that was given counts as made.
public protocol PlanAdvising: AnyObject {
  /// What follows from what the stages have left so far; nil where the query keeps its plan whatever happens.
  func advice(on situation: PlanSituation) -> PlanAdvice?
}

/// A live query's stages as far as they matter for its plan.
public struct PlanSituation: Hashable, Sendable {
  /// One stage.
  public struct Stage: Hashable, Sendable {
    /// All outputs are there.
    public var isComplete: Bool
    /// It counts as complete, without outputs, because nobody needs them.
    public var isSkipped: Bool
    /// The stage must stay what it is: attempts were started, or its share of partitions was dealt out.
    public var isFixed: Bool
    /// Its whole output is known and has no rows.
    public var isEmpty: Bool
    /// Rows of the outputs known so far.
    public var rows: Int64
    /// Bytes of the outputs known so far.
    public var bytes: Int64

    public init(
      isComplete: Bool = false, isSkipped: Bool = false, isFixed: Bool = false, isEmpty: Bool = false,
      rows: Int64 = 0, bytes: Int64 = 0
    ) {
      self.isComplete = isComplete
      self.isSkipped = isSkipped
      self.isFixed = isFixed
      self.isEmpty = isEmpty
      self.rows = rows
      self.bytes = bytes
    }
  }

  public var query: QueryID
  /// Indexed by stage number.
  public var stages: [Stage]
  /// The stage that has just become complete; nil where an output turned out to be other than it was: then the plan
  /// is not to be changed.
  public var ended: Int?

  public init(query: QueryID, stages: [Stage], ended: Int?) {
    self.query = query
    self.stages = stages
    self.ended = ended
  }
}

/// What is to become of a query's stages.
public struct PlanAdvice: Hashable, Sendable {
  /// All stages whose output is surely empty or wanted by nobody, with the reason in words. Those that are not
  /// complete are skipped; those that were skipped and are not in here any more run after all.
  public var idle: [Int: String]
  /// Nil where the plan stays as it is.
  public var change: PlanChange?

  public init(idle: [Int: String] = [:], change: PlanChange? = nil) {
    self.idle = idle
    self.change = change
  }
}

/// Another plan for stages that have not started, and stages that are added. The graph of all stages stays free of
/// circles.
public struct PlanChange: Hashable, Sendable {
  /// A stage as it is from now on; one that is added has the number that comes next, and reads no splits. The kind may
  /// change only where there are no tasks yet; the tasks of a source stage keep their splits.
  public struct Stage: Hashable, Sendable {
    public var description: StageDescription
    /// What its workers are told; opaque to the scheduler.
    public var fragment: [UInt8]

    public init(description: StageDescription, fragment: [UInt8]) {
      self.description = description
      self.fragment = fragment
    }
  }

  /// In the order of their numbers.
  public var stages: [Stage]
  public var decisions: [PlanDecision]

  public init(stages: [Stage], decisions: [PlanDecision]) {
    self.stages = stages
    self.decisions = decisions
  }
}

/// Something decided about a plan while it runs, for people.
public struct PlanDecision: Hashable, Codable, Sendable {
  /// What was decided. The names are shown and logged, and stable.
  public enum Kind: String, Hashable, Codable, Sendable {
    /// The stage counts as complete without outputs.
    case stageSkipped = "STAGE_SKIPPED"
    /// The stage runs after all.
    case stageResumed = "STAGE_RESUMED"
    /// The side of a join that was to be built is the one that streams, and the other way round.
    case joinSidesSwapped = "JOIN_SIDES_SWAPPED"
    /// A join gets a copy of its build side in each task, where both sides were to be spread.
    case joinMadeBroadcast = "JOIN_MADE_BROADCAST"
    /// Both sides of a join are spread, by stages that are added, where its build side was to be copied.
    case joinMadePartitioned = "JOIN_MADE_PARTITIONED"
    /// What the stage reads is written in more partitions, so that it has more tasks.
    case partitionsRaised = "PARTITIONS_RAISED"
    /// Scans of the stage leave out rows by the keys that another stage has left.
    case keysPushedIntoScan = "KEYS_PUSHED_INTO_SCAN"
    /// They were to do so, and read everything, as there are too many keys.
    case keysGivenUp = "KEYS_GIVEN_UP"
    /// A task that lacked memory is run in shares.
    case taskDivided = "TASK_DIVIDED"
  }

  public var kind: Kind
  public var stage: Int
  /// The reason, with figures.
  public var reason: String

  public init(kind: Kind, stage: Int, reason: String) {
    self.kind = kind
    self.stage = stage
    self.reason = reason
  }
}

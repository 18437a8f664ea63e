// Owns what must survive a crash of the coordinator, change by change.
import Base

/// A change of state that the shell makes durable before anybody acts on it. Applied in order they give
/// `RestoredQuery`.
public enum SchedulerRecord: Hashable, Sendable {
  /// More splits of a stage, from index `first` on; the shell stores their contents beside the weights.
  case splits(StageID, first: Int, weights: [Int64], last: Bool)
  /// New tasks of a stage; their partitions follow on the stage's last one.
  case tasks(StageID, [TaskRecord])
  /// The stage will get no more tasks.
  case stageTasksComplete(StageID)
  /// The attempt number is used up, and the worker may know of it.
  case attemptStarted(AttemptID, WorkerID, memory: Int64)
  /// The attempt runs no longer as far as the scheduler is concerned, and is not the selected one.
  case attemptEnded(AttemptID, AttemptOutcome, WaterbearError?)
  /// The attempt is the one that counts. No attempt with a lower number than the task's next one can be selected
  /// any more; those still running get an `attemptEnded` of their own.
  case selected(AttemptID, AttemptOutput)
  /// The selected attempt's output is gone or damaged; the task is open again. Its output is remembered.
  case unselected(AttemptID, WaterbearError)
  /// The task's counters, whole.
  case taskCounters(TaskID, TaskCounters)
  /// The task reads only this from now on: it was too big, and the others of the shares it was divided into follow as
  /// new tasks. None of its attempts so far counts, and none was ever selected.
  case taskDivided(TaskID, TaskRecord.Input)
  /// The stage's outputs were only kept for safety and are deleted now. The stage still counts as finished.
  case stageReleased(StageID)
  /// All tasks of the stage are open again: none is selected, and `firstValidAttempt` of each is its next attempt
  /// number. `forgetsOutputs`: the new outputs may differ, so the remembered ones are dropped.
  case stageRestarted(StageID, forgetsOutputs: Bool)
  /// The stage counts as complete without outputs, for this reason.
  case stageSkipped(StageID, reason: String)
  /// The stage, skipped before, runs after all.
  case stageResumed(StageID)
  /// Stages that have not started do something else from now on; the query's description changes with them.
  case planChanged(QueryID, PlanChange)
  /// How often the query was run again under `RetryPolicy.query`.
  case queryRetried(QueryID, failures: Int)
  /// The query will be committed, whatever dies: the shell stores what it has collected with this.
  case commitStarted(QueryID)
  /// The query has its outcome. A failed query is also released.
  case queryEnded(QueryID, QueryOutcome)
  /// A finished query lost a part of its result and runs again.
  case queryResumed(QueryID)
  /// Nobody needs anything of the query any more; only its history stays.
  case queryReleased(QueryID)
}

/// A task's share of its stage's input.
public struct TaskRecord: Hashable, Codable, Sendable {
  /// What a task reads.
  public enum Input: Hashable, Codable, Sendable {
    /// The task's splits; splits are packed in the order of their discovery, so they are a range.
    case splits(Range<Int>)
    /// The output partitions that the task reads of each partitioned input, ascending.
    case partitions([Int])
    /// Everything.
    case everything
    /// What the other case says, but of its rows only those of these shares; each has an axis of its own.
    indirect case shares([TaskShare], of: Input)

    /// The splits; none where the task reads none.
    public var splits: Range<Int> {
      switch self {
      case .splits(let range): range
      case .shares(_, let whole): whole.splits
      case .partitions, .everything: 0..<0
      }
    }

    /// The output partitions that are read of partitioned inputs.
    public var partitions: [Int] {
      switch self {
      case .partitions(let list): list
      case .shares(_, let whole): whole.partitions
      case .splits, .everything: []
      }
    }

    /// What is read of their rows; empty: all.
    public var shares: [TaskShare] {
      if case .shares(let list, _) = self { list } else { [] }
    }

    /// Without its shares.
    var whole: Input {
      if case .shares(_, let whole) = self { whole } else { self }
    }
  }

  public var partition: Int
  public var input: Input

  public init(partition: Int, input: Input) {
    self.partition = partition
    self.input = input
  }
}

/// What a task has been through; kept over restarts so that limits hold.
public struct TaskCounters: Hashable, Codable, Sendable {
  /// Failures counted against `taskRetryAttempts`.
  public var failures = 0
  /// Deaths of its worker counted against `taskWorkerLosses`.
  public var workerLosses = 0
  /// Losses of its finished output.
  public var outputLosses = 0
  /// The memory the task is known to need, in bytes; 0 where the stage's estimate holds.
  public var memory: Int64 = 0
  /// No attempt below this number can be selected any more: its output may be deleted or made of old inputs.
  public var firstValidAttempt = 0

  public init() {}
}

/// How an attempt ended that is not the selected one.
public enum AttemptOutcome: String, Hashable, Codable, Sendable {
  /// The attempt reported an error.
  case failed = "FAILED"
  /// Its worker died or never got it.
  case lost = "LOST"
  /// It was not needed any more.
  case aborted = "ABORTED"
}

/// How a query ended.
public enum QueryOutcome: Hashable, Codable, Sendable {
  case finished
  case failed(WaterbearError)
}

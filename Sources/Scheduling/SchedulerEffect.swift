// Owns what the scheduler may ask of its shell.
import Base

/// The answer to one event.
///
/// The shell writes all `records` in one store transaction and, when that is durable, performs the `effects` in
/// order. Then it acknowledges the worker's report that caused them. It may die at any point in between: a restored
/// scheduler asks again for whatever still matters.
public struct SchedulerTurn: Hashable, Sendable {
  public var records: [SchedulerRecord] = []
  public var effects: [SchedulerEffect] = []

  public init() {}

  /// Whether there is nothing to store and nothing to do.
  public var isEmpty: Bool { records.isEmpty && effects.isEmpty }
}

/// Something to do once the turn's records are durable. Each may be done twice without harm.
public enum SchedulerEffect: Hashable, Sendable {
  case startAttempt(AttemptStart)
  /// Stop the attempt. The worker always answers with `attemptFailed` or `attemptFinished`; until then its slot counts
  /// as taken.
  case abortAttempt(AttemptID, WorkerID)
  /// End the process: it has been silent for too long, or was given up before. `workerLost` follows from the shell.
  case killWorker(WorkerID, reason: String)
  /// A draining worker runs nothing any more.
  case workerDrained(WorkerID)
  /// Delete what the attempt may have committed; nothing to delete is fine.
  case deleteOutput(AttemptID)
  /// Delete all outputs of the stage.
  case deleteStageOutputs(StageID)
  /// Delete everything spooled for the query and destroy its key. Later commits for the query must fail.
  case deleteQueryOutputs(QueryID)
  /// A part of the result can be served: the selected output of this root task. Its rows do not change any more.
  case resultReady(AttemptID)
  /// All parts of the result were announced; the root stage has this many tasks.
  case allResults(QueryID, taskCount: Int)
  /// Read what these attempts of the root stage left; `outputsCollected` or `outputLost` follows.
  case collectOutputs(QueryID, [Int])
  /// Commit what was collected; `commitEnded` follows. May come again, also after a restart.
  case commit(QueryID)
  case queryFailed(QueryID, WaterbearError)
  /// Send `timer` at this time; replaces the last one.
  case setTimer(MonotonicTime)
}

/// All a worker needs to know to run an attempt, beside the plan fragment.
public struct AttemptStart: Hashable, Sendable {
  public var attempt: AttemptID
  public var worker: WorkerID
  public var input: TaskInput
  /// Bytes the attempt may use.
  public var memory: Int64
  public var outputPartitionCount: Int
  /// Spool directories that did not take what earlier attempts of the task wrote: to be used where no other takes it,
  /// and then the first of them first.
  public var avoidedDirectories: [String]

  public init(
    attempt: AttemptID, worker: WorkerID, input: TaskInput, memory: Int64, outputPartitionCount: Int,
    avoidedDirectories: [String] = []
  ) {
    self.avoidedDirectories = avoidedDirectories
    self.attempt = attempt
    self.worker = worker
    self.input = input
    self.memory = memory
    self.outputPartitionCount = outputPartitionCount
  }
}

/// What an attempt reads.
public struct TaskInput: Hashable, Sendable {
  /// One input stage's share.
  public struct Exchange: Hashable, Sendable {
    /// The stage that is read.
    public var stage: StageID
    public var mode: StageInput.Mode
    /// The output partitions to read of each producing task, ascending.
    public var partitions: [Int]
    /// The selected attempt number of each producing task, indexed by the task's partition. Shared by all readers.
    public var producers: [Int]

    public init(stage: StageID, mode: StageInput.Mode, partitions: [Int], producers: [Int]) {
      self.stage = stage
      self.mode = mode
      self.partitions = partitions
      self.producers = producers
    }

    /// The attempt whose output is read for the producing task with this partition.
    public func producer(_ partition: Int) -> AttemptID {
      AttemptID(task: TaskID(stage: stage, partition: partition), number: producers[partition])
    }
  }

  /// Indexes of the task's splits; empty except in source stages.
  public var splits: Range<Int>
  /// In the order of the stage's inputs.
  public var exchanges: [Exchange]
  /// Which of the rows count; empty: all.
  public var shares: [TaskShare]

  public init(splits: Range<Int>, exchanges: [Exchange], shares: [TaskShare] = []) {
    self.splits = splits
    self.exchanges = exchanges
    self.shares = shares
  }
}

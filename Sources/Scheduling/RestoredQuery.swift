// Owns the shape in which a query comes back from the task store after a restart of the coordinator.
import Base

/// What the store knows of a live query: the sum of its `SchedulerRecord`s. Empty for one just submitted.
public struct RestoredQuery: Hashable, Sendable {
  /// Indexed by stage number; stages beyond the end have no records.
  public var stages: [RestoredStage]
  /// From `queryRetried`.
  public var failures: Int
  /// `queryEnded(.finished)` was recorded, and no `queryResumed` since.
  public var isFinished: Bool
  /// `commitStarted` was recorded.
  public var hasCommitStarted: Bool
  /// How long ago the client submitted it.
  public var age: TimeSpan
  /// How long ago its first attempt started; only looked at where there was one.
  public var executed: TimeSpan

  public init(
    stages: [RestoredStage] = [], failures: Int = 0, isFinished: Bool = false, hasCommitStarted: Bool = false,
    age: TimeSpan = .zero, executed: TimeSpan = .zero
  ) {
    self.stages = stages
    self.failures = failures
    self.isFinished = isFinished
    self.hasCommitStarted = hasCommitStarted
    self.age = age
    self.executed = executed
  }
}

/// What the store knows of a stage.
public struct RestoredStage: Hashable, Sendable {
  /// Of all splits discovered so far, packed or not.
  public var splitWeights: [Int64]
  /// The last split is known.
  public var splitsComplete: Bool
  public var tasksComplete: Bool
  /// From `stageReleased`, until the next `stageRestarted`.
  public var isReleased: Bool
  /// From `stageSkipped`, until the next `stageResumed`.
  public var isSkipped: Bool
  /// In the order of their partitions, without gaps.
  public var tasks: [RestoredTask]

  public init(
    splitWeights: [Int64] = [], splitsComplete: Bool = false, tasksComplete: Bool = false,
    isReleased: Bool = false, isSkipped: Bool = false, tasks: [RestoredTask] = []
  ) {
    self.splitWeights = splitWeights
    self.splitsComplete = splitsComplete
    self.tasksComplete = tasksComplete
    self.isReleased = isReleased
    self.isSkipped = isSkipped
    self.tasks = tasks
  }
}

/// What the store knows of a task.
public struct RestoredTask: Hashable, Sendable {
  /// An attempt that was started and has neither ended nor been selected.
  public struct Running: Hashable, Sendable {
    public var number: Int
    public var worker: WorkerID
    /// The memory grant in bytes.
    public var memory: Int64

    public init(number: Int, worker: WorkerID, memory: Int64) {
      self.number = number
      self.worker = worker
      self.memory = memory
    }
  }

  public var input: TaskRecord.Input
  public var counters: TaskCounters
  /// The first number never given to an attempt: the highest started plus 1.
  public var nextAttempt: Int
  public var running: [Running]
  /// The selected attempt's number.
  public var selected: Int?
  /// The selected attempt's output or, while none is selected, the last one that was (unless `stageRestarted`
  /// forgot it).
  public var output: AttemptOutput?

  public init(
    input: TaskRecord.Input, counters: TaskCounters = TaskCounters(), nextAttempt: Int = 0,
    running: [Running] = [], selected: Int? = nil, output: AttemptOutput? = nil
  ) {
    self.input = input
    self.counters = counters
    self.nextAttempt = nextAttempt
    self.running = running
    self.selected = selected
    self.output = output
  }
}

// Owns what the scheduler is told about a query when it is submitted: its stages and its limits.
// Knows nothing of SQL, plans, splits' contents or files.
import Base

/// A query as the scheduler sees it. Fixed when the query is submitted; the shell stores it before it submits it.
public struct QueryDescription: Hashable, Codable, Sendable {
  public var id: QueryID
  public var retryPolicy: RetryPolicy
  public var limits: RetryLimits
  public var sizing: TaskSizing
  public var memory: MemoryPolicy
  public var stragglers: StragglerPolicy
  /// Nil as `.result`.
  public var completion: Completion?
  /// Under `RetryPolicy.query`, more bytes of result than this end the query with EXCHANGE_MANAGER_NOT_CONFIGURED. Nil:
  /// the exchange takes any number.
  public var resultBytesMax: Int64?
  /// Nil: none.
  public var timeLimits: TimeLimits?
  /// Indexed by stage number: `stages[n].number == n`. Stage 0 is the root, whose outputs are the query's result.
  public var stages: [StageDescription]

  public init(
    id: QueryID, retryPolicy: RetryPolicy = .task, limits: RetryLimits = RetryLimits(),
    sizing: TaskSizing = TaskSizing(), memory: MemoryPolicy = MemoryPolicy(),
    stragglers: StragglerPolicy = StragglerPolicy(), completion: Completion? = nil, stages: [StageDescription]
  ) {
    self.id = id
    self.retryPolicy = retryPolicy
    self.limits = limits
    self.sizing = sizing
    self.memory = memory
    self.stragglers = stragglers
    self.completion = completion
    self.stages = stages
  }

  /// What is left to do when the root stage is complete.
  public enum Completion: String, Hashable, Codable, Sendable {
    /// Nothing: its outputs are the result.
    case result
    /// Its outputs say what has been written, and the shell commits that, once and for all.
    case commit
  }
}

/// One stage: which other stages it reads and how its work is cut into tasks.
public struct StageDescription: Hashable, Codable, Sendable {
  /// What a stage's tasks are made of.
  public enum Kind: String, Hashable, Codable, Sendable {
    /// Tasks are made of splits, as the shell discovers them. May also read broadcast inputs. No splits: no tasks,
    /// and the stage is complete without them.
    case source
    /// Tasks cover the output partitions of the partitioned inputs, each partition once. At least one task. May
    /// also read broadcast inputs.
    case hash
    /// Exactly one task, which reads everything of all its inputs.
    case single
  }

  public var number: Int
  public var kind: Kind
  public var inputs: [StageInput]
  /// Into how many partitions each task divides its output; at least 1.
  public var outputPartitionCount: Int
  /// The memory one task is thought to need, in bytes; 0 means `MemoryPolicy.taskMemory`.
  public var memoryEstimate: Int64
  /// Whether the tasks write a table; they then follow the `write` sizes.
  public var isWriter: Bool

  public init(
    number: Int, kind: Kind, inputs: [StageInput] = [], outputPartitionCount: Int = 1,
    memoryEstimate: Int64 = 0, isWriter: Bool = false
  ) {
    self.number = number
    self.kind = kind
    self.inputs = inputs
    self.outputPartitionCount = outputPartitionCount
    self.memoryEstimate = memoryEstimate
    self.isWriter = isWriter
  }
}

/// An edge of the query's graph of stages.
public struct StageInput: Hashable, Codable, Sendable {
  /// Which part of the input a task of the reader gets.
  public enum Mode: String, Hashable, Codable, Sendable {
    /// Each task of the reader gets its own partitions. Only in `.hash` stages; all partitioned inputs of a stage
    /// have the same output partition count.
    case partitioned
    /// Each task of the reader gets everything.
    case broadcast
    /// The reader's only task gets everything. Only in `.single` stages.
    case gathered
  }

  /// The number of the stage that is read.
  public var stage: Int
  public var mode: Mode
  /// Whether tasks of the reader may be divided by this input: `TaskShare.Axis.partitions` needs it of all partitioned
  /// inputs, `.build` of the broadcast one. Nil as false.
  public var isDivisible: Bool?

  public init(stage: Int, mode: Mode, isDivisible: Bool? = nil) {
    self.stage = stage
    self.mode = mode
    self.isDivisible = isDivisible
  }
}

/// How often and after which delay something is tried again. Names and defaults are Trino's, except where said.
public struct RetryLimits: Hashable, Codable, Sendable {
  /// `task-retry-attempts-per-task`: failures a task may have before one more ends the query. Also bounds how often
  /// one task's finished output may be lost.
  public var taskRetryAttempts: Int
  /// `query-retry-attempts`: times the query is run again under `RetryPolicy.query`.
  public var queryRetryAttempts: Int
  /// `retry-initial-delay`.
  public var initialDelay: TimeSpan
  /// `retry-max-delay`.
  public var maxDelay: TimeSpan
  /// `retry-delay-scale-factor`, at least 1.
  public var delayScaleFactor: Double
  /// How many deaths of its worker a task survives under `RetryPolicy.task`. Waterbear's own: a worker killed from
  /// outside (REMOTE_HOST_GONE) is not the task's fault, so it does not use up `taskRetryAttempts`.
  public var taskWorkerLosses: Int

  public init(
    taskRetryAttempts: Int = 4, queryRetryAttempts: Int = 4, initialDelay: TimeSpan = .seconds(10),
    maxDelay: TimeSpan = .seconds(60), delayScaleFactor: Double = 2, taskWorkerLosses: Int = 32
  ) {
    self.taskRetryAttempts = taskRetryAttempts
    self.queryRetryAttempts = queryRetryAttempts
    self.initialDelay = initialDelay
    self.maxDelay = maxDelay
    self.delayScaleFactor = delayScaleFactor
    self.taskWorkerLosses = taskWorkerLosses
  }
}

/// How much input one task gets. The properties are Trino's `fault-tolerant-execution-…` ones; sizes in bytes.
/// The defaults are for one machine: tasks small enough to finish between two deaths of their worker.
public struct TaskSizing: Hashable, Codable, Sendable {
  /// How splits are packed into tasks: tasks start at `minimum` bytes; after every `growthPeriod` tasks the target
  /// grows by `growthFactor`, up to `maximum`.
  public struct Growth: Hashable, Codable, Sendable {
    public var minimum: Int64
    public var maximum: Int64
    public var growthPeriod: Int
    public var growthFactor: Double

    public init(minimum: Int64, maximum: Int64, growthPeriod: Int = 64, growthFactor: Double = 1.26) {
      self.minimum = minimum
      self.maximum = maximum
      self.growthPeriod = growthPeriod
      self.growthFactor = growthFactor
    }
  }

  /// `arbitrary-distribution-compute-task-target-size-min`, `-max`, `-growth-period`, `-growth-factor`.
  public var compute: Growth
  /// `arbitrary-distribution-write-task-target-size-…`.
  public var write: Growth
  /// `max-task-split-count`.
  public var maxSplitsPerTask: Int
  /// `hash-distribution-compute-task-target-size`.
  public var hashTaskTargetSize: Int64
  /// `hash-distribution-write-task-target-size`.
  public var hashWriteTaskTargetSize: Int64
  /// `hash-distribution-compute-task-to-node-min-ratio`, here per slot, because one machine is one node: at least
  /// this many hash tasks for each slot of the cluster, as far as `taskMinimumSize` allows.
  public var hashTasksPerSlot: Double
  /// Waterbear's own: tasks are not made smaller than this only to fill every slot.
  public var taskMinimumSize: Int64
  /// `hash-distribution-write-task-to-node-min-ratio`, per slot too. Nil as `hashTasksPerSlot`.
  public var hashWriteTasksPerSlot: Double?
  /// `hash-distribution-write-task-target-max-count`: no more tasks than this write a stage's partitions, however large
  /// that makes them. Nil: any number.
  public var hashWriteTaskMaxCount: Int?
  /// `max-tasks-waiting-for-node-per-query`: no more tasks are made of splits while so many could run and wait for a
  /// slot. Nil: any number.
  public var tasksWaitingForNodeMax: Int?
  /// `max-tasks-waiting-for-execution-per-query`: nor while so many wait for what their stage reads. Nil: any number.
  public var tasksWaitingForExecutionMax: Int?

  public init(
    compute: Growth = Growth(minimum: 32 << 20, maximum: 1 << 30),
    write: Growth = Growth(minimum: 128 << 20, maximum: 4 << 30), maxSplitsPerTask: Int = 2048,
    hashTaskTargetSize: Int64 = 64 << 20, hashWriteTaskTargetSize: Int64 = 256 << 20,
    hashTasksPerSlot: Double = 2, taskMinimumSize: Int64 = 1 << 20
  ) {
    self.compute = compute
    self.write = write
    self.maxSplitsPerTask = maxSplitsPerTask
    self.hashTaskTargetSize = hashTaskTargetSize
    self.hashWriteTaskTargetSize = hashWriteTaskTargetSize
    self.hashTasksPerSlot = hashTasksPerSlot
    self.taskMinimumSize = taskMinimumSize
  }
}

/// How a task's memory grant is found. The properties are Trino's `fault-tolerant-execution-task-memory…` ones.
public struct MemoryPolicy: Hashable, Codable, Sendable {
  /// `task-memory`: the first estimate of one task, in bytes.
  public var taskMemory: Int64
  /// `task-memory-growth-factor`: a task that ran out of memory asks for this much more.
  public var growthFactor: Double
  /// `task-memory-estimation-quantile` of the finished tasks' peaks, which new tasks of the stage ask for.
  public var estimationQuantile: Double
  /// `task.max-memory`: no task is granted more, in bytes. Nil: a whole worker's.
  public var taskMemoryMax: Int64?
  /// `query.max-memory`: what all attempts of the query may be granted together, in bytes, unless one alone needs more.
  /// Nil: whatever there is.
  public var queryMemoryMax: Int64?

  public init(
    taskMemory: Int64 = 256 << 20, growthFactor: Double = 3, estimationQuantile: Double = 0.9,
    taskMemoryMax: Int64? = nil, queryMemoryMax: Int64? = nil
  ) {
    self.taskMemory = taskMemory
    self.growthFactor = growthFactor
    self.estimationQuantile = estimationQuantile
    self.taskMemoryMax = taskMemoryMax
    self.queryMemoryMax = queryMemoryMax
  }
}

/// When a slow task gets a second attempt. Waterbear's own; only under `RetryPolicy.task`.
public struct StragglerPolicy: Hashable, Codable, Sendable {
  public var isEnabled: Bool
  /// How many times longer than the median of its finished siblings an attempt runs before it counts as slow.
  public var slowness: Double
  /// No attempt counts as slow before it has run this long.
  public var minimumRunTime: TimeSpan

  public init(isEnabled: Bool = true, slowness: Double = 4, minimumRunTime: TimeSpan = .seconds(2)) {
    self.isEnabled = isEnabled
    self.slowness = slowness
    self.minimumRunTime = minimumRunTime
  }
}

/// How long a query may take. What exceeds a limit ends with EXCEEDED_TIME_LIMIT.
public struct TimeLimits: Hashable, Codable, Sendable {
  /// `query.max-run-time`: from the submission to the end, planning and waiting included.
  public var run: TimeSpan
  /// `query.max-execution-time`: from the start of the first attempt to the end.
  public var execution: TimeSpan
  /// `query.max-queued-time`: from the submission to the start of the first attempt.
  public var queued: TimeSpan

  public init(run: TimeSpan, execution: TimeSpan, queued: TimeSpan) {
    self.run = run
    self.execution = execution
    self.queued = queued
  }

  /// What a query ends with that ran for too long.
  public var runError: WaterbearError { Self.error("Query exceeded maximum time limit of \(run)", "max-run-time") }

  var executionError: WaterbearError {
    Self.error("Query exceeded the maximum execution time limit of \(execution)", "max-execution-time")
  }

  /// What a query ends with of which nothing ran for too long.
  public var queuedError: WaterbearError {
    Self.error("Query exceeded the maximum queued time limit of \(queued)", "max-queued-time")
  }

  private static func error(_ message: String, _ setting: String) -> WaterbearError {
    WaterbearError(.exceededTimeLimit, message, remedy: "raise query.\(setting), or run less at a time")
  }
}

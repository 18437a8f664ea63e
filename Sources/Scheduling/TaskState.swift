// Owns what the scheduler knows of one task.
import Base

/// A task: one share of its stage's input, run by as many attempts as it takes.
///
/// ```
///            placed on a worker              first attempt finished
///   ready ───────────────────────► running ───────────────────────► selected
///    ▲ ▲                            │   │                              │
///    │ └──── attempt failed ◄───────┘   │ failed, with a delay         │
///    │ └──── delay over ──── delayed ◄──┘                              │
///    └────────────── output lost, or stage restarted ◄─────────────────┘
/// ```
///
/// A late report of an attempt given up with its worker may select a task that is ready or delayed, too.
struct TaskState {
  enum Phase: UInt8 {
    case ready
    case delayed
    case running
    case selected
  }

  /// An attempt that runs as far as the scheduler knows.
  struct Run {
    var number: Int
    var worker: WorkerID
    var startedAt: MonotonicTime
    /// The grant in bytes.
    var memory: Int64
  }

  /// What it reads; a smaller part once it was divided.
  var input: TaskRecord.Input
  var phase = Phase.ready
  var counters = TaskCounters()
  /// When the phase `delayed` ends.
  var delayedUntil = MonotonicTime(nanoseconds: 0)
  /// The number of the next attempt.
  var nextAttempt = 0
  /// Attempts under way; none unless the phase is `running`.
  var running: [Run] = []
  /// Attempts whose workers died: they may have committed, and their reports may still come.
  var unresolved: [Int] = []
  /// The number of the attempt that counts, where the phase is `selected`.
  var selected: Int?
  /// How often its output went with a directory, in this life of the coordinator.
  var lossesWithDirectory = 0
  /// The worker on which the last attempt lacked memory.
  var avoidedWorker: WorkerID?
  /// Of the checksums of the output selected first; 0 where there is none.
  var outputDigest: UInt64 = 0
  /// Rows of the output selected last, remembered while it is lost; negative where there is none.
  var outputRows: Int64 = -1
  /// Bytes of the same, as they were added to the stage's sizes; negative where there is none.
  var outputBytes: Int64 = -1

  init(input: TaskRecord.Input) { self.input = input }

  func hasRun(_ number: Int) -> Bool { running.contains { $0.number == number } }
}

/// Where a task is.
struct TaskReference {
  let query: QueryState
  let stage: Int
  let task: Int

  var id: TaskID { TaskID(stage: query.stages[stage].id, partition: task) }

  func attempt(_ number: Int) -> AttemptID { AttemptID(task: id, number: number) }

  /// The task itself, changed in place.
  var state: TaskState {
    get { query.stages[stage].tasks[task] }
    nonmutating _modify { yield &query.stages[stage].tasks[task] }
  }
}

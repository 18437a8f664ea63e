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
  /// Losses of its output that do not count against it, in this life of the coordinator.
  var freeLosses = FreeLosses()
  /// The worker on which the last attempt failed: another is preferred, if it has a free slot.
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

/// How often a task's output went with its directory, which is not its fault and has a limit all the same: a file may
/// hang each time that it is read, in a directory that seems to work.
struct FreeLosses {
  private var losses = 0
  private var last = MonotonicTime(nanoseconds: 0)

  /// Whether a loss counts against the task: where it `isItsOwn`, and where there were too many others of late.
  mutating func count(_ isItsOwn: Bool, now: MonotonicTime) -> Bool {
    if isItsOwn { return true }
    // A mount that goes away now and then is no reason to give up a query of days.
    if now - last > FailurePolicy.lossesWithDirectoryPause { losses = 0 }
    last = now
    guard losses < FailurePolicy.lossesWithDirectoryMax else { return true }
    losses += 1
    return false
  }
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

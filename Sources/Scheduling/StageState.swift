// Owns what the scheduler knows of one stage.
import Base

/// A stage: its tasks, and whether they may run.
///
/// ```
///   inputs complete (source: splits come)      all tasks selected      readers' readers complete
///  waiting ─────────────► tasks exist ─────────────► complete ─────────────► released
///                            ▲                          │                      │
///                            ├────── an output lost ◄───┘                      │
///                            └────── needed again: all tasks run again ◄───────┘
/// ```
///
/// The tasks of a stage start only while all stages it reads are complete. Tasks under way go on when an input
/// becomes incomplete: what they have opened may well be intact.
struct StageState {
  let id: StageID
  private(set) var description: StageDescription
  /// Numbers of the stages that read this one, each once.
  var consumers: [Int] = []
  /// Numbers of the stages that this one reads, each once.
  var producers: [Int] = []
  /// Place in the query's order of stages, upstream first.
  var order = 0

  var packer: SplitPacker
  var splitsComplete = false
  var tasks: [TaskState] = []
  /// There will be no more tasks.
  var tasksComplete = false
  var selectedCount = 0
  /// What the consumers were told last.
  var wasComplete = false
  /// The outputs of the complete stage were deleted.
  var isReleased = false
  /// How many of `producers` are not complete.
  var incompleteInputs = 0
  /// Counts as complete without any output: it would be empty, or nobody needs it. Its tasks keep what they have.
  var isSkipped = false
  /// An attempt of it was started at some time.
  var hasStarted = false
  /// Tasks ready to run again, and those ready for the first time. Entries of tasks no longer ready are skipped.
  var retries = FIFO<Int>()
  var firstRuns = FIFO<Int>()
  /// Peak memory of finished tasks, in bytes.
  var memoryEstimator: QuantileEstimator
  /// Run time of finished tasks, in nanoseconds.
  var timeEstimator = QuantileEstimator(minimum: 1, quantile: 0.5)
  /// Enough tasks have finished to call others slow.
  var watchesStragglers = false
  /// Bytes of each output partition over all tasks that were ever selected.
  var partitionBytes: [Int64]
  /// Rows of the outputs that are known.
  private(set) var rows: Int64 = 0
  /// Tasks whose output is known: selected, or remembered since it was lost.
  private var knownCount = 0
  /// The selected attempt of each task, shared by all readers; nil where it has to be put together again.
  private var cachedSelection: [Int]?
  /// `0..<outputPartitionCount`, shared by all readers that read everything.
  private(set) var allPartitions: [Int]
  /// Into how many shares a task of the stage had to be divided because of a broadcast input; the others are no better.
  /// Learned anew after a restart.
  var neededShares: [TaskShare.Axis: Int] = [:]
  /// Attempts that failed or were lost.
  var failedAttempts = 0
  /// Attempts under way.
  var runningAttempts = 0

  init(id: StageID, description: StageDescription, sizing: TaskSizing, memory: MemoryPolicy) {
    self.id = id
    self.description = description
    packer = SplitPacker(sizing, isWriter: description.isWriter)
    let initial = description.memoryEstimate > 0 ? description.memoryEstimate : memory.taskMemory
    memoryEstimator = QuantileEstimator(minimum: initial, quantile: memory.estimationQuantile)
    partitionBytes = Array(repeating: 0, count: description.outputPartitionCount)
    allPartitions = Array(0..<description.outputPartitionCount)
  }

  var isComplete: Bool { isSkipped || tasksComplete && selectedCount == tasks.count }
  /// Whether its tasks may start.
  var mayRun: Bool { incompleteInputs == 0 && !isSkipped }
  /// Whether its whole output is known and has no rows, though it may be lost at the moment.
  var isKnownEmpty: Bool { tasksComplete && rows == 0 && knownCount == tasks.count }

  /// Takes another description, before the stage has started.
  mutating func change(_ description: StageDescription) {
    self.description = description
    partitionBytes = Array(repeating: 0, count: description.outputPartitionCount)
    allPartitions = Array(0..<description.outputPartitionCount)
  }

  /// The selected attempt of each task; none where the stage is skipped. Only while it is complete.
  mutating func selection() -> [Int] {
    if isSkipped { return [] }
    if let cachedSelection { return cachedSelection }
    precondition(isComplete, "stage \(id) is read before it is complete")
    let selection = tasks.map { $0.selected! }
    cachedSelection = selection
    return selection
  }

  /// To be called when another attempt of a task was selected, or none.
  mutating func selectionChanged() { cachedSelection = nil }

  /// Forgets all outputs, which may be others when they are made again.
  mutating func forgetOutputs() {
    for task in tasks.indices {
      tasks[task].outputDigest = 0
      tasks[task].outputRows = -1
      tasks[task].outputBytes = -1
    }
    rows = 0
    knownCount = 0
    for index in partitionBytes.indices { partitionBytes[index] = 0 }
  }

  /// Notes a selected output's rows and sizes, in place of those of the task's output before.
  ///
  /// Of that only the sum of its bytes is known, which is taken off evenly where the new one has another.
  mutating func count(_ output: AttemptOutput, of task: Int) {
    let (rowsBefore, bytesBefore) = (tasks[task].outputRows, tasks[task].outputBytes)
    tasks[task].outputRows = output.rows.reduce(0, &+)
    tasks[task].outputBytes = output.bytes.reduce(0, &+)
    if rowsBefore < 0 { knownCount += 1 }
    rows &+= tasks[task].outputRows &- max(0, rowsBefore)
    if bytesBefore < 0 { memoryEstimator.add(output.peakMemory) }
    if bytesBefore == tasks[task].outputBytes { return }
    if bytesBefore > 0 { takeOff(bytesBefore) }
    for index in partitionBytes.indices { partitionBytes[index] &+= output.bytes[index] }
  }

  private mutating func takeOff(_ bytes: Int64) {
    var rest = bytes
    for index in partitionBytes.indices {
      let share = min(partitionBytes[index], rest / Int64(partitionBytes.count - index))
      partitionBytes[index] &-= share
      rest &-= share
    }
  }
}

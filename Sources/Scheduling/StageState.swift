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
  let description: StageDescription
  /// Numbers of the stages that read this one, each once.
  let consumers: [Int]
  /// Numbers of the stages that this one reads, each once.
  let producers: [Int]
  /// Place in the query's order of stages, upstream first.
  let order: Int

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
  var incompleteInputs: Int
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
  /// The selected attempt of each task, shared by all readers; nil where it has to be put together again.
  private var cachedSelection: [Int]?
  /// `0..<outputPartitionCount`, shared by all readers that read everything.
  let allPartitions: [Int]
  /// Into how many shares a task of the stage had to be divided because of a broadcast input; the others are no better.
  /// Learned anew after a restart.
  var neededShares: [TaskShare.Axis: Int] = [:]
  /// Attempts that failed or were lost.
  var failedAttempts = 0
  /// Attempts under way.
  var runningAttempts = 0

  init(
    id: StageID, description: StageDescription, consumers: [Int], producers: [Int], order: Int,
    sizing: TaskSizing, memory: MemoryPolicy
  ) {
    self.id = id
    self.description = description
    self.consumers = consumers
    self.producers = producers
    self.order = order
    packer = SplitPacker(sizing, isWriter: description.isWriter)
    incompleteInputs = producers.count
    let initial = description.memoryEstimate > 0 ? description.memoryEstimate : memory.taskMemory
    memoryEstimator = QuantileEstimator(minimum: initial, quantile: memory.estimationQuantile)
    partitionBytes = Array(repeating: 0, count: description.outputPartitionCount)
    allPartitions = Array(0..<description.outputPartitionCount)
  }

  var isComplete: Bool { tasksComplete && selectedCount == tasks.count }

  /// The selected attempt of each task. Only while the stage is complete.
  mutating func selection() -> [Int] {
    if let cachedSelection { return cachedSelection }
    precondition(isComplete, "stage \(id) is read before it is complete")
    let selection = tasks.map { $0.selected! }
    cachedSelection = selection
    return selection
  }

  /// To be called when another attempt of a task was selected, or none.
  mutating func selectionChanged() { cachedSelection = nil }

  /// Adds a selected output's sizes to the stage's, once for each task.
  mutating func count(_ output: AttemptOutput, of task: Int) {
    if tasks[task].isCounted { return }
    tasks[task].isCounted = true
    memoryEstimator.add(output.peakMemory)
    for index in partitionBytes.indices { partitionBytes[index] &+= output.bytes[index] }
  }
}

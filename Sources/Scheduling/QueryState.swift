// Owns what the scheduler knows of one query, and which of its tasks is next.
import Base

/// A query and its stages.
///
/// ```
///                 root stage complete
///   ► running ───────────────────────► finished ──── queryReleased ────► (forgotten)
///      │  │ ▲ ▲                           │   ▲
///      │  │ │ └── part of result lost ◄───┘   └───────────── committed ─┐
///      │  │ ├──── part of it lost ─────────────────┐                    │
///      │  │ │     root complete, to be committed   │     all read       │
///      ├──│─│──────────────────────────────► collecting ────────► committing ── refused ──► (forgotten)
///      │  │ └──── delay over ── delayed ◄─┐
///      │  └── failed, RetryPolicy.query ──┘
///      └───────── failed for good, or cancelled ─────────────────────────► (forgotten)
/// ```
final class QueryState {
  enum Phase {
    case running
    /// Waits before it runs again as a whole.
    case delayed
    /// The shell reads what the root stage left, to commit it.
    case collecting
    /// The commit is under way: nothing can undo it but its refusal.
    case committing
    /// All results are there; they may still have to be served.
    case finished
    /// The scheduler has forgotten the query; only stale references are left.
    case ended

    /// Whether no more outputs are wanted, as the root stage is complete.
    var isPastRoot: Bool { self == .finished || self == .collecting || self == .committing }
  }

  /// A task of this query, as small as can be.
  struct TaskKey: Hashable {
    var stage: Int
    var task: Int
  }

  /// As the plan is by now.
  var description: QueryDescription
  var phase = Phase.running
  var stages: [StageState] = []
  /// Stage numbers, upstream first.
  private(set) var order: [Int] = []
  /// When the phase `delayed` ends, or the commit is tried again; nil where neither is to come.
  var delayedUntil: MonotonicTime?
  /// Times the query was run again.
  var failures = 0
  /// Times the commit failed, in this life of the coordinator.
  var commitFailures = 0
  /// Tasks with an attempt under way.
  var runningTasks: Set<TaskKey> = []
  /// Tasks whose last attempt found no place for its output; few at any time.
  var spoolWaits: [TaskKey: SpoolWait] = [:]
  /// Selected outputs that are known to be gone but had no readers when that was found.
  var missing: [TaskKey: (attempt: AttemptID, error: WaterbearError)] = [:]
  /// Since when tasks that could run are held, as no spool directory is in use; nil where none is.
  var heldSince: MonotonicTime?
  /// Spent in earlier such times, since any of its tasks found a place.
  var heldBefore = TimeSpan.zero
  /// Bytes granted to the attempts under way.
  var grantedMemory: Int64 = 0
  /// An attempt was started, now or in an earlier life of the coordinator.
  var hasStarted = false
  /// A part of the result was announced, so rows may have been served.
  var hasAnnouncedResults = false
  /// The query waits in the scheduler's round.
  var isInRound = false
  private var stagesWithRetries: StageSet
  private var stagesWithFirstRuns: StageSet

  /// Traps where the description is not one of an acyclic graph of stages: that is a bug of the planner.
  init(_ description: QueryDescription) {
    if let problem = Self.problem(in: description) { preconditionFailure("\(description.id): \(problem)") }
    self.description = description
    stagesWithRetries = StageSet(capacity: description.stages.count)
    stagesWithFirstRuns = StageSet(capacity: description.stages.count)
    stages = description.stages.map { stage in
      StageState(
        id: StageID(query: description.id, number: stage.number), description: stage, sizing: description.sizing,
        memory: description.memory)
    }
    link()
    for stage in stages.indices { countInputs(of: stage) }
  }

  /// Works out from the description who reads whom, and in which order. Runnable stages are to be noted anew.
  func link() {
    guard let order = Self.topologicalOrder(description) else {
      preconditionFailure("the stages of \(description.id) form a circle")
    }
    self.order = order
    stagesWithRetries = StageSet(capacity: order.count)
    stagesWithFirstRuns = StageSet(capacity: order.count)
    for (place, number) in order.enumerated() {
      stages[number].order = place
      stages[number].consumers = []
      stages[number].producers = Set(description.stages[number].inputs.map(\.stage)).sorted()
    }
    for stage in stages.indices {
      for producer in stages[stage].producers { stages[producer].consumers.append(stage) }
    }
  }

  /// To be called when a stage that this one reads has become complete, or is so no longer. O(inputs).
  func countInputs(of stage: Int) {
    stages[stage].incompleteInputs = stages[stage].producers.count { !stages[$0].wasComplete }
  }

  var id: QueryID { description.id }
  /// Whether the root stage's outputs are to be committed rather than served.
  var commits: Bool { description.completion == .commit }

  /// All that is to be committed has been read, so nobody will want an output any more.
  var isPastReading: Bool { phase == .committing || commits && phase == .finished }

  /// Makes a task ready to run.
  func enqueue(stage: Int, task: Int) {
    stages[stage].tasks[task].phase = .ready
    if stages[stage].tasks[task].nextAttempt > 0 {
      stages[stage].retries.append(task)
    } else {
      stages[stage].firstRuns.append(task)
    }
    updateRunnable(stage)
  }

  /// To be called when a stage's queues or inputs have changed.
  func updateRunnable(_ stage: Int) {
    let order = stages[stage].order
    let mayRun = stages[stage].mayRun
    stagesWithRetries.set(order, mayRun && !stages[stage].retries.isEmpty)
    stagesWithFirstRuns.set(order, mayRun && !stages[stage].firstRuns.isEmpty)
  }

  /// Which tasks come into question.
  enum Choice { case any, firstRuns, retries }

  /// The task that should run next: retries first, then upstream stages first. It stays where it is until it runs.
  func nextTask(_ choice: Choice = .any) -> TaskReference? {
    guard phase == .running else { return nil }
    while choice != .firstRuns, let stage = stagesWithRetries.first.map({ order[$0] }) {
      if let task = stages[stage].retries.first, stages[stage].tasks[task].phase == .ready {
        return TaskReference(query: self, stage: stage, task: task)
      }
      stages[stage].retries.removeFirst()
      updateRunnable(stage)
    }
    while choice != .retries, let stage = stagesWithFirstRuns.first.map({ order[$0] }) {
      if let task = stages[stage].firstRuns.first, stages[stage].tasks[task].phase == .ready {
        return TaskReference(query: self, stage: stage, task: task)
      }
      stages[stage].firstRuns.removeFirst()
      updateRunnable(stage)
    }
    return nil
  }

  /// Why the description is not one of an acyclic graph of stages; nil where it is.
  static func problem(in description: QueryDescription) -> String? {
    if description.stages.isEmpty { return "it has no stages" }
    for (index, stage) in description.stages.enumerated() {
      if stage.number != index { return "stage \(stage.number) is at place \(index)" }
      if stage.outputPartitionCount <= 0 { return "stage \(index) has no output partitions" }
      var partitionCounts: Set<Int> = []
      for input in stage.inputs {
        guard description.stages.indices.contains(input.stage) else { return "stage \(index) reads an unknown stage" }
        if input.mode == .partitioned {
          if stage.kind != .hash { return "stage \(index) cannot read partitions" }
          partitionCounts.insert(description.stages[input.stage].outputPartitionCount)
        }
        if input.mode == .gathered, stage.kind != .single { return "stage \(index) cannot gather" }
      }
      if stage.kind == .hash, partitionCounts.count != 1 { return "inputs of stage \(index) differ in partitions" }
    }
    return topologicalOrder(description) == nil ? "its stages form a circle" : nil
  }

  /// Nil where the stages form a circle.
  private static func topologicalOrder(_ description: QueryDescription) -> [Int]? {
    var waiting = description.stages.map { Set($0.inputs.map(\.stage)) }
    var order: [Int] = []
    while order.count < waiting.count {
      // The highest number first: planners number stages from the root down.
      guard let next = waiting.indices.last(where: { waiting[$0].isEmpty && !order.contains($0) }) else { return nil }
      order.append(next)
      for index in waiting.indices { waiting[index].remove(next) }
    }
    return order
  }
}

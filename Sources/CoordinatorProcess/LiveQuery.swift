// Owns what the coordinator keeps in memory of a query that is not over: its stages, where its outputs lie, its result
// and who waits for it. Everything here can be rebuilt from the store.

import Base
import Exchange
import NIOCore
import Planning
import Scheduling
import Sealing
import Wire

/// A query between its acceptance and its release. Used on the coordinator's event loop only.
final class LiveQuery {
  let id: QueryID
  let sql: String
  let user: String
  let createdMicroseconds: Int64
  /// As the plan is by now; the same goes for the fragments.
  private(set) var description: QueryDescription
  let columns: [ResultColumn]
  private(set) var fragments: [[UInt8]]
  /// How the plan may change; nil where it may not.
  let adaptive: AdaptiveOptions?
  /// By stage; empty where the store alone holds them.
  private(set) var splits: [[StageSplit]]
  /// Bytes that `splits` take, about.
  private(set) var splitBytes: Int64
  /// All splits are in the store.
  var hasStoredSplits = false
  let compressionCodec: String
  /// The exchange key; nil with encryption off.
  let key: SealingKey?
  /// Nil for a query that only reads.
  var write: LiveWrite?
  let submission: Submission

  var state = QueryState.running
  var error: WaterbearError?
  /// When it ended; the first time, where its result was made again.
  var endedMicroseconds: Int64?
  /// Reported outputs, by attempt: those selected, and those whose report is being handled.
  var outputs: [AttemptID: SpoolOutput] = [:]
  /// Where the outputs of stages lie that nobody reads any more, by stage, until they are deleted.
  private var released: [Int: [SpoolLocation]] = [:]
  /// What attempts have reported of their scans that are the first of their stages to end.
  private var keySources: [AttemptID: [KeySourceUse]] = [:]
  private var dividedStages: Set<Int> = []
  /// Attempts whose output counts.
  var selected: Set<AttemptID> = []
  /// Attempts that some worker may be running.
  var running: Set<AttemptID> = []
  /// The root stage's selected attempts, by task.
  var results: [Int: AttemptID] = [:]
  /// Set when the root stage is complete.
  var resultTasks: Int?
  var progress: [StageCounters]
  /// Woken at each change of state or of the result.
  private(set) var waiters: [ResultWaiter] = []
  /// How many waiters there may be before those whose time was up are dropped.
  private var waitersLimit = 32
  /// When a client last asked for the result, or the query finished; results expire some time after.
  var lastAccess: NIODeadline = .now()
  /// When a client last asked for the result or the end, as far as this life of the coordinator knows.
  var lastHeard: NIODeadline = .now()

  init(
    id: QueryID, sql: String, user: String, createdMicroseconds: Int64, description: QueryDescription,
    columns: [ResultColumn], fragments: [[UInt8]], splits: [[StageSplit]], compressionCodec: String, key: SealingKey?,
    write: PlannedWrite? = nil, submission: Submission = .unknown, adaptive: AdaptiveOptions? = nil
  ) {
    self.submission = submission
    self.adaptive = adaptive
    self.write = write.map { LiveWrite($0) }
    self.id = id
    self.sql = sql
    self.user = user
    self.createdMicroseconds = createdMicroseconds
    self.description = description
    self.columns = columns
    self.fragments = fragments
    self.splits = splits
    splitBytes = splits.reduce(0) { $0 + $1.reduce(0) { $0 + Int64($1.split.count) + StageSplit.overheadBytes } }
    self.compressionCodec = compressionCodec
    self.key = key
    progress = description.stages.map { StageCounters(number: $0.number) }
  }

  /// Leaves the splits to the store.
  func dropSplits() {
    splits = []
    splitBytes = 0
  }

  /// What of the query the store keeps besides fragments, splits and tasks.
  var stored: StoredDescription {
    StoredDescription(
      description: description, columns: columns, encryption: key != nil, compressionCodec: compressionCodec,
      write: write?.planned, submission: submission, adaptive: adaptive)
  }

  /// Takes over another plan for stages that have not started.
  func change(_ change: PlanChange) {
    for stage in change.stages {
      let number = stage.description.number
      if number == fragments.count {
        description.stages.append(stage.description)
        fragments.append(stage.fragment)
        progress.append(StageCounters(number: number))
      } else {
        description.stages[number] = stage.description
        fragments[number] = stage.fragment
      }
    }
  }

  /// Drops what is known of an output that was not selected.
  func forgetUnselected(_ attempt: AttemptID) {
    if !selected.contains(attempt) { outputs[attempt] = nil }
  }

  /// Parts with the outputs of a stage, so that they are deleted even if the stage runs again before they are.
  func release(stage: Int) {
    for attempt in selected where attempt.task.stage.number == stage {
      guard let output = outputs.removeValue(forKey: attempt) else { continue }
      released[stage, default: []].append(output.location)
    }
  }

  /// What is to be deleted of a stage that was released; nothing is left of that here.
  func takeReleased(of stage: Int) -> [SpoolLocation] { released.removeValue(forKey: stage) ?? [] }

  /// Takes note of what an attempt's scans made of other stages' keys. All tasks of a stage make the same of them, so
  /// the first that is selected speaks for all.
  func noteKeySources(_ uses: [KeySourceUse], of attempt: AttemptID) {
    guard !uses.isEmpty, selectedCount(of: attempt.task.stage.number) == 0 else { return }
    keySources[attempt] = uses
  }

  /// What is decided by an attempt's being selected, once.
  func takeKeyDecisions(of attempt: AttemptID) -> [PlanDecision] {
    let uses = keySources[attempt] ?? []
    keySources = keySources.filter { $0.key.task.stage != attempt.task.stage }
    return uses.map { PlanDecision($0, in: attempt.task.stage.number) }
  }

  private func selectedCount(of stage: Int) -> Int {
    progress.indices.contains(stage) ? progress[stage].finished : 0
  }

  /// Whether this is the first of the stage's tasks that is divided, as far as this life of the coordinator knows.
  func noteDivision(in stage: Int) -> Bool { dividedStages.insert(stage).inserted }

  /// Forgets which outputs of a stage count.
  func unselectAll(of stage: Int) {
    for attempt in selected where attempt.task.stage.number == stage {
      selected.remove(attempt)
      outputs[attempt] = nil
    }
    if stage == 0 { (results, resultTasks) = ([:], nil) }
  }

  /// Whether a client waits for a change at this moment.
  var isWaitedFor: Bool { waiters.contains { !$0.isDone } }

  func add(_ waiter: ResultWaiter) {
    if waiters.count >= waitersLimit {
      waiters.removeAll { $0.isDone }
      waitersLimit = max(32, waiters.count * 2)
    }
    waiters.append(waiter)
  }

  /// Calls everybody who waits; those still not satisfied queue up again.
  func wake() {
    let woken = waiters
    waiters = []
    for waiter in woken { waiter.resume() }
  }

  /// What `position` points at, skipping parts of the result that have no pages.
  func locate(_ position: ResultPosition) -> ResultPlace {
    if let write { return locate(position, in: write) }
    var position = position
    while true {
      if let count = resultTasks, position.task >= count { return .end }
      guard let attempt = results[position.task], let output = outputs[attempt] else { return .notYet(position) }
      let pages = output.partition(0).pages
      if position.page < pages { return .page(position, output, isLastOfTask: position.page + 1 == pages) }
      position = ResultPosition(task: position.task + 1)
    }
  }

  /// The result of a write is one row at most, made up here.
  private func locate(_ position: ResultPosition, in write: LiveWrite) -> ResultPlace {
    guard state == .finished else { return .notYet(position) }
    return write.planned.countsRows && position.task == 0 && position.page == 0 ? .rowCount(write.rowCount) : .end
  }

  func status(nowMicroseconds: Int64) -> QueryStatus {
    QueryStatus(
      query: id, state: state, error: error, stages: progress.map(\.wire),
      elapsedMicroseconds: (endedMicroseconds ?? nowMicroseconds) - createdMicroseconds,
      retriedAttempts: progress.reduce(0) { $0 + $1.retries }, updateType: write?.planned.updateType)
  }
}

/// Where a position in a result leads.
enum ResultPlace {
  case page(ResultPosition, SpoolOutput, isLastOfTask: Bool)
  case notYet(ResultPosition)
  /// A page with this number as its only row, and nothing behind it.
  case rowCount(Int64)
  case end
}

/// Somebody who waits for a change of a query, at most until a timer fires.
final class ResultWaiter {
  private var action: (() -> Void)?
  private var timer: Scheduled<Void>?

  init(action: @escaping () -> Void) { self.action = action }

  /// Whether the action has run.
  var isDone: Bool { action == nil }

  func arm(_ timer: Scheduled<Void>) { self.timer = timer }

  /// Runs the action, once.
  func resume() {
    timer?.cancel()
    timer = nil
    let action = action
    self.action = nil
    action?()
  }
}

/// A stage in numbers, kept up with the scheduler's records.
struct StageCounters {
  var number: Int
  var total = 0
  var running = 0
  var finished = 0
  var retries = 0
  var rows: Int64 = 0
  var bytes: Int64 = 0
  var isComplete = false
  /// Nothing would come of it, or nobody would read it.
  var isSkipped = false

  init(number: Int) { self.number = number }

  var isDone: Bool { isComplete && finished == total }

  var wire: StageProgress {
    StageProgress(
      number: number, state: state, totalTasks: total, runningTasks: running, finishedTasks: finished, retries: retries,
      outputRows: rows, outputBytes: bytes)
  }

  private var state: String {
    isSkipped ? "SKIPPED" : isDone ? "FINISHED" : total > 0 ? "RUNNING" : "PLANNED"
  }

  /// How it stays in the history of a query. Of a query that finished, tasks may be left that nobody needed.
  func final(isFinished: Bool) -> StageProgress {
    var progress = wire
    progress.runningTasks = 0
    if progress.state == "RUNNING" { progress.state = isFinished ? "FINISHED" : "FAILED" }
    return progress
  }
}

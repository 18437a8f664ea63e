// Owns what a scheduler record means for the store and for the figures that clients see.

import Base
import Exchange
import Platform
import Scheduling
import TaskStore
import Telemetry
import Wire

/// A selected output as the store keeps it: enough for the scheduler and for readers.
struct StoredOutput: Codable, Sendable {
  var spool: SpoolOutput
  var peakMemoryBytes: Int64
  var cpuNanoseconds: Int64
}

extension Coordinator {
  /// The store's changes for a record.
  func storeChanges(of record: SchedulerRecord) -> [StoreChange] {
    let now = SystemClock.wallMicroseconds()
    switch record {
    case .splits(let stage, let first, let weights, let last):
      guard let query = queries[stage.query] else { return [] }
      let entries = query.splits[stage.number][first..<(first + weights.count)].map { split in
        StoredSplit(payload: encoded(split), weight: split.bytes)
      }
      return [.splits(stage, first: first, entries, last: last)]
    case .tasks(let stage, let tasks):
      return [.tasksCreated(stage, tasks.map { NewTask(partition: $0.partition, input: encoded($0.input)) })]
    case .stageTasksComplete(let stage): return [.stageTasksComplete(stage)]
    case .attemptStarted(let attempt, let worker, let memory):
      return [.attemptStarted(attempt, worker, memory: memory, at: now)]
    case .attemptEnded(let attempt, let outcome, let error):
      return [.attemptEnded(attempt, AttemptEnd(outcome), error, at: now)]
    case .selected(let attempt, let output): return selected(attempt, output, at: now)
    case .unselected(let attempt, let error): return [.outputUnselected(attempt, error, at: now)]
    case .taskDivided(let task, let input): return divided(task, input, at: now)
    case .taskCounters(let task, let counters): return [.taskCounters(task, StoredCounters(counters))]
    case .stageReleased(let stage): return [.stageReleased(stage)]
    case .stageRestarted(let stage, let forgetsOutputs):
      return [.stageRestarted(stage, forgetsOutputs: forgetsOutputs)]
    case .stageSkipped(let stage, let reason):
      let decision = PlanDecision(kind: .stageSkipped, stage: stage.number, reason: reason)
      return [.stageSkipped(stage, isSkipped: true), made(decision, of: stage.query, at: now)]
    case .stageResumed(let stage):
      return [.stageSkipped(stage, isSkipped: false), made(.resumed(stage), of: stage.query, at: now)]
    case .planChanged(let id, let change): return changed(id, change, at: now)
    case .queryRetried(let query, let failures): return [.queryRetried(query, failures: failures)]
    case .commitStarted(let query):
      let outputs = queries[query]?.write?.outputs ?? WriterOutputs()
      return [.commitStarted(query, rowCount: outputs.rowCount, outputs: encoded(outputs))]
    case .queryEnded(let query, .finished):
      return [.queryEnded(query, state: QueryStateName.finished, nil, at: now)]
        + writeChanges(of: query, isCommitted: true)
    case .queryEnded(let query, .failed(let error)):
      return [.queryEnded(query, state: QueryStateName.failed, error, at: now)]
        + writeChanges(of: query, isCommitted: false)
    case .queryResumed(let query): return [.queryResumed(query, state: QueryStateName.running)]
    case .queryReleased(let query): return [.queryReleased(query, stages: stageFigures(of: query, isFinished: true))]
    }
  }

  /// A failed query leaves only its history: a coordinator that found it among those not released would run it again.
  /// Last in its transaction, as nothing can be noted of a query that was released.
  func releaseAfter(_ record: SchedulerRecord) -> StoreChange? {
    guard case .queryEnded(let query, .failed) = record else { return nil }
    return .queryReleased(query, stages: stageFigures(of: query, isFinished: false))
  }

  /// What clients are told of a query's stages once it is history.
  private func stageFigures(of id: QueryID, isFinished: Bool) -> [UInt8] {
    guard let query = queries[id] else { return [] }
    return encoded(query.progress.map { $0.final(isFinished: isFinished) })
  }

  private func made(_ decision: PlanDecision, of query: QueryID, at now: Int64) -> StoreChange {
    let stage = StageID(query: query, number: decision.stage)
    return .decisionMade(stage, kind: decision.kind.rawValue, reason: decision.reason, at: now)
  }

  private func changed(_ id: QueryID, _ change: PlanChange, at now: Int64) -> [StoreChange] {
    guard let query = queries[id] else { return [] }
    let fragments = change.stages.map { (stage: $0.description.number, fragment: $0.fragment) }
    return [.planChanged(id, description: encoded(query.stored), fragments: fragments)]
      + change.decisions.map { made($0, of: id, at: now) }
  }

  private func selected(_ attempt: AttemptID, _ output: AttemptOutput, at now: Int64) -> [StoreChange] {
    guard let spool = queries[attempt.task.stage.query]?.outputs[attempt] else {
      preconditionFailure("the output of \(attempt) was selected without a report")
    }
    let stored = StoredOutput(
      spool: spool, peakMemoryBytes: output.peakMemory, cpuNanoseconds: output.cpuTime.nanoseconds)
    let decisions = queries[attempt.task.stage.query]?.takeKeyDecisions(of: attempt) ?? []
    for decision in decisions { note(decision, of: attempt.task.stage.query) }
    return [.outputSelected(attempt, output: encoded(stored), at: now)]
      + decisions.map { made($0, of: attempt.task.stage.query, at: now) }
  }

  private func divided(_ task: TaskID, _ input: TaskRecord.Input, at now: Int64) -> [StoreChange] {
    let change = StoreChange.taskDivided(task, input: encoded(input))
    guard queries[task.stage.query]?.noteDivision(in: task.stage.number) == true else { return [change] }
    let shares = input.shares.reduce(1) { $0 * $1.count }
    let decision = PlanDecision(
      kind: .taskDivided, stage: task.stage.number,
      reason: "task \(task.partition) lacked memory and runs in \(max(shares, 2)) shares, others may follow")
    return [change, made(decision, of: task.stage.query, at: now)]
  }

  /// Values of this process's own types always encode.
  private func encoded(_ value: some Encodable) -> [UInt8] {
    do {
      return try BinaryEncoder.encode(value)
    } catch {
      preconditionFailure("\(type(of: value)) does not encode: \(error)")
    }
  }

  /// Keeps the figures of a query in step with a record.
  func noteProgress(_ record: SchedulerRecord) {
    switch record {
    case .tasks(let stage, let tasks):
      count(stage) { $0.total += tasks.count }
      // Not where tasks of a stage under way were divided.
      guard tasks.first?.partition == 0 else { break }
      log.write(.stageStarted, about: .stage(stage), ["tasks": .int(tasks.count)])
    case .taskDivided(let task, let input):
      let shares = input.shares.reduce(1) { $0 * $1.count }
      log.write(.taskDivided, about: .task(task), ["shares": .int(shares), "splits": .int(input.splits.count)])
    case .stageTasksComplete(let stage):
      count(stage) { $0.isComplete = true }
      noteEnd(of: stage)
    case .attemptStarted(let attempt, let worker, _): noteStart(of: attempt, on: worker)
    case .attemptEnded(let attempt, let outcome, let error):
      count(attempt.task.stage) { $0.running -= 1 }
      queries[attempt.task.stage.query]?.running.remove(attempt)
      if outcome == .aborted {
        log.write(.attemptAborted, about: .attempt(attempt), error.map { ["reason": .string($0.description)] } ?? [:])
      }
    case .selected(let attempt, let output): select(attempt, output)
    case .unselected(let attempt, let error):
      unselect(attempt)
      log.write(.outputRecomputed, about: .attempt(attempt), .error(error))
    case .queryRetried(let query, let failures):
      log.write(.queryRetried, about: .query(query), ["retry": .int(failures)])
    case .stageSkipped(let stage, let reason):
      count(stage) { $0.isSkipped = true }
      note(PlanDecision(kind: .stageSkipped, stage: stage.number, reason: reason), of: stage.query)
    case .stageResumed(let stage):
      count(stage) { $0.isSkipped = false }
      note(.resumed(stage), of: stage.query)
    case .planChanged(let id, let change):
      queries[id]?.change(change)
      for decision in change.decisions { note(decision, of: id) }
    case .stageReleased(let stage): queries[stage.query]?.release(stage: stage.number)
    case .stageRestarted(let stage, _):
      queries[stage.query]?.unselectAll(of: stage.number)
      count(stage) { ($0.finished, $0.rows, $0.bytes) = (0, 0, 0) }
    case .queryResumed(let query):
      queries[query]?.state = .running
      queries[query]?.resultTasks = nil
      if let query = queries[query] { watchClient(of: query) }
    default: break
    }
  }

  private func note(_ decision: PlanDecision, of query: QueryID) {
    log.write(
      .planAdapted, about: .stage(StageID(query: query, number: decision.stage)),
      ["decision": .string(decision.kind.rawValue), "reason": .string(decision.reason)])
  }

  private func noteStart(of attempt: AttemptID, on worker: WorkerID) {
    count(attempt.task.stage) {
      $0.running += 1
      if attempt.number > 0 { $0.retries += 1 }
    }
    guard let query = queries[attempt.task.stage.query] else { return }
    if attempt.number > 0 {
      // A second attempt beside a running one is no retry: the first is slow.
      let isSecond = query.running.contains { $0.task == attempt.task }
      log.write(
        isSecond ? .taskDuplicated : .taskRetried, about: .attempt(attempt), ["worker": .int(worker.number)])
    }
    query.running.insert(attempt)
  }

  /// Tells of a stage that has become complete.
  private func noteEnd(of stage: StageID) {
    guard let counters = queries[stage.query]?.progress[stage.number], counters.isDone else { return }
    log.write(
      .stageFinished, about: .stage(stage),
      [
        "tasks": .int(counters.total), "retries": .int(counters.retries), "rows": .int(counters.rows),
        "bytes": .int(counters.bytes),
      ])
  }

  private func select(_ attempt: AttemptID, _ output: AttemptOutput) {
    queries[attempt.task.stage.query]?.selected.insert(attempt)
    queries[attempt.task.stage.query]?.running.remove(attempt)
    log.write(
      .outputSelected, about: .attempt(attempt),
      ["rows": .int(output.rows.reduce(0, +)), "bytes": .int(output.bytes.reduce(0, +))])
    count(attempt.task.stage) {
      $0.running -= 1
      $0.finished += 1
      $0.rows += output.rows.reduce(0, +)
      $0.bytes += output.bytes.reduce(0, +)
    }
    noteEnd(of: attempt.task.stage)
  }

  private func unselect(_ attempt: AttemptID) {
    guard let query = queries[attempt.task.stage.query] else { return }
    query.selected.remove(attempt)
    if attempt.task.stage.number == 0 { query.results[attempt.task.partition] = nil }
    let lost = query.outputs.removeValue(forKey: attempt)
    count(attempt.task.stage) {
      $0.finished -= 1
      $0.rows -= Int64(lost?.rows ?? 0)
      $0.bytes -= Int64(lost?.rawBytes ?? 0)
    }
  }

  private func count(_ stage: StageID, _ change: (inout StageCounters) -> Void) {
    guard let query = queries[stage.query] else { return }
    change(&query.progress[stage.number])
  }
}

extension PlanDecision {
  init(_ use: KeySourceUse, in stage: Int) {
    let keys = "of \(use.column) from stage \(use.stage)"
    self.init(
      kind: use.keys == nil ? .keysGivenUp : .keysPushedIntoScan, stage: stage,
      reason: use.keys.map { "\($0) keys \(keys) filter the scan" } ?? "too many keys \(keys) to filter the scan by")
  }

  /// The reason is always the same.
  fileprivate static func resumed(_ stage: StageID) -> PlanDecision {
    PlanDecision(kind: .stageResumed, stage: stage.number, reason: "an output that was empty has rows by now")
  }
}

/// A query's states in the store, as people read them.
enum QueryStateName {
  static let running = "RUNNING"
  static let finished = "FINISHED"
  static let failed = "FAILED"
}

extension AttemptEnd {
  init(_ outcome: AttemptOutcome) {
    switch outcome {
    case .failed: self = .failed
    case .lost: self = .lost
    case .aborted: self = .aborted
    }
  }
}

extension StoredCounters {
  init(_ counters: TaskCounters) {
    self.init()
    failures = counters.failures
    workerLosses = counters.workerLosses
    outputLosses = counters.outputLosses
    memory = counters.memory
    firstValidAttempt = counters.firstValidAttempt
  }
}

extension TaskCounters {
  init(_ stored: StoredCounters) {
    self.init()
    failures = stored.failures
    workerLosses = stored.workerLosses
    outputLosses = stored.outputLosses
    memory = stored.memory
    firstValidAttempt = stored.firstValidAttempt
  }
}

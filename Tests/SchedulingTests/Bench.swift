// Owns a small bench for tests that play the scheduler's shell by hand.
import Base

@testable import Scheduling

/// A scheduler, its time, and what it has asked for so far.
final class Bench {
  let scheduler: Scheduler
  var now = MonotonicTime(nanoseconds: 0)
  var records: [SchedulerRecord] = []
  var effects: [SchedulerEffect] = []
  /// Attempts started and neither finished, failed nor aborted, in their order.
  var running: [AttemptStart] = []
  private var timer: MonotonicTime?

  init(
    _ settings: SchedulerSettings = SchedulerSettings(workerTimeout: .seconds(60)),
    advisor: (any PlanAdvising)? = nil
  ) {
    scheduler = Scheduler(settings: settings, advisor: advisor)
  }

  @discardableResult
  func send(_ event: SchedulerEvent) -> SchedulerTurn { send([event]) }

  /// Sends events that come at once.
  @discardableResult
  func send(_ events: [SchedulerEvent]) -> SchedulerTurn {
    let turn = scheduler.handle(events, now: now)
    records += turn.records
    effects += turn.effects
    for effect in turn.effects {
      switch effect {
      case .startAttempt(let start): running.append(start)
      case .abortAttempt(let attempt, _): running.removeAll { $0.attempt == attempt }
      case .setTimer(let time): timer = time
      default: break
      }
    }
    return turn
  }

  /// Lets time pass; heartbeats keep all workers alive, and the timer fires when it is due.
  func pass(_ span: TimeSpan) {
    let end = now + span
    while let due = timer, due <= end {
      now = max(now, due)
      timer = nil
      for worker in scheduler.workerStatus where worker.isConnected { send(.heartbeat(worker.id)) }
      send(.timer)
    }
    now = end
  }

  func join(_ numbers: Int..., incarnation: UInt64 = 0, slots: Int = 1, memory: Int64 = 1000) {
    for number in numbers {
      send(.workerJoined(Self.worker(number, incarnation), slots: slots, memoryBytes: memory, running: []))
    }
  }

  static func worker(_ number: Int, _ incarnation: UInt64 = 0) -> WorkerID {
    WorkerID(number: number, incarnation: incarnation)
  }

  /// Finishes an attempt, by default the one that started first.
  func finish(_ index: Int = 0, bytes: Int64 = 10, checksum: UInt64 = 7, peak: Int64 = 0) {
    let start = running.remove(at: index)
    send(.attemptFinished(start.attempt, start.worker, Self.output(start, bytes, checksum, peak)))
  }

  static func output(
    _ start: AttemptStart, _ bytes: Int64 = 10, _ checksum: UInt64 = 7, _ peak: Int64 = 0
  ) -> AttemptOutput {
    let count = start.outputPartitionCount
    return AttemptOutput(
      bytes: Array(repeating: bytes, count: count), rows: Array(repeating: 1, count: count),
      checksums: Array(repeating: checksum, count: count), peakMemory: peak)
  }

  func fail(
    _ code: ErrorCode, at index: Int = 0, lostInput: AttemptID? = nil, withDirectory: Bool = false, peak: Int64 = 0,
    refusal: SpoolRefusal? = nil
  ) {
    let start = running.remove(at: index)
    let error = WaterbearError(code, "it broke")
    send(
      .attemptFailed(
        start.attempt, start.worker,
        AttemptFailure(
          error: error, peakMemory: peak, lostInput: lostInput, lostWithDirectory: withDirectory, refusal: refusal)))
  }

  /// Which spool directories are in use from now on.
  func useSpool(_ directories: String...) { send(.spoolChanged(SpoolState(inUse: directories))) }

  /// The one directory goes, and comes back.
  func recoverSpool() {
    useSpool()
    useSpool("a")
  }

  /// The attempt's output was refused by a directory, which is set aside; these are left.
  func refuse(by directory: String, isFull: Bool = true, leaving left: [String], at index: Int = 0) {
    send(.spoolChanged(SpoolState(inUse: left)))
    fail(.spoolUnavailable, at: index, refusal: SpoolRefusal(directory: directory, isFull: isFull))
  }

  func lose(_ number: Int, incarnation: UInt64 = 0, code: ErrorCode = .remoteHostGone) {
    let id = Self.worker(number, incarnation)
    running.removeAll { $0.worker == id }
    send(.workerLost(id, WaterbearError(code, "\(id) is gone")))
  }

  /// The running attempts as `query.stage.task.attempt`.
  var runningNames: [String] { running.map(\.attempt.description) }

  /// The error of the query's failure.
  func failure(_ query: String = "q") -> WaterbearError? {
    for effect in effects { if case .queryFailed(QueryID(query), let error) = effect { return error } }
    return nil
  }

  var hasAllResults: Bool {
    effects.contains { if case .allResults = $0 { true } else { false } }
  }

  /// A query of one source stage with tasks of one split each.
  static func scan(_ name: String = "q", policy: RetryPolicy = .task, memory: Int64 = 100) -> QueryDescription {
    describe([StageDescription(number: 0, kind: .source)], name: name, policy: policy, memory: memory)
  }

  /// 0 gathers 1, which gathers 2, and so on to the last stage, a source.
  static func chain(stages count: Int = 3) -> QueryDescription {
    describe(
      (0..<count - 1).map {
        StageDescription(number: $0, kind: .single, inputs: [StageInput(stage: $0 + 1, mode: .gathered)])
      } + [StageDescription(number: count - 1, kind: .source)])
  }

  static func describe(
    _ stages: [StageDescription], name: String = "q", policy: RetryPolicy = .task, memory: Int64 = 100
  ) -> QueryDescription {
    QueryDescription(
      id: QueryID(name), retryPolicy: policy,
      limits: RetryLimits(initialDelay: .seconds(10), taskWorkerLosses: 3),
      sizing: TaskSizing(
        compute: .init(minimum: 1, maximum: 1), hashTaskTargetSize: 1000, hashTasksPerSlot: 1, taskMinimumSize: 1),
      memory: MemoryPolicy(taskMemory: memory), stages: stages)
  }

  func submit(_ description: QueryDescription, splits: Int = 0) {
    send(.querySubmitted(description))
    for stage in description.stages where stage.kind == .source {
      let id = StageID(query: description.id, number: stage.number)
      send(.splitsDiscovered(id, weights: Array(repeating: 1, count: splits), last: true))
    }
  }
}

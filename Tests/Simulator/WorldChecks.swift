// Owns the rules a simulated world must keep, and what is counted while it runs.
import Base
import Scheduling

/// What was seen of a world so far.
struct WorldChecks {
  /// The first broken rule.
  private(set) var violation: String?
  /// Which attempts each attempt has read.
  private(set) var reads: [AttemptID: [AttemptID]] = [:]
  /// Stages that were skipped when an attempt read them.
  private(set) var skippedReads: [AttemptID: [StageID]] = [:]
  /// Of all events and turns in their order.
  private(set) var traceHash: UInt64 = 0
  private(set) var events = 0
  /// A world with more events than this makes no progress.
  var eventsMax = 200_000
  private(set) var attempts = 0
  /// Of each query that waits for a slot: how many attempts others have started meanwhile.
  private var passedOver: [QueryID: Int] = [:]
  var coordinatorCrashes = 0
  var powerCuts = 0
  var results = 0
  /// Stages of finished queries that were skipped, and changes of plans.
  var skippedStages = 0
  var planChanges = 0

  /// What each task lost by a spool that took no output.
  private var spoolLosses: [TaskID: SpoolLoss] = [:]

  /// Since when the scheduler knows that no spool directory is in use.
  private var goneSince: MonotonicTime?
  /// Earlier such times of this life of the coordinator.
  private var goneBefore = TimeSpan.zero
  /// What both were in all when a query failed for that.
  private var goneAtEnd: [QueryID: TimeSpan] = [:]
  /// Tasks whose last attempt was refused by the smaller spool directory.
  private var refused: Set<TaskID> = []

  /// Counted from what is recorded, by code that shares nothing with the scheduler.
  private struct SpoolLoss {
    var span = TimeSpan.zero
    /// When the last attempt found no place, and none has started since.
    var failedAt: MonotonicTime?
    var startedAt: [Int: MonotonicTime] = [:]
  }

  mutating func fail(_ message: String) {
    if violation == nil { violation = message }
  }

  mutating func require(_ condition: Bool, _ message: @autoclosure () -> String) {
    if !condition { fail(message()) }
  }

  mutating func noteRead(by reader: AttemptID, of producer: AttemptID) { reads[reader, default: []].append(producer) }

  /// Forgets what attempts have read whose numbers are free again.
  mutating func forgetReads(of isForgotten: (AttemptID) -> Bool) {
    reads = reads.filter { !isForgotten($0.key) }
    skippedReads = skippedReads.filter { !isForgotten($0.key) }
  }

  mutating func noteSkipped(by reader: AttemptID, _ stage: StageID) { skippedReads[reader, default: []].append(stage) }

  mutating func count(_ event: WorldEvent, at time: MonotonicTime) {
    events += 1
    if events > eventsMax { fail("no end after \(events) events") }
    traceHash = RandomSource.mix(traceHash, UInt64(bitPattern: time.nanoseconds))
  }

  mutating func note(_ turn: SchedulerTurn) {
    traceHash = RandomSource.mix(traceHash, UInt64(turn.records.count << 16 | turn.effects.count))
    for record in turn.records {
      if case .planChanged = record { planChanges += 1 }
      guard case .attemptStarted(let attempt, let worker, let memory) = record else { continue }
      attempts += 1
      let place = attempt.task.stage.number << 40 | attempt.task.partition << 20 | attempt.number
      traceHash = RandomSource.mix(traceHash, UInt64(place))
      traceHash = RandomSource.mix(traceHash, UInt64(memory) ^ UInt64(worker.number) ^ worker.incarnation << 8)
    }
  }
}

extension WorldChecks {
  /// Adds up what tasks lose by the spool: from the end of an attempt that found no place to the start of the next, and
  /// the time of such attempts. No attempt may start while no directory is in use.
  mutating func noteSpool(_ turn: SchedulerTurn, of events: [SchedulerEvent], at time: MonotonicTime) {
    var refusals: Set<AttemptID> = []
    for event in events {
      if case .spoolChanged(let state) = event { noteSpool(state, at: time) }
      if case .attemptFailed(let attempt, _, let failure) = event, failure.refusal != nil { refusals.insert(attempt) }
    }
    var starts: [AttemptID: AttemptStart] = [:]
    for effect in turn.effects { if case .startAttempt(let start) = effect { starts[start.attempt] = start } }
    for record in turn.records {
      switch record {
      case .attemptStarted(let attempt, _, _):
        require(goneSince == nil, "\(attempt) starts although no spool directory is in use")
        require(
          !refused.contains(attempt.task) || starts[attempt]?.avoidedDirectories == ["small"],
          "\(attempt) may go where the last attempt was refused")
        spoolLosses[attempt.task, default: SpoolLoss()].startedAt[attempt.number] = time
        endSpoolWait(of: attempt.task, at: time)
      case .attemptEnded(let attempt, _, let error):
        guard let start = spoolLosses[attempt.task]?.startedAt.removeValue(forKey: attempt.number),
          error?.code == .spoolUnavailable
        else { continue }
        addSpoolLoss(attempt.task, time - start)
        if refusals.contains(attempt) { refused.insert(attempt.task) }
        if spoolLosses[attempt.task]?.failedAt == nil { spoolLosses[attempt.task]?.failedAt = time }
      case .selected(let attempt, _):
        spoolLosses[attempt.task]?.span = .zero
        spoolLosses[attempt.task]?.failedAt = nil
        refused.remove(attempt.task)
      case .queryEnded(let query, .failed(let error)) where error.code == .spoolUnavailable:
        goneAtEnd[query] = gone(at: time)
        for task in spoolLosses.keys where task.stage.query == query { endSpoolWait(of: task, at: time) }
      default: break
      }
    }
  }

  private mutating func noteSpool(_ state: SpoolState, at time: MonotonicTime) {
    if !state.inUse.isEmpty { (goneBefore, goneSince) = (gone(at: time), nil) }
    if state.inUse.isEmpty, goneSince == nil { goneSince = time }
  }

  /// The coordinator that was told has crashed.
  mutating func forgetSpool() { (goneSince, goneBefore, refused) = (nil, .zero, []) }

  private func gone(at time: MonotonicTime) -> TimeSpan {
    let now = goneSince.map { (time - $0).nanoseconds } ?? 0
    return TimeSpan(nanoseconds: goneBefore.nanoseconds + now)
  }

  private mutating func endSpoolWait(of task: TaskID, at time: MonotonicTime) {
    guard let failedAt = spoolLosses[task]?.failedAt else { return }
    spoolLosses[task]?.failedAt = nil
    addSpoolLoss(task, time - failedAt)
  }

  private mutating func addSpoolLoss(_ task: TaskID, _ span: TimeSpan) {
    let sum = (spoolLosses[task]?.span.nanoseconds ?? 0) + span.nanoseconds
    spoolLosses[task]?.span = TimeSpan(nanoseconds: sum)
  }

  /// The most that any task of a query lost by the spool before it found a place, if it did; or that the query as a
  /// whole may have.
  func mostSpoolLoss(_ query: QueryID) -> TimeSpan {
    let ofTasks = spoolLosses.filter { $0.key.stage.query == query }.map(\.value.span).max() ?? .zero
    return max(ofTasks, goneAtEnd[query] ?? .zero)
  }

  /// Queries take turns: one that could use any slot that comes free must not see the others get many before it.
  /// Places beyond the slots are for queries of which nothing runs; to the others they do not count, nor do those with
  /// less memory than `need` bytes: who is known to need more waits for a slot.
  mutating func checkFairness(
    _ turn: SchedulerTurn, waiting: [QueryID], workers: [WorkerStatus], need: Int64, limit: Int
  ) {
    passedOver = passedOver.filter { waiting.contains($0.key) }
    let full = Set(workers.filter { $0.running.count > $0.slots }.map(\.id))
    let holders = Set(workers.flatMap { $0.running.map(\.task.stage.query) })
    for record in turn.records {
      guard case .attemptStarted(let attempt, let worker, let memory) = record else { continue }
      for query in waiting {
        if query == attempt.task.stage.query {
          passedOver[query] = 0
        } else if !full.contains(worker) || !holders.contains(query) && memory >= need {
          passedOver[query, default: 0] += 1
        }
      }
    }
    if let (query, count) = passedOver.first(where: { $0.value > limit }) {
      fail("\(query) waits for a slot while others start \(count) attempts")
    }
  }
}

extension ModelStore {
  func isLive(_ id: QueryID) -> Bool { queries[id].map { !$0.isReleased } ?? false }
}

extension World {
  /// The client has the result: it must be what an undisturbed run gives, or at least of one piece.
  func checkResult(_ query: ModelStore.Query, _ result: UInt64) {
    checks.results += 1
    checkSkipped(query)
    if query.model.nondeterministicStages.isEmpty {
      checks.require(result == query.model.expectedResult(), "\(query.model.id) has a wrong result")
    }
    // Whoever counts has read what counts: contents are compared, for an output may have been made again.
    for stage in query.restored.stages.indices where !query.restored.stages[stage].isReleased {
      for (partition, task) in query.restored.stages[stage].tasks.enumerated() {
        guard let selected = task.selected else { continue }
        let id = TaskID(stage: StageID(query: query.model.id, number: stage), partition: partition)
        for skipped in checks.skippedReads[AttemptID(task: id, number: selected)] ?? [] {
          checks.require(
            store.stage(skipped).isSkipped, "\(id).\(selected) has read nothing of \(skipped), which ran after all")
        }
        for read in checks.reads[AttemptID(task: id, number: selected)] ?? [] {
          guard let producer = store.task(read.task)?.selected, producer != read.number else { continue }
          let current = AttemptID(task: read.task, number: producer)
          checks.require(
            spool.contents[current] == spool.contents[read],
            "\(id).\(selected) has read \(read), but \(current) counts and differs")
        }
      }
    }
  }

  /// What is skipped has nothing to do, by what the other stages have left.
  func checkSkipped(_ query: ModelStore.Query) {
    let skipped = query.restored.stages.indices.filter { query.restored.stages[$0].isSkipped }
    if skipped.isEmpty { return }
    checks.skippedStages += skipped.count
    let empty = query.restored.stages.indices.filter { number in
      let stage = query.restored.stages[number]
      return stage.tasksComplete
        && stage.tasks.allSatisfy { $0.output.map { $0.rows.allSatisfy { $0 == 0 } } ?? false }
    }
    let idle = query.model.plan.idle(Set(empty), in: query.description)
    checks.require(
      idle.isSuperset(of: skipped), "stages \(skipped) of \(query.model.id) are skipped, but only \(idle) are idle")
  }

  /// Nothing is left, and each query ended as it should.
  func checkEnd() {
    checks.require(store.queries.count == queries.count, "a query was never submitted")
    for query in store.queries.values { checkOutcome(query) }
    checkCommits()
    checks.require(spool.files.isEmpty, "files are left: \(spool.files.keys.sorted())")
    for worker in workers where !worker.isDead {
      checks.require(worker.executing.isEmpty, "\(worker.id) still runs \(worker.executing.keys.sorted())")
      checks.require(
        worker.unacknowledged.isEmpty, "reports of \(worker.unacknowledged.keys.sorted()) were never acknowledged")
    }
    guard let scheduler else {
      checks.fail("the coordinator is down at the end")
      return
    }
    checks.require(scheduler.liveQueries.isEmpty, "the scheduler still has \(scheduler.liveQueries)")
    for worker in scheduler.workerStatus {
      checks.require(worker.running.isEmpty, "the scheduler thinks \(worker.id) runs \(worker.running)")
    }
  }

  private func checkOutcome(_ query: ModelStore.Query) {
    let model = query.model
    guard let outcome = query.outcome else {
      checks.fail("\(model.id) has no outcome")
      return
    }
    switch outcome {
    case .finished:
      checks.require(!hits(query, model.userError), "\(model.id) finished in spite of a user's error")
      checks.require(!hits(query, model.poison), "\(model.id) finished in spite of a task that kills workers")
    case .failed(let error):
      checks.require(isJustified(query, error), "\(model.id) failed without need: \(error) \(error.causes)")
    }
  }

  /// Whether some task holds the item.
  private func hits(_ query: ModelStore.Query, _ mark: (stage: Int, item: Int)?) -> Bool {
    let model = query.model
    guard let mark, !query.restored.stages[mark.stage].isSkipped else { return false }
    // A stage without splits is complete before what it reads, and may end the query before the task in question.
    if model.description.stages.contains(where: {
      $0.kind == .source && model.splits[$0.number].isEmpty && !$0.inputs.isEmpty
    }) {
      return false
    }
    let stage = model.description.stages[mark.stage]
    switch stage.kind {
    case .source: return mark.item < model.splits[mark.stage].count
    case .hash:
      let input = stage.inputs.first { $0.mode == .partitioned }!
      return mark.item < model.description.stages[input.stage].outputPartitionCount
    case .single: return true
    }
  }

  private func isJustified(_ query: ModelStore.Query, _ error: WaterbearError) -> Bool {
    let model = query.model
    if error.code == .userCanceled { return true }
    if error.code == .exceededTimeLimit { return model.description.timeLimits != nil }
    if error.code == .tableAlreadyExists { return query.toCommit != nil }
    if error.code.type == .userError { return error.code == .divisionByZero && model.userError != nil }
    if model.description.retryPolicy == .none { return true }
    // Only where some task has lost by the spool what it may lose. The last attempt's start was its gain.
    if error.code == .spoolUnavailable { return checks.mostSpoolLoss(model.id) >= settings.spoolWait }
    // All others name how often what was tried, and the last cause.
    if error.code == .exchangeDataUnrecoverable, !model.nondeterministicStages.isEmpty { return true }
    if error.causes.isEmpty { return false }
    let limits = model.description.limits
    if query.toCommit != nil { return commitFailures[model.id, default: 0] > limits.taskRetryAttempts }
    if model.description.retryPolicy == .query, query.restored.failures == limits.queryRetryAttempts { return true }
    return query.restored.stages.contains { stage in
      stage.tasks.contains {
        $0.counters.failures > limits.taskRetryAttempts || $0.counters.workerLosses > limits.taskWorkerLosses
          || $0.counters.outputLosses > limits.taskRetryAttempts
      }
    }
  }
}

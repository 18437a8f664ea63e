// Owns the scheduler's state and the order of work within one event.
// Knows nothing of processes, sockets, files, SQL or clocks: all of that is its shell's.
import Base

/// Decides which task attempt runs when and where, for all queries of a coordinator.
///
/// A pure state machine: the same settings and events give the same answers. Not `Sendable`: its shell owns it and
/// calls it from one place. No call scans all tasks, so the cost of an event does not grow with their number, except
/// for restoring, restarting or ending a stage as a whole. Where the plan may change, the end of a stage costs
/// O(stages).
///
/// What is kept how long: a stage's outputs stay until all its readers and all *their* readers are complete, and
/// those the root stage reads until the query is released, or has been committed. So a lost output needs only its own
/// task again. Should more be lost, deleted stages are made again from their inputs, down to the splits.
public final class Scheduler {
  let settings: SchedulerSettings
  /// Knows the plans; nil where they stay as they are.
  let advisor: (any PlanAdvising)?
  /// The live queries.
  var queries: [QueryID: QueryState] = [:]
  var workers = WorkerTable()
  var timers = TimerQueue()
  /// Queries that may have something to run, in the order in which they get the next free slot.
  var round = FIFO<QueryState>()
  /// The place kept for a task too big for the memory that is free anywhere.
  var reservation: Reservation?
  /// The query the last such place was kept for.
  weak var lastReserved: QueryState?
  /// What is known of the spool's directories; nil until the shell says it.
  var spool: SpoolState?
  /// How many entries of `timers` may be limits of queries that are over.
  var staleLimits = 0
  /// The answer to the event at hand.
  var turn = SchedulerTurn()
  /// The time of the event at hand.
  var now = MonotonicTime(nanoseconds: 0)
  /// No worker counts as silent since before this time: until then the coordinator itself may have slept.
  var awakeSince = MonotonicTime(nanoseconds: 0)
  /// When the shell will send `timer`.
  private var armed: MonotonicTime?

  /// A worker that gets no other attempt until this task fits.
  struct Reservation {
    var task: TaskReference
    var worker: WorkerState
  }

  public init(settings: SchedulerSettings, advisor: (any PlanAdvising)? = nil) {
    self.settings = settings
    self.advisor = advisor
  }

  /// Takes note of an event and answers with what must be made durable and then done. `now` never goes back.
  public func handle(_ event: SchedulerEvent, now: MonotonicTime) -> SchedulerTurn { handle([event], now: now) }

  /// Takes note of events that came together, in their order, and answers once for all of them.
  ///
  /// This is how events share a transaction. Answers must not be collected from several calls and performed later: an
  /// attempt started by the first might read an output that the second has found to be lost. Here attempts start
  /// last, when all else is known.
  public func handle(_ events: [SchedulerEvent], now: MonotonicTime) -> SchedulerTurn {
    // While there are workers, an event comes at least every eighth of their time-out.
    if (now - self.now).nanoseconds > settings.workerTimeout.nanoseconds / 4 { awakeSince = now }
    self.now = max(now, self.now)
    turn = SchedulerTurn()
    for event in events { apply(event) }
    if events.contains(where: \.isRestored) { orderRestored() }
    runTimers()
    dispatch()
    if events.count > 1 { dropStaleAnnouncements() }
    armTimer()
    defer { turn = SchedulerTurn() }
    return turn
  }

  /// Takes back what an event announced and a later one of the same turn made untrue.
  private func dropStaleAnnouncements() {
    turn.effects.removeAll { effect in
      switch effect {
      case .resultReady(let attempt): !isServed(attempt)
      case .allResults(let id, _): queries[id]?.phase != .finished
      case .collectOutputs(let id, let attempts): queries[id]?.collectable != attempts
      default: false
      }
    }
  }

  /// Whether a part of a result may be served. One that was held until all was there is held again where another part
  /// was lost in the same turn.
  private func isServed(_ attempt: AttemptID) -> Bool {
    guard let task = find(attempt), task.state.selected == attempt.number else { return false }
    return !task.query.holdsResults || task.query.phase == .finished
  }

  private func apply(_ event: SchedulerEvent) {
    switch event {
    case .querySubmitted(let description, let age):
      restoreQuery(description, RestoredQuery(age: age))
    case .queryRestored(let description, let restored):
      restoreQuery(description, restored)
    case .splitsDiscovered(let stage, let weights, let last):
      addSplits(stage, weights, last: last)
    case .queryReleased(let id):
      if let query = queries[id] { releaseQuery(query) }
    case .cancel(let id, let error):
      guard let query = queries[id] else { return }
      switch query.phase {
      // Too late: who asks for the result of one that has finished gets it.
      case .finished, .committing: break
      default: failQuery(query, error)
      }
    case .workerJoined(let id, let slots, let memory, let running):
      workerJoined(id, slots: slots, memory: memory, running: running)
    case .workerDisconnected(let id):
      if let worker = workers.byID[id] { workers.change(worker) { $0.isConnected = false } }
    case .workerLost(let id, let error, let lackedMemory):
      if let worker = workers.byID[id] { loseWorker(worker, error, lackedMemory: lackedMemory) }
    case .workerDraining(let id):
      guard let worker = workers.byID[id] else { return }
      workers.change(worker) { $0.isDraining = true }
      reportDrained(worker)
    case .heartbeat(let id):
      workers.byID[id]?.lastHeard = now
    case .workerMemoryStuck(let id, let bytes):
      guard let worker = workers.byID[id] else { return }
      worker.lastHeard = now
      workers.change(worker) { $0.stuckMemory = max(0, bytes) }
    case .attemptFinished(let attempt, let worker, let output):
      attemptFinished(attempt, worker, output)
    case .attemptFailed(let attempt, let worker, let failure):
      attemptFailed(attempt, worker, failure)
    case .outputsCollected(let id, let attempts):
      if let query = queries[id] { startCommit(query, of: attempts) }
    case .commitEnded(let id, let error):
      if let query = queries[id] { commitEnded(query, error) }
    case .outputLost(let attempt, let error, let withDirectory):
      outputLost(attempt, error, counts: !withDirectory)
    case .outputsMissing(let attempts, let error, let withDirectory):
      outputsMissing(attempts, error, withDirectory: withDirectory)
    case .outputsFound(let attempts):
      outputsFound(attempts)
    case .spoolChanged(let state):
      spoolChanged(to: state)
    case .memoryShort(let policy, let held): endOneForMemory(policy, held: held)
    case .timer:
      break
    }
  }

  /// Does what has become due.
  private func runTimers() {
    // Looked at last, when it is known which workers are alive.
    var slow: [(task: TaskReference, number: Int)] = []
    while let entry = timers.popDue(now) {
      switch entry.subject {
      case .task(let task):
        // One that left the delay in another way may be in a later one, which has an entry of its own.
        guard task.query.phase != .ended, task.state.phase == .delayed, task.state.delayedUntil == entry.time
        else { continue }
        if !spoolPauseGoesOn(task) { retryNow(task) }
      case .attempt(let task, let number):
        slow.append((task, number))
      case .query(let query):
        guard query.delayedUntil == entry.time else { continue }
        query.delayedUntil = nil
        if query.phase == .committing { perform(.commit(query.id)) }
        guard query.phase == .delayed else { continue }
        query.phase = .running
        enter(query)
      case .worker(let worker):
        checkSilence(of: worker)
      case .spoolHold(let id):
        if let query = queries[id] { spoolHoldIsOver(query) }
      case .limit(let limit, let id):
        if let query = queries[id] { limitReached(limit, query) }
      }
    }
    for attempt in slow { checkStraggler(attempt.task, attempt.number) }
  }

  private func armTimer() {
    if let armed, armed <= now { self.armed = nil }
    guard var earliest = timers.earliest else { return }
    if !workers.byID.isEmpty {
      earliest = min(earliest, now + TimeSpan(nanoseconds: settings.workerTimeout.nanoseconds / 8))
    }
    if armed.map({ earliest < $0 }) ?? true {
      armed = earliest
      turn.effects.append(.setTimer(earliest))
    }
  }

  /// Adds a query to the round if it may have something to run.
  func enter(_ query: QueryState) {
    guard !query.isInRound, query.phase == .running else { return }
    query.isInRound = true
    round.append(query)
  }

  /// Nobody remembers whose turn it was before a restart: those that have started least go first. In the order of
  /// their submission, restarts in quick succession would serve the oldest only.
  private func orderRestored() {
    var restored: [QueryState] = []
    while let query = round.first {
      round.removeFirst()
      restored.append(query)
    }
    let started = restored.map { query in
      query.stages.reduce(0) { $0 + $1.tasks.reduce(0) { $0 + $1.nextAttempt } }
    }
    let order = restored.indices.sorted { (started[$0], restored[$0].id) < (started[$1], restored[$1].id) }
    for index in order { round.append(restored[index]) }
  }

  /// The task of an attempt that some live query may have started; nil for anything else.
  func find(_ attempt: AttemptID) -> TaskReference? {
    guard let query = queries[attempt.task.stage.query],
      query.stages.indices.contains(attempt.task.stage.number),
      query.stages[attempt.task.stage.number].tasks.indices.contains(attempt.task.partition),
      attempt.number >= 0
    else { return nil }
    let task = TaskReference(query: query, stage: attempt.task.stage.number, task: attempt.task.partition)
    return attempt.number < task.state.nextAttempt ? task : nil
  }

  func record(_ record: SchedulerRecord) { turn.records.append(record) }
  func perform(_ effect: SchedulerEffect) { turn.effects.append(effect) }
}

// Owns what the simulated coordinator's shell and the clients do. This is also how a real shell should use the
// scheduler: records in one transaction, then the effects in order, then the acknowledgement.
import Base
import Scheduling

extension World {
  // MARK: Events

  func deliverToCoordinator(_ index: Int, _ message: SchedulerEvent) {
    guard connections[index].isOpen else {
      // A late report may still be read from a broken connection; nobody reads a late hello.
      if case .workerJoined = message { return }
      guard connections[index].era == era else { return }
      if faultsAreOn, random.chance(faults.staleDelivery) { queue.add(after(0...700), .lateReport(message, era: era)) }
      return
    }
    guard scheduler != nil else { return }
    if pausedUntil > now {
      queue.add(pausedUntil, .toCoordinator(connection: index, message))
      return
    }
    if case .workerJoined(let id, _, _, _) = message { coordinatorConnections[id] = index }
    // Who finds a directory of no use says so first.
    if case .attemptFailed(_, _, let failure) = message, failure.error.code == .spoolUnavailable {
      tell(.spoolChanged(spoolState))
    }
    tell(message) { [unowned self] in
      switch message {
      case .attemptFinished(let attempt, let worker, _), .attemptFailed(let attempt, let worker, _):
        sendToWorker(worker, .acknowledge(attempt))
      default:
        break
      }
    }
  }

  /// Hands an event to the scheduler, or keeps it while the coordinator is stopped.
  func deliver(_ event: WorldEvent, _ message: SchedulerEvent) {
    guard scheduler != nil else { return }
    if pausedUntil > now { queue.add(pausedUntil, event) } else { tell(message) }
  }

  /// Keeps an event for the next turn; `then` happens after that unless the coordinator crashes before.
  func tell(_ message: SchedulerEvent, then: @escaping () -> Void = {}) {
    guard scheduler != nil else { return }
    inbox.append((message, then))
    guard inbox.count == 1 else { return }
    let time = turnDelay == 0 ? now : after(0...turnDelay)
    queue.add(max(time, pausedUntil), .turn(life: life))
  }

  /// One turn of the coordinator.
  func turn() {
    guard let scheduler else { return }
    let events = inbox
    inbox = []
    for entry in events { say("event \(entry.event)") }
    let turn = scheduler.handle(events.map(\.event), now: now)
    checks.note(turn)
    for id in scheduler.liveQueries where scheduler.progress(of: id)?.state != .finished {
      // The age of a restored query is some events old when the scheduler hears of it.
      let isLate = age(of: id) - 4_000_000_000 > runLimit(of: id)
      let query = store.queries[id]
      let isExempt = query?.model.description.completion == .commit || query?.wasFinished == true
      checks.require(!isLate || isExempt, "\(id) runs beyond its limit: \(age(of: id)) ns")
    }
    if hasMemoryForAll {
      checks.checkFairness(
        turn, waiting: scheduler.waitingQueries, workers: scheduler.workerStatus,
        need: queries.map(\.memory).max() ?? 0, limit: 3 * queries.count + 2 * slotCount)
    }
    for record in turn.records { say("  record \(record)") }
    if crashes() { return }
    store.expectUncounted(lostWithDirectory(events.map(\.event)))
    store.apply(turn.records, spool: spool, collected: collected)
    noteUnsynced()
    checks.noteSpool(turn, of: events.map(\.event), at: now)
    // Effects of a broken turn would only hide what is wrong with it.
    if store.violation != nil || crashes() { return }
    for effect in turn.effects {
      say("  effect \(effect)")
      perform(effect)
      if crashes() { return }
    }
    for entry in events { entry.then() }
    if faultsAreOn, random.chance(faults.coordinatorPause) { pausedUntil = after(100...3000) }
  }

  /// The outputs that went with a directory, where nothing else happened in the turn.
  private func lostWithDirectory(_ events: [SchedulerEvent]) -> [AttemptID] {
    guard events.count == 1, case .outputsMissing(let lost, _, withDirectory: true) = events[0] else { return [] }
    return lost
  }

  /// Nanoseconds since the query was submitted.
  private func age(of id: QueryID) -> Int64 { submitted[id].map { (now - $0).nanoseconds } ?? 0 }

  private func runLimit(of id: QueryID) -> Int64 {
    store.queries[id]?.model.description.timeLimits?.run.nanoseconds ?? .max
  }

  private func crashes() -> Bool {
    boundary += 1
    guard faults.coordinatorCrashesAt.contains(boundary) || (faultsAreOn && random.chance(faults.coordinatorCrash))
    else { return false }
    say("the coordinator crashes at boundary \(boundary)")
    crash()
    return true
  }

  func crash() {
    checks.coordinatorCrashes += 1
    checks.forgetSpool()
    scheduler = nil
    inbox = []
    collected = [:]
    asked = []
    timerGeneration += 1
    coordinatorConnections = [:]
    for worker in workers { if let connection = worker.connection { close(connection) } }
    queue.add(after(10...300), .restartCoordinator)
    if end != nil { end = now + .seconds(4) }
  }

  func restartCoordinator() {
    let advisor = ModelAdvisor()
    self.advisor = advisor
    scheduler = Scheduler(settings: settings, advisor: advisor)
    life += 1
    pausedUntil = now
    // It may find later only that all are full.
    if spoolFullUntil <= now || random.chance(0.5) { tell(.spoolChanged(spoolState)) }
    // What ended may not have been cleaned up.
    for query in store.queries.values.sorted(by: { $0.model.id < $1.model.id }) where query.isReleased {
      spool.delete(query.model.id)
    }
    for id in store.live {
      let query = store.queries[id]!
      var restored = query.restored
      restored.age = TimeSpan(nanoseconds: age(of: id))
      advisor.add(query.model.plan, query.description)
      tell(.queryRestored(query.description, restored)) { [unowned self] in discoverSplits(of: id) }
    }
  }

  private func perform(_ effect: SchedulerEffect) {
    switch effect {
    case .startAttempt(let start):
      checkStart(start)
      sendToWorker(start.worker, .start(start))
    case .abortAttempt(let attempt, let worker):
      sendToWorker(worker, .abort(attempt))
    case .killWorker(let id, _):
      queue.add(after(0...1500), .kill(id))
    case .workerDrained(let id):
      queue.add(after(0...50), .kill(id))
    case .deleteOutput(let attempt):
      let isSelected = store.task(attempt.task)?.selected == attempt.number
      checks.require(!isSelected || !store.isLive(attempt.task.stage.query), "selected output \(attempt) is deleted")
      spool.delete(attempt)
    case .deleteStageOutputs(let stage):
      // It may have been started again in the turn that released it; then nothing of it counts.
      let state = store.stage(stage)
      let isFree = state.isReleased || !store.isLive(stage.query) || state.tasks.allSatisfy { $0.selected == nil }
      checks.require(isFree, "selected outputs of \(stage) are deleted")
      spool.delete(stage)
    case .deleteQueryOutputs(let id):
      checks.require(!store.isLive(id), "outputs of live query \(id) are deleted")
      spool.delete(id)
    case .resultReady(let attempt):
      checks.require(store.task(attempt.task)?.selected == attempt.number, "\(attempt) is announced, not selected")
      let query = store.queries[attempt.task.stage.query]
      checks.require(
        query?.model.description.retryPolicy != .query || query?.restored.isFinished == true,
        "\(attempt) is served, but the whole query may run again")
    case .allResults(let id, _):
      queue.add(after(1...400), .serve(id, life: life))
    case .collectOutputs(let id, let attempts):
      queue.add(after(1...100), .collect(id, attempts: attempts, life: life))
    case .commit(let id):
      checks.require(store.queries[id]?.toCommit != nil, "\(id) is committed, but the store does not say so")
      checks.require(
        asked.insert(id).inserted, "\(id) is committed again, although its commit is under way or has succeeded")
      queue.add(after(1...100), .commit(id, life: life))
    case .queryFailed(let id, let error):
      checks.require(store.queries[id]?.outcome == .failed(error), "\(id) failed, but the store does not say so")
      if error.code == .exceededTimeLimit {
        checks.require(age(of: id) >= runLimit(of: id), "\(id) has not had its time: \(age(of: id)) ns")
      }
    case .setTimer(let time):
      timerGeneration += 1
      queue.add(max(time, now), .timer(timerGeneration))
    }
  }

  /// Each input is read of the selected attempts, each partition of each producer once; of splits and partitions that
  /// are divided among tasks, those that the store says.
  private func checkStart(_ start: AttemptStart) {
    let query = store.queries[start.attempt.task.stage.query]!
    let task = store.task(start.attempt.task)
    checks.require(start.input.splits == task?.input.splits, "\(start.attempt) reads splits of other tasks, or not all")
    checks.require(start.input.shares == task?.input.shares, "\(start.attempt) reads another share than its task's")
    checks.require(
      task?.running.contains { $0.number == start.attempt.number } == true, "\(start.attempt) starts unrecorded")
    for exchange in start.input.exchanges {
      let all = Array(0..<query.description.stages[exchange.stage.number].outputPartitionCount)
      checks.require(
        exchange.partitions == (exchange.mode == .partitioned ? task?.input.partitions : all),
        "\(start.attempt) reads partitions \(exchange.partitions) of \(exchange.stage)")
      let tasks = query.restored.stages[exchange.stage.number].tasks
      if query.restored.stages[exchange.stage.number].isSkipped {
        checks.require(
          exchange.producers.isEmpty, "\(start.attempt) reads outputs of \(exchange.stage), which is skipped")
        checks.noteSkipped(by: start.attempt, exchange.stage)
        continue
      }
      checks.require(exchange.producers.count == tasks.count, "\(start.attempt) does not read all of \(exchange.stage)")
      for (index, number) in exchange.producers.enumerated() {
        checks.require(
          tasks[index].selected == number, "\(start.attempt) reads \(exchange.producer(index)), which is not selected")
      }
    }
  }

  // MARK: Clients

  private var coordinatorAnswers: Bool { scheduler != nil && pausedUntil <= now }

  func submit(_ index: Int) {
    guard coordinatorAnswers else {
      queue.add(after(20...80), .submit(index))
      return
    }
    noteUnsynced()
    store.insert(queries[index])
    submitted[queries[index].id] = now
    advisor.add(queries[index].plan, queries[index].description)
    // A crash from here on is no loss: the query is in the store.
    tell(.querySubmitted(queries[index].description)) { [unowned self] in discoverSplits(of: queries[index].id) }
  }

  private func discoverSplits(of id: QueryID) {
    guard let index = queries.firstIndex(where: { $0.id == id }) else { return }
    for stage in queries[index].description.stages where stage.kind == .source {
      queue.add(after(0...80), .discoverSplits(index, stage: stage.number, life: life))
    }
  }

  func discoverSplits(_ index: Int, _ stage: Int, _ life: Int) {
    guard life == self.life, scheduler != nil else { return }
    if pausedUntil > now {
      queue.add(pausedUntil, .discoverSplits(index, stage: stage, life: life))
      return
    }
    let query = store.queries[queries[index].id]!
    let known = query.restored.stages[stage]
    guard query.outcome == nil, !known.splitsComplete else { return }
    let rest = queries[index].splits[stage].dropFirst(known.splitWeights.count)
    let chunk = Array(rest.prefix(random.within(0...(shape?.splitsAtOnce ?? 5))))
    let last = chunk.count == rest.count && random.chance(0.7)
    let id = StageID(query: queries[index].id, number: stage)
    tell(.splitsDiscovered(id, weights: chunk, last: last)) { [unowned self] in
      if !last { queue.add(after(1...40), .discoverSplits(index, stage: stage, life: life)) }
    }
  }

  func cancel(_ index: Int) {
    let id = queries[index].id
    if let query = store.queries[id], query.isReleased { return }
    guard coordinatorAnswers, store.queries[id] != nil else {
      queue.add(after(20...80), .cancel(index))
      return
    }
    tell(.cancel(id, WaterbearError(.userCanceled, "Query was canceled")))
    // Asks again until the query has ended: the coordinator may crash before it has taken note.
    queue.add(after(300...400), .cancel(index))
  }

  /// The client fetches the whole result.
  func serve(_ id: QueryID, _ life: Int) {
    guard life == self.life, scheduler != nil, let query = store.queries[id], query.restored.isFinished,
      !query.isReleased
    else { return }
    if pausedUntil > now {
      queue.add(pausedUntil, .serve(id, life: life))
      return
    }
    if query.model.description.completion == .commit {
      tell(.queryReleased(id))
      return
    }
    var result: UInt64 = 0
    for (partition, task) in query.restored.stages[0].tasks.enumerated() where !query.restored.stages[0].isSkipped {
      let attempt = AttemptID(
        task: TaskID(stage: StageID(query: id, number: 0), partition: partition), number: task.selected!)
      guard let content = spool.read(attempt) else {
        tell(.outputLost(attempt, WaterbearError(.exchangeDataUnrecoverable, "\(attempt) cannot be read")))
        return
      }
      for value in content { result &+= value }
    }
    checkResult(query, result)
    tell(.queryReleased(id))
  }
}

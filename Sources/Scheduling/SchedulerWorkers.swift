// Owns what follows from workers that come, go, fall silent or drain.
import Base

extension Scheduler {
  /// The worker under this id, made known if it may be alive; nil where it is known to be dead.
  func workerForReport(_ id: WorkerID) -> WorkerState? {
    if let worker = workers.byID[id] { return worker }
    if workers.isBuried(id) { return nil }
    if let other = workers.current(id.number) {
      if other.id.incarnation > id.incarnation { return nil }
      loseWorker(other, WaterbearError(.remoteHostGone, "\(other.id) was replaced by \(id)"))
    }
    let worker = WorkerState(id: id, lastHeard: now, overhead: settings.taskMemoryOverhead)
    workers.insert(worker)
    timers.add(now + settings.workerTimeout, .worker(worker))
    return worker
  }

  func workerJoined(_ id: WorkerID, slots: Int, memory: Int64, running: [AttemptID]) {
    guard let worker = workerForReport(id) else {
      perform(.killWorker(id, reason: "it was given up before"))
      return
    }
    worker.lastHeard = now
    let held = Set(running)
    let missing = worker.running.keys.filter { !held.contains($0) }.sorted()
    // Held, but not by anything the scheduler waits for: of an ended query, or given up.
    let foreign = running.filter { worker.running[$0] == nil }
    workers.change(worker) {
      $0.isConnected = true
      $0.slots = max(0, slots)
      $0.memory = max(0, memory)
      $0.stuckMemory = 0
      for attempt in missing { $0.release(attempt) }
      for attempt in foreign { $0.takeForeign(attempt) }
    }
    for attempt in missing {
      // It never arrived, or its end was acknowledged. The task is not to blame.
      guard let task = find(attempt), task.state.hasRun(attempt.number) else { continue }
      removeRun(task, attempt.number, .lost, nil)
      task.state.unresolved.append(attempt.number)
      if task.state.running.isEmpty { retryNow(task) }
    }
    for attempt in running {
      // An abort may have been lost with the last connection.
      let isWanted = find(attempt).map { $0.state.hasRun(attempt.number) } ?? false
      if !isWanted { perform(.abortAttempt(attempt, id)) }
    }
    reportDrained(worker)
  }

  /// A worker is dead, or is taken for dead: all its attempts are lost.
  func loseWorker(_ worker: WorkerState, _ error: WaterbearError, lackedMemory: Bool = false) {
    if worker.isBuried { return }
    if reservation?.worker === worker { reservation = nil }
    workers.bury(worker)
    for (attempt, grant) in worker.running.sorted(by: { $0.key < $1.key }) {
      guard let task = find(attempt), task.state.hasRun(attempt.number) else { continue }
      attemptEnded(task, attempt.number, .lost, error, workerDied: worker.id, grant: grant, peak: 0)
      guard lackedMemory, task.query.phase != .ended else { continue }
      // Nobody knows which of the worker's tasks it was; each asks for more than it had.
      var counters = task.state.counters
      counters.memory = max(counters.memory, FailurePolicy(task.query.description).grown(grant))
      setCounters(task, counters)
    }
  }

  /// Kills a worker that has been silent for too long.
  func checkSilence(of worker: WorkerState) {
    if worker.isBuried { return }
    // Where the coordinator has slept, the heartbeats may still be in its inbox.
    let silentAt = max(worker.lastHeard, awakeSince) + settings.workerTimeout
    guard silentAt <= now else {
      timers.add(silentAt, .worker(worker))
      return
    }
    perform(.killWorker(worker.id, reason: "it was silent for \(settings.workerTimeout)"))
    loseWorker(
      worker, WaterbearError(.remoteHostGone, "\(worker.id) was silent for \(settings.workerTimeout)"))
  }

  /// Frees the slot of an attempt that has ended and returns its memory grant.
  @discardableResult
  func releaseSlot(_ attempt: AttemptID, _ id: WorkerID) -> Int64 {
    guard let worker = workers.byID[id] else { return 0 }
    worker.lastHeard = now
    guard let grant = worker.running[attempt] else { return 0 }
    workers.change(worker) { $0.release(attempt) }
    reportDrained(worker)
    return grant
  }

  func reportDrained(_ worker: WorkerState) {
    guard worker.isDraining, !worker.isDrained, worker.isConnected, worker.running.isEmpty else { return }
    worker.isDrained = true
    perform(.workerDrained(worker.id))
  }
}

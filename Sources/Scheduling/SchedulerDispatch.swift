// Owns who gets the next free slot: fairness between queries, the choice of the worker, and the memory grant.
import Base

extension Scheduler {
  /// Starts attempts while a slot is free and a task fits.
  ///
  /// Queries take turns, one task each. Costs O(log workers) for each attempt started, and O(queries) once where
  /// nothing fits.
  func dispatch() {
    holdForSpool()
    guard startable != nil else { return }
    placeReserved()
    var skipped = 0
    var misfit: TaskReference?
    while workers.hasFreeSlot, skipped < round.count, let query = round.first {
      guard let task = nextStart(of: query) else {
        round.removeFirst()
        query.isInRound = false
        continue
      }
      if settings.plantedBug != .servesOldestQueryOnly {
        round.removeFirst()
        round.append(query)
      }
      divideAsOthers(task)
      if let place = place(task) {
        start(task, on: place.worker, memory: place.memory)
        skipped = 0
      } else {
        skipped += 1
        // The query that had the last place kept lets others have this one.
        if misfit == nil || misfit?.query === lastReserved { misfit = task }
      }
    }
    if let misfit { reserve(misfit) }
    dispatchBeyondSlots()
  }

  /// The task of the query that may start next.
  private func nextStart(of query: QueryState) -> TaskReference? {
    guard let startable else { return nil }
    if query.nextTask(startable) == nil { makeTasks(query) }
    return query.nextTask(startable)
  }

  /// Starts tasks of queries of which nothing runs although all slots are taken: a short query does not wait for a long
  /// task of another to end, it shares the processor with it. O(queries), and O(workers) for each attempt started, as
  /// long as there is such a place.
  private func dispatchBeyondSlots() {
    guard workers.extraSlots > 0 else { return }
    var index = 0
    for _ in 0..<round.count {
      let query = round[index]
      index += 1
      guard query.runningTasks.isEmpty else { continue }
      guard let task = nextStart(of: query) else { continue }
      divideAsOthers(task)
      guard let place = placeBeyondSlots(task) else { continue }
      // Others of which nothing runs are first the next time.
      index -= 1
      round.moveToEnd(index)
      start(task, on: place.worker, memory: place.memory, beyondSlots: true)
      if workers.extraSlots == 0 { return }
    }
  }

  /// Where all slots are taken, the place with the most free memory.
  private func placeBeyondSlots(_ task: TaskReference) -> (worker: WorkerState, memory: Int64)? {
    if let reservation, isSame(reservation.task, task) { return nil }
    let reserved = reservation?.worker
    let avoided = task.state.avoidedWorker
    let isFree = { (worker: WorkerState) in worker.acceptsExtraAttempt && worker !== reserved }
    guard let worker = workers.roomiest(where: { isFree($0) && $0.id != avoided }) ?? workers.roomiest(where: isFree)
    else { return nil }
    let required = requirement(task)
    if worker.freeMemory >= required { return (worker, required) }
    // The guess for tasks of which nothing is known is high: most that are alone in their query are small. One that is
    // not gets what it asks for the next time. It gets no more than must be: the share of the slot whose attempt ends
    // first stays free for whoever waits for it.
    let known = max(task.state.counters.memory, task.query.stages[task.stage].memoryEstimator.measured)
    let least = max(1, worker.extraShare, known)
    guard task.query.description.retryPolicy == .task, worker.freeMemory >= least else { return nil }
    return (worker, least)
  }

  /// Keeps a place for a task too big for the memory that is free: its worker gets nothing else until the task fits.
  /// So small tasks cannot starve a big one. There is one such place at a time.
  private func reserve(_ task: TaskReference) {
    guard reservation == nil, task.state.phase == .ready, fitsQuery(task) else { return }
    let required = requirement(task)
    // Most often the last free slot was just given to a task that did fit.
    guard
      let roomy = workers.roomiest(where: { $0.unstuckMemory >= required })
        ?? workers.roomiest(where: { $0.memory >= required })
    else { return }
    reservation = Reservation(task: task, worker: roomy)
    lastReserved = task.query
  }

  /// Where the task can start now; nil for nowhere. The place that is kept for it, which is not free yet, is given up
  /// if there is another: what runs there may run for hours.
  private func place(_ task: TaskReference) -> (worker: WorkerState, memory: Int64)? {
    guard let place = freePlace(task) else { return nil }
    if let reservation, isSame(reservation.task, task) { self.reservation = nil }
    return place
  }

  /// The worker with the most free memory if the task fits there, else nil.
  ///
  /// A task too big for any worker runs alone on the biggest.
  private func freePlace(_ task: TaskReference) -> (worker: WorkerState, memory: Int64)? {
    guard fitsQuery(task) else { return nil }
    let required = requirement(task)
    let reserved = reservation?.worker
    let avoided = task.state.avoidedWorker
    let preferred = workers.best { $0 !== reserved && $0.id != avoided }
    if settings.plantedBug == .overcommitsMemory, let preferred { return (preferred, required) }
    if let preferred, preferred.freeMemory >= required { return (preferred, grant(required, preferred, task)) }
    let any = workers.best { $0 !== reserved }
    if let any, any.freeMemory >= required { return (any, grant(required, any, task)) }
    guard workers.hasStuckMemory, !mayFitBesideStuck(required) else { return nil }
    return workers.best { $0 !== reserved && $0.lastResortMemory >= required }.map { ($0, required) }
  }

  /// Whether some worker can have the task without what is stuck there, now or when others have ended.
  private func mayFitBesideStuck(_ required: Int64) -> Bool {
    workers.roomiest { $0.unstuckMemory >= required } != nil
  }

  /// Starts the task a place is kept for, as soon as it fits there.
  private func placeReserved() {
    guard let reservation else { return }
    let (task, worker) = (reservation.task, reservation.worker)
    let query = task.query
    if startable == .firstRuns, task.state.nextAttempt > 0 {
      self.reservation = nil
      return
    }
    guard query.phase == .running, task.state.phase == .ready, query.stages[task.stage].mayRun,
      worker.isConnected, !worker.isDraining, fitsQuery(task)
    else {
      self.reservation = nil
      return
    }
    let required = requirement(task)
    guard required <= worker.memory else {
      self.reservation = nil
      return
    }
    let isLastResort = workers.hasStuckMemory && !mayFitBesideStuck(required)
    if !isLastResort, worker.unstuckMemory < required {
      self.reservation = nil
      return
    }
    guard worker.acceptsAttempts, (isLastResort ? worker.lastResortMemory : worker.freeMemory) >= required else {
      return
    }
    self.reservation = nil
    // It had its turn: where nobody's tasks fit, places are kept for one query after the other.
    if let index = (0..<round.count).first(where: { round[$0] === query }) { round.moveToEnd(index) }
    start(task, on: worker, memory: grant(required, worker, task))
  }

  private func isSame(_ left: TaskReference, _ right: TaskReference) -> Bool {
    left.query === right.query && left.stage == right.stage && left.task == right.task
  }

  /// Bytes a task asks for: no more than it can ever get.
  func requirement(_ task: TaskReference) -> Int64 {
    min(max(task.state.counters.memory, task.query.stages[task.stage].memoryEstimator.estimate), most(task.query))
  }

  /// The biggest grant that a task of the query can get, in bytes; 0 as long as there was no worker.
  func most(_ query: QueryState) -> Int64 {
    let policy = query.description.memory
    return min(workers.usualBiggestMemory(), policy.taskMemoryMax ?? .max, policy.queryMemoryMax ?? .max)
  }

  /// Whether the query may be granted what the task asks for beside what it has; for the first task it may.
  func fitsQuery(_ task: TaskReference) -> Bool {
    guard let most = task.query.description.memory.queryMemoryMax, task.query.grantedMemory > 0 else { return true }
    return task.query.grantedMemory + requirement(task) <= most
  }

  /// What the task asks for, or its slot's share of the worker's memory if that is more and free: memory nobody uses
  /// saves nobody's attempt.
  func grant(_ required: Int64, _ worker: WorkerState, _ task: TaskReference) -> Int64 {
    var share = min(worker.freeMemory, worker.slotShare, most(task.query))
    if let most = task.query.description.memory.queryMemoryMax { share = min(share, most - task.query.grantedMemory) }
    return max(required, share)
  }

  func start(_ task: TaskReference, on worker: WorkerState, memory: Int64, beyondSlots: Bool = false) {
    let query = task.query
    if !query.hasStarted { noteFirstStart(query) }
    let number = task.state.nextAttempt
    let attempt = task.attempt(number)
    task.state.nextAttempt += 1
    query.stages[task.stage].hasStarted = true
    task.state.phase = .running
    task.state.running.append(TaskState.Run(number: number, worker: worker.id, startedAt: now, memory: memory))
    query.grantedMemory += memory
    query.runningTasks.insert(QueryState.TaskKey(stage: task.stage, task: task.task))
    query.stages[task.stage].runningAttempts += 1
    workers.change(worker) { $0.take(attempt, memory: memory, beyondSlots: beyondSlots) }
    watch(task, number)
    noteSpoolStart(of: task)
    record(.attemptStarted(attempt, worker.id, memory: memory))
    perform(
      .startAttempt(
        AttemptStart(
          attempt: attempt, worker: worker.id, input: input(of: task), memory: memory,
          outputPartitionCount: query.stages[task.stage].description.outputPartitionCount,
          avoidedDirectories: refusingDirectories(of: task))))
    makeTasks(query)
  }

  private func input(of task: TaskReference) -> TaskInput {
    let query = task.query
    let own = task.state.input
    let isOff = settings.plantedBug == .leavesPartitionOut && own.partitions.count > 1
    let partitions = isOff ? Array(own.partitions.dropLast()) : own.partitions
    let exchanges = query.stages[task.stage].description.inputs.map { input in
      TaskInput.Exchange(
        stage: query.stages[input.stage].id, mode: input.mode,
        partitions: input.mode == .partitioned ? partitions : query.stages[input.stage].allPartitions,
        producers: query.stages[input.stage].selection())
    }
    return TaskInput(splits: own.splits, exchanges: exchanges, shares: own.shares)
  }
}

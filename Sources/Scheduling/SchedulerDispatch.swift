// Owns who gets the next free slot: fairness between queries, the choice of the worker, and the memory grant.
import Base

extension Scheduler {
  /// Starts attempts while a slot is free and a task fits.
  ///
  /// Queries take turns, one task each, so a short query waits for at most one task of a long one. Costs O(log
  /// workers) for each attempt started, and O(queries) once where nothing fits.
  func dispatch() {
    placeReserved()
    var skipped = 0
    var misfit: TaskReference?
    while workers.hasFreeSlot, skipped < round.count, let query = round.first {
      guard let task = query.nextTask() else {
        round.removeFirst()
        query.isInRound = false
        continue
      }
      if settings.plantedBug != .servesOldestQueryOnly {
        round.removeFirst()
        round.append(query)
      }
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
  }

  /// Keeps a place for a task too big for the memory that is free: its worker gets nothing else until the task fits.
  /// So small tasks cannot starve a big one. There is one such place at a time.
  private func reserve(_ task: TaskReference) {
    guard reservation == nil, task.state.phase == .ready else { return }
    let required = min(requirement(task), workers.biggestMemory())
    guard let roomy = workers.best(where: { $0.memory >= required }) else { return }
    reservation = Reservation(task: task, worker: roomy)
    lastReserved = task.query
  }

  /// The worker with the most free memory if the task fits there, else nil.
  ///
  /// A task too big for any worker runs alone on the biggest.
  private func place(_ task: TaskReference) -> (worker: WorkerState, memory: Int64)? {
    if let reservation, isSame(reservation.task, task) { return nil }
    let required = min(requirement(task), workers.biggestMemory())
    let reserved = reservation?.worker
    let avoided = task.state.avoidedWorker
    let preferred = workers.best { $0 !== reserved && $0.id != avoided }
    if settings.plantedBug == .overcommitsMemory, let preferred { return (preferred, required) }
    if let preferred, preferred.freeMemory >= required { return (preferred, grant(required, preferred)) }
    let any = workers.best { $0 !== reserved }
    if let any, any.freeMemory >= required { return (any, grant(required, any)) }
    return nil
  }

  /// Starts the task a place is kept for, as soon as it fits there.
  private func placeReserved() {
    guard let reservation else { return }
    let (task, worker) = (reservation.task, reservation.worker)
    let query = task.query
    guard query.phase == .running, task.state.phase == .ready, query.stages[task.stage].incompleteInputs == 0,
      worker.isConnected, !worker.isDraining
    else {
      self.reservation = nil
      return
    }
    let required = min(requirement(task), workers.biggestMemory())
    guard required <= worker.memory else {
      self.reservation = nil
      return
    }
    guard worker.acceptsAttempts, worker.freeMemory >= required else { return }
    self.reservation = nil
    start(task, on: worker, memory: grant(required, worker))
  }

  private func isSame(_ left: TaskReference, _ right: TaskReference) -> Bool {
    left.query === right.query && left.stage == right.stage && left.task == right.task
  }

  /// Bytes a task asks for.
  func requirement(_ task: TaskReference) -> Int64 {
    max(task.state.counters.memory, task.query.stages[task.stage].memoryEstimator.estimate)
  }

  /// What the task asks for, or its slot's share of the worker's memory if that is more and free: memory nobody uses
  /// saves nobody's attempt.
  func grant(_ required: Int64, _ worker: WorkerState) -> Int64 {
    max(required, min(worker.freeMemory, worker.memory / Int64(max(1, worker.slots))))
  }

  func start(_ task: TaskReference, on worker: WorkerState, memory: Int64) {
    let query = task.query
    let number = task.state.nextAttempt
    let attempt = task.attempt(number)
    task.state.nextAttempt += 1
    task.state.phase = .running
    task.state.running.append(TaskState.Run(number: number, worker: worker.id, startedAt: now))
    query.runningTasks.insert(QueryState.TaskKey(stage: task.stage, task: task.task))
    query.stages[task.stage].runningAttempts += 1
    workers.change(worker) { $0.take(attempt, memory: memory) }
    watch(task, number)
    record(.attemptStarted(attempt, worker.id, memory: memory))
    perform(
      .startAttempt(
        AttemptStart(
          attempt: attempt, worker: worker.id, input: input(of: task), memory: memory,
          outputPartitionCount: query.stages[task.stage].description.outputPartitionCount)))
  }

  private func input(of task: TaskReference) -> TaskInput {
    let query = task.query
    var splits = 0..<0
    var partitions: [Int] = []
    switch task.state.input {
    case .splits(let range): splits = range
    case .partitions(let list): partitions = list
    case .everything: break
    }
    let exchanges = query.stages[task.stage].description.inputs.map { input in
      TaskInput.Exchange(
        stage: query.stages[input.stage].id, mode: input.mode,
        partitions: input.mode == .partitioned ? partitions : query.stages[input.stage].allPartitions,
        producers: query.stages[input.stage].selection())
    }
    return TaskInput(splits: splits, exchanges: exchanges)
  }
}

// Owns the life of a query within the scheduler: its arrival, first or after a restart, its tasks, and its end.
import Base

extension Scheduler {
  /// Takes in a query with what is known of it: nothing, if it is new.
  func restoreQuery(_ description: QueryDescription, _ restored: RestoredQuery) {
    guard queries[description.id] == nil else { return }
    let query = QueryState(description)
    queries[description.id] = query
    query.failures = restored.failures
    var lost: [(TaskReference, RestoredTask.Running)] = []
    let newest = Self.newestIncarnations(restored)
    for (number, stage) in restored.stages.enumerated() { restoreStage(query, number, stage, newest, &lost) }
    for number in query.order where query.stages[number].isComplete {
      query.stages[number].wasComplete = true
      for consumer in query.stages[number].consumers { query.countInputs(of: consumer) }
      if query.stages[number].isReleased { perform(.deleteStageOutputs(query.stages[number].id)) }
    }
    query.hasStarted = query.stages.contains { $0.tasks.contains { $0.nextAttempt > 0 } }
    limitTime(query, restored)
    announceRestoredResults(query, restoredAsFinished: restored.isFinished)
    if query.stages[0].wasComplete {
      if query.commits && !restored.isFinished {
        resumeCommit(query, hasStarted: restored.hasCommitStarted)
      } else {
        finishQuery(query, isRecorded: restored.isFinished)
      }
    } else if restored.isFinished {
      record(.queryResumed(query.id))
    }
    for number in query.order where query.phase == .running {
      if !query.stages[number].wasComplete, !query.stages[number].tasks.isEmpty { makeInputsAgain(query, number) }
      if query.stages[number].incompleteInputs == 0 { createTasks(query, number) }
      query.updateRunnable(number)
    }
    makeTasks(query)
    enter(query)
    for (task, run) in lost where query.phase != .ended && task.state.hasRun(run.number) {
      let error = WaterbearError(.remoteHostGone, "\(run.worker) was replaced")
      attemptEnded(task, run.number, .lost, error, workerDied: run.worker, grant: run.memory, peak: 0)
    }
  }

  private func restoreStage(
    _ query: QueryState, _ number: Int, _ restored: RestoredStage, _ newest: [Int: UInt64],
    _ lost: inout [(TaskReference, RestoredTask.Running)]
  ) {
    query.stages[number].tasks.reserveCapacity(restored.tasks.count)
    query.stages[number].isReleased = restored.isReleased
    query.stages[number].isSkipped = restored.isSkipped
    query.stages[number].tasksComplete = restored.tasksComplete
    for (partition, record) in restored.tasks.enumerated() {
      var task = TaskState(input: record.input)
      task.counters = record.counters
      task.nextAttempt = settings.plantedBug == .reusesAttemptNumbers ? 0 : record.nextAttempt
      task.outputDigest = record.output.map { Self.digest($0.checksums) } ?? 0
      if task.nextAttempt > 0 { query.stages[number].hasStarted = true }
      query.stages[number].tasks.append(task)
      let reference = TaskReference(query: query, stage: number, task: partition)
      if let output = record.output { query.stages[number].count(output, of: partition) }
      if let selected = record.selected {
        reference.state.phase = .selected
        reference.state.selected = selected
        reference.state.counters.firstValidAttempt = record.nextAttempt
        query.stages[number].selectedCount += 1
      } else if record.running.isEmpty {
        query.enqueue(stage: number, task: partition)
      } else {
        for run in record.running { restoreRun(reference, run, newest, &lost) }
      }
    }
    query.stages[number].splitsComplete = restored.splitsComplete
    guard query.stages[number].description.kind == .source else { return }
    let packed = restored.tasks.reduce(0) { max($0, $1.input.splits.upperBound) }
    query.stages[number].packer.resume(packed: packed, taskCount: restored.tasks.count)
    guard !restored.tasksComplete else { return }
    query.stages[number].packer.give(
      Array(restored.splitWeights.dropFirst(packed)), last: restored.splitsComplete, slots: workers.slots)
  }

  /// For each worker number the newest incarnation that a query's attempts were placed on: older ones are dead.
  private static func newestIncarnations(_ restored: RestoredQuery) -> [Int: UInt64] {
    var newest: [Int: UInt64] = [:]
    for stage in restored.stages {
      for task in stage.tasks {
        for worker in task.running.map(\.worker) {
          newest[worker.number] = max(worker.incarnation, newest[worker.number] ?? 0)
        }
      }
    }
    return newest
  }

  /// Waits for the worker of a restored attempt to join; if a successor of it is known, the attempt is lost.
  private func restoreRun(
    _ task: TaskReference, _ run: RestoredTask.Running, _ newest: [Int: UInt64],
    _ lost: inout [(TaskReference, RestoredTask.Running)]
  ) {
    task.state.phase = .running
    task.state.running.append(TaskState.Run(number: run.number, worker: run.worker, startedAt: now, memory: run.memory))
    task.query.grantedMemory += run.memory
    task.query.runningTasks.insert(QueryState.TaskKey(stage: task.stage, task: task.task))
    task.query.stages[task.stage].runningAttempts += 1
    guard run.worker.incarnation == newest[run.worker.number], let worker = workerForReport(run.worker) else {
      lost.append((task, run))
      return
    }
    workers.change(worker) { $0.take(task.attempt(run.number), memory: run.memory) }
  }

  private func announceRestoredResults(_ query: QueryState, restoredAsFinished: Bool) {
    if query.commits { return }
    if query.holdsResults {
      // Only whoever serves a result finds a part of it lost, and nothing is served before all of it is there.
      let wasServed = query.stages[0].tasks.contains { $0.outputDigest != 0 && $0.selected == nil }
      query.hasAnnouncedResults = restoredAsFinished || wasServed
      return
    }
    for (partition, task) in query.stages[0].tasks.enumerated() where !query.stages[0].isSkipped {
      if task.outputDigest != 0 || task.selected != nil { query.hasAnnouncedResults = true }
      guard let selected = task.selected else { continue }
      perform(.resultReady(TaskReference(query: query, stage: 0, task: partition).attempt(selected)))
    }
  }

  // MARK: Tasks

  func addSplits(_ stage: StageID, _ weights: [Int64], last: Bool) {
    guard let query = queries[stage.query], query.stages.indices.contains(stage.number) else { return }
    precondition(query.stages[stage.number].description.kind == .source, "stage \(stage) reads no splits")
    // After a crash the shell may not know that the end of the list had already been stored.
    guard !query.stages[stage.number].splitsComplete, !query.phase.isPastRoot else { return }
    let first = query.stages[stage.number].packer.splitCount
    record(.splits(stage, first: first, weights: weights, last: last))
    query.stages[stage.number].packer.give(weights, last: last, slots: workers.slots)
    query.stages[stage.number].splitsComplete = last
    makeTasks(query)
    updateCompletion(query, stage.number)
    query.updateRunnable(stage.number)
    enter(query)
  }

  /// Creates the tasks of a stage whose inputs are complete for the first time.
  func createTasks(_ query: QueryState, _ stage: Int) {
    let description = query.stages[stage].description
    guard description.kind != .source, !query.stages[stage].tasksComplete, !query.stages[stage].isSkipped
    else { return }
    precondition(query.stages[stage].tasks.isEmpty, "a stage's tasks are stored all at once")
    guard description.kind == .hash else {
      addTasks(query, stage, [.everything], last: true)
      return
    }
    var sizes: [Int64] = []
    for input in description.inputs where input.mode == .partitioned {
      let bytes = query.stages[input.stage].partitionBytes
      if sizes.isEmpty { sizes = bytes } else { for index in sizes.indices { sizes[index] += bytes[index] } }
    }
    let packed = PartitionPacking.pack(
      sizes, sizing: query.description.sizing, isWriter: description.isWriter, slots: workers.slots)
    addTasks(query, stage, packed.map { .partitions($0) }, last: true)
  }

  func addTasks(_ query: QueryState, _ stage: Int, _ inputs: [TaskRecord.Input], last: Bool) {
    let id = query.stages[stage].id
    let first = query.stages[stage].tasks.count
    if !inputs.isEmpty {
      let records = inputs.enumerated().map { TaskRecord(partition: first + $0.offset, input: $0.element) }
      record(.tasks(id, records))
      query.stages[stage].tasks += inputs.map { TaskState(input: $0) }
      for index in inputs.indices { query.enqueue(stage: stage, task: first + index) }
    }
    if last {
      query.stages[stage].tasksComplete = true
      record(.stageTasksComplete(id))
    }
  }

  // MARK: Completion

  /// Tells a stage's readers when it has become complete, or is so no longer, and follows what comes from that.
  func updateCompletion(_ query: QueryState, _ stage: Int) {
    let isComplete = query.stages[stage].isComplete
    guard query.phase != .ended, isComplete != query.stages[stage].wasComplete else { return }
    query.stages[stage].wasComplete = isComplete
    // Before its readers get tasks: the plan may change what they do.
    if isComplete, stage != 0, !query.stages[stage].isSkipped { adapt(query, after: stage) }
    for consumer in query.stages[stage].consumers {
      if stage != 0, query.phase.isPastRoot || query.phase == .ended { return }
      query.countInputs(of: consumer)
      if query.stages[consumer].incompleteInputs == 0 {
        createTasks(query, consumer)
        updateCompletion(query, consumer)
      }
      query.updateRunnable(consumer)
    }
    // Without this stage's rows the root may have been found to be empty.
    if stage != 0, query.phase.isPastRoot || query.phase == .ended { return }
    // Tasks that waited for this stage wait for a slot now.
    makeTasks(query)
    if isComplete { releaseStages(query) }
    if stage == 0 { followRoot(query, isComplete: isComplete) }
    enter(query)
  }

  /// The root stage has become complete, or is so no longer.
  private func followRoot(_ query: QueryState, isComplete: Bool) {
    if isComplete {
      if query.commits { collect(query) } else { finishQuery(query, isRecorded: false) }
    } else if query.phase == .collecting {
      query.phase = .running
    } else if query.phase == .finished {
      query.phase = .running
      record(.queryResumed(query.id))
    }
  }

  /// Deletes the outputs of stages that only a twofold loss would need again.
  private func releaseStages(_ query: QueryState) {
    for stage in query.stages
    where stage.wasComplete && !stage.isReleased && !stage.isSkipped && !stage.consumers.isEmpty {
      let isNeeded = stage.consumers.contains { reader in
        let state = query.stages[reader]
        return reader == 0 || !state.wasComplete || state.consumers.contains { !query.stages[$0].wasComplete }
      }
      if !isNeeded || settings.plantedBug == .deletesNeededOutputs { release(query, stage.id) }
    }
  }

  /// Deletes what the query's complete stages have left: nothing will be read again. Others have few outputs or none;
  /// these go with the query.
  func releaseAllStages(_ query: QueryState) {
    for stage in query.stages
    where stage.wasComplete && !stage.isReleased && !stage.isSkipped && !stage.tasks.isEmpty {
      release(query, stage.id)
    }
  }

  private func release(_ query: QueryState, _ stage: StageID) {
    query.stages[stage.number].isReleased = true
    record(.stageReleased(stage))
    perform(.deleteStageOutputs(stage))
  }

  func finishQuery(_ query: QueryState, isRecorded: Bool) {
    if settings.plantedBug == .commitsAgain, query.phase == .committing { perform(.commit(query.id)) }
    query.phase = .finished
    if query.holdsResults { announceHeldResults(query) }
    if !isRecorded { record(.queryEnded(query.id, .finished)) }
    abortAll(query, recorded: true)
    perform(.allResults(query.id, taskCount: query.stages[0].isSkipped ? 0 : query.stages[0].tasks.count))
  }

  func failQuery(_ query: QueryState, _ error: WaterbearError) {
    guard query.phase != .ended else { return }
    if query.phase == .finished { record(.queryResumed(query.id)) }
    record(.queryEnded(query.id, .failed(error)))
    abortAll(query, recorded: false)
    perform(.queryFailed(query.id, error))
    forget(query)
  }

  func releaseQuery(_ query: QueryState) {
    if query.phase == .committing { return }
    guard query.phase == .finished else {
      let error = WaterbearError(.abandonedQuery, "Query \(query.id) was abandoned by the client")
      failQuery(query, error)
      return
    }
    record(.queryReleased(query.id))
    forget(query)
  }

  private func forget(_ query: QueryState) {
    query.phase = .ended
    queries[query.id] = nil
    if reservation?.task.query === query { reservation = nil }
    forgetLimits(of: query)
    perform(.deleteQueryOutputs(query.id))
  }

  /// Aborts all attempts under way. Their tasks are ready again, should the query go on.
  func abortAll(_ query: QueryState, recorded: Bool) {
    let keys = query.runningTasks.sorted { ($0.stage, $0.task) < ($1.stage, $1.task) }
    for key in keys {
      let task = TaskReference(query: query, stage: key.stage, task: key.task)
      abortRuns(task, except: nil, recorded: recorded)
      query.enqueue(stage: key.stage, task: key.task)
    }
  }
}

// Owns the simulated task store: what survives a crash of the coordinator. Checks each record against the rules.
import Base
import Scheduling

/// The durable state of all queries, built from records by code that shares nothing with the scheduler.
struct ModelStore {
  struct Query {
    var model: ModelQuery
    /// As the plan is by now.
    var description: QueryDescription
    var restored: RestoredQuery
    var outcome: QueryOutcome?
    /// It had all its result once; what is lost of that since is made again without a limit of time.
    var wasFinished = false
    var isReleased = false
    /// USER_ERROR was reported for the query.
    var sawUserError = false
    /// Attempt numbers used, by stage and task.
    var usedAttempts: [TaskID: Set<Int>] = [:]
    /// Failures that count against `task-retry-attempts-per-task`, counted here once more.
    var failures: [TaskID: Int] = [:]
    /// Those of them that need not count, for the task may have been granted less than it asked for.
    var pardonable: [TaskID: Int] = [:]
    /// The grants that did not suffice.
    var tooLittle: [TaskID: Int64] = [:]
    /// What is to be committed, stored with `commitStarted`.
    var toCommit: UInt64?
  }

  private(set) var queries: [QueryID: Query] = [:]
  /// The first broken rule.
  private(set) var violation: String?
  /// During a turn that is told of outputs that went with a directory: the losses that count against their tasks.
  private var lossesBefore: [TaskID: Int] = [:]

  /// The next records follow from the loss of these outputs with their directory; none for what follows from anything
  /// else.
  mutating func expectUncounted(_ attempts: [AttemptID]) {
    lossesBefore = [:]
    for attempt in attempts { lossesBefore[attempt.task] = task(attempt.task)?.counters.outputLosses }
  }

  private mutating func checkBlame(_ id: TaskID, _ counters: TaskCounters) {
    guard let losses = lossesBefore[id] else { return }
    require(counters.outputLosses <= losses, "task \(id) is blamed for a loss that came with a directory")
  }

  mutating func insert(_ model: ModelQuery) {
    let stages = model.description.stages.map { _ in RestoredStage() }
    queries[model.id] = Query(model: model, description: model.description, restored: RestoredQuery(stages: stages))
  }

  /// Queries a restarted coordinator has to go on with, sorted.
  var live: [QueryID] {
    queries.values.filter { !$0.isReleased }.map(\.model.id).sorted()
  }

  func task(_ id: TaskID) -> RestoredTask? {
    guard let stages = queries[id.stage.query]?.restored.stages, stages.indices.contains(id.stage.number),
      stages[id.stage.number].tasks.indices.contains(id.partition)
    else { return nil }
    return stages[id.stage.number].tasks[id.partition]
  }

  private mutating func require(_ condition: Bool, _ message: @autoclosure () -> String) {
    if !condition, violation == nil { violation = message() }
  }

  /// `collected`: what the coordinator has read of root stages, by query.
  mutating func apply(_ records: [SchedulerRecord], spool: ModelSpool, collected: [QueryID: UInt64]) {
    for record in records {
      if case .commitStarted(let id) = record { startCommit(id, collected[id]) }
      apply(record, spool: spool)
      if violation != nil { return }
    }
    // In the middle of a division the other shares are not there yet.
    for case .taskDivided(let id, _) in records where stage(id.stage).tasksComplete { checkCoverage(id.stage) }
  }

  private mutating func apply(_ record: SchedulerRecord, spool: ModelSpool) {
    switch record {
    case .splits(let id, let first, let weights, let last):
      change(id) { $0.splitWeights += weights }
      change(id) { $0.splitsComplete = last }
      require(stage(id).splitWeights.count == first + weights.count, "stage \(id): splits do not follow on")
    case .tasks(let id, let tasks):
      for task in tasks {
        require(task.partition == stage(id).tasks.count, "stage \(id): task \(task.partition) out of order")
        change(id) { $0.tasks.append(RestoredTask(input: task.input)) }
      }
    case .stageTasksComplete(let id):
      change(id) { $0.tasksComplete = true }
      checkCoverage(id)
    case .attemptStarted(let attempt, let worker, let memory):
      start(attempt, worker, memory)
    case .attemptEnded(let attempt, let outcome, let error):
      noteFailure(of: attempt, outcome, error?.code)
      change(attempt.task) { $0.running.removeAll { $0.number == attempt.number } }
    case .selected(let attempt, let output):
      select(attempt, output, spool)
    case .unselected(let attempt, _):
      require(task(attempt.task)?.selected == attempt.number, "\(attempt) is unselected, but was not selected")
      change(attempt.task) { $0.selected = nil }
    case .taskCounters(let id, let counters):
      checkBlame(id, counters)
      change(id) { $0.counters = counters }
    case .taskDivided(let id, let input):
      divide(id, input)
    case .stageReleased(let id):
      checkRelease(id)
      change(id) { $0.isReleased = true }
    case .stageRestarted(let id, let forgetsOutputs):
      change(id) { stage in
        stage.isReleased = false
        for index in stage.tasks.indices {
          stage.tasks[index].selected = nil
          stage.tasks[index].counters.firstValidAttempt = stage.tasks[index].nextAttempt
          if forgetsOutputs { stage.tasks[index].output = nil }
        }
      }
    case .stageSkipped(let id, _): skip(id, true)
    case .stageResumed(let id): skip(id, false)
    case .planChanged(let id, let plan): change(id, plan)
    case .queryRetried(let id, let failures):
      let model = queries[id]!.model.description
      require(model.retryPolicy == .query, "\(id) is run again under \(model.retryPolicy)")
      require(failures <= model.limits.queryRetryAttempts, "\(id) is run again too often")
      queries[id]!.restored.failures = failures
    case .commitStarted(let id): queries[id]!.restored.hasCommitStarted = true
    case .queryEnded(let id, let outcome):
      end(id, outcome)
    case .queryResumed(let id):
      require(queries[id]!.restored.isFinished, "\(id) is resumed, but had not finished")
      queries[id]!.restored.isFinished = false
      queries[id]!.outcome = nil
    case .queryReleased(let id):
      require(queries[id]!.restored.isFinished, "\(id) is released, but had not finished")
      queries[id]!.isReleased = true
    }
  }

  private mutating func noteFailure(of attempt: AttemptID, _ outcome: AttemptOutcome, _ code: ErrorCode?) {
    guard let code, var query = queries[attempt.task.stage.query] else { return }
    if code.type == .userError { query.sawUserError = true }
    let isNobodys: [ErrorCode] = [.remoteHostGone, .exchangeDataUnrecoverable, .spoolUnavailable]
    if !isNobodys.contains(code), outcome != .aborted {
      query.failures[attempt.task, default: 0] += 1
      // For lack of memory it may be none, unless the attempt had all that any can get: what the task asked for
      // depends on others of its stage. That it gets more the next time is checked when it starts.
      if code == .exceededLocalMemoryLimit || code == .clusterOutOfMemory,
        let run = task(attempt.task)?.running.first(where: { $0.number == attempt.number }),
        run.memory < query.model.biggestWorker
      {
        query.pardonable[attempt.task, default: 0] += 1
      }
    }
    if code == .exceededLocalMemoryLimit,
      let run = task(attempt.task)?.running.first(where: { $0.number == attempt.number })
    {
      query.tooLittle[attempt.task] = run.memory
    }
    queries[query.model.id] = query
  }

  private mutating func divide(_ id: TaskID, _ input: TaskRecord.Input) {
    let query = queries[id.stage.query]!
    let task = task(id)!
    require(query.model.description.retryPolicy != .none, "task \(id) is divided under NONE")
    require(task.selected == nil && task.running.isEmpty, "task \(id) is divided while it runs or after it has ended")
    require(task.nextAttempt > 0 || hasStarted(id.stage), "task \(id) is divided although its stage has not started")
    let isSmaller = input.splits.count < task.input.splits.count
      || input.partitions.count < task.input.partitions.count
      || input.shares.reduce(1, { $0 * $1.count }) > task.input.shares.reduce(1, { $0 * $1.count })
    require(isSmaller, "task \(id) is divided, but reads no less: \(input)")
    queries[id.stage.query]!.failures[id] = nil
    queries[id.stage.query]!.tooLittle[id] = nil
    change(id) {
      $0.input = input
      $0.counters = TaskCounters()
      $0.counters.firstValidAttempt = task.nextAttempt
    }
  }

  private func hasStarted(_ id: StageID) -> Bool { stage(id).tasks.contains { $0.nextAttempt > 0 } }

  private mutating func skip(_ id: StageID, _ isSkipped: Bool) {
    let stage = stage(id)
    require(stage.isSkipped != isSkipped, "stage \(id) is skipped twice, or resumed though it was not skipped")
    let isComplete = stage.tasksComplete && stage.tasks.allSatisfy { $0.selected != nil }
    require(!isSkipped || !isComplete, "complete stage \(id) is skipped")
    change(id) { $0.isSkipped = isSkipped }
  }

  private mutating func change(_ id: QueryID, _ plan: PlanChange) {
    for stage in plan.stages.map(\.description) {
      if stage.number == queries[id]!.restored.stages.count {
        require(stage.kind != .source, "stage \(stage.number) of \(id) is added, but nobody knows its splits")
        queries[id]!.restored.stages.append(RestoredStage())
        queries[id]!.description.stages.append(stage)
        continue
      }
      let state = queries[id]!.restored.stages[stage.number]
      require(state.tasks.allSatisfy { $0.nextAttempt == 0 }, "stage \(stage.number) of \(id) changes after its start")
      require(
        state.tasks.isEmpty || queries[id]!.description.stages[stage.number].kind == .source && stage.kind == .source,
        "stage \(stage.number) of \(id) changes although it has tasks")
      queries[id]!.description.stages[stage.number] = stage
    }
    // Who reads partitions and has its tasks reads all there are by now.
    for stage in queries[id]!.description.stages where stage.kind == .hash {
      let id = StageID(query: id, number: stage.number)
      if self.stage(id).tasksComplete { checkCoverage(id) }
    }
  }

  private mutating func startCommit(_ id: QueryID, _ collected: UInt64?) {
    let query = queries[id]!
    require(query.model.description.completion == .commit, "\(id) is no write, but is committed")
    require(query.toCommit == nil, "the commit of \(id) starts twice")
    require(query.outcome == nil, "the commit of \(id) starts although the query has ended")
    require(collected != nil, "the commit of \(id) starts before its outputs were read")
    queries[id]!.toCommit = collected
  }

  private mutating func start(_ attempt: AttemptID, _ worker: WorkerID, _ memory: Int64) {
    let id = attempt.task.stage.query
    // A copy of the whole query would make the change below copy its dictionaries.
    let model = queries[id]!.model
    let (failures, tooLittle) = (queries[id]!.failures[attempt.task] ?? 0, queries[id]!.tooLittle[attempt.task])
    let pardonable = queries[id]!.pardonable[attempt.task] ?? 0
    require(queries[id]!.outcome == nil, "\(attempt) starts although the query has ended")
    require(!stage(attempt.task.stage).isSkipped, "\(attempt) starts although its stage is skipped")
    require(queries[id]!.toCommit == nil, "\(attempt) starts although the commit has started")
    require(!queries[id]!.sawUserError, "\(attempt) starts after a user's error")
    let isNew = queries[id]!.usedAttempts[attempt.task, default: []].insert(attempt.number).inserted
    require(isNew, "attempt number \(attempt) is reused")
    let task = task(attempt.task)!
    let limits = model.description.limits
    require(task.selected == nil, "\(attempt) starts although attempt \(task.selected ?? -1) is selected")
    let isStraggling = task.running.count == 1 && model.description.stragglers.isEnabled
    require(task.running.isEmpty || isStraggling, "\(attempt) starts although other attempts run")
    require(!task.running.contains { $0.worker == worker }, "\(attempt) starts beside another on \(worker)")
    if model.description.retryPolicy == .task {
      let counted = task.counters.failures
      require(counted <= limits.taskRetryAttempts, "\(attempt) starts after \(counted) failures")
      require(
        (failures - pardonable...failures).contains(counted),
        "\(attempt): \(failures) failures, \(pardonable) of them pardonable, \(counted) counted")
      require(task.counters.workerLosses <= limits.taskWorkerLosses, "\(attempt) starts after too many losses")
    }
    if let tooLittle {
      let wanted = min(model.biggestWorker, tooLittle * 3)
      require(memory >= wanted, "\(attempt) gets \(memory) bytes after \(tooLittle) did not suffice")
    }
    change(attempt.task) {
      $0.nextAttempt = max($0.nextAttempt, attempt.number + 1)
      $0.running.append(RestoredTask.Running(number: attempt.number, worker: worker, memory: memory))
    }
  }

  private mutating func select(_ attempt: AttemptID, _ output: AttemptOutput, _ spool: ModelSpool) {
    let id = attempt.task.stage.query
    require(queries[id]!.outcome == nil, "\(attempt) is selected although the query has ended")
    require(task(attempt.task)?.selected == nil, "\(attempt) is selected beside another one")
    require(queries[id]!.usedAttempts[attempt.task]?.contains(attempt.number) == true, "\(attempt) never started")
    require(spool.contents[attempt] != nil, "\(attempt) is selected, but never committed")
    require(
      attempt.number >= (task(attempt.task)?.counters.firstValidAttempt ?? 0), "\(attempt) is not valid any more")
    change(attempt.task) {
      $0.selected = attempt.number
      $0.output = output
      $0.running.removeAll { $0.number == attempt.number }
      $0.counters.firstValidAttempt = $0.nextAttempt
    }
  }

  private mutating func end(_ id: QueryID, _ outcome: QueryOutcome) {
    require(queries[id]!.outcome == nil, "\(id) ends twice")
    queries[id]!.outcome = outcome
    switch outcome {
    case .finished:
      let root = queries[id]!.restored.stages[0]
      require(root.tasksComplete || root.isSkipped, "\(id) finished before the root stage had all its tasks")
      require(
        root.isSkipped || root.tasks.allSatisfy { $0.selected != nil },
        "\(id) finished with an unfinished root task")
      queries[id]!.restored.isFinished = true
      queries[id]!.wasFinished = true
    case .failed:
      queries[id]!.isReleased = true
    }
  }

  /// Outputs go when all who read them and all who read those are complete, and what the root stage reads with the
  /// query, or when its commit is noted: one loss then costs one task.
  private mutating func checkRelease(_ id: StageID) {
    require(isComplete(id), "stage \(id) is released, but not complete")
    if queries[id.query]!.outcome != nil || queries[id.query]!.toCommit != nil { return }
    for reader in readers(of: id) {
      let isNeeded = reader.number == 0 || !isComplete(reader) || !readers(of: reader).allSatisfy(isComplete)
      require(!isNeeded, "stage \(id) is released, but may still be read by stage \(reader.number)")
    }
  }

  private func readers(of id: StageID) -> [StageID] {
    queries[id.query]!.description.stages.filter { $0.inputs.contains { $0.stage == id.number } }
      .map { StageID(query: id.query, number: $0.number) }
  }

  private func isComplete(_ id: StageID) -> Bool {
    let stage = stage(id)
    return stage.isSkipped || stage.tasksComplete && stage.tasks.allSatisfy { $0.selected != nil }
  }

  /// Each split and each partition is in exactly one task.
  private mutating func checkCoverage(_ id: StageID) {
    let query = queries[id.query]!
    let stage = stage(id)
    switch query.description.stages[id.number].kind {
    case .source:
      require(stage.splitsComplete, "stage \(id): splits are left out")
      checkCoverage(id, of: stage.splitWeights.count) { Array($0.splits) }
    case .hash:
      let input = query.description.stages[id.number].inputs.first { $0.mode == .partitioned }!
      checkCoverage(id, of: query.description.stages[input.stage].outputPartitionCount) { $0.partitions }
    case .single:
      require(stage.tasks.count == 1, "stage \(id) has \(stage.tasks.count) tasks")
    }
  }

  /// The shares in which the tasks read each of `count` items must add up to the whole.
  private mutating func checkCoverage(_ id: StageID, of count: Int, items: (TaskRecord.Input) -> [Int]) {
    let whole = 1 << 40
    var covered = [Int](repeating: 0, count: count)
    for task in stage(id).tasks {
      let share = task.input.shares.reduce(whole) { $0 / $1.count }
      for item in items(task.input) { covered[item] += share }
    }
    require(covered.allSatisfy { $0 == whole }, "stage \(id): not all is covered once: \(covered)")
  }

  func stage(_ id: StageID) -> RestoredStage { queries[id.query]!.restored.stages[id.number] }

  private mutating func change(_ id: StageID, _ body: (inout RestoredStage) -> Void) {
    body(&queries[id.query]!.restored.stages[id.number])
  }

  private mutating func change(_ id: TaskID, _ body: (inout RestoredTask) -> Void) {
    body(&queries[id.stage.query]!.restored.stages[id.stage.number].tasks[id.partition])
  }
}

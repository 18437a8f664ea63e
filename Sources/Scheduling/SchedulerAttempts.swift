// Owns what follows from the end of an attempt, whichever way it ends.
import Base

extension Scheduler {
  /// A worker says that an attempt has committed its output.
  func attemptFinished(_ attempt: AttemptID, _ workerID: WorkerID, _ output: AttemptOutput) {
    releaseSlot(attempt, workerID)
    guard let task = find(attempt) else {
      perform(.deleteOutput(attempt))
      return
    }
    if task.state.selected == attempt.number { return }
    if settings.plantedBug == .selectsDuplicateReport, task.state.phase == .selected, task.query.phase == .running {
      task.state.selected = attempt.number
      task.query.stages[task.stage].selectionChanged()
      record(.selected(attempt, output))
      return
    }
    guard isWanted(attempt, of: task) else {
      perform(.deleteOutput(attempt))
      return
    }
    let partitions = task.query.stages[task.stage].description.outputPartitionCount
    guard output.bytes.count == partitions, output.rows.count == partitions else {
      let error = WaterbearError(
        .genericInternalError,
        "Attempt \(attempt) reported \(output.bytes.count) output partitions instead of \(partitions)")
      perform(.deleteOutput(attempt))
      if task.state.hasRun(attempt.number) {
        attemptEnded(task, attempt.number, .failed, error, workerDied: nil, grant: 0, peak: output.peakMemory)
      }
      return
    }
    select(task, attempt.number, output)
  }

  /// Whether a report that this attempt has committed its output, should one come, would make it the one that counts.
  /// Reads only.
  public func mayCount(_ attempt: AttemptID) -> Bool {
    find(attempt).map { isWanted(attempt, of: $0) } ?? false
  }

  private func isWanted(_ attempt: AttemptID, of task: TaskReference) -> Bool {
    let isValid =
      settings.plantedBug == .acceptsDeletedOutput || attempt.number >= task.state.counters.firstValidAttempt
    return isValid && task.state.phase != .selected && !task.query.phase.isPastRoot
      && !task.query.stages[task.stage].isSkipped
  }

  /// Makes an attempt the one that counts.
  private func select(_ task: TaskReference, _ number: Int, _ output: AttemptOutput) {
    let query = task.query
    record(.selected(task.attempt(number), output))
    noteRunTime(of: task, number)
    abortRuns(task, except: number, recorded: true)
    for other in task.state.unresolved where other != number { perform(.deleteOutput(task.attempt(other))) }
    task.state.unresolved = []
    task.state.phase = .selected
    task.state.selected = number
    forgetSpoolWait(of: task)
    task.state.counters.firstValidAttempt = task.state.nextAttempt
    query.stages[task.stage].selectedCount += 1
    query.stages[task.stage].selectionChanged()
    query.stages[task.stage].count(output, of: task.task)
    let digest = Self.digest(output.checksums)
    let previous = task.state.outputDigest
    task.state.outputDigest = digest
    if previous != 0, digest != 0, previous != digest { restartReaders(of: task) }
    guard query.phase != .ended else { return }
    if task.stage == 0 && !query.commits { takeResult(task, number) }
    guard query.phase != .ended else { return }
    updateCompletion(query, task.stage)
  }

  /// A worker says that an attempt has ended without output.
  func attemptFailed(_ attempt: AttemptID, _ workerID: WorkerID, _ failure: AttemptFailure) {
    let grant = releaseSlot(attempt, workerID)
    guard let task = find(attempt), task.state.hasRun(attempt.number) else {
      // One that was aborted or given up before. It may have failed after its commit.
      if find(attempt)?.state.selected != attempt.number { perform(.deleteOutput(attempt)) }
      return
    }
    perform(.deleteOutput(attempt))
    if let lost = failure.lostInput, task.query.description.retryPolicy != .none,
      let producer = find(lost), producer.query === task.query,
      task.query.stages[task.stage].producers.contains(producer.stage)
    {
      removeRun(task, attempt.number, .failed, failure.error)
      if settings.plantedBug != .forgetsLostProducer {
        loseOutput(of: producer, lost, failure.error, counts: !failure.lostWithDirectory)
      }
      if task.query.phase != .ended, task.state.phase == .running, task.state.running.isEmpty { retryNow(task) }
      return
    }
    attemptEnded(
      task, attempt.number, .failed, failure.error, workerDied: nil, grant: grant, peak: failure.peakMemory,
      reporter: workerID, refusal: failure.refusal)
  }

  /// An attempt under way has failed, or was lost with its worker (`workerDied`): decides what becomes of its task.
  func attemptEnded(
    _ task: TaskReference, _ number: Int, _ outcome: AttemptOutcome, _ error: WaterbearError,
    workerDied: WorkerID?, grant: Int64, peak: Int64, reporter: WorkerID? = nil, refusal: SpoolRefusal? = nil
  ) {
    let query = task.query
    let asked = requirement(task)
    removeRun(task, number, outcome, error)
    if workerDied != nil { task.state.unresolved.append(number) }
    if query.description.retryPolicy == .none {
      failQuery(query, Self.withoutRetries(error))
      return
    }
    // What it lacked there, be it memory, descriptors or a disk, another may have.
    task.state.avoidedWorker = workerDied ?? reporter
    if error.code == .spoolUnavailable, settings.plantedBug != .blamesTasksForSpool {
      spoolFailed(task, error, refusal)
      return
    }
    let policy = FailurePolicy(limits: query.description.limits, memory: query.description.memory)
    var counters = task.state.counters
    let verdict = policy.judge(
      error.code, workerDied: workerDied != nil, grant: grant, peak: peak, asked: asked, &counters)
    if policy.lacksMemory(error.code) {
      query.stages[task.stage].memoryEstimator.add(policy.grown(max(grant, peak)))
    }
    if error.code.type == .userError {
      failQuery(query, error)
      return
    }
    if policy.lacksMemory(error.code), divide(task, after: error, grant: grant) {
      if query.description.retryPolicy == .query { retryQuery(query, task, error, policy, counts: workerDied != nil) }
      return
    }
    if settings.plantedBug == .forgetsFailures { counters.failures = 0 }
    setCounters(task, counters)
    if query.description.retryPolicy == .query {
      // A task that asks for more than it had has not failed for good. What the kernel kills may be another's fault.
      let growsOn = policy.lacksMemory(error.code) && workerDied == nil && requirement(task) > grant
      retryQuery(query, task, error, policy, counts: !growsOn)
      return
    }
    switch verdict {
    case .giveUp:
      // Also where another attempt is under way: should it get lost, nothing would be left to start.
      failQuery(query, usedUp(task, number, workerDied ?? reporter, error))
    case .retry(let delay):
      if task.state.running.isEmpty { retry(task, after: delay) }
    }
  }

  /// Ends all of a query's attempts and lets it run again as a whole. Selected outputs stay selected. What it lacked
  /// and will have `counts` for nothing, and is not waited for.
  func retryQuery(
    _ query: QueryState, _ task: TaskReference, _ error: WaterbearError, _ policy: FailurePolicy, counts: Bool = true
  ) {
    if counts { query.failures += 1 }
    let limit = query.description.limits.queryRetryAttempts
    if query.failures > limit {
      let message =
        "Query \(query.id) failed \(query.failures) times (query-retry-attempts = \(limit)), "
        + "the last time in task \(task.id)"
      failQuery(query, error.asCause(of: message))
      return
    }
    record(.queryRetried(query.id, failures: query.failures))
    abortAll(query, recorded: true)
    // Not among those aborted where its last attempt has just ended.
    if task.state.phase == .running { query.enqueue(stage: task.stage, task: task.task) }
    query.phase = .delayed
    delay(query, until: counts ? now + policy.delay(beforeRetry: query.failures) : now)
  }

  /// Goes on with the query, or its commit, at this time.
  func delay(_ query: QueryState, until time: MonotonicTime) {
    query.delayedUntil = time
    timers.add(time, .query(query))
  }

  private func usedUp(
    _ task: TaskReference, _ number: Int, _ worker: WorkerID?, _ error: WaterbearError
  ) -> WaterbearError {
    let counters = task.state.counters
    let limits = task.query.description.limits
    var message = "Task \(task.id) failed \(counters.failures) times (task-retry-attempts-per-task = "
    message += "\(limits.taskRetryAttempts)) and lost its worker \(counters.workerLosses) times "
    message += "(at most \(limits.taskWorkerLosses)); the last attempt was number \(number)"
    if let worker { message += " on \(worker)" }
    if error.code == .exceededLocalMemoryLimit {
      message = "Cannot allocate enough memory for task \(task.id). Maximum possible reservation: "
        + "\(DataSize(bytes: most(task.query))). " + message
    }
    var result = error.asCause(of: message)
    if error.code == .exceededLocalMemoryLimit {
      result.remedy = memoryRemedy(task.query.description.memory)
    } else if result.remedy == nil { result.remedy = "Mend the cause, or raise task-retry-attempts-per-task." }
    return result
  }

  /// Which limit keeps a task from getting more memory.
  private func memoryRemedy(_ policy: MemoryPolicy) -> String {
    let (task, query) = (policy.taskMemoryMax ?? .max, policy.queryMemoryMax ?? .max)
    if min(task, query) >= workers.usualBiggestMemory() {
      return "Raise waterbear.worker-memory, or lower waterbear.workers so that each worker has more."
    }
    let (name, bytes) = task <= query ? ("task.max-memory", task) : ("query.max-memory", query)
    let property = name.map { ".-".contains($0) ? "_" : String($0) }.joined()
    return "Raise \(name), or \(property) of the session, which is \(DataSize(bytes: bytes))."
  }

  /// An error of an attempt that ends its query, under RetryPolicy.none: who found it speaks of what else would follow.
  static func withoutRetries(_ error: WaterbearError) -> WaterbearError {
    var error = error
    switch error.code {
    case .spoolUnavailable:
      error.remedy =
        "Free space in the directory or repair it. With retry_policy = TASK the task would have gone to another one."
    case .exchangeDataUnrecoverable:
      error.remedy = "Run the query again. With retry_policy = TASK what was lost would have been made again."
    case .exceededLocalMemoryLimit, .clusterOutOfMemory:
      error.remedy =
        "Raise fault-tolerant-execution-task-memory. With retry_policy = TASK the task would have got more."
    default: break
    }
    return error
  }

  // MARK: Steps

  func setCounters(_ task: TaskReference, _ counters: TaskCounters) {
    guard counters != task.state.counters else { return }
    task.state.counters = counters
    record(.taskCounters(task.id, counters))
  }

  func retry(_ task: TaskReference, after delay: TimeSpan) {
    guard delay > .zero else {
      retryNow(task)
      return
    }
    task.state.phase = .delayed
    task.state.delayedUntil = now + delay
    timers.add(now + delay, .task(task))
  }

  func retryNow(_ task: TaskReference) {
    task.query.enqueue(stage: task.stage, task: task.task)
    enter(task.query)
  }

  /// Notes that an attempt runs no longer.
  func removeRun(_ task: TaskReference, _ number: Int, _ outcome: AttemptOutcome, _ error: WaterbearError?) {
    for run in task.state.running where run.number == number { task.query.grantedMemory -= run.memory }
    task.state.running.removeAll { $0.number == number }
    record(.attemptEnded(task.attempt(number), outcome, error))
    task.query.stages[task.stage].runningAttempts -= 1
    if outcome != .aborted { task.query.stages[task.stage].failedAttempts += 1 }
    leaveRunningIfIdle(task)
  }

  /// Aborts a task's attempts, all but one. Their slots stay taken until their ends are reported.
  func abortRuns(_ task: TaskReference, except kept: Int?, recorded: Bool) {
    for run in task.state.running {
      task.query.stages[task.stage].runningAttempts -= 1
      task.query.grantedMemory -= run.memory
      if run.number == kept { continue }
      if recorded { record(.attemptEnded(task.attempt(run.number), .aborted, nil)) }
      if workers.byID[run.worker] != nil { perform(.abortAttempt(task.attempt(run.number), run.worker)) }
    }
    task.state.running = []
    leaveRunningIfIdle(task)
  }

  private func leaveRunningIfIdle(_ task: TaskReference) {
    guard task.state.running.isEmpty else { return }
    task.query.runningTasks.remove(QueryState.TaskKey(stage: task.stage, task: task.task))
  }

  /// One number for a list of checksums; 0 for the empty list.
  static func digest(_ checksums: [UInt64]) -> UInt64 {
    if checksums.isEmpty { return 0 }
    var digest: UInt64 = 0x9E37_79B9_7F4A_7C15
    for checksum in checksums {
      digest = (digest ^ checksum) &* 0xBF58_476D_1CE4_E5B9
      digest ^= digest >> 29
    }
    return digest == 0 ? 1 : digest
  }
}

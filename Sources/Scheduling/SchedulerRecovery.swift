// Owns the recovery of outputs that were selected and then lost: who has to run again.
import Base

extension Scheduler {
  /// Somebody other than a reading task noticed that an output is gone or damaged. `counts`: against its task.
  func outputLost(_ attempt: AttemptID, _ error: WaterbearError, counts: Bool = true) {
    guard let task = find(attempt), task.state.selected == attempt.number, !task.query.isPastReading else { return }
    if task.query.description.retryPolicy == .none {
      failQuery(task.query, Self.withoutRetries(error))
    } else {
      loseOutput(of: task, attempt, error, counts: counts)
    }
  }

  /// These outputs are gone. What nobody reads now is made again when somebody does, at once for all that he reads.
  func outputsMissing(_ attempts: [AttemptID], _ error: WaterbearError, withDirectory: Bool) {
    for attempt in attempts {
      if isStillRead(attempt), !isIdle(attempt) {
        outputLost(attempt, error, counts: !withDirectory)
      } else if let task = find(attempt), task.state.selected == attempt.number, !task.query.isPastReading {
        task.query.missing[QueryState.TaskKey(stage: task.stage, task: task.task)] = (attempt, error)
      }
    }
  }

  /// These outputs are there: what had gone with their directory has come back with it.
  func outputsFound(_ attempts: [AttemptID]) {
    for attempt in attempts {
      guard let query = queries[attempt.task.stage.query], !query.missing.isEmpty else { continue }
      let key = QueryState.TaskKey(stage: attempt.task.stage.number, task: attempt.task.partition)
      if query.missing[key]?.attempt == attempt { query.missing[key] = nil }
    }
  }

  /// Whether nothing runs that could read this output: its query has its result.
  private func isIdle(_ attempt: AttemptID) -> Bool {
    attempt.task.stage.number != 0 && queries[attempt.task.stage.query]?.phase.isPastRoot == true
  }

  /// Whether a selected output has readers that are not all done; those of the root stage have the client.
  func isStillRead(_ attempt: AttemptID) -> Bool {
    guard let task = find(attempt), task.state.selected == attempt.number else { return false }
    let stage = task.query.stages[task.stage]
    return task.stage == 0 || stage.consumers.contains { !task.query.stages[$0].wasComplete }
  }

  /// A selected attempt's output cannot be read: its task runs again.
  ///
  /// Readers under way go on, for what they read may be intact; those who fail run again when the output is back.
  /// Nothing happens where the attempt is not the selected one: the task runs again already. A loss that does not count
  /// uses up none of the task's losses and delays nothing.
  func loseOutput(of task: TaskReference, _ attempt: AttemptID, _ error: WaterbearError, counts: Bool = true) {
    let query = task.query
    guard task.state.selected == attempt.number, !query.stages[task.stage].isReleased else { return }
    record(.unselected(attempt, error))
    perform(.deleteOutput(attempt))
    task.state.selected = nil
    query.stages[task.stage].selectedCount -= 1
    query.stages[task.stage].selectionChanged()
    // What costs nothing must end some time: a file may hang each time it is read, in a directory that seems to work.
    let counts = task.state.freeLosses.count(counts, now: now)
    var counters = task.state.counters
    if counts { counters.outputLosses += 1 }
    counters.firstValidAttempt = task.state.nextAttempt
    task.state.counters = counters
    record(.taskCounters(task.id, counters))
    // It may have been complete before it turned out that nobody needs it.
    if query.stages[task.stage].wasComplete, !query.stages[task.stage].isSkipped { adapt(query, after: nil) }
    guard query.phase != .ended else { return }
    guard !query.stages[task.stage].isSkipped else { return query.enqueue(stage: task.stage, task: task.task) }
    let limits = query.description.limits
    if counters.outputLosses > limits.taskRetryAttempts {
      let message =
        "The output of task \(task.id) was lost \(counters.outputLosses) times "
        + "(task-retry-attempts-per-task = \(limits.taskRetryAttempts))"
      var failure = error.asCause(of: message, code: .exchangeDataUnrecoverable)
      failure.remedy = failure.remedy ?? "Check the disks and mounts of exchange.base-directories."
      failQuery(query, failure)
      return
    }
    let policy = FailurePolicy(limits: limits, memory: query.description.memory)
    // What is lost together is lost once; and a part of the result has no readers here that would have to run again.
    let isNewRun = counts && query.description.retryPolicy == .query && query.phase == .running && task.stage != 0
    retry(task, after: counts ? policy.delay(beforeRetry: counters.outputLosses - 1) : .zero)
    updateCompletion(query, task.stage)
    makeInputsAgain(query, task.stage)
    if isNewRun, query.phase == .running { retryQuery(query, task, error, policy) }
  }

  /// Runs the stages again that a stage reads and that were released, and the tasks of others whose outputs are known
  /// to be gone.
  func makeInputsAgain(_ query: QueryState, _ stage: Int) {
    for producer in query.stages[stage].producers where query.stages[producer].isReleased {
      restartStage(query, producer, forgetsOutputs: false)
    }
    guard !query.missing.isEmpty else { return }
    let producers = query.stages[stage].producers
    let wanted = query.missing.keys.filter { producers.contains($0.stage) }
    for key in wanted.sorted(by: { ($0.stage, $0.task) < ($1.stage, $1.task) }) {
      guard let (attempt, error) = query.missing.removeValue(forKey: key), query.phase != .ended else { continue }
      loseOutput(of: TaskReference(query: query, stage: key.stage, task: key.task), attempt, error, counts: false)
    }
  }

  /// A task's output was made again and differs: everything made from the old one is void.
  ///
  /// Attempts are meant to be deterministic, so this is a net, not a way of life: all tasks downstream run again.
  func restartReaders(of task: TaskReference) {
    let query = task.query
    var affected: Set<Int> = []
    var waiting = query.stages[task.stage].consumers
    while let stage = waiting.popLast() {
      if affected.insert(stage).inserted { waiting += query.stages[stage].consumers }
    }
    if task.stage == 0 || affected.contains(0), query.hasAnnouncedResults {
      let message =
        "Task \(task.id) gave other rows when its lost output was made again, "
        + "and parts of the result may have been served"
      failQuery(
        query,
        WaterbearError(.exchangeDataUnrecoverable, message, remedy: "Run the query again."))
      return
    }
    for stage in query.order where affected.contains(stage) && !query.stages[stage].tasks.isEmpty {
      restartStage(query, stage, forgetsOutputs: true)
    }
    // What was skipped because the old output was empty may have something to do.
    adapt(query, after: nil)
  }

  /// Opens all tasks of a stage again; nothing any attempt has made so far will count.
  private func restartStage(_ query: QueryState, _ stage: Int, forgetsOutputs: Bool) {
    let wasReleased = query.stages[stage].isReleased
    record(.stageRestarted(query.stages[stage].id, forgetsOutputs: forgetsOutputs))
    query.stages[stage].isReleased = false
    query.stages[stage].selectedCount = 0
    query.stages[stage].selectionChanged()
    if forgetsOutputs { query.stages[stage].forgetOutputs() }
    for index in query.stages[stage].tasks.indices {
      let task = TaskReference(query: query, stage: stage, task: index)
      abortRuns(task, except: nil, recorded: true)
      if let selected = task.state.selected, !wasReleased { perform(.deleteOutput(task.attempt(selected))) }
      for number in task.state.unresolved { perform(.deleteOutput(task.attempt(number))) }
      task.state.unresolved = []
      task.state.selected = nil
      task.state.counters.firstValidAttempt = task.state.nextAttempt
      query.enqueue(stage: stage, task: index)
    }
    enter(query)
    updateCompletion(query, stage)
    if !query.stages[stage].isSkipped { makeInputsAgain(query, stage) }
  }
}

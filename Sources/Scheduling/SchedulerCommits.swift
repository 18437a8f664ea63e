// Owns the end of a query that is committed: from its complete root stage to the commit that is made exactly once.
import Base

extension QueryState {
  /// The selected attempts of the complete root stage, by task; nil unless they are to be collected.
  var collectable: [Int]? {
    guard phase == .collecting, stages[0].isComplete else { return nil }
    return stages[0].tasks.compactMap(\.selected)
  }
}

extension Scheduler {
  /// The root stage is complete: the shell reads what it left. Until it has, outputs may still be lost, and the query
  /// may fail or be cancelled.
  func collect(_ query: QueryState) {
    query.phase = .collecting
    // The root stage may become complete while the query waits to run again.
    query.delayedUntil = nil
    abortAll(query, recorded: true)
    if let attempts = query.collectable { perform(.collectOutputs(query.id, attempts)) }
  }

  /// The shell has read what these attempts left. From here on the query is committed or refused, and no output is
  /// needed any more, as the shell stores what it has read with the record.
  func startCommit(_ query: QueryState, of attempts: [Int]) {
    // What was read before a part was lost and made again is not what counts now; it is read again.
    guard query.collectable == attempts else { return }
    query.phase = .committing
    record(.commitStarted(query.id))
    perform(.commit(query.id))
  }

  /// Goes on after a restart of the coordinator, with the root stage complete.
  func resumeCommit(_ query: QueryState, hasStarted: Bool) {
    guard hasStarted else { return collect(query) }
    query.phase = .committing
    perform(.commit(query.id))
  }

  func commitEnded(_ query: QueryState, _ error: WaterbearError?) {
    guard query.phase == .committing else { return }
    // What is to be written is noted and synced before the first try, so nothing of this will be read. Room may be what
    // the next try needs.
    if error?.code != .taskStoreFailed { releaseAllStages(query) }
    guard let error else { return finishQuery(query, isRecorded: false) }
    guard error.code.type != .userError else { return failQuery(query, error) }
    query.commitFailures += 1
    let limits = query.description.limits
    // What was to be written may not be thrown away because a catalog's file is not there: it can be put back.
    if query.commitFailures > limits.taskRetryAttempts && error.code != .configurationInvalid {
      let message =
        "The commit of query \(query.id) failed \(query.commitFailures) times "
        + "(task-retry-attempts-per-task = \(limits.taskRetryAttempts)); what it has made visible stays"
      return failQuery(query, error.asCause(of: message))
    }
    let policy = FailurePolicy(limits: limits, memory: query.description.memory)
    delay(query, until: now + policy.delay(beforeRetry: query.commitFailures - 1))
  }
}

// Owns how simulated queries are committed, and that each is committed once or not at all.
import Base
import Scheduling

extension World {
  /// Reads what the root stage's attempts have left.
  func collect(_ id: QueryID, _ attempts: [Int], _ life: Int) {
    guard life == self.life, scheduler != nil else { return }
    if pausedUntil > now {
      queue.add(pausedUntil, .collect(id, attempts: attempts, life: life))
      return
    }
    var result: UInt64 = 0
    for (partition, number) in attempts.enumerated() {
      let attempt = AttemptID(task: TaskID(stage: StageID(query: id, number: 0), partition: partition), number: number)
      guard let content = spool.read(attempt) else {
        tell(.outputLost(attempt, WaterbearError(.exchangeDataUnrecoverable, "\(attempt) cannot be read")))
        return
      }
      for value in content { result &+= value }
    }
    // Not where the scheduler wants others by now: the shell keeps what belongs to the event.
    collected[id] = result
    tell(.outputsCollected(id, attempts))
  }

  /// A thread of the coordinator commits. It dies with its process, before or after all is visible.
  func commit(_ id: QueryID, _ life: Int) {
    guard life == self.life, scheduler != nil, let query = store.queries[id], let toCommit = query.toCommit
    else { return }
    checks.require(query.outcome == nil, "\(id) is committed after its end")
    syncStore()
    let fails = faultsAreOn && random.chance(faults.externalFailure)
    let isRefused = faultsAreOn && committed[id] == nil && random.chance(faults.userError / 4)
    if !isRefused && (!fails || random.chance(0.5)) {
      checks.require((committed[id] ?? toCommit) == toCommit, "\(id) is committed twice, with other rows")
      committed[id] = toCommit
    }
    if fails { commitFailures[id, default: 0] += 1 }
    let error: WaterbearError? =
      isRefused
      ? WaterbearError(.tableAlreadyExists, "the table exists")
      : fails ? WaterbearError(.genericExternal, "the table cannot be reached") : nil
    queue.add(after(0...50), .commitDone(id, error, life: life))
  }

  /// What readers of tables see at the end is what the outcomes say.
  func checkCommits() {
    for query in store.queries.values where query.model.description.completion == .commit {
      let id = query.model.id
      switch query.outcome {
      case .finished?:
        checks.require(committed[id] != nil, "\(id) has finished, but nothing was committed")
        if query.model.nondeterministicStages.isEmpty {
          checks.require(committed[id] == query.model.expectedResult(), "\(id) has committed wrong rows")
        }
      case .failed(let error)?:
        let isStuck = commitFailures[id, default: 0] > query.model.description.limits.taskRetryAttempts
        checks.require(committed[id] == nil || isStuck, "\(id) has failed, but was committed: \(error)")
      case nil: break
      }
    }
    for id in committed.keys {
      checks.require(store.queries[id]?.model.description.completion == .commit, "\(id) was committed, but is no write")
    }
  }
}

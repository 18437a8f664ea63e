// Owns going on after a restart: from the store's rows back to live queries and to the scheduler's state.

import Base
import Exchange
import Planning
import Platform
import Scheduling
import TaskStore
import Telemetry
import Wire

extension Coordinator {
  /// Takes up every query that is not over. Before the first worker registers.
  func recover() throws {
    let stored = try store.liveQueries()
    let storedWrites = try store.writes()
    enqueue(.spoolChanged(spoolState))
    // Until each has said what it runs, or was replaced, an attempt of any query may still write.
    unheardWorkers = Set(1...policy.workers)
    for entry in stored {
      // However many there are, and however long each takes: this goes on.
      link.reportAlive()
      // Earlier releases left failed queries like this.
      if entry.summary.hasEnded, entry.summary.error != nil {
        try store.apply([.queryReleased(entry.summary.id)])
        continue
      }
      do {
        try recover(entry, write: storedWrites.first { $0.id == entry.summary.id })
      } catch {
        try giveUp(entry, WaterbearError.wrapping(error), write: storedWrites.first { $0.id == entry.summary.id })
      }
    }
    // Among them may be some that are not configured any more.
    let used = Set(queries.values.flatMap { $0.outputs.values.map(\.location.directory) })
    for directory in used.sorted() { noteUse(of: directory) }
    // Files of running attempts stay: a worker that outlived the last coordinator may be about to report them. An
    // attempt that the store does not know was started in the moments that a loss of power took away; its number will
    // come up again.
    sweepFirst()
    if !stored.isEmpty { log.write(.coordinatorRecovered, ["queries": .int(stored.count)]) }
    limitSplits()
    takeUp(storedWrites)
    sweepLostWrites()
    _ = try store.prune(keep: policy.historyMax)
  }

  /// A query that cannot be taken up, for its rows make no sense or its key is gone, must not keep the daemon from
  /// starting, nor the others from going on.
  private func giveUp(_ stored: StoredQuery, _ error: WaterbearError, write: StoredWrite?) throws {
    let id = stored.summary.id
    var error = error.asCause(of: "Query \(id) could not be taken up after a restart", code: .genericInternalError)
    if write?.state == .committing { error.remedy = "what it has written is committed nevertheless" }
    log.write(.queryFailed, about: .query(id), .error(error))
    advisor.forget(id)
    try store.apply([
      .queryEnded(id, state: QueryStateName.failed, error, at: SystemClock.wallMicroseconds()), .queryReleased(id),
    ])
  }

  private func recover(_ stored: StoredQuery, write: StoredWrite?) throws {
    let id = stored.summary.id
    let description = try BinaryDecoder.decode(StoredDescription.self, from: stored.description)
    guard description.description.stages.map(\.number) == stored.stages.map(\.number) else {
      throw WaterbearError(.taskStoreFailed, "The stages of \(id) in the store are not those of its plan")
    }
    let key = description.encryption ? try store.openQueryKey(id) : nil
    guard description.encryption == (key != nil) else {
      throw WaterbearError(.taskStoreFailed, "The key of \(id) is not in the store")
    }
    let splits = try stored.stages.map { stage in
      try stage.splits.map { try BinaryDecoder.decode(StageSplit.self, from: $0.payload) }
    }
    let query = LiveQuery(
      id: id, sql: stored.summary.sql, user: stored.summary.user,
      createdMicroseconds: stored.summary.createdMicros, description: description.description,
      columns: description.columns, fragments: stored.stages.map(\.fragment), splits: splits,
      compressionCodec: description.compressionCodec, key: key, write: description.write,
      submission: description.submission ?? .unknown, adaptive: description.adaptive)
    query.endedMicroseconds = stored.summary.endedMicros
    // They are stored in the transaction that accepts the query.
    query.hasStoredSplits = true
    if let adaptive = description.adaptive {
      let fragments = try stored.stages.map { try BinaryDecoder.decode(PlanFragment.self, from: $0.fragment) }
      advisor.add(AdaptivePlan(fragments, options: adaptive), of: id, stages: description.description.stages)
    }
    query.write?.rowCount = stored.summary.updateCount ?? 0
    try restore(write, of: query, hasEnded: stored.summary.hasEnded)
    var restored = RestoredQuery(
      failures: stored.summary.failures, isFinished: stored.summary.hasEnded,
      hasCommitStarted: query.write?.endedWithin ?? false, age: query.age)
    // Both moments are the wall clock's, and what it was set by between them is what may be wrong here.
    if let start = try store.firstStart(of: id) {
      let queued = TimeSpan(nanoseconds: max(0, start - query.createdMicroseconds) * 1000)
      restored.executed = TimeSpan(nanoseconds: max(0, query.age.nanoseconds - queued.nanoseconds))
    }
    for stage in stored.stages { restored.stages.append(try restore(stage, of: query)) }
    queries[id] = query
    if !stored.summary.hasEnded { watchClient(of: query) }
    log.write(
      .queryRecovered, about: .query(id),
      [
        "state": .string(stored.summary.state), "tasks": .int(stored.stages.reduce(0) { $0 + $1.tasks.count }),
        "outputs": .int(query.selected.count),
      ])
    enqueue(.queryRestored(description.description, restored))
  }

  private func restore(_ stage: StoredStage, of query: LiveQuery) throws -> RestoredStage {
    let id = StageID(query: query.id, number: stage.number)
    var restored = RestoredStage(
      splitWeights: stage.splits.map(\.weight), splitsComplete: stage.splitsComplete,
      tasksComplete: stage.tasksComplete, isReleased: stage.isReleased, isSkipped: stage.isSkipped)
    var counters = StageCounters(number: stage.number)
    counters.total = stage.tasks.count
    counters.isComplete = stage.tasksComplete
    counters.isSkipped = stage.isSkipped
    for task in stage.tasks {
      let taskID = TaskID(stage: id, partition: task.partition)
      var entry = RestoredTask(
        input: try BinaryDecoder.decode(TaskRecord.Input.self, from: task.input),
        counters: TaskCounters(task.counters), nextAttempt: task.nextAttempt,
        running: task.running.map { .init(number: $0.number, worker: $0.worker, memory: $0.memory) },
        selected: task.selected)
      for running in task.running {
        restoredWorkers.insert(running.worker)
        query.running.insert(AttemptID(task: taskID, number: running.number))
      }
      if let bytes = task.output {
        let output = try BinaryDecoder.decode(StoredOutput.self, from: bytes)
        entry.output = AttemptOutput(output)
        if let number = task.selected {
          let attempt = AttemptID(task: taskID, number: number)
          query.outputs[attempt] = output.spool
          query.selected.insert(attempt)
          counters.finished += 1
          counters.rows += Int64(output.spool.rows)
          counters.bytes += Int64(output.spool.rawBytes)
        }
      }
      counters.running += task.running.count
      counters.retries += max(0, task.nextAttempt - 1)
      restored.tasks.append(entry)
    }
    query.progress[stage.number] = counters
    if stage.isReleased { query.release(stage: stage.number) }
    return restored
  }
}

extension AttemptOutput {
  init(_ stored: StoredOutput) {
    self.init(stored.spool, peakMemory: stored.peakMemoryBytes, cpuNanoseconds: stored.cpuNanoseconds)
  }
}

// Owns which attempt is ended when the machine runs short of memory. Knows no machine: it is told.
import Base

extension Scheduler {
  /// Ends one attempt; its task runs again with more memory, so with fewer others beside it. The only attempt there is
  /// goes on: nothing of Waterbear's would be left to make room for it. O(attempts under way).
  func endOneForMemory(_ policy: LowMemoryVictim, held: [AttemptID: Int64]) {
    var victim: (task: TaskReference, run: TaskState.Run, bytes: Int64)?
    var worst = -1.0
    var count = 0
    for id in queries.keys.sorted() {
      guard let query = queries[id] else { continue }
      for key in query.runningTasks.sorted(by: { ($0.stage, $0.task) < ($1.stage, $1.task) }) {
        let task = TaskReference(query: query, stage: key.stage, task: key.task)
        for run in task.state.running {
          count += 1
          // A query that is not run again in parts, or not at all, would lose everything.
          guard query.description.retryPolicy == .task else { continue }
          let bytes = held[task.attempt(run.number)] ?? run.memory
          let badness = badness(policy, bytes: bytes, since: run.startedAt)
          if badness > worst { (worst, victim) = (badness, (task, run, bytes)) }
        }
      }
    }
    guard let victim, count > 1 else { return }
    let attempt = victim.task.attempt(victim.run.number)
    let error = WaterbearError(
      .clusterOutOfMemory,
      "The machine runs short of memory, and attempt \(attempt) held \(DataSize(bytes: victim.bytes)) of it",
      remedy: "Lower waterbear.worker-memory, so that all workers together fit beside what else runs.")
    if workers.byID[victim.run.worker] != nil { perform(.abortAttempt(attempt, victim.run.worker)) }
    attemptEnded(
      victim.task, victim.run.number, .failed, error, workerDied: nil, grant: victim.run.memory, peak: victim.bytes)
  }

  private func badness(_ policy: LowMemoryVictim, bytes: Int64, since start: MonotonicTime) -> Double {
    switch policy {
    case .biggest: Double(bytes)
    // A second more, so that attempts just started are told apart by what they hold.
    case .leastWaste: Double(bytes) / (1 + Double((now - start).nanoseconds) / 1e9)
    }
  }
}

// Owns what follows where the spool takes no output: the task is not at fault, so it waits rather than fail.
// It must not know directories or disks; which of them work again is the shell's to find out.
import Base

/// A task's wait for a spool directory that takes its output.
struct SpoolWait {
  /// Attempts that ended for this reason, one after the other.
  var faults = 0
  /// Spent in pauses that are over.
  var waited = TimeSpan.zero
  /// When the pause at hand began.
  var since: MonotonicTime?

  /// Adds the pause at hand, if there is one, to those that are over.
  mutating func endPause(at end: MonotonicTime) {
    guard let since else { return }
    waited = TimeSpan(nanoseconds: waited.nanoseconds + max(0, (end - since).nanoseconds))
    self.since = nil
  }
}

extension Scheduler {
  /// An attempt could not write its output, which says nothing about its task.
  ///
  /// The first time the task runs again at once, for its worker now knows which directory to avoid; after that it waits
  /// in pauses that grow like those of other retries, until a directory works again or `spoolWait` is used up.
  func spoolFailed(_ task: TaskReference, _ error: WaterbearError) {
    let query = task.query
    let key = QueryState.TaskKey(stage: task.stage, task: task.task)
    var wait = query.spoolWaits[key] ?? SpoolWait()
    wait.endPause(at: min(now, task.state.delayedUntil))
    wait.faults += 1
    let rest = settings.spoolWait.nanoseconds - wait.waited.nanoseconds
    guard rest > 0 else {
      failQuery(query, spoolGivenUp(task, error))
      return
    }
    defer { query.spoolWaits[key] = wait }
    guard task.state.running.isEmpty else { return }
    let policy = FailurePolicy(limits: query.description.limits, memory: query.description.memory)
    let delay = min(policy.delay(beforeRetry: wait.faults - 1), TimeSpan(nanoseconds: rest))
    if delay > .zero { wait.since = now }
    retry(task, after: delay)
  }

  private func spoolGivenUp(_ task: TaskReference, _ error: WaterbearError) -> WaterbearError {
    var failure = error.asCause(
      of: "Task \(task.id) waited \(settings.spoolWait) for a spool directory (waterbear.max-spool-wait): "
        + error.message)
    failure.causes.removeFirst()
    failure.remedy =
      "Free space in the directories of exchange.base-directories, repair them or add one, and run the query again."
    return failure
  }

  /// Ends the pauses of all tasks that wait for the spool.
  func spoolRecovered() {
    for query in queries.values.sorted(by: { $0.id < $1.id }) where !query.spoolWaits.isEmpty {
      for key in query.spoolWaits.keys.sorted(by: { ($0.stage, $0.task) < ($1.stage, $1.task) }) {
        let task = TaskReference(query: query, stage: key.stage, task: key.task)
        guard query.spoolWaits[key]?.since != nil, task.state.phase == .delayed else { continue }
        query.spoolWaits[key]?.endPause(at: now)
        retryNow(task)
      }
    }
  }

  /// The task's output has found its place.
  func forgetSpoolWait(of task: TaskReference) {
    guard !task.query.spoolWaits.isEmpty else { return }
    task.query.spoolWaits[QueryState.TaskKey(stage: task.stage, task: task.task)] = nil
  }
}

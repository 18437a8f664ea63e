// Owns what follows where the spool takes no output: the task is not at fault, so it waits rather than fail.
// It must not know directories or disks; which of them work again is the shell's to find out.
import Base

/// A task's wait for a spool directory that takes its output, from the first attempt that found none until one has.
struct SpoolWait {
  /// Attempts that ended for this reason.
  var faults = 0
  /// Spent in pauses that are over.
  private(set) var waited = TimeSpan.zero
  /// Spent in attempts that ended for this reason, except the first: their work was for nothing.
  private(set) var wasted = TimeSpan.zero
  /// The last pause: when it began, and when its timer ends it.
  private(set) var pause: Range<MonotonicTime>?
  /// When the attempt under way started, if one did after the first fault.
  private var startedAt: MonotonicTime?

  /// Everything that the task lost by the spool.
  var lost: TimeSpan { TimeSpan(nanoseconds: waited.nanoseconds + wasted.nanoseconds) }

  mutating func startPause(at start: MonotonicTime, for span: TimeSpan) { pause = start..<start + span }

  /// Ends the pause at hand, if there is one. Time after its own end was spent otherwise.
  mutating func endPause(at end: MonotonicTime) {
    guard let pause else { return }
    let span = min(end, pause.upperBound) - pause.lowerBound
    waited = TimeSpan(nanoseconds: waited.nanoseconds + max(0, span.nanoseconds))
    self.pause = nil
  }

  /// An attempt starts.
  mutating func noteStart(at time: MonotonicTime) {
    endPause(at: time)
    startedAt = time
  }

  /// An attempt ended for this reason.
  mutating func noteFault(at time: MonotonicTime) {
    endPause(at: time)
    faults += 1
    if let startedAt { wasted = TimeSpan(nanoseconds: wasted.nanoseconds + (time - startedAt).nanoseconds) }
    startedAt = nil
  }
}

extension Scheduler {
  /// An attempt could not write its output, which says nothing about its task.
  ///
  /// The first time the task runs again at once, for its worker now knows which directory to avoid; after that it waits
  /// in pauses that grow like those of other retries, until a directory works again. The query fails when the pauses
  /// have used up `spoolWait`; or when that has passed, pauses and wasted work together, and several attempts have
  /// found a directory that seemed to work and then took nothing.
  func spoolFailed(_ task: TaskReference, _ error: WaterbearError) {
    let query = task.query
    let key = QueryState.TaskKey(stage: task.stage, task: task.task)
    var wait = query.spoolWaits[key] ?? SpoolWait()
    wait.noteFault(at: now)
    let policy = FailurePolicy(limits: query.description.limits, memory: query.description.memory)
    let rest = settings.spoolWait.nanoseconds - wait.waited.nanoseconds
    guard rest > 0, wait.faults <= FailurePolicy.spoolFaultsMin || wait.lost < settings.spoolWait else {
      failQuery(query, spoolGivenUp(task, wait, error))
      return
    }
    defer { query.spoolWaits[key] = wait }
    guard task.state.running.isEmpty else { return }
    let delay = min(policy.delay(afterSpoolFaults: wait.faults), TimeSpan(nanoseconds: rest))
    if delay > .zero {
      let isEndless = settings.plantedBug == .countsWorkAsWaiting
      wait.startPause(at: now, for: isEndless ? .seconds(1_000_000) : delay)
    }
    retry(task, after: delay)
  }

  /// An attempt of the task starts: its pause is over, whatever ended it.
  func noteSpoolStart(of task: TaskReference) {
    guard !task.query.spoolWaits.isEmpty, settings.plantedBug != .countsWorkAsWaiting else { return }
    task.query.spoolWaits[QueryState.TaskKey(stage: task.stage, task: task.task)]?.noteStart(at: now)
  }

  private func spoolGivenUp(_ task: TaskReference, _ wait: SpoolWait, _ error: WaterbearError) -> WaterbearError {
    let work = wait.wasted > wait.waited ? ", with the time of \(wait.faults) attempts that found none," : ""
    var failure = error.asCause(
      of: "Task \(task.id) waited \(settings.spoolWait)\(work) for a spool directory (waterbear.max-spool-wait): "
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
        // The task may be delayed for another reason by now.
        guard let pause = query.spoolWaits[key]?.pause, task.state.phase == .delayed,
          task.state.delayedUntil == pause.upperBound
        else { continue }
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

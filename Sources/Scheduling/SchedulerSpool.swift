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
  /// Why the last of them failed.
  private(set) var error: WaterbearError?
  /// When the attempt under way started, if one did after the first fault.
  private var startedAt: MonotonicTime?
  /// Attempts that ended for this reason with no directory left to turn to at once.
  private(set) var deadEnds = 0
  /// The directories that refused the task's output, each once, the last one last.
  private(set) var refusals: [Refusal] = []
  /// The same, also those that have come into use again and were forgotten.
  private var everRefused: Set<String> = []

  struct Refusal {
    var directory: String
    var isFull: Bool
    /// It was set aside and has come into use again since.
    var isOver = false
  }

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

  /// An attempt ended with this error for this reason; `refusal` says where, if that was one directory.
  mutating func noteFault(at time: MonotonicTime, _ error: WaterbearError? = nil, _ refusal: SpoolRefusal? = nil) {
    endPause(at: time)
    faults += 1
    self.error = error
    if let startedAt { wasted = TimeSpan(nanoseconds: wasted.nanoseconds + (time - startedAt).nanoseconds) }
    startedAt = nil
    guard let refusal else { return }
    refusals.removeAll { $0.directory == refusal.directory }
    refusals.append(Refusal(directory: refusal.directory, isFull: refusal.isFull))
    everRefused.insert(refusal.directory)
  }

  /// The last fault leaves the task nowhere to go at once. How often that was so.
  mutating func noteDeadEnd() -> Int {
    deadEnds += 1
    return deadEnds
  }

  /// These directories have come into use. What was broken is mended; what was full has some room, and the same file
  /// may fill it again.
  mutating func noteReturn(of directories: Set<String>) {
    refusals.removeAll { !$0.isFull && directories.contains($0.directory) }
    for index in refusals.indices where directories.contains(refusals[index].directory) {
      refusals[index].isOver = true
    }
  }

  /// Whether one of the directories has not refused the task since it last came into use.
  func mayTry(_ directories: [String]) -> Bool {
    directories.contains { name in !refusals.contains { $0.directory == name && !$0.isOver } }
  }

  /// Whether one of the directories never refused the task. Each fault names one only, so there is an end to it even
  /// where one is never named.
  func hasUntried(_ directories: [String]) -> Bool {
    let most = FailurePolicy.spoolFaultsMin + everRefused.count + directories.count
    return faults <= most && directories.contains { !everRefused.contains($0) }
  }
}

extension Scheduler {
  /// An attempt could not write its output, which says nothing about its task.
  ///
  /// While no directory is in use it waits for one. Else, where one directory refused it and another that is in use has
  /// not, the task runs again at once, and keeps away from those that refused it. Where nobody knows which it was it
  /// does so too, the first time; after that it waits in pauses that grow like those of other retries, until one
  /// works again. The query fails when the pauses have used up `spoolWait`; or when that has passed, pauses and wasted
  /// work together, and several attempts have found a directory that seemed to work and then took nothing. It does not
  /// while there is one that never refused the task.
  func spoolFailed(_ task: TaskReference, _ error: WaterbearError, _ refusal: SpoolRefusal?) {
    let query = task.query
    let key = QueryState.TaskKey(stage: task.stage, task: task.task)
    var wait = query.spoolWaits[key] ?? SpoolWait()
    wait.noteFault(at: now, error, refusal)
    let policy = FailurePolicy(limits: query.description.limits, memory: query.description.memory)
    // Who could not say where it was refused was refused everywhere.
    let others = refusal == nil ? [] : spool?.inUse ?? []
    let rest = settings.spoolWait.nanoseconds - wait.waited.nanoseconds
    let isLong = rest <= 0 || wait.faults > FailurePolicy.spoolFaultsMin && wait.lost >= settings.spoolWait
    guard !isLong || wait.hasUntried(others) else {
      failQuery(query, spoolGivenUp(task, wait, error))
      return
    }
    defer { query.spoolWaits[key] = wait }
    guard task.state.running.isEmpty else { return }
    if wait.mayTry(others) { return retryNow(task) }
    let pause = isSpoolGone ? settings.spoolWait : policy.delay(afterSpoolFaults: wait.noteDeadEnd())
    let delay = min(pause, TimeSpan(nanoseconds: rest))
    if delay > .zero {
      let isEndless = settings.plantedBug == .countsWorkAsWaiting
      wait.startPause(at: now, for: isEndless ? .seconds(1_000_000) : delay)
    }
    retry(task, after: delay)
  }

  /// The directories that the task's next attempt had better keep away from, the first to be tried after all first.
  func refusingDirectories(of task: TaskReference) -> [String] {
    guard !task.query.spoolWaits.isEmpty else { return [] }
    let wait = task.query.spoolWaits[QueryState.TaskKey(stage: task.stage, task: task.task)]
    return wait?.refusals.map(\.directory) ?? []
  }

  /// An attempt of the task starts: its pause is over, whatever ended it.
  func noteSpoolStart(of task: TaskReference) {
    guard !task.query.spoolWaits.isEmpty, settings.plantedBug != .countsWorkAsWaiting else { return }
    task.query.spoolWaits[QueryState.TaskKey(stage: task.stage, task: task.task)]?.noteStart(at: now)
  }

  private func spoolGivenUp(_ task: TaskReference, _ wait: SpoolWait, _ error: WaterbearError) -> WaterbearError {
    let work = wait.wasted > wait.waited ? ", with the time of \(wait.faults) attempts that found none," : ""
    return spoolGivenUp("Task \(task.id) waited \(settings.spoolWait)\(work)", error)
  }

  private func spoolGivenUp(_ who: String, _ error: WaterbearError) -> WaterbearError {
    var failure = error.asCause(
      of: "\(who) for a spool directory (waterbear.max-spool-wait): " + error.message)
    failure.causes.removeFirst()
    failure.remedy =
      "Free space in the directories of exchange.base-directories, repair them or add one, and run the query again."
    return failure
  }

  /// Takes over which directories are in use. One that was not ends the pauses of all tasks that wait for the spool.
  func spoolChanged(to state: SpoolState) {
    let returned = Set(state.inUse).subtracting(spool?.inUse ?? [])
    spool = state
    guard !returned.isEmpty else { return }
    endHolds()
    for query in queries.values.sorted(by: { $0.id < $1.id }) where !query.spoolWaits.isEmpty {
      for key in query.spoolWaits.keys.sorted(by: { ($0.stage, $0.task) < ($1.stage, $1.task) }) {
        query.spoolWaits[key]?.noteReturn(of: returned)
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

  // MARK: While no directory is in use

  /// Whether no directory on disk takes files.
  private var isSpoolGone: Bool { spool.map { $0.inUse.isEmpty } ?? false && settings.plantedBug != .ignoresSpool }

  /// Which tasks may start, as far as the spool is concerned; nil for none.
  var startable: QueryState.Choice? {
    guard isSpoolGone else { return .any }
    return spool?.takesSmallOutputs == true ? .firstRuns : nil
  }

  /// The pause of a task for the spool has come to its end with no directory in use: it goes on for what is left of the
  /// wait, or the query fails. False where something else is the case.
  func spoolPauseGoesOn(_ task: TaskReference) -> Bool {
    let query = task.query
    let key = QueryState.TaskKey(stage: task.stage, task: task.task)
    // Nobody waits for a task of a query that has its result, or of a stage that is not needed any more.
    guard isSpoolGone, !query.phase.isPastRoot, !query.stages[task.stage].isSkipped,
      var wait = query.spoolWaits[key], let pause = wait.pause, task.state.delayedUntil == pause.upperBound
    else { return false }
    wait.endPause(at: now)
    let rest = TimeSpan(nanoseconds: settings.spoolWait.nanoseconds - wait.waited.nanoseconds)
    guard rest > .zero else {
      let unknown = WaterbearError(.spoolUnavailable, "No spool directory takes any output")
      failQuery(query, spoolGivenUp(task, wait, wait.error ?? spool?.problem ?? unknown))
      return true
    }
    wait.startPause(at: now, for: rest)
    query.spoolWaits[key] = wait
    retry(task, after: rest)
    return true
  }

  /// Notes of which queries tasks could run but for the spool: from then on they wait for it, as a whole. O(queries)
  /// while no directory is in use.
  func holdForSpool() {
    guard isSpoolGone, workers.hasFreeSlot else { return }
    for query in queries.values.sorted(by: { $0.id < $1.id }) where query.heldSince == nil {
      if query.nextTask() == nil { makeTasks(query) }
      guard isHeld(query) else { continue }
      query.heldSince = now
      timers.add(now + holdRest(query), .spoolHold(query.id))
    }
  }

  private func isHeld(_ query: QueryState) -> Bool { query.nextTask(startable == nil ? .any : .retries) != nil }

  /// How much longer the query may be held, from the moment at which it began to be.
  private func holdRest(_ query: QueryState) -> TimeSpan {
    TimeSpan(nanoseconds: max(0, settings.spoolWait.nanoseconds - query.heldBefore.nanoseconds))
  }

  /// The query fails if it has been held for all the time that it may be.
  func spoolHoldIsOver(_ query: QueryState) {
    guard let since = query.heldSince, since + holdRest(query) <= now else { return }
    guard isHeld(query), !query.phase.isPastRoot else {
      query.heldSince = nil
      return
    }
    let unknown = WaterbearError(.spoolUnavailable, "No spool directory takes any output")
    failQuery(query, spoolGivenUp("Query \(query.id) waited \(settings.spoolWait)", spool?.problem ?? unknown))
  }

  /// A directory is in use again.
  private func endHolds() {
    for query in queries.values.sorted(by: { $0.id < $1.id }) {
      if let since = query.heldSince {
        query.heldBefore = TimeSpan(nanoseconds: query.heldBefore.nanoseconds + (now - since).nanoseconds)
        query.heldSince = nil
      }
      enter(query)
    }
  }

  /// The task's output has found its place.
  func forgetSpoolWait(of task: TaskReference) {
    task.query.heldBefore = .zero
    guard !task.query.spoolWaits.isEmpty else { return }
    task.query.spoolWaits[QueryState.TaskKey(stage: task.stage, task: task.task)] = nil
  }
}

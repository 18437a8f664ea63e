// Owns the spool's directories as the whole daemon sees them: workers say which failed, all are told to avoid it, it is
// tried until it works, and outputs that went with it are looked for. The rules are SpoolWatch's.

import Base
import Exchange
import NIOCore
import Platform
import Scheduling
import Synchronization
import Telemetry
import Wire

extension Coordinator {
  /// How often directories set aside are tried.
  private static let trialInterval = TimeAmount.milliseconds(500)
  /// How often it is asked how much room there is, in seconds.
  private static let volumeRounds = 5
  /// The outputs of one directory are not looked for more often.
  private static let searchInterval = TimeSpan.milliseconds(250)

  /// A file in a base directory failed: in a worker, or here at the start.
  func noteSpoolFault(_ fault: SpoolFault, workerNumber: Int? = nil) {
    guard spool.knownPaths.contains(fault.directory) else { return }
    guard spoolWatch.note(fault, now: SystemClock.monotonic()) else { return tellSpoolChanges() }
    log.write(
      .spoolDirectorySetAside,
      [
        "directory": .string(fault.directory), "reason": .string(fault.reason), "full": .bool(fault.isFull),
        "worker": .int(workerNumber ?? 0),
      ])
    if spool.paths.allSatisfy({ spoolWatch.setAside[$0] != nil }) {
      log.write(.spoolExhausted, ["directories": .strings(spool.paths)])
    }
    tellSpoolChanges()
    enqueue(.spoolChanged(spoolState))
    startTrials()
    if !fault.isFull { searchOutputs(in: fault.directory) }
  }

  // MARK: Directories that are configured no more

  /// An output lies in this directory. If it is not configured (any more) it is set aside for as long as that is so:
  /// what lies there is read, and given up together with it as in any other, but it never works again.
  func noteUse(of directory: String) {
    guard !spool.takesFiles(directory), spoolWatch.setAside[directory] == nil else { return }
    spool.keepReading(directory)
    let reason = SpoolDirectories.whyOnlyRead(directory)
    noteSpoolFault(SpoolFault(directory: directory, reason: reason, isFull: false, fileBytes: 0))
  }

  private var formerDirectories: [String] { spoolWatch.setAside.keys.filter { !spool.takesFiles($0) }.sorted() }

  /// Those of them that can be read, as far as is known.
  var readableFormerDirectories: [String] {
    formerDirectories.filter {
      guard let entry = spoolWatch.setAside[$0] else { return false }
      return !entry.isSilent && entry.awaySince == nil
    }
  }

  /// Forgets those that answer and in which no live query has an output. One that hangs stays known: a worker that was
  /// started when it was configured would use it again. Cost: looks at every output, where there are such
  /// directories.
  private func forgetFormerDirectories() {
    for directory in formerDirectories where spoolWatch.setAside[directory]?.isSilent == false {
      let isUsed = queries.values.contains { query in
        query.outputs.values.contains { $0.location.directory == directory }
      }
      if !isUsed { spoolWatch.forget(directory) }
    }
    tellSpoolChanges()
  }

  // MARK: What is known of directories

  /// Tells a worker that has just come which directories to avoid.
  func tellSpoolStates(to worker: WorkerID) { send(spoolStates, to: worker) }

  private var spoolStates: SpoolStates {
    SpoolStates(setAside: spoolWatch.setAside.keys.sorted(), silent: spoolWatch.silent)
  }

  /// Tells all workers which directories to avoid, where that has changed.
  private func tellSpoolChanges() {
    let states = spoolStates
    guard states != toldSpoolStates else { return }
    toldSpoolStates = states
    for id in workers.keys.sorted() { send(states, to: id) }
  }

  /// What the scheduler is to know of the directories.
  var spoolState: SpoolState {
    let inUse = spool.paths.filter { spoolWatch.setAside[$0] == nil }
    let reasons = spool.paths.map { "\($0) is set aside: \(spoolWatch.setAside[$0]?.reason ?? "")" }
    return SpoolState(
      inUse: inUse, takesSmallOutputs: spool.memoryPath.map { spoolWatch.setAside[$0] == nil } ?? false,
      problem: inUse.isEmpty
        ? WaterbearError(
          .spoolUnavailable, "No spool directory takes any output: " + reasons.joined(separator: "; ")) : nil)
  }

  /// A directory took no more of an attempt's output. Its fault was reported before, and says whether it is full.
  func refusal(by directory: String) -> SpoolRefusal {
    SpoolRefusal(directory: directory, isFull: spoolWatch.setAside[directory]?.isFull ?? true)
  }

  private func startTrials() {
    guard !isTryingSpool else { return }
    isTryingSpool = true
    scheduleTrials()
  }

  private func scheduleTrials() {
    loop.assumeIsolated().scheduleTask(in: Self.trialInterval) { [weak self] in
      guard let self else { return }
      isTryingSpool = !spoolWatch.setAside.isEmpty
      guard isTryingSpool else { return }
      let now = SystemClock.monotonic()
      for directory in spoolWatch.takeSilent() { askAgain(directory) }
      tryDue()
      for directory in spoolWatch.takeGivenUp(now: now) {
        loseOutputs(outputs(in: directory).map(\.attempt), in: directory, withDirectory: true)
      }
      scheduleTrials()
    }
  }

  private func tryDue() {
    for due in spoolWatch.takeDue(now: SystemClock.monotonic()) { tryAgain(due.directory, due.neededBytes) }
  }

  /// Asks one that is silent whether it answers, however long it takes to. From then on it may be read, whether or not
  /// it takes files.
  private func askAgain(_ directory: String) {
    let spool = spool
    ask(directory, .answer, isPatient: true) {
      spool.askAgain(directory)
    } then: { [weak self] (result: Result<SpoolReach, any Error>) in
      guard let self else { return }
      // It throws nothing, so all that can be missing is its thread, which says nothing of the directory.
      let reach = (try? result.get()) ?? .silent
      spoolWatch.noteAnswer(directory, reach, now: SystemClock.monotonic())
      tellSpoolChanges()
      // What is not there now went with it.
      if reach == .there { searchOutputs(in: directory, isBack: true) }
      if reach != .silent { tryDue() }
    }
  }

  private func tryAgain(_ directory: String, _ neededBytes: Int64) {
    let spool = spool
    ask(directory, .trial, isPatient: true) {
      let outcome = spool.probe(directory, neededBytes: neededBytes)
      if case .works = outcome { return (outcome, .there) }
      return (outcome, spool.fileSystem.reach(directory))
    } then: { [weak self] (result: Result<(SpoolProbe, SpoolReach), any Error>) in
      guard let self else { return }
      let now = SystemClock.monotonic()
      let wasAway = spoolWatch.setAside[directory]?.awaySince != nil
      // As above.
      let (outcome, reach) = (try? result.get()) ?? (.fails(Self.shortage(of: directory).message), .silent)
      spoolWatch.noteReach(directory, reach, now: now)
      let isInUse = spoolWatch.noteTrial(of: directory, outcome, now: now)
      tellSpoolChanges()
      // What is not there now went with it.
      if wasAway, reach == .there { searchOutputs(in: directory, isBack: true) }
      guard isInUse else { return }
      log.write(.spoolDirectoryRestored, ["directory": .string(directory)])
      enqueue(.spoolChanged(spoolState))
      sweepNow(directory)
    }
  }

  /// Looks which selected outputs of a directory are gone, so that all of them are made again at once and not one by
  /// one as readers stumble over them; and whether the directory works at all, so that none is made again in one that
  /// gives nothing back. Where the whole directory is away or silent nothing is known of its outputs: they are looked
  /// for when it is back (`isBack`), or given up after some seconds.
  func searchOutputs(in directory: String, isBack: Bool = false) {
    let now = SystemClock.monotonic()
    let last = spoolSearches[directory]
    if !isBack, let last, last.isUnderWay || now - last.start < Self.searchInterval { return }
    spoolSearches[directory] = SpoolSearch(start: now)
    let locations = outputs(in: directory)
    let spool = spool
    let isInUse = spoolWatch.setAside[directory] == nil
    ask(directory, .search) {
      (found: spool.search(for: locations, in: directory),
        probe: isInUse ? spool.probe(directory, neededBytes: 0) : nil)
    } then: { [weak self] outcome in
      guard let self else { return }
      spoolSearches[directory]?.isUnderWay = false
      // Where nobody could ask, the next who stumbles over an output makes us ask again. That it does not answer was
      // noted when it was found.
      guard case .success((let found, let probe)) = outcome else { return }
      if case .fails(let reason)? = probe {
        noteSpoolFault(SpoolFault(directory: directory, reason: reason, isFull: false, fileBytes: 0))
      }
      // It may have been marked again, having been emptied.
      if found.reach == .away, case .works? = probe { return searchOutputs(in: directory, isBack: true) }
      spoolWatch.noteReach(directory, found.reach, now: SystemClock.monotonic())
      tellSpoolChanges()
      loseOutputs(found.lost, in: directory, withDirectory: isBack || spoolWatch.setAside[directory] != nil)
      guard isBack, found.reach == .there else { return }
      enqueue(.outputsFound(Set(locations.map(\.attempt)).subtracting(found.lost).sorted()))
    }
  }

  /// Where the selected outputs in a directory are.
  private func outputs(in directory: String) -> [SpoolLocation] {
    queries.values.flatMap { query in
      query.selected.compactMap { query.outputs[$0]?.location }.filter { $0.directory == directory }
    }
  }

  /// Has outputs made again. `withDirectory`: none of their tasks is to blame.
  private func loseOutputs(_ lost: [AttemptID], in directory: String, withDirectory: Bool) {
    guard !lost.isEmpty else { return }
    let error = WaterbearError(
      .exchangeDataUnrecoverable, "Spool files in \(directory) are missing, cut short or cannot be opened",
      remedy: "The tasks that wrote them run again. Check the disk or mount.")
    log.write(.outputsMissing, ["directory": .string(directory), "outputs": .int(lost.count)])
    enqueue(.outputsMissing(lost.sorted(), error, withDirectory: withDirectory))
  }

  // MARK: Waiting for directories

  /// Does `body` on the thread that the directory has for this errand; `then` gets its outcome on the loop, or
  /// EXCHANGE_DATA_UNRECOVERABLE when a call in it has not returned in time, or GENERIC_INSUFFICIENT_RESOURCES where it
  /// was not asked, as too much is waiting already. So whoever asks hears something in bounded time; `isPatient` waits
  /// however long it takes.
  func ask<Answer: Sendable>(
    _ directory: String, _ errand: SpoolErrand, isPatient: Bool = false,
    _ body: @escaping @Sendable () throws -> Answer, then: @escaping (Result<Answer, any Error>) -> Void
  ) {
    let promise = loop.makePromise(of: Answer.self)
    promise.futureResult.assumeIsolated().whenComplete(then)
    let isAnswered = Once()
    let isUnderWay = spool.run(errand, in: directory) {
      let answer = Result { try body() }
      if isAnswered.isFirst() { promise.completeWith(answer) }
    } ifStuck: {
      if !isPatient, isAnswered.isFirst() { promise.fail(Self.silence(of: directory)) }
    }
    if !isUnderWay, isAnswered.isFirst() { promise.fail(Self.shortage(of: directory)) }
  }

  /// Says nothing of what lies there.
  private static func shortage(of directory: String) -> WaterbearError {
    WaterbearError(
      .genericInsufficientResources,
      "The spool directory \(directory) was not asked: too much waits for it, or no thread can be started",
      remedy: "It is tried again. Check the limit of processes and threads (TasksMax) and the load.")
  }

  private static func silence(of directory: String) -> WaterbearError {
    WaterbearError(
      .exchangeDataUnrecoverable, "The spool directory \(directory) does not answer",
      remedy: "What is needed of it is made again elsewhere. Check its mount.")
  }

  /// To be called every second: finds directories that have fallen silent, and now and then asks how much room there is
  /// and forgets what is used no more. Touches no disk itself.
  func watchSpool() {
    _ = spool.takeSilences()
    spoolRounds += 1
    guard spoolRounds % Self.volumeRounds == 0 else { return }
    spool.refreshVolumes()
    forgetFormerDirectories()
  }

  /// The directories for `waterbearctl status`, with the room that they said to have some seconds ago.
  func spoolStatus() -> [SpoolStatus] {
    let now = SystemClock.monotonic()
    return (spool.allPaths + formerDirectories).map { path in
      let aside = spoolWatch.setAside[path]
      let known = spool.volume(of: path)
      let rates = workers.values.compactMap { $0.spoolRates[path] }
      return SpoolStatus(
        directory: path, isSetAside: aside != nil, reason: aside?.reason,
        sinceMicroseconds: aside.map { (now - $0.since).nanoseconds / 1000 }, totalBytes: known?.volume.totalBytes,
        freeBytes: known?.volume.freeBytes, roomAgeMicroseconds: known.map { $0.age.nanoseconds / 1000 },
        bytesPerSecond: rates.isEmpty ? nil : rates.reduce(0, +) / Double(rates.count))
    }
  }
}

/// A look for the outputs of a directory.
struct SpoolSearch {
  let start: MonotonicTime
  var isUnderWay = true
}

/// Something that happens once, on whichever thread comes first.
private final class Once: Sendable {
  private let hasHappened = Atomic<Bool>(false)

  /// True for the first who asks.
  func isFirst() -> Bool { !hasHappened.exchange(true, ordering: .relaxed) }
}

// Owns the deleting of spool files that nobody needs any more: at the end of attempts, stages and queries, and what
// crashes, lost workers and bad disks have left.

import Base
import Exchange
import NIOCore
import Scheduling
import Telemetry

/// What is left to be deleted in a base directory, as far as that is known.
struct SpoolSweeps {
  static let pauseMin = TimeAmount.seconds(1)
  static let pauseMax = TimeAmount.seconds(60)

  /// A sweep has been ordered and not begun yet.
  var isDue = false
  /// A sweep is under way.
  var isRunning = false
  /// How long to wait before the next one, if the one at hand leaves something.
  var pause = Self.pauseMin
  /// The next one looks at files of live queries, too: the last process may have left some, or something of theirs
  /// could not be deleted.
  var isThorough = true
}

/// Asks the coordinator, on its loop, from the threads that sweep.
private struct LiveWants: SpoolWants {
  let coordinator: Coordinator

  func live(among queries: [QueryID]) throws -> Set<QueryID> {
    try coordinator.loop.submit { [coordinator] in Set(queries.filter { coordinator.queries[$0] != nil }) }.wait()
  }

  func unwanted(among files: [SpoolFile]) throws -> [SpoolFile] {
    try coordinator.loop.submit { [coordinator] in files.filter { !coordinator.wants($0) } }.wait()
  }
}

extension Coordinator {
  func deleteOutput(of attempt: AttemptID) {
    queries[attempt.task.stage.query]?.outputs[attempt] = nil
    for directory in spool.allPaths {
      remove(in: directory) { $0.removeAttempt(attempt, committed: true, in: directory) }
    }
  }

  func deleteReleasedOutputs(of stage: StageID) {
    let released = queries[stage.query]?.takeReleased(of: stage.number) ?? []
    for (directory, locations) in Dictionary(grouping: released, by: \.directory) {
      remove(in: directory) { spool in
        var removal = SpoolRemoval()
        removal.failures = spool.remove(locations)
        return removal
      }
    }
  }

  /// Deletes everything that was spooled for a query.
  func removeFiles(of id: QueryID) {
    for directory in spool.allPaths + readableFormerDirectories {
      removeFiles(of: id, in: directory, again: 8, after: .seconds(1))
    }
  }

  /// Where something stays because a listing did not show it yet, it is looked for `again` some times more; after that
  /// the next sweep finds it.
  private func removeFiles(of id: QueryID, in directory: String, again: Int, after pause: TimeAmount) {
    remove(in: directory) {
      $0.removeQuery(id, in: directory)
    } then: { [weak self] removal in
      guard let self, !removal.leftDirectories.isEmpty, again > 0 else { return }
      loop.assumeIsolated().scheduleTask(in: pause) { [weak self] in
        self?.removeFiles(of: id, in: directory, again: again - 1, after: pause * 2)
      }
    }
  }

  /// Deletes on the directory's thread for that. What cannot be deleted, as on a disk that is away, is noise without
  /// its key, and left to a sweep; so is all that is wanted of a directory which does not answer.
  private func remove(
    in directory: String, _ delete: @escaping @Sendable (SpoolDirectories) -> SpoolRemoval,
    then: @escaping (SpoolRemoval) -> Void = { _ in }
  ) {
    let spool = spool
    ask(directory, .removal) {
      delete(spool)
    } then: { [weak self] outcome in
      guard let self else { return }
      switch outcome {
      case .success(let removal):
        for failure in removal.failures { log.write(.spoolNotSwept, ["reason": .string(failure.description)]) }
        if !removal.failures.isEmpty { sweepLater(directory, isThorough: true) }
        then(removal)
      // That it does not answer was logged when it was found.
      case .failure: sweepLater(directory, isThorough: true)
      }
    }
  }

  // MARK: Sweeps

  /// What attempts of ended queries left behind, such as a file whose worker died between its commit and its report.
  func sweepEndedQueries() {
    for directory in spool.allPaths { sweep(directory) }
  }

  /// Sweeps a directory that works again, without waiting for its turn.
  func sweepNow(_ directory: String) {
    sweeps[directory, default: SpoolSweeps()].pause = SpoolSweeps.pauseMin
    sweep(directory)
  }

  /// Deletes what the last process has left, files of attempts included that nobody knows or that were not selected.
  func sweepFirst() {
    for directory in spool.allPaths {
      firstSweeps.enter()
      sweep(directory) { [firstSweeps] in firstSweeps.leave() }
    }
  }

  private func sweep(_ directory: String, then: @escaping () -> Void = {}) {
    guard sweeps[directory]?.isRunning != true else {
      sweepLater(directory)
      return then()
    }
    sweeps[directory, default: SpoolSweeps()].isRunning = true
    let isThorough = sweeps[directory]?.isThorough ?? true
    // Whatever cannot be deleted from now on may not be found by this one.
    sweeps[directory]?.isThorough = false
    let (spool, wants) = (spool, LiveWants(coordinator: self))
    ask(directory, .removal) {
      try spool.sweep(directory, isThorough: isThorough, wants: wants)
    } then: { [weak self] outcome in
      guard let self else { return }
      sweeps[directory]?.isRunning = false
      noteSweep(of: directory, isThorough: isThorough, outcome)
      then()
    }
  }

  /// Whether a file may be needed, or may be being written. On the loop.
  fileprivate func wants(_ file: SpoolFile) -> Bool {
    let attempt = file.attempt
    if workers.values.contains(where: { $0.running.contains(attempt) }) { return true }
    guard let query = queries[attempt.task.stage.query] else { return false }
    if query.running.contains(attempt) { return true }
    // It was given up, but whoever ran it may not know, and may be about to report it.
    if !unheardWorkers.isEmpty, scheduler.mayCount(attempt) {
      keepsForUnheard = true
      return true
    }
    guard let place = query.outputs[attempt]?.location else { return false }
    // The directory may be known by another name now than when the output was written.
    return place.path == file.path || !file.isTemporary && !spool.allPaths.contains(place.directory)
  }

  /// Deletes what was kept for workers that had not been heard of, when all have been and have not asked for it.
  func sweepForHeard() {
    guard unheardWorkers.isEmpty, keepsForUnheard else { return }
    keepsForUnheard = false
    for directory in spool.allPaths { sweepLater(directory, isThorough: true) }
  }

  private func noteSweep(of directory: String, isThorough: Bool, _ outcome: Result<SpoolRemoval, any Error>) {
    switch outcome {
    case .success(let removal):
      for failure in removal.failures { log.write(.spoolNotSwept, ["reason": .string(failure.description)]) }
      if !removal.deleted.isEmpty {
        log.write(.spoolSwept, ["directory": .string(directory), "files": .int(removal.deleted.count)])
      }
      guard !removal.failures.isEmpty else {
        sweeps[directory]?.pause = SpoolSweeps.pauseMin
        return
      }
    case .failure(let error):
      log.write(.spoolNotSwept, ["reason": .string("\(WaterbearError.wrapping(error).message)")])
    }
    sweepLater(directory, isThorough: isThorough)
  }

  /// Sweeps after a pause that grows, until nothing is left undone.
  private func sweepLater(_ directory: String, isThorough: Bool = false) {
    // What stays in one that is configured no more is for whoever took it out.
    guard spool.takesFiles(directory) else { return }
    if isThorough { sweeps[directory, default: SpoolSweeps()].isThorough = true }
    guard sweeps[directory]?.isDue != true else { return }
    let pause = sweeps[directory, default: SpoolSweeps()].pause
    sweeps[directory]?.isDue = true
    sweeps[directory]?.pause = min(pause * 2, SpoolSweeps.pauseMax)
    loop.assumeIsolated().scheduleTask(in: pause) { [weak self] in
      guard let self else { return }
      sweeps[directory]?.isDue = false
      sweep(directory)
    }
  }
}

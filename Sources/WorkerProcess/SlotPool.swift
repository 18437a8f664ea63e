// Owns the threads that run attempts: one for each that the coordinator may start here at a time.

import Base
import Platform

/// A queue of attempts and the threads that take from it; both live as long as the process.
final class SlotPool: Sendable {
  /// An attempt with all that it needs.
  typealias Job = @Sendable (AttemptRunner) -> Void

  private let jobs = BlockingQueue<Job>()

  /// Starts threads, each with a runner of its own.
  init(threads: Int, makeRunner: @escaping @Sendable () -> AttemptRunner) throws {
    let jobs = jobs
    for slot in 1...threads {
      try NamedThread.start("slot \(slot)") {
        let runner = makeRunner()
        while true { jobs.next()(runner) }
      }
    }
  }

  func submit(_ job: @escaping Job) { jobs.append(job) }
}

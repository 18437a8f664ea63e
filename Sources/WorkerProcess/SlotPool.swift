// Owns the threads that run attempts: one per slot, waiting without polling.

import Base
import Glibc
import Platform

/// A queue of attempts and the threads that take from it.
///
/// Unchecked Sendable: `waiting` is read and written under `mutex` only; mutex and condition are never freed, as the
/// pool lives as long as its process.
final class SlotPool: @unchecked Sendable {
  /// An attempt with all that it needs.
  typealias Job = @Sendable (AttemptRunner) -> Void

  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var waiting: [Job] = []

  /// Starts `slots` threads.
  init(slots: Int, makeRunner: @escaping @Sendable () -> AttemptRunner) throws {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
    for slot in 1...slots {
      try NamedThread.start("slot \(slot)") { [self] in
        let runner = makeRunner()
        while true { next()(runner) }
      }
    }
  }

  func submit(_ job: @escaping Job) {
    pthread_mutex_lock(mutex)
    waiting.append(job)
    pthread_cond_signal(condition)
    pthread_mutex_unlock(mutex)
  }

  private func next() -> Job {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while waiting.isEmpty { pthread_cond_wait(condition, mutex) }
    return waiting.removeFirst()
  }
}

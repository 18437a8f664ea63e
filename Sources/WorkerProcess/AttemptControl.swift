// Owns the order to stop: one flag that a session sets and a running attempt reads.

import Base
import Exchange
import Execution
import Glibc
import Platform
import Synchronization

/// An attempt that this worker holds and has not finished.
final class AttemptControl: Sendable {
  let attempt: AttemptID
  private let stopped = Atomic<Bool>(false)
  /// The thread that runs it, and since when.
  private let place = Mutex<(thread: UInt, since: MonotonicTime)?>(nil)

  /// The attempt's grant and what it holds of it.
  let memory: MemoryContext

  init(_ attempt: AttemptID, memory: MemoryContext) {
    self.attempt = attempt
    self.memory = memory
  }

  var isStopped: Bool { stopped.load(ordering: .relaxed) }

  /// To be called on the thread that runs the attempt.
  func begin() {
    let since = SystemClock.monotonic()
    place.withLock { $0 = (UInt(pthread_self()), since) }
  }

  /// Whether the attempt is in this call. (Its thread may have made the call for another attempt, before this one.)
  func isIn(_ silence: SpoolSilence) -> Bool {
    place.withLock { $0.map { $0.thread == silence.thread && $0.since <= silence.since } ?? false }
  }

  func stop() { stopped.store(true, ordering: .relaxed) }
}

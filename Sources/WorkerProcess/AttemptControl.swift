// Owns the order to stop: one flag that a session sets and a running attempt reads.

import Base
import Synchronization

/// An attempt that this worker holds and has not finished.
final class AttemptControl: Sendable {
  let attempt: AttemptID
  private let stopped = Atomic<Bool>(false)

  init(_ attempt: AttemptID) { self.attempt = attempt }

  var isStopped: Bool { stopped.load(ordering: .relaxed) }
  func stop() { stopped.store(true, ordering: .relaxed) }
}

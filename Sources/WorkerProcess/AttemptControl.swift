// Owns the order to stop: one flag that a session sets and a running attempt reads.

import Base
import Execution
import Synchronization

/// An attempt that this worker holds and has not finished.
final class AttemptControl: Sendable {
  let attempt: AttemptID
  private let stopped = Atomic<Bool>(false)

  /// The attempt's grant and what it holds of it.
  let memory: MemoryContext

  init(_ attempt: AttemptID, memory: MemoryContext) {
    self.attempt = attempt
    self.memory = memory
  }

  var isStopped: Bool { stopped.load(ordering: .relaxed) }
  func stop() { stopped.store(true, ordering: .relaxed) }
}

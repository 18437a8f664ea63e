// Owns the threads that run attempts: one for each that the coordinator may start here at a time.

import Base
import Platform
import Synchronization

/// A queue of attempts and the threads that take from it; both live as long as the process.
///
/// The first thread that is free gets the next attempt. Each thread keeps memory that its last attempt freed, so those
/// that are there for the few times when there are more attempts than slots must not take turns with the others.
final class SlotPool: Sendable {
  /// An attempt with all that it needs. Returns how its end is told.
  typealias Job = @Sendable (AttemptRunner) -> () -> Void

  private struct State {
    var isFree: [Bool]
    /// Attempts for which there was no free thread.
    var waiting: [Job] = []
  }

  private let state: Mutex<State>
  /// What each thread is to do next.
  private let orders: [BlockingQueue<Job>]

  /// Starts threads, each with a runner of its own.
  init(threads: Int, makeRunner: @escaping @Sendable () -> AttemptRunner) throws {
    state = Mutex(State(isFree: Array(repeating: true, count: threads)))
    orders = (0..<threads).map { _ in BlockingQueue() }
    for slot in 0..<threads {
      try NamedThread.start("slot \(slot + 1)") { [self] in
        let runner = makeRunner()
        while true {
          let tellEnd = orders[slot].next()(runner)
          // First, as the answer to the end is the next attempt, which would go to another thread.
          takeNext(slot)
          tellEnd()
        }
      }
    }
  }

  func submit(_ job: @escaping Job) {
    let slot = state.withLock { state -> Int? in
      guard let slot = state.isFree.firstIndex(of: true) else {
        state.waiting.append(job)
        return nil
      }
      state.isFree[slot] = false
      return slot
    }
    if let slot { orders[slot].append(job) }
  }

  /// Gives the thread an attempt that waits, or lets it be free.
  private func takeNext(_ slot: Int) {
    let job = state.withLock { state -> Job? in
      state.isFree[slot] = state.waiting.isEmpty
      return state.waiting.isEmpty ? nil : state.waiting.removeFirst()
    }
    if let job { orders[slot].append(job) }
  }
}

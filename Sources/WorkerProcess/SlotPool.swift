// Owns the threads that run attempts: one for each that the coordinator may start here at a time.

import Base
import Glibc
import Platform
import Synchronization

/// A queue of attempts and the threads that take from it; both live as long as the process.
///
/// The first thread that is free gets the next attempt. Each thread keeps memory that its last attempt freed, so those
/// that are there for the few times when there are more attempts than slots must not take turns with the others.
///
/// A thread in a call that does not return cannot be ended. Another one takes its place, and it ends itself when it
/// comes back.
final class SlotPool: Sendable {
  /// An attempt with all that it needs. Returns how its end is told.
  typealias Job = @Sendable (AttemptRunner) -> () -> Void

  private struct State {
    var isFree: [Bool]
    /// By slot, the thread that runs an attempt, and since when.
    var working: [Work?]
    /// Attempts for which there was no free thread.
    var waiting: [Job] = []
  }

  private struct Work {
    let thread: UInt
    let start: MonotonicTime
  }

  private let state: Mutex<State>
  /// What each thread is to do next.
  private let orders: [BlockingQueue<Job>]

  private let makeRunner: @Sendable () -> AttemptRunner

  /// Starts threads, each with a runner of its own.
  init(threads: Int, makeRunner: @escaping @Sendable () -> AttemptRunner) throws {
    self.makeRunner = makeRunner
    state = Mutex(
      State(isFree: Array(repeating: true, count: threads), working: Array(repeating: nil, count: threads)))
    orders = (0..<threads).map { _ in BlockingQueue() }
    for slot in 0..<threads { try startThread(slot) }
  }

  private func startThread(_ slot: Int) throws {
    try NamedThread.start("slot \(slot + 1)") { [self] in
      let (runner, own) = (makeRunner(), UInt(pthread_self()))
      var hasSlot = true
      while hasSlot {
        let job = orders[slot].next()
        let start = SystemClock.monotonic()
        state.withLock { $0.working[slot] = Work(thread: own, start: start) }
        let tellEnd = job(runner)
        // First, as the answer to the end is the next attempt, which would go to another thread.
        hasSlot = takeNext(slot) { $0?.thread == own }
        tellEnd()
      }
    }
  }

  /// Starts another thread in the place of this one, which has been stuck in an attempt since this time. Where that
  /// cannot be done the slot is free again when it comes back. Nothing happens where it has come back meanwhile, if to
  /// run the next attempt.
  func replace(_ thread: UInt, stuckSince time: MonotonicTime) throws {
    let isStuck = { (work: Work?) in work.map { $0.thread == thread && $0.start <= time } ?? false }
    guard let slot = state.withLock({ $0.working.firstIndex(where: isStuck) }) else { return }
    try startThread(slot)
    // Should it have come back in this moment, the new one waits beside it.
    _ = takeNext(slot, isStuck)
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

  /// Gives the slot an attempt that waits, or lets it be free. False where whoever ran the last one was replaced
  /// meanwhile: then the slot is not its own.
  private func takeNext(_ slot: Int, _ isOwner: (Work?) -> Bool) -> Bool {
    let (isOwn, job) = state.withLock { state -> (Bool, Job?) in
      guard isOwner(state.working[slot]) else { return (false, nil) }
      state.working[slot] = nil
      state.isFree[slot] = state.waiting.isEmpty
      return (true, state.waiting.isEmpty ? nil : state.waiting.removeFirst())
    }
    if let job { orders[slot].append(job) }
    return isOwn
  }
}

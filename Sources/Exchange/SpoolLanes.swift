// Owns the threads on which a process does its errands in base directories, so that one which hangs holds up nobody but
// who wants the same of the same directory. It must not know what the errands do.
import Base
import Glibc
import Platform
import Synchronization

/// What is done in a base directory beside the files of attempts. Each kind has a thread of its own in each directory.
public enum SpoolErrand: Hashable, Sendable, CaseIterable {
  /// Asking how much room there is.
  case volume
  /// Finding out whether the directory works: at the start, and when it is set aside.
  case trial
  /// Finding out whether a directory that fell silent answers again.
  case answer
  /// Looking whether outputs are where they should be.
  case search
  /// Deleting, and looking for what there is to delete.
  case removal
  /// Reading outputs for clients and for commits.
  case reading
}

/// Jobs done one after the other on a thread that is there only while there is something to do.
///
/// A thread that is stuck is given up: another one goes on with the next job, and the stuck one ends when it returns.
final class SpoolLane: Sendable {
  private struct Job {
    var run: @Sendable () -> Void
    var ifStuck: @Sendable () -> Void
    /// When the thread took it up.
    var start = MonotonicTime(nanoseconds: 0)
  }

  private struct State {
    var waiting: [Job] = []
    /// Counts the threads, so that one that was given up knows that it is not the lane's any more.
    var generation = 0
    var isRunning = false
    var thread: UInt = 0
    var current: Job?
  }

  /// A mount that does not answer must not fill the memory with what is wanted of it.
  private static let waitingMax = 1000
  private static let stackBytes = 1 << 20

  private let name: String
  private let state = Mutex(State())

  private let now: @Sendable () -> MonotonicTime

  init(_ name: String, now: @escaping @Sendable () -> MonotonicTime) {
    self.name = name
    self.now = now
  }

  /// Does `run` after the jobs before it. False where there are too many of them, or no thread: then it is not done.
  /// `ifStuck` is called, on another thread, if `run` is given up; it may return some time all the same.
  func submit(_ run: @escaping @Sendable () -> Void, ifStuck: @escaping @Sendable () -> Void) -> Bool {
    state.withLock { state in
      guard state.waiting.count < Self.waitingMax else { return false }
      state.waiting.append(Job(run: run, ifStuck: ifStuck))
      guard !state.isRunning else { return true }
      guard start(&state) else {
        state.waiting.removeLast()
        return false
      }
      return true
    }
  }

  /// Gives up the lane's thread if it is this one, and still in the job that it was in at `time`: a call that was found
  /// to be overdue may have returned since.
  func giveUp(_ thread: UInt, since time: MonotonicTime) {
    let stuck = state.withLock { state -> Job? in
      guard state.isRunning, state.thread == thread, let job = state.current, job.start <= time else { return nil }
      state.current = nil
      state.generation += 1
      state.isRunning = false
      // Without a thread the jobs wait for the next one that is handed in.
      if !state.waiting.isEmpty { _ = start(&state) }
      return job
    }
    stuck?.ifStuck()
  }

  private func start(_ state: inout State) -> Bool {
    state.generation += 1
    let generation = state.generation
    do {
      try NamedThread.start(name, stackBytes: Self.stackBytes) { [self] in
        while let job = next(generation) { job() }
      }
    } catch {
      return false
    }
    state.isRunning = true
    state.thread = 0
    return true
  }

  private func next(_ generation: Int) -> (@Sendable () -> Void)? {
    var done: Job?
    // What a job holds may include open files, whose end may wait for a disk: that is not done under the lock.
    defer { withExtendedLifetime(done) {} }
    let start = now()
    return state.withLock { state in
      guard state.generation == generation else { return nil }
      state.thread = UInt(pthread_self())
      done = state.current
      state.current = state.waiting.isEmpty ? nil : state.waiting.removeFirst()
      state.current?.start = start
      if state.current == nil { state.isRunning = false }
      return state.current?.run
    }
  }
}

/// The lanes of all base directories, and of those that were some when an output was written.
final class SpoolLanes: Sendable {
  private let lanes = Mutex<[String: [SpoolErrand: SpoolLane]]>([:])
  private let now: @Sendable () -> MonotonicTime

  init(now: @escaping @Sendable () -> MonotonicTime) { self.now = now }

  func lane(_ errand: SpoolErrand, in directory: String) -> SpoolLane {
    lanes.withLock { lanes in
      if let lane = lanes[directory]?[errand] { return lane }
      let lane = SpoolLane("spool \(errand)", now: now)
      lanes[directory, default: [:]][errand] = lane
      return lane
    }
  }

  /// Gives up the thread of whichever lane has it.
  func giveUp(_ silence: SpoolSilence) {
    let there = lanes.withLock { Array(($0[silence.directory] ?? [:]).values) }
    for lane in there { lane.giveUp(silence.thread, since: silence.since) }
  }
}

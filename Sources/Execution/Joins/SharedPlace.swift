// Owns the waiting of tasks for something that one of them builds. Knows nothing of what is built.

#if canImport(Glibc)
import Glibc
#endif

/// The place of a build: empty, claimed by the task that makes it while others wait, or filled for good.
///
/// Unchecked Sendable: `state` is read and written under `mutex` only, and what it holds is Sendable.
final class SharedPlace: @unchecked Sendable {
  private enum State {
    case empty
    case claimed(Builder)
    case filled(any SharedBuild)
  }

  /// The task at work. One that has been told to stop has lost its claim: it may be stuck, and not come back.
  private final class Builder {
    let checkStop: () throws -> Void
    var isStopped: Bool { (try? checkStop()) == nil }  // What it throws is that it is stopped.

    init(checkStop: @escaping () throws -> Void) { self.checkStop = checkStop }
  }

  /// What a task finds.
  private enum Claim {
    case own(Builder)
    case others
    case filled(any SharedBuild)
  }

  /// How long a task waits before it asks whether it is to stop, in nanoseconds.
  private static let patience = 20_000_000

  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var state = State.empty

  init() {
    pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(changed, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(changed)
    pthread_mutex_destroy(mutex)
    changed.deallocate()
    mutex.deallocate()
  }

  /// What is here, made by `make` where nobody has made or is making it. Throws what `make` throws, after which the
  /// next who waits makes it, and what `checkStop` throws, which is called while another task is at work, and by those
  /// who wait for this one.
  func build(
    checkStop: @escaping () throws -> Void, make: () throws -> any SharedBuild
  ) throws -> any SharedBuild {
    while true {
      switch claim(checkStop) {
      case .filled(let build): return build
      case .others: try checkStop()
      case .own(let builder):
        do {
          try checkStop()
          let made = try make()
          become(.filled(made), by: builder)
          return made
        } catch {
          become(.empty, by: builder)
          throw error
        }
      }
    }
  }

  /// Claims an empty place. Where another task is at work, waits for its end, but not for long.
  private func claim(_ checkStop: @escaping () throws -> Void) -> Claim {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    if case .claimed(let other) = state, !other.isStopped {
      var deadline = timespec()
      clock_gettime(CLOCK_MONOTONIC, &deadline)
      deadline.tv_nsec += Self.patience
      if deadline.tv_nsec >= 1_000_000_000 {
        deadline.tv_sec += 1
        deadline.tv_nsec -= 1_000_000_000
      }
      pthread_cond_timedwait(changed, mutex, &deadline)
    }
    switch state {
    case .filled(let build): return .filled(build)
    case .claimed(let other) where !other.isStopped: return .others
    case .claimed, .empty:
      let builder = Builder(checkStop: checkStop)
      state = .claimed(builder)
      return .own(builder)
    }
  }

  /// Ends a task's claim. One that was lost ends nothing, and what it has made is its own.
  private func become(_ new: State, by builder: Builder) {
    pthread_mutex_lock(mutex)
    if case .claimed(let current) = state, current === builder {
      state = new
      pthread_cond_broadcast(changed)
    }
    pthread_mutex_unlock(mutex)
  }
}

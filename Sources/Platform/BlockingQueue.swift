// Owns handing things to threads that wait for them without polling.
import Base
import Glibc

/// A first-in first-out queue whose readers wait while it is empty. Safe from any thread.
///
/// Unchecked Sendable: `waiting` is read and written under `mutex` only.
public final class BlockingQueue<Element: Sendable>: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var waiting: [Element] = []

  public init() {
    pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    // A wait with an end must not depend on the clock that people set.
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(condition, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    // Nobody waits: who does holds a reference.
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  /// Adds an element and wakes one reader.
  public func append(_ element: Element) {
    pthread_mutex_lock(mutex)
    waiting.append(element)
    pthread_cond_signal(condition)
    pthread_mutex_unlock(mutex)
  }

  /// Takes the oldest element; waits until there is one.
  public func next() -> Element {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while waiting.isEmpty { pthread_cond_wait(condition, mutex) }
    return waiting.removeFirst()
  }

  /// Takes the oldest element; nil where there is none within `time`.
  public func next(within time: TimeSpan) -> Element? {
    let end = SystemClock.monotonic() + time
    var deadline = timespec(tv_sec: Int(end.nanoseconds / 1_000_000_000), tv_nsec: Int(end.nanoseconds % 1_000_000_000))
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while waiting.isEmpty {
      if pthread_cond_timedwait(condition, mutex, &deadline) == ETIMEDOUT { break }
    }
    return waiting.isEmpty ? nil : waiting.removeFirst()
  }
}

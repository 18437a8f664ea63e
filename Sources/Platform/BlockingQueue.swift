// Owns handing things to threads that wait for them without polling.
import Base
import Glibc

/// A first-in first-out queue whose readers wait while it is empty. Safe from any thread.
///
/// Unchecked Sendable: `waiting` is read and written under `mutex` only. Mutex and condition are never freed: a queue
/// lives as long as the threads that wait for it, which is as long as the process.
public final class BlockingQueue<Element: Sendable>: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var waiting: [Element] = []

  public init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
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
}

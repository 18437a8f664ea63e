// Owns the count of bytes that one task attempt holds and the limit on them. Allocates nothing itself.

import Base
import Synchronization

/// The memory grant of one task attempt. Operators report what they retain through accounts; a report that would
/// pass the limit throws EXCEEDED_LOCAL_MEMORY_LIMIT before the memory is allocated.
///
/// Reports come from the task's thread; `reservedBytes` and `peakBytes` may be read from any thread.
public final class MemoryContext: Sendable {
  /// The grant in bytes.
  public let limit: Int64

  private struct State {
    var reserved: Int64 = 0
    var peak: Int64 = 0
    var consumers: [String: Int64] = [:]
  }
  private let state = Mutex(State())

  public init(limit: Int64) { self.limit = limit }

  /// Bytes held now.
  public var reservedBytes: Int64 { state.withLock { $0.reserved } }
  /// The most bytes held at one time so far.
  public var peakBytes: Int64 { state.withLock { $0.peak } }

  /// An account for one operator. `consumer` is Trino's operator name, shown among the top consumers.
  public func account(_ consumer: String) -> MemoryAccount { MemoryAccount(consumer: consumer, context: self) }

  fileprivate func change(_ consumer: String, by delta: Int64) throws {
    let refusal: String? = state.withLock { state in
      if delta > 0, state.reserved > limit - delta { return Self.refusal(state, limit: limit, delta: delta) }
      state.reserved += delta
      state.peak = max(state.peak, state.reserved)
      state.consumers[consumer, default: 0] += delta
      return nil
    }
    guard let refusal else { return }
    throw WaterbearError(
      .exceededLocalMemoryLimit, refusal,
      remedy: "the task is tried again with a larger grant; fault-tolerant-execution-task-memory sets the first one")
  }

  /// Trino's wording (io.trino.ExceededMemoryLimitException), with the task in the node's place.
  private static func refusal(_ state: State, limit: Int64, delta: Int64) -> String {
    let top = state.consumers.filter { $0.value > 0 }
      .sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      .prefix(3)
      .map { "\($0.key)=\(DataSize(bytes: $0.value))" }
    return "Query exceeded per-task memory limit of \(DataSize(bytes: limit)) [Allocated: "
      + "\(DataSize(bytes: state.reserved)), Delta: \(DataSize(bytes: delta)), Top Consumers: "
      + "{\(top.joined(separator: ", "))}]"
  }
}

/// What one operator holds of its task's grant. Used by the task's thread; gives everything back when it goes away.
public final class MemoryAccount {
  private let consumer: String
  private let context: MemoryContext
  /// Bytes held now.
  public private(set) var bytes: Int64 = 0

  fileprivate init(consumer: String, context: MemoryContext) {
    self.consumer = consumer
    self.context = context
  }

  deinit { release() }

  /// Changes what is held to `total` bytes. Throws EXCEEDED_LOCAL_MEMORY_LIMIT and changes nothing if that is too much.
  public func set(_ total: Int) throws {
    let delta = Int64(total) - bytes
    if delta == 0 { return }
    try context.change(consumer, by: delta)
    bytes += delta
  }

  /// Holds `extra` bytes more, or throws.
  public func add(_ extra: Int) throws { try set(Int(bytes) + extra) }

  /// Gives everything back.
  public func release() {
    guard bytes > 0 else { return }
    do {
      try set(0)
    } catch {
      preconditionFailure("giving memory back was refused: \(error)")
    }
  }
}

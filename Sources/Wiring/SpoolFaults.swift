// Owns the way of failures of base directories from whatever thread noticed them to who tells the coordinator.

import Base
import Exchange
import Synchronization

/// Failures of base directories, handed on as they come or kept until somebody asks.
public final class SpoolFaults: Sendable {
  private struct State {
    var waiting: [SpoolFault] = []
    var deliver: (@Sendable (SpoolFault) -> Void)?
  }

  /// More are not kept: what fails will fail again.
  private static let waitingMax = 64

  private let state = Mutex(State())

  public init() {}

  /// Notes a failure. Any thread.
  public func add(_ fault: SpoolFault) {
    let deliver = state.withLock { state in
      if state.deliver == nil, state.waiting.count < Self.waitingMax { state.waiting.append(fault) }
      return state.deliver
    }
    deliver?(fault)
  }

  /// Takes those that wait.
  public func take() -> [SpoolFault] {
    state.withLock { state in
      defer { state.waiting = [] }
      return state.waiting
    }
  }

  /// From now on each failure is handed to `deliver`, on the thread that noticed it.
  public func deliver(to deliver: @escaping @Sendable (SpoolFault) -> Void) {
    let waiting = state.withLock { state in
      defer { state.waiting = [] }
      state.deliver = deliver
      return state.waiting
    }
    for fault in waiting { deliver(fault) }
  }
}

// Owns a client's conversation with the daemon: one request at a time, and again after a reconnect when the connection
// breaks in the middle. Every request of the protocol may be repeated without harm.

import Base
import Glibc
import Platform
import Sockets
import Wire

/// The daemon cannot be reached.
public struct DaemonUnavailable: Error, CustomStringConvertible {
  /// What is the case, as far as can be told from outside.
  public enum Reason: Hashable, Sendable {
    /// The file system refused.
    case permission
    /// Nobody listens, and no daemon is known to run.
    case absent
    /// The daemon runs, as this process, but its coordinator does not: it starts, or cannot.
    case noCoordinator(Int32)
    /// Somebody listens, who takes no connection or does not answer.
    case silent
  }

  public let socketPath: String
  public let reason: Reason

  /// Whether this user may not reach it.
  public var isPermission: Bool { reason == .permission }

  public var description: String {
    switch reason {
    case .permission: "No permission to connect to \(socketPath)"
    case .absent: "The daemon is not running: nobody listens on \(socketPath)"
    case .noCoordinator(let process):
      "The daemon runs (process \(process)), but its coordinator does not: nobody listens on \(socketPath)"
    case .silent: "The daemon runs, but its coordinator does not answer on \(socketPath)"
    }
  }

  /// Nobody listens: says whether a daemon runs, as far as the lock beside the socket tells.
  static func nobody(at socketPath: String) -> DaemonUnavailable {
    let run = socketPath.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    let lock = (run.isEmpty ? "." : run) + "/" + DaemonDirectories.daemonLockName
    let holder = LockFile.lastHolder(of: lock)
    return DaemonUnavailable(socketPath: socketPath, reason: holder.map { .noCoordinator($0) } ?? .absent)
  }
}

/// The time that the caller allowed is over.
public struct ClientTimeout: Error, CustomStringConvertible {
  public let allowed: TimeSpan

  public init(allowed: TimeSpan) { self.allowed = allowed }

  public var description: String { "No answer within \(allowed)" }
}

/// A connection to the daemon. Used by one thread.
public final class DaemonClient {
  /// How long a daemon that was never there may take to appear, if its socket is there.
  static let restartPatience = TimeSpan.seconds(2)

  private let socketPath: String
  private let deadline: MonotonicTime?
  private let allowed: TimeSpan?
  /// How long a daemon that has gone away may take to come back.
  public var patience: TimeSpan
  private var socket: FrameSocket?
  private var lastRequest: UInt64 = 0
  /// Whether there was somebody at the socket before: a daemon that was there is worth waiting for.
  private var wasThere = false
  /// Called when the daemon has gone away and when it is back.
  public var onAbsence: ((_ isAway: Bool) -> Void)?

  /// - Parameters:
  ///   - timeout: bounds the whole life of the client; nil for none.
  ///   - patience: how long a daemon that has gone away may take to come back.
  public init(socketPath: String, timeout: TimeSpan? = nil, patience: TimeSpan = .seconds(300)) {
    self.socketPath = socketPath
    allowed = timeout
    deadline = timeout.map { SystemClock.monotonic() + $0 }
    self.patience = patience
  }

  /// Sends a request and waits for its answer, over as many connections as it takes.
  ///
  /// Throws the daemon's refusal as `WaterbearError`, `DaemonUnavailable`, or `ClientTimeout`.
  public func call<Answer: WireMessage>(
    _ request: some WireMessage, expecting answer: Answer.Type
  ) throws -> (message: Answer, attachment: [UInt8]) {
    while true {
      let socket = try connected()
      do {
        return try exchange(request, expecting: answer, on: socket)
      } catch is ConnectionLost {
        self.socket = nil
      }
    }
  }

  private func exchange<Answer: WireMessage>(
    _ request: some WireMessage, expecting answer: Answer.Type, on socket: FrameSocket
  ) throws -> (message: Answer, attachment: [UInt8]) {
    lastRequest += 1
    try socket.send(request, id: lastRequest)
    while true {
      guard let frame = try socket.receive(timeout: try remaining()) else { throw timedOut() }
      // An answer to a request given up on an earlier turn would have another number.
      guard frame.id == lastRequest || frame.id == 0 else { continue }
      if frame.name == Refusal.name { throw try frame.message(Refusal.self).error }
      return (try frame.message(answer), frame.attachment)
    }
  }

  /// A connection that has said hello; waits for the daemon to come back if it was there before.
  private func connected() throws -> FrameSocket {
    if let socket { return socket }
    let start = SystemClock.monotonic()
    let giveUp = start + patience
    var pause = TimeSpan.milliseconds(2)
    var isAway = false
    while true {
      do {
        let socket = try FrameSocket(connectingTo: socketPath)
        _ = try socket.greet(role: "client", timeout: min(.seconds(10), try remaining() ?? .seconds(10)))
        self.socket = socket
        wasThere = true
        if isAway { onAbsence?(false) }
        return socket
      } catch let error as PeerUnreachable where error.isBusy {
        try noteSilence(giveUp)
      } catch let error as PeerUnreachable {
        // A socket without a listener is what a coordinator leaves behind between its death and its successor.
        let isRestarting = error.number == ECONNREFUSED && SystemClock.monotonic() < start + Self.restartPatience
        if error.isPermission { throw DaemonUnavailable(socketPath: socketPath, reason: .permission) }
        guard isRestarting || (wasThere && SystemClock.monotonic() < giveUp) else {
          throw DaemonUnavailable.nobody(at: socketPath)
        }
      } catch is ConnectionLost {
        // A daemon that is stopping accepts and closes, one that hangs says no hello. Both count as away.
        try noteSilence(giveUp)
      }
      if !isAway, pause > .milliseconds(100) {
        isAway = true
        onAbsence?(true)
      }
      if let left = try remaining(), left < pause { throw timedOut() }
      SystemClock.sleep(pause)
      pause = min(.milliseconds(200), TimeSpan(nanoseconds: pause.nanoseconds * 2))
    }
  }

  /// There is somebody, who does not talk to us.
  private func noteSilence(_ giveUp: MonotonicTime) throws {
    wasThere = true
    guard SystemClock.monotonic() < giveUp else {
      throw DaemonUnavailable(socketPath: socketPath, reason: .silent)
    }
  }

  private func remaining() throws -> TimeSpan? {
    guard let deadline else { return nil }
    let left = deadline - SystemClock.monotonic()
    guard left > .zero else { throw timedOut() }
    return left
  }

  private func timedOut() -> ClientTimeout { ClientTimeout(allowed: allowed ?? .zero) }
}

// Owns a client's conversation with the daemon: one request at a time, and again after a reconnect when the connection
// breaks in the middle. Every request of the protocol may be repeated without harm.

import Base
import Glibc
import Platform
import Sockets
import Wire

/// The daemon cannot be reached.
public struct DaemonUnavailable: Error, CustomStringConvertible {
  public let socketPath: String
  /// Whether the file system refused, as opposed to nobody listening.
  public let isPermission: Bool

  public var description: String {
    isPermission
      ? "No permission to connect to \(socketPath)" : "The daemon is not running: nobody listens on \(socketPath)"
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
  /// Whether a connection existed before: a daemon that was there is worth waiting for.
  private var wasConnected = false
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
        wasConnected = true
        if isAway { onAbsence?(false) }
        return socket
      } catch let error as PeerUnreachable {
        // A socket without a listener is what a coordinator leaves behind between its death and its successor.
        let isRestarting = error.number == ECONNREFUSED && SystemClock.monotonic() < start + Self.restartPatience
        guard !error.isPermission, isRestarting || (wasConnected && SystemClock.monotonic() < giveUp) else {
          throw DaemonUnavailable(socketPath: socketPath, isPermission: error.isPermission)
        }
      } catch is ConnectionLost {
        // A daemon that is stopping accepts and closes; it counts as away.
        guard SystemClock.monotonic() < giveUp else {
          throw DaemonUnavailable(socketPath: socketPath, isPermission: false)
        }
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

  private func remaining() throws -> TimeSpan? {
    guard let deadline else { return nil }
    let left = deadline - SystemClock.monotonic()
    guard left > .zero else { throw timedOut() }
    return left
  }

  private func timedOut() -> ClientTimeout { ClientTimeout(allowed: allowed ?? .zero) }
}

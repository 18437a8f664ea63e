// Owns a blocking connection over a Unix socket that carries frames: for a process with one peer, where a thread may
// wait. The coordinator, which has many, uses `Transport`.

import Base
import Glibc
import Platform
import Synchronization
import Wire

/// Nobody answers at a socket's path: the daemon is not running, or this user may not reach it.
public struct PeerUnreachable: Error, CustomStringConvertible {
  public let path: String
  /// errno of connect(2).
  public let number: Int32

  /// Whether somebody listens who does not take connections at present, and has as many waiting as may be.
  public var isBusy: Bool { number == EAGAIN }
  /// Whether the file system refused, as opposed to nobody listening.
  public var isPermission: Bool { number == EACCES || number == EPERM }
  public var description: String { "Cannot connect to \(path): \(SystemCall.message(number))" }
}

/// The peer closed the connection or it broke.
public struct ConnectionLost: Error, CustomStringConvertible {
  public let reason: String
  public var description: String { "The connection was lost: \(reason)" }
}

/// A connected Unix stream socket. Sending is allowed from any thread; receiving from one.
///
/// Unchecked Sendable: `decoder` and `input` belong to the receiving thread; sending is under `sendLock`.
public final class FrameSocket: @unchecked Sendable {
  private let descriptor: OwnedDescriptor
  private let sendLock = Mutex(())
  private var decoder: FrameDecoder
  private var input = [UInt8](repeating: 0, count: 256 << 10)

  /// Connects to a listening socket, or finds at once that it cannot. Throws `PeerUnreachable`.
  public init(connectingTo path: String, frameLimit: Int = FrameDecoder.defaultLimit) throws {
    // A peer that is stopped accepts nothing: behind as many as may wait, connecting would last as long as it is.
    let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
    let number = socket(AF_UNIX, kind, 0)
    guard number >= 0 else { throw SystemCall.failure("cannot open a socket", errno) }
    descriptor = OwnedDescriptor(adopting: number)
    decoder = FrameDecoder(limit: frameLimit)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    guard path.utf8.count <= DaemonDirectories.socketPathBytesMax else {
      throw PeerUnreachable(path: path, number: ENAMETOOLONG)
    }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        SystemCall.retrying { connect(number, address, socklen_t(MemoryLayout<sockaddr_un>.size)) }
      }
    }
    guard result == 0 else { throw PeerUnreachable(path: path, number: errno) }
    guard fcntl(number, F_SETFL, 0) == 0 else { throw SystemCall.failure("cannot set up a socket", errno) }
  }

  /// Sends a whole frame; blocks while the peer is slow. Throws `ConnectionLost`.
  public func send(_ frame: Frame) throws {
    let bytes = frame.encoded()
    try sendLock.withLock { _ in try send(bytes) }
  }

  /// To be called under `sendLock`.
  private func send(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { raw in
      var sent = 0
      while sent < raw.count {
        let start = raw.baseAddress.unsafelyUnwrapped + sent  // Never empty: a frame has at least its length.
        let count = SystemCall.retrying {
          Glibc.send(descriptor.number, start, raw.count - sent, Int32(MSG_NOSIGNAL))
        }
        guard count > 0 else { throw ConnectionLost(reason: SystemCall.message(errno)) }
        sent += count
      }
    }
  }

  /// Sends a message without an attachment.
  public func send(_ message: some WireMessage, id: UInt64 = 0) throws { try send(Frame(message, id: id)) }

  /// Sends a small message unless that might have to wait, as the peer is slow to read or another thread is sending.
  /// Whether it was sent. For what is said again anyway, by threads that have other things to do. Throws
  /// `ConnectionLost`.
  public func sendIfRoom(_ message: some WireMessage) throws -> Bool {
    let bytes = try Frame(message).encoded()
    let sent = try sendLock.withLockIfAvailable { _ in
      // Said to be writable while no more than a quarter is used: there is room for a hundred kilobytes or so.
      var poller = pollfd(fd: descriptor.number, events: Int16(POLLOUT), revents: 0)
      guard poll(&poller, 1, 0) > 0 else { return false }
      try send(bytes)
      return true
    }
    return sent ?? false
  }

  /// The next frame; nil when `timeout` has passed without one (nil waits for ever). Throws `ConnectionLost` at the
  /// end of the stream and MALFORMED_FRAME for a stream that is no stream of frames.
  public func receive(timeout: TimeSpan? = nil) throws -> Frame? {
    let deadline = timeout.map { SystemClock.monotonic() + $0 }
    while true {
      if let frame = try decoder.next() { return frame }
      guard try waitForInput(until: deadline) else { return nil }
      let count = input.withUnsafeMutableBytes { raw in
        SystemCall.retrying { recv(descriptor.number, raw.baseAddress, raw.count, 0) }
      }
      guard count != 0 else { throw ConnectionLost(reason: "closed by the other side") }
      guard count > 0 else { throw ConnectionLost(reason: SystemCall.message(errno)) }
      decoder.append(input[..<count])
    }
  }

  /// Exchanges hellos as the side that connected. `goesOn` is asked each time that `timeout` has passed without one,
  /// whether to wait as long once more.
  public func greet(role: String, timeout: TimeSpan, goesOn: () -> Bool = { false }) throws -> Hello {
    try send(Hello(role: role, pid: getpid()))
    var answer = try receive(timeout: timeout)
    while answer == nil, goesOn() { answer = try receive(timeout: timeout) }
    guard let frame = answer else { throw ConnectionLost(reason: "no hello came within \(timeout)") }
    if frame.name == Refusal.name { throw try frame.message(Refusal.self).error }
    let hello = try frame.message(Hello.self)
    try hello.check(peer: "daemon")
    return hello
  }

  /// Ends the connection; a thread that waits in `receive` gets `ConnectionLost`.
  public func shutDown() { _ = shutdown(descriptor.number, Int32(SHUT_RDWR)) }

  private func waitForInput(until deadline: MonotonicTime?) throws -> Bool {
    while true {
      var timeout: Int32 = -1
      if let deadline {
        let left = (deadline - SystemClock.monotonic()).milliseconds
        guard left >= 0 else { return false }
        // Rounded up, so that a wait of less than a millisecond does not spin.
        timeout = Int32(clamping: left + 1)
      }
      var poller = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
      let result = poll(&poller, 1, timeout)
      if result > 0 { return true }
      if result < 0, errno != EINTR { throw ConnectionLost(reason: SystemCall.message(errno)) }
    }
  }
}

// Owns a daemon for tests: a Unix socket that answers requests as the test says, and can go away and come back.
import Base
import Glibc
import Platform
import Synchronization
import TemporaryDirectories
import Wire

/// What a fake daemon does with a request.
enum FakeReply: Sendable {
  case answer(any WireMessage, attachment: [UInt8] = [])
  case refuse(WaterbearError)
  /// Never answers.
  case silence
  /// Closes the connection and stops listening for so long.
  case goAway(milliseconds: Int64)
}

/// Listens on a socket in a directory of its own, from `init` until it is released.
final class FakeDaemon: Sendable {
  typealias Answer = @Sendable (Frame) throws -> FakeReply

  /// What the threads need; it outlives the daemon by the time they take to notice its end.
  private final class Shared: Sendable {
    struct State {
      var requests: [String] = []
      var isOver = false
      var awayUntil: MonotonicTime?
      /// Held here alone, so that it closes when it is taken away.
      var listener: OwnedDescriptor?
    }

    let path: String
    let answer: Answer
    let state = Mutex(State())

    init(path: String, answer: @escaping Answer) {
      self.path = path
      self.answer = answer
    }

    /// Whether connections have to end now.
    var isGone: Bool { state.withLock { $0.isOver || $0.awayUntil != nil } }
  }

  private let directory = TemporaryDirectory()
  private let shared: Shared
  var socketPath: String { shared.path }

  init(at path: String? = nil, answer: @escaping Answer) throws {
    shared = Shared(path: path ?? directory.path + "/waterbear.sock", answer: answer)
    let first = try Self.listener(shared.path)
    shared.state.withLock { $0.listener = first }
    try NamedThread.start("fake", stackBytes: 1 << 20) { [shared] in
      while Self.serveOnce(shared) {}
    }
  }

  deinit { shared.state.withLock { $0.isOver = true } }

  /// The names of the requests so far, hellos left out.
  var requests: [String] { shared.state.withLock { $0.requests } }

  static func listener(_ path: String) throws -> OwnedDescriptor {
    unlink(path)
    let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard number >= 0 else { throw SystemCall.failure("socket", errno) }
    let descriptor = OwnedDescriptor(adopting: number)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard result == 0, listen(number, 16) == 0 else { throw SystemCall.failure("bind", errno) }
    return descriptor
  }

  /// One round of the listening thread; false when it is over.
  private static func serveOnce(_ shared: Shared) -> Bool {
    let (isOver, awayUntil) = shared.state.withLock { ($0.isOver, $0.awayUntil) }
    if isOver {
      shared.state.withLock { $0.listener = nil }
      return false
    }
    if let awayUntil {
      shared.state.withLock { $0.listener = nil }
      if SystemClock.monotonic() < awayUntil {
        SystemClock.sleep(.milliseconds(2))
        return true
      }
      let next = try? listener(shared.path)  // Tried again in the next round.
      shared.state.withLock { state in
        state.listener = next
        if next != nil { state.awayUntil = nil }
      }
      return true
    }
    guard let socket = shared.state.withLock({ $0.listener }), isReadable(socket.number) else { return true }
    let number = accept(socket.number, nil, nil)
    guard number >= 0 else { return true }
    let connection = OwnedDescriptor(adopting: number)
    // A thread that cannot be started closes the connection, which the test sees.
    try? NamedThread.start("fake-peer", stackBytes: 1 << 20) { converse(shared, connection) }
    return true
  }

  private static func isReadable(_ number: Int32) -> Bool {
    var poller = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
    return poll(&poller, 1, 10) > 0
  }

  private static func converse(_ shared: Shared, _ connection: OwnedDescriptor) {
    var decoder = FrameDecoder()
    do {
      while !shared.isGone {
        guard isReadable(connection.number) else { continue }
        guard let bytes = try connection.readAvailable(limit: 64 << 10), !bytes.isEmpty else { return }
        decoder.append(bytes)
        while let frame = try decoder.next() {
          if frame.name == Hello.name {
            try connection.writeAll(try Frame(Hello(role: "coordinator", pid: getpid())).encoded())
            continue
          }
          shared.state.withLock { $0.requests.append(frame.name) }
          switch try shared.answer(frame) {
          case .answer(let message, let attachment):
            try connection.writeAll(try encoded(message, id: frame.id, attachment))
          case .refuse(let error): try connection.writeAll(try Frame(Refusal(error), id: frame.id).encoded())
          case .silence: break
          case .goAway(let milliseconds):
            let back = SystemClock.monotonic() + .milliseconds(milliseconds)
            shared.state.withLock { $0.awayUntil = back }
            return
          }
        }
      }
    } catch {
      // The client has gone, or the test's answer threw; either way the connection ends, which the test sees.
    }
  }

  private static func encoded(_ message: some WireMessage, id: UInt64, _ attachment: [UInt8]) throws -> [UInt8] {
    try Frame(message, id: id, attachment: attachment).encoded()
  }
}

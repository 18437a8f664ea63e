// Tests the server's side of connections: the hello, garbage, and holding back.
import Base
import Glibc
import NIOCore
import NIOPosix
import Sockets
import Synchronization
import TemporaryDirectories
import Testing
import Transport
import Wire

/// A server that counts the frames it is handed, and sends `answerBytes` for each.
private final class CountingServer: Sendable {
  let home = TemporaryDirectory()
  let handed = Mutex(0)
  let refused = Mutex(0)
  private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

  var path: String { home.path + "/socket" }
  var count: Int { handed.withLock { $0 } }

  init(
    answerBytes: Int = 0, frameLimit: Int = 1 << 20, prepare: @escaping @Sendable (FrameConnection) -> Void = { _ in }
  ) throws {
    let server = FrameServer(path: path, loop: group.next(), frameLimit: frameLimit)
    let accept = { @Sendable [self] (connection: FrameConnection) in
      prepare(connection)
      connection.onFrame = { [unowned self, unowned connection] frame in
        handed.withLock { $0 += 1 }
        if answerBytes > 0 {
          connection.send(
            Frame(name: "answer", id: frame.id, body: [], attachment: [UInt8](repeating: 7, count: answerBytes)))
        }
      }
    }
    try server.start(mode: 0o600, hello: Hello(role: "server", pid: getpid()), accept: accept) { [self] _, _ in
      refused.withLock { $0 += 1 }
    }
  }

  func onLoop(_ body: @escaping @Sendable () -> Void) throws { try group.next().submit(body).wait() }

  func stop() throws { try group.syncShutdownGracefully() }

  func client() throws -> FrameSocket {
    let socket = try FrameSocket(connectingTo: path)
    _ = try socket.greet(role: "client", timeout: .seconds(20))
    return socket
  }

  /// Waits until the number of frames handed out has not changed for a while.
  func settledCount() -> Int {
    var last = -1
    var quiet = 0
    while quiet < 20 {
      let now = count
      quiet = now == last ? quiet + 1 : 0
      last = now
      usleep(5000)
    }
    return last
  }
}

@Suite struct FrameServerTests {
  private let request = Frame(name: "request", id: 1, body: [])

  @Test func anotherVersionIsRefusedWithBothVersions() throws {
    let server = try CountingServer()
    let socket = try FrameSocket(connectingTo: server.path)
    var hello = Hello(role: "client", pid: 1)
    hello.major = 99
    try socket.send(hello)
    let refusal = try #require(try socket.receive(timeout: .seconds(20))).message(Refusal.self)
    #expect(refusal.error.message.contains("99.") && refusal.error.code == .malformedFrame)
    #expect(throws: ConnectionLost.self) { try socket.receive(timeout: .seconds(20)) }
    try server.stop()
  }

  @Test func whoHasNotSaidHelloGetsLittleMemory() throws {
    let server = try CountingServer()
    let socket = try FrameSocket(connectingTo: server.path)
    try socket.send(Frame(name: Hello.name, id: 0, body: [], attachment: [UInt8](repeating: 0, count: 100_000)))
    #expect(try socket.receive(timeout: .seconds(20))?.name == Refusal.name)
    #expect(server.refused.withLock { $0 } == 1)
    try server.stop()
  }

  @Test func aFrameBeyondTheLimitClosesItsConnectionOnly() throws {
    let server = try CountingServer(answerBytes: 1, frameLimit: 200)
    let (good, bad) = (try server.client(), try server.client())
    try bad.send(Frame(name: "request", id: 1, body: [], attachment: [UInt8](repeating: 0, count: 2000)))
    #expect(try bad.receive(timeout: .seconds(20))?.name == Refusal.name)
    try good.send(request)
    #expect(try good.receive(timeout: .seconds(20))?.name == "answer")
    try server.stop()
  }

  @Test func whoDoesNotReadIsNotReadFrom() throws {
    let server = try CountingServer(answerBytes: 1 << 20)
    let socket = try server.client()
    // They fit into the socket and arrive in few reads; a page each would be answered by all pages in memory at once.
    for _ in 0..<200 { try socket.send(request) }
    #expect(server.settledCount() < 10)
    for _ in 0..<200 { #expect(try socket.receive(timeout: .seconds(20))?.name == "answer") }
    #expect(server.count == 200)
    try server.stop()
  }

  @Test func whoSendsUnaskedIsReadFromAllTheSame() throws {
    let server = try CountingServer(answerBytes: 1 << 16) { $0.waitsForReader = false }
    let socket = try server.client()
    for _ in 0..<200 { try socket.send(request) }
    #expect(server.settledCount() == 200)
    try server.stop()
  }

  /// One that dies with frames that it has not read breaks the connection rather than ending it.
  @Test(arguments: [false, true])
  func framesOfADeadPeerWaitForTheEndOfASend(leavesUnread: Bool) throws {
    let held = Mutex<FrameConnection?>(nil)
    let server = try CountingServer { connection in held.withLock { $0 = connection } }
    let socket = Mutex<FrameSocket?>(try server.client())
    for _ in 0..<1000 where held.withLock({ $0 == nil }) { usleep(5000) }
    let connection = try #require(held.withLock { $0 })
    let handedWithin = Mutex(-1)
    if leavesUnread {
      let frame = Frame(name: "unread", id: 0, body: [])
      try server.onLoop { held.withLock { $0?.send(frame) } }
    }
    try server.onLoop {
      // While the loop is busy the peer says its last words and goes: NIO finds both when it writes.
      socket.withLock { socket in
        for _ in 0..<2 { #expect(throws: Never.self) { try socket?.send(Frame(name: "request", id: 1, body: [])) } }
        socket = nil
      }
      connection.send(Frame(name: "order", id: 0, body: []))
      handedWithin.withLock { $0 = server.count }
    }
    #expect(handedWithin.withLock { $0 } == 0)
    #expect(server.settledCount() == 2)
    held.withLock { $0 = nil }
    try server.stop()
  }

  @Test func socketsAreKeptFromOtherPrograms() throws {
    let server = try CountingServer()
    let socket = try server.client()
    var found = 0
    for descriptor in Int32(0)..<1024 {
      var address = sockaddr_un()
      var length = socklen_t(MemoryLayout<sockaddr_un>.size)
      let result = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
      }
      let name = withUnsafeBytes(of: address.sun_path) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      guard result == 0, name.hasPrefix(server.path) else { continue }
      found += 1
      #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
    }
    #expect(found == 2, "one that listens and one that was accepted")
    withExtendedLifetime(socket) {}
    try server.stop()
  }

  @Test func framesWaitWhileNoneAreWanted() throws {
    let held = Mutex<FrameConnection?>(nil)
    let server = try CountingServer { connection in
      connection.isReading = false
      held.withLock { $0 = connection }
    }
    let socket = try server.client()
    for _ in 0..<50 { try socket.send(request) }
    #expect(server.settledCount() == 0)
    let connection = try #require(held.withLock { $0 })
    try server.onLoop { connection.isReading = true }
    #expect(server.settledCount() == 50)
    held.withLock { $0 = nil }
    try server.stop()
  }
}

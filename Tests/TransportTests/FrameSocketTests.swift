// Tests the blocking side of connections with a peer that does nothing: it is never waited for where it must not be.
import Base
import Glibc
import Sockets
import TemporaryDirectories
import Testing
import Wire

/// Listens and does nothing else, as a process that is stopped.
private final class StoppedPeer {
  private let home = TemporaryDirectory()
  private let descriptor: Int32
  var path: String { home.path + "/socket" }

  init(backlog: Int32) {
    descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: (home.path + "/socket").utf8) }
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    precondition(result == 0 && listen(descriptor, backlog) == 0, "a socket in a directory of ours")
  }

  deinit { close(descriptor) }
}

@Suite struct FrameSocketTests {
  @Test func whoeverTakesNoConnectionIsNotWaitedFor() throws {
    let peer = StoppedPeer(backlog: 1)
    var sockets: [FrameSocket] = []
    let error = #expect(throws: PeerUnreachable.self) {
      for _ in 0..<10 { sockets.append(try FrameSocket(connectingTo: peer.path)) }
    }
    #expect(error?.isBusy == true && error?.isPermission == false)
    #expect(!sockets.isEmpty)
  }

  @Test func heartbeatsDoNotWaitForWhomNobodyReads() throws {
    let peer = StoppedPeer(backlog: 1)
    let socket = try FrameSocket(connectingTo: peer.path)
    let held = (0..<8).map { number in
      HeldMemory(
        attempt: AttemptID(
          task: TaskID(stage: StageID(query: QueryID("20260101_000000_00001_aaaaa"), number: 1), partition: number),
          number: 0), bytes: 1 << 30)
    }
    var sent = 0
    for _ in 0..<10_000 where try socket.sendIfRoom(Heartbeat(residentBytes: 1, held: held)) { sent += 1 }
    #expect(sent > 10 && sent < 10_000)
  }

  @Test func aHelloIsWaitedForAsLongAsSomebodyWants() throws {
    let peer = StoppedPeer(backlog: 1)
    let socket = try FrameSocket(connectingTo: peer.path)
    var asked = 0
    #expect(throws: ConnectionLost.self) {
      try socket.greet(role: "worker", timeout: .milliseconds(1)) {
        asked += 1
        return asked < 5
      }
    }
    #expect(asked == 5)
  }
}

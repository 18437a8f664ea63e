// Tests of notices to the service manager, with a socket of ours in its place.
import Base
import Glibc
import Platform
import TemporaryDirectories
import Testing

@Suite struct ServiceNotifierTests {
  /// A datagram socket bound to a path or, with a leading `@`, to an abstract name.
  private func listen(_ name: String) throws -> OwnedDescriptor {
    let descriptor = OwnedDescriptor(
      adopting: socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0))
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var bytes = Array(name.utf8)
    if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor.number, $0, length) }
    }
    guard result == 0 else { throw SystemCall.failure("bind", errno) }
    return descriptor
  }

  @Test func reportsReachAPath() throws {
    let directory = TemporaryDirectory()
    let path = directory.path + "/notify"
    let socket = try listen(path)
    let notifier = ServiceNotifier(environment: ["NOTIFY_SOCKET": path])
    #expect(notifier.notify("READY=1", "STATUS=fine") == .delivered)
    #expect(try socket.readAvailable(limit: 100) == Array("READY=1\nSTATUS=fine".utf8))
  }

  @Test func reportsReachAnAbstractName() throws {
    let name = "@waterbear-test-\(getpid())-\(SystemClock.monotonic().nanoseconds)"
    let socket = try listen(name)
    #expect(ServiceNotifier(environment: ["NOTIFY_SOCKET": name]).notify("STOPPING=1") == .delivered)
    #expect(try socket.readAvailable(limit: 100) == Array("STOPPING=1".utf8))
  }

  @Test(arguments: ["", "relative", "/no/such/socket", "@", "/" + String(repeating: "x", count: 200)])
  func nobodyListeningIsNoError(address: String) {
    #expect(ServiceNotifier(environment: ["NOTIFY_SOCKET": address]).notify("READY=1") == .nobody)
  }

  @Test func aListenerThatDoesNotReadNeverBlocksUs() throws {
    let directory = TemporaryDirectory()
    let path = directory.path + "/notify"
    let socket = try listen(path)
    let notifier = ServiceNotifier(environment: ["NOTIFY_SOCKET": path])
    var delivery = ServiceNotifier.Delivery.delivered
    // The kernel's queue is net.unix.max_dgram_qlen long, 10 by default.
    for _ in 0..<10_000 where delivery == .delivered { delivery = notifier.notify("WATCHDOG=1") }
    #expect(delivery == .full)
    #expect(try socket.readAvailable(limit: 100) != nil)
    #expect(notifier.notify("READY=1") == .delivered)
  }

  @Test func theWatchdogIsFedTwicePerLimit() {
    let own = ["WATCHDOG_USEC": "3000000", "WATCHDOG_PID": String(getpid())]
    #expect(ServiceNotifier(environment: own).watchdogInterval == .milliseconds(1500))
    #expect(ServiceNotifier(environment: ["WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"]).watchdogInterval == nil)
    #expect(ServiceNotifier(environment: ["WATCHDOG_USEC": "soon"]).watchdogInterval == nil)
    #expect(ServiceNotifier(environment: [:]).watchdogInterval == nil)
  }
}

// Owns telling the service manager how the daemon is doing: the sd_notify(3) protocol, one datagram per report.
// Knows nothing of what the reports mean. The protocol is documented as stable in sd_notify(3).
import Base
import Glibc

/// The way to the service manager, where there is one.
public struct ServiceNotifier: Sendable {
  /// NOTIFY_SOCKET as the service manager set it; nil where nobody listens.
  private let address: String?
  /// How often the service manager wants to hear WATCHDOG=1; nil where it does not watch.
  public let watchdogInterval: TimeSpan?

  /// Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID from the environment.
  public init(environment: [String: String] = ProcessEnvironment.current) {
    address = environment["NOTIFY_SOCKET"].flatMap { $0.isEmpty ? nil : $0 }
    let meantForUs = environment["WATCHDOG_PID"].map { $0 == String(getpid()) } ?? true
    if meantForUs, let text = environment["WATCHDOG_USEC"], let microseconds = Int64(text), microseconds > 0,
      microseconds < Int64.max / 1000
    {
      // Half the limit, as sd_watchdog_enabled(3) advises.
      watchdogInterval = TimeSpan(nanoseconds: microseconds * 1000 / 2)
    } else {
      watchdogInterval = nil
    }
  }

  /// Environment variables that are meant for the supervisor alone and must not reach its children.
  public static let privateVariables = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]

  /// What became of a report.
  public enum Delivery: Hashable, Sendable {
    case delivered
    /// The listener has not read earlier reports yet; try again a little later.
    case full
    /// Nobody listens; a daemon goes on without.
    case nobody
  }

  /// One report: `READY=1`, `STATUS=…`, several lines at once. Never waits for the listener.
  @discardableResult
  public func notify(_ lines: String...) -> Delivery {
    guard let address, let (socketAddress, length) = Self.socketAddress(address) else { return .nobody }
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return errno == EMFILE || errno == ENFILE ? .full : .nobody }
    defer { close(descriptor) }
    let text = Array(lines.joined(separator: "\n").utf8)
    let sent = withUnsafePointer(to: socketAddress) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        SystemCall.retrying {
          sendto(descriptor, text, text.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT), generic, length)
        }
      }
    }
    if sent == text.count { return .delivered }
    return errno == EAGAIN || errno == ENOBUFS ? .full : .nobody
  }

  /// The socket address of NOTIFY_SOCKET: a path, or with a leading `@` a name in the abstract namespace, whose first
  /// byte is then 0 and whose length is exact. Nil where it does not fit or is another kind.
  private static func socketAddress(_ text: String) -> (sockaddr_un, socklen_t)? {
    var bytes = Array(text.utf8)
    guard bytes.count > 1, bytes[0] == UInt8(ascii: "/") || bytes[0] == UInt8(ascii: "@") else { return nil }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
    let isAbstract = bytes[0] == UInt8(ascii: "@")
    if isAbstract { bytes[0] = 0 }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let offset = MemoryLayout<sockaddr_un>.offset(of: \.sun_path)!
    return (address, socklen_t(offset + bytes.count + (isAbstract ? 0 : 1)))
  }
}

// Owns the question who is at the other end of a Unix socket. Knows nothing of what a caller may do.
import Base
import CPlatform
import Glibc

/// The process that connected a Unix stream socket, as the kernel saw it at that moment.
public struct PeerCredentials: Hashable, Sendable {
  public let processID: pid_t
  public let userID: uid_t
  public let groupID: gid_t

  /// What the kernel said, asked by other means.
  public init(processID: pid_t, userID: uid_t, groupID: gid_t) {
    (self.processID, self.userID, self.groupID) = (processID, userID, groupID)
  }

  /// Asks the kernel about a connected Unix stream socket.
  public init(ofSocket socket: Int32) throws {
    var process: pid_t = 0
    var user: uid_t = 0
    var group: gid_t = 0
    guard wb_peer_credentials(socket, &process, &user, &group) == 0 else {
      throw SystemCall.failure("cannot read the peer of socket \(socket)", errno)
    }
    (processID, userID, groupID) = (process, user, group)
  }

  /// The peer's login name, or its number where the machine has no name for it.
  public var userName: String { SystemUser.name(of: userID) }
}

/// The users of this machine.
public enum SystemUser {
  /// The login name of a user id, or the number where the machine has no name for it.
  public static func name(of userID: uid_t) -> String {
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 4096)
    return buffer.withUnsafeMutableBufferPointer { text in
      guard getpwuid_r(userID, &entry, text.baseAddress!, text.count, &found) == 0, found != nil
      else { return String(userID) }
      // pw_name points into `text`, which outlives this copy.
      return String(cString: entry.pw_name)
    }
  }

  /// The user this process runs as.
  public static var current: String { name(of: geteuid()) }
}

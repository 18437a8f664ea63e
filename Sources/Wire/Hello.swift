// Owns the greeting: the first frame each way on every connection.

import Base

/// Version of the protocol. Peers with another first number do not understand each other.
public enum WireProtocol {
  /// Raised where old peers would misunderstand.
  public static let major = 1
  /// Raised where something was added that old peers may ignore.
  public static let minor = 0
}

/// Who opens a connection, and in which version it speaks.
public struct Hello: WireMessage {
  public static let name = "hello"

  public var major: Int
  public var minor: Int
  /// The release, such as `0.1.0`, for messages to people.
  public var build: String
  /// `client`, `worker` or `coordinator`.
  public var role: String
  public var pid: Int32

  public init(role: String, pid: Int32, build: String = Release.version) {
    major = WireProtocol.major
    minor = WireProtocol.minor
    self.build = build
    self.role = role
    self.pid = pid
  }

  /// Throws where the peer's version is not understood, naming both.
  public func check(peer: String) throws {
    guard major == WireProtocol.major else {
      throw WaterbearError(
        .malformedFrame,
        "The \(peer) speaks protocol \(major).\(minor) (release \(build)), this process \(WireProtocol.major)."
          + "\(WireProtocol.minor) (release \(Release.version))",
        remedy: "run waterbearctl and waterbeard of the same release")
    }
  }
}

/// The answer to a request that failed.
public struct Refusal: WireMessage {
  public static let name = "refusal"
  public var error: WaterbearError

  public init(_ error: WaterbearError) { self.error = error }
}

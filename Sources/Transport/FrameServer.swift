// Owns listening on a Unix socket and the connections that come in. Knows frames and the hello, not what messages mean.

import Base
import Glibc
import NIOCore
import NIOPosix
import Platform
import Wire

/// A listening Unix socket. Started and stopped by one thread that is not the loop's; all callbacks come on `loop`.
public final class FrameServer {
  private let loop: any EventLoop
  private let path: String
  private let frameLimit: Int
  private var channel: (any Channel)?

  /// `frameLimit`: the longest frame that a peer may send once it has said hello, in bytes.
  public init(path: String, loop: any EventLoop, frameLimit: Int = FrameDecoder.defaultLimit) {
    self.path = path
    self.loop = loop
    self.frameLimit = frameLimit
  }

  /// Listens. A socket that a dead process left behind is replaced; any other file at the path is an error. `mode`
  /// and `group` say who may connect. `accept` gets each connection once its peer has said hello, `refused` hears of
  /// those whose first words were none.
  public func start(
    mode: mode_t, group: gid_t? = nil, hello: Hello, accept: @escaping @Sendable (FrameConnection) -> Void,
    refused: @escaping @Sendable (PeerCredentials, WaterbearError) -> Void
  ) throws {
    try checkPath()
    let frameLimit = frameLimit
    let bootstrap = ServerBootstrap(group: loop)
      .serverChannelOption(.backlog, value: 256)
      .serverChannelInitializer { channel in channel.eventLoop.makeCompletedFuture { try Self.keepPrivate(channel) } }
      .childChannelInitializer { channel in
        Self.peer(of: channel).flatMapThrowing { peer in
          try Self.keepPrivate(channel)
          let connection = FrameConnection(channel: channel, peer: peer)
          try channel.pipeline.syncOperations.addHandler(
            ConnectionHandler(
              connection: connection, hello: hello, frameLimit: frameLimit, accept: accept, refused: refused))
        }
      }
    // Bound under another name and then renamed, so that there is no moment without a socket: a client that finds
    // nobody listening knows that a restart is under way, one that finds no socket knows that there is no daemon.
    let temporary = path + ".new"
    do {
      _ = unlink(temporary)  // One that a dead process left behind; usually there is none.
      channel = try bootstrap.bind(unixDomainSocketPath: temporary).wait()
    } catch {
      throw WaterbearError(
        .genericInternalError, "Cannot listen on \(path)", causes: ["\(error)"],
        remedy: "check that the directory exists and is writable for \(SystemUser.current)")
    }
    guard chmod(temporary, mode) == 0 else { throw SystemCall.failure("cannot set the mode of \(path)", errno) }
    // Without the right to give the socket to the group it stays with the daemon's own; ignoring.
    if let group { _ = chown(temporary, uid_t.max, group) }
    guard rename(temporary, path) == 0 else { throw SystemCall.failure("cannot make the socket \(path)", errno) }
  }

  /// Stops listening and removes the socket. Connections stay.
  public func stop() {
    guard let channel else { return }
    self.channel = nil
    channel.close(promise: nil)
    // Another process may have removed it already; ignoring.
    _ = unlink(path)
  }

  /// A socket that a dead process left behind may be replaced; anything else at the path may not.
  private func checkPath() throws {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFSOCK else {
      throw WaterbearError(
        .configurationInvalid, "\(path) is in the way: it is not a socket",
        remedy: "move it away, or choose another directory with --run-dir")
    }
  }

  /// Keeps a socket from programs that this process starts, such as the one that tells where it trapped: it may outlive
  /// the process, and the peer would wait for words from the dead.
  private static func keepPrivate(_ channel: any Channel) throws {
    try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { descriptor in
      guard fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 else {
        throw SystemCall.failure("cannot keep a socket from other programs", errno)
      }
    }
  }

  /// The kernel's `struct ucred`, which Glibc's module does not show to Swift; see unix(7), SO_PEERCRED.
  private struct KernelCredentials {
    var processID: pid_t = 0
    var userID: uid_t = 0
    var groupID: gid_t = 0
  }

  private static func peer(of channel: any Channel) -> EventLoopFuture<PeerCredentials> {
    guard let provider = channel as? any SocketOptionProvider else {
      return channel.eventLoop.makeFailedFuture(
        WaterbearError(.genericInternalError, "The channel is no socket"))
    }
    // Sound: the option's value has this struct's size and layout.
    let option: EventLoopFuture<KernelCredentials> = provider.unsafeGetSocketOption(
      level: .socket, name: NIOBSDSocket.Option(rawValue: SO_PEERCRED))
    return option.map { PeerCredentials(processID: $0.processID, userID: $0.userID, groupID: $0.groupID) }
  }
}

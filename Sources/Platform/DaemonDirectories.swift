// Owns where everything of one daemon lies: the names of files and directories, their modes, and whether they can be
// used. Does not know what the files hold.
import Base
import Glibc

/// The four directories of a daemon and the files in them. All paths are absolute.
public struct DaemonDirectories: Hashable, Sendable {
  /// Configuration: `config.properties`, `catalog/*.properties`. Only read.
  public let etc: String
  /// Everything that must survive a restart.
  public let data: String
  /// Sockets and locks; may be emptied by a reboot. Default `<data>/run`.
  public let run: String
  /// Logs. Default `<data>/log`.
  public let log: String

  /// Relative paths are resolved against the working directory.
  public init(etc: String, data: String, run: String? = nil, log: String? = nil) {
    self.etc = Self.absolute(etc)
    self.data = Self.absolute(data)
    self.run = Self.absolute(run ?? data + "/run")
    self.log = Self.absolute(log ?? data + "/log")
  }

  /// The task store's SQLite file.
  public var store: String { data + "/store.sqlite" }
  /// Which spool directories were marked before.
  public var spoolMarks: String { data + "/spool-marks" }
  /// The key under which the queries' keys are sealed.
  public var masterKey: String { data + "/master.key" }
  /// The spool, where `exchange.base-directories` names no other place.
  public var spool: String { data + "/spool" }
  /// The last incarnation number given to a process.
  public var incarnation: String { data + "/incarnation" }
  /// JSON lines of all processes.
  public var eventLog: String { log + "/waterbear.jsonl" }
  /// The socket that clients connect to.
  public var clientSocket: String { run + "/waterbear.sock" }
  /// The socket that workers connect to.
  public var workerSocket: String { run + "/workers.sock" }
  /// Held by the supervisor: one daemon per run directory.
  public var daemonLock: String { run + "/" + Self.daemonLockName }
  /// Its name in the run directory, in which the clients' socket is, too.
  public static let daemonLockName = "daemon.lock"
  /// Held by the supervisor: one daemon per data directory, whatever their run directories are.
  public var dataLock: String { data + "/daemon.lock" }
  /// Held by the coordinator: one coordinator per data directory, even while one of a dead daemon still lingers.
  public var coordinatorLock: String { data + "/coordinator.lock" }

  /// Makes what is missing and checks that all of it can be used, so that later steps need not explain a missing
  /// directory. Modes of directories that exist are left alone. `etc` is not made: where it is missing, its name is
  /// probably misspelt, and running with defaults would hide that.
  ///
  /// The spool is for our user alone (0700); the rest lets the group in (0750), which is how its members reach the
  /// socket.
  public func prepare() throws {
    try checkSocketLengths()
    try checkReadable(etc)
    for (path, mode, option) in [
      (data, mode_t(0o750), "--data-dir"), (spool, 0o700, "--data-dir"), (run, 0o750, "--run-dir"),
      (log, 0o750, "--log-dir"),
    ] {
      try Self.makeDirectory(path, mode: mode, option: option)
      try Self.checkUsable(path, option: option)
    }
  }

  /// The longest path that fits a Unix socket address: 108 bytes with the closing zero, unix(7).
  public static let socketPathBytesMax = 107
  /// Sockets are made under a longer name and then renamed: see `FrameServer`.
  static let socketSuffixBytes = 4

  private func checkSocketLengths() throws {
    for path in [clientSocket, workerSocket] where path.utf8.count + Self.socketSuffixBytes > Self.socketPathBytesMax {
      throw WaterbearError(
        .configurationInvalid,
        "the socket path \(path) has \(path.utf8.count) bytes; Unix sockets allow "
          + "\(Self.socketPathBytesMax - Self.socketSuffixBytes)",
        remedy: "give a shorter directory with --run-dir; data and logs can stay where they are")
    }
  }

  private func checkReadable(_ path: String) throws {
    guard faccessat(AT_FDCWD, path, R_OK | X_OK, AT_EACCESS) != 0 else { return }
    throw WaterbearError(
      .configurationInvalid, "cannot read the configuration directory \(path): \(SystemCall.message(errno))",
      remedy: "give the right one with --etc-dir; an empty directory stands for all defaults")
  }

  private static func absolute(_ path: String) -> String {
    var parts: [Substring] = []
    var text = path
    if !path.hasPrefix("/") {
      var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
      if let here = getcwd(&buffer, buffer.count) { text = String(cString: here) + "/" + path }
    }
    // `..` stays: behind a symbolic link it does not mean the directory before it.
    for part in text.split(separator: "/") where part != "." { parts.append(part) }
    return "/" + parts.joined(separator: "/")
  }

  /// Makes a directory and the missing ones above it.
  private static func makeDirectory(_ path: String, mode: mode_t, option: String) throws {
    var prefix = ""
    for part in path.split(separator: "/") {
      prefix += "/" + part
      let isLast = prefix == path
      guard mkdir(prefix, isLast ? mode : 0o755) != 0 else { continue }
      let failure = errno
      var status = stat()
      if stat(prefix, &status) == 0 {
        if status.st_mode & S_IFMT == S_IFDIR { continue }
        throw unusable(path, "\(prefix) is not a directory", option)
      }
      throw unusable(path, "cannot create \(prefix): \(SystemCall.message(failure))", option)
    }
  }

  private static func checkUsable(_ path: String, option: String) throws {
    // faccessat with AT_EACCESS asks for the effective user and, unlike the mode bits, knows read-only mounts.
    guard faccessat(AT_FDCWD, path, R_OK | W_OK | X_OK, AT_EACCESS) != 0 else { return }
    throw unusable(path, "\(SystemCall.message(errno)) for user \(SystemUser.current)", option)
  }

  private static func unusable(_ path: String, _ reason: String, _ option: String) -> WaterbearError {
    WaterbearError(
      .configurationInvalid, "cannot use the directory \(path): \(reason)",
      remedy: "make it writable for user \(SystemUser.current) (chown, chmod, or a mount that is not read-only), "
        + "or give another directory with \(option)")
  }
}

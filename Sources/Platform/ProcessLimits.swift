// Owns what a process may use of the machine and how its new files are protected, set once at the daemon's start.
import Base
import CPlatform
import Glibc

/// Limits and defaults of this process and the children it starts from now on.
public enum ProcessLimits {
  /// Raises the number of open files to what the administrator allows; exchange and tables open many.
  /// Returns the number now in force.
  @discardableResult
  public static func raiseOpenFiles() -> Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
    let before = limit.rlim_cur
    limit.rlim_cur = limit.rlim_max
    guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return Int(clamping: before) }
    return Int(clamping: limit.rlim_cur)
  }

  /// A write to a reader that is gone then fails with EPIPE, and one beyond the largest file with EFBIG, instead of
  /// ending this process.
  public static func ignoreWriteSignals() {
    wb_ignore_signal(SIGPIPE)
    wb_ignore_signal(SIGXFSZ)
  }

  /// New files are for our user, readable by our group, closed to everybody else.
  public static func protectNewFiles() { _ = umask(0o027) }
}

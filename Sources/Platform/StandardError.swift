// Owns words to whoever started this process, outside of the log.
import Glibc

/// The standard error stream.
public enum StandardError {
  /// Whether a person may be watching.
  public static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  /// Writes text in one call. Nobody may be listening, and that must not matter: a failure is ignored.
  public static func write(_ text: String) {
    let bytes = Array(text.utf8)
    _ = SystemCall.retrying { Glibc.write(STDERR_FILENO, bytes, bytes.count) }
  }

  /// Writes bytes unless that would make this process wait, for a reader that is stopped or a terminal that is held:
  /// a log must not stop a daemon. A pipe that polls writable takes PIPE_BUF (4096) bytes without waiting, pipe(7),
  /// so more than that is cut.
  public static func offer(_ bytes: [UInt8], to descriptor: Int32 = STDERR_FILENO) {
    var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    guard poll(&entry, 1, 0) == 1, entry.revents & Int16(POLLOUT) != 0 else { return }
    let limit = 4096
    let text = bytes.count <= limit ? bytes : bytes[..<(limit - 1)] + [UInt8(ascii: "\n")]
    _ = SystemCall.retrying { Glibc.write(descriptor, text, text.count) }
  }
}

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
}

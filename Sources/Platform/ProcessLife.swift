// Owns the question whether a process that is not our child still runs.
import Base
import Glibc

/// Whether other processes live, as /proc tells.
public enum ProcessLife {
  /// Whether the process has ended: it is gone, or a zombie that its parent has not collected yet.
  public static func hasEnded(_ processID: pid_t) -> Bool {
    // Unreadable means gone; the state is the field behind the last parenthesis of the name, proc(5).
    guard let bytes = try? AtomicFile.read("/proc/\(processID)/stat", limit: 8192) else { return true }
    let text = String(decoding: bytes, as: UTF8.self)
    guard let close = text.lastIndex(of: ")") else { return true }
    let state = text[text.index(after: close)...].drop { $0 == " " }.first
    return state == "Z" || state == "X"
  }
}

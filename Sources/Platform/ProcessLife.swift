// Owns the questions whether a process that is not our child still runs, and since when.
import Base
import Glibc

/// Whether other processes live, as /proc tells.
public enum ProcessLife {
  /// Whether the process has ended: it is gone, or a zombie that its parent has not collected yet.
  public static func hasEnded(_ processID: pid_t) -> Bool {
    guard let state = fieldsBehindName(processID)?.first else { return true }
    return state == "Z" || state == "X"
  }

  /// The process that the process is a child of; nil where there is none.
  public static func parent(of processID: pid_t) -> pid_t? {
    guard let fields = fieldsBehindName(processID), fields.count > 1 else { return nil }
    return pid_t(fields[1])
  }

  /// How long the process has run, to a hundredth of a second; nil where there is none.
  public static func age(of processID: pid_t) -> TimeSpan? {
    // Field 22 is the start since the boot, in ticks, proc(5).
    guard let fields = fieldsBehindName(processID), fields.count > 19, let start = Int64(fields[19]) else { return nil }
    let ticks = Int64(sysconf(Int32(_SC_CLK_TCK)))
    var now = timespec()
    guard ticks > 0, clock_gettime(CLOCK_BOOTTIME, &now) == 0 else { return nil }
    let nowTicks = Int64(now.tv_sec) * ticks + Int64(now.tv_nsec) / (1_000_000_000 / ticks)
    return .milliseconds(max(0, nowTicks - start) * 1000 / ticks)
  }

  /// The third and all further fields of the process's line: they are behind the last parenthesis of its name.
  private static func fieldsBehindName(_ processID: pid_t) -> [Substring]? {
    // Unreadable means gone.
    guard let bytes = try? AtomicFile.read("/proc/\(processID)/stat", limit: 8192) else { return nil }
    let text = String(decoding: bytes, as: UTF8.self)
    guard let close = text.lastIndex(of: ")") else { return nil }
    return text[text.index(after: close)...].split(separator: " ")
  }
}

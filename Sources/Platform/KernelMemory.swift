// Owns what the kernel says about memory that runs short: how much is available, and how many processes it has ended
// for want of it. Decides nothing.
import Base

/// The kernel's figures. Each costs reading a small file or two; none of them fails where a file is missing.
public enum KernelMemory {
  /// Bytes that processes may still take before the kernel has to end one: of the machine or, where that is less, of
  /// this process's control group. Nil where the kernel does not say.
  public static func availableBytes() -> Int64? {
    let machine = figure("MemAvailable:", in: "/proc/meminfo").map { $0 * 1024 }
    return [machine, groupAvailable()].compactMap { $0 }.min()
  }

  /// How many processes were ended for want of memory: those of this process's control group, where that is counted,
  /// else those of the machine. Only differences mean something.
  public static func kills() -> Int64 {
    for directory in groupDirectories() {
      for file in ["memory.events", "memory.oom_control"] {
        if let count = figure("oom_kill", in: "\(directory)/\(file)") { return count }
      }
    }
    return figure("oom_kill", in: "/proc/vmstat") ?? 0
  }

  private static func groupAvailable() -> Int64? {
    for directory in groupDirectories() {
      for (limit, used) in [
        ("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes"),
      ] {
        guard let most = number("\(directory)/\(limit)"), let now = number("\(directory)/\(used)") else { continue }
        // What is only cached can be dropped.
        let cached = figure("inactive_file", in: "\(directory)/memory.stat") ?? 0
        return max(0, most - now + cached)
      }
    }
    return nil
  }

  /// Where this process's group may be found under versions 2 and 1 of control groups; its own first.
  private static func groupDirectories() -> [String] {
    var directories: [String] = []
    for line in text("/proc/self/cgroup").split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      let path = parts[2] == "/" ? "" : String(parts[2])
      if parts[1].isEmpty { directories.append("/sys/fs/cgroup\(path)") }
      if parts[1].split(separator: ",").contains("memory") { directories.append("/sys/fs/cgroup/memory\(path)") }
    }
    // In a container the group's path may be one that only the host knows.
    return directories + ["/sys/fs/cgroup", "/sys/fs/cgroup/memory"]
  }

  /// The number behind a word at the start of a line.
  private static func figure(_ name: String, in path: String) -> Int64? {
    for line in text(path).split(separator: "\n") {
      let words = line.split(separator: " ", omittingEmptySubsequences: true)
      if words.count >= 2, words[0] == name { return Int64(words[1]) }
    }
    return nil
  }

  private static func number(_ path: String) -> Int64? { Int64(text(path).split(separator: "\n").first ?? "") }

  private static func text(_ path: String) -> String {
    // A file that is not there, or may not be read, says nothing; that is an answer here.
    guard let bytes = try? AtomicFile.read(path, limit: 1 << 20) else { return "" }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// Tells for each process that was killed whether it may have been the kernel that did it for want of memory.
public struct OutOfMemoryKills: Sendable {
  private var seen: Int64
  /// Kills that no killed process has been blamed on.
  private var open: Int64 = 0

  /// Counts from now on.
  public init() { seen = KernelMemory.kills() }

  /// To be asked once for each process that ended by SIGKILL.
  public mutating func explainsAKill() -> Bool { explainsAKill(count: KernelMemory.kills()) }

  /// The same, with the kernel's count as `KernelMemory.kills` gives it.
  mutating func explainsAKill(count: Int64) -> Bool {
    open += max(0, count - seen)
    seen = count
    guard open > 0 else { return false }
    open -= 1
    return true
  }
}

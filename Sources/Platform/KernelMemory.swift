// Owns what the kernel says about memory that runs short: how much is available, and how many processes it has ended
// for want of it. Decides nothing.
import Base

/// The kernel's figures. Each costs reading a small file or two; none of them fails where a file is missing.
public enum KernelMemory {
  /// Bytes that processes may still take before the kernel has to end one: of the machine or, where that is less, of
  /// this process's control group or one above it. Nil where the kernel does not say. `root` is for tests, as below.
  public static func availableBytes(root: String = "") -> Int64? {
    let machine = KernelFile.figure("MemAvailable:", in: KernelFile.text("\(root)/proc/meminfo")).map { $0 * 1024 }
    return [machine, ControlGroups(root: root).memoryAvailable].compactMap { $0 }.min()
  }

  /// How many processes were ended for want of memory: those of this process's control group, where that is counted,
  /// else those of the machine. Only differences mean something.
  public static func kills(root: String = "") -> Int64 {
    ControlGroups(root: root).memoryKills ?? KernelFile.figure("oom_kill", in: KernelFile.text("\(root)/proc/vmstat"))
      ?? 0
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

// Owns what control groups, version 1 and 2, allow this process: cores and memory, and what is left of it. Reads files
// and decides nothing.
import Base

/// The control groups that this process is in. A limit of a group holds for all groups below it, so each figure is the
/// least of the process's own group and of all above it, as far as they can be seen from here. Finding them costs
/// reading a small file, each figure two for each group; a file that is missing limits nothing.
public struct ControlGroups: Sendable {
  /// Directories of the groups that count memory and that share out cores, the process's own first.
  private let memory: [String]
  private let cores: [String]

  /// `root`: the directory below which proc and sys lie, for tests.
  public init(root: String = "") {
    var memory: [String] = []
    var cores: [String] = []
    for line in KernelFile.text("\(root)/proc/self/cgroup").split(separator: "\n") {
      // cgroups(7): the hierarchy's number, its controllers, the group's path in it.
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      let (names, path) = (parts[1].split(separator: ","), parts[2])
      let mounts = { (name: Substring) in "\(root)/sys/fs/cgroup/\(name)" }
      if parts[1].isEmpty {
        // Version 2 has one tree for everything, which lies elsewhere where version 1 is used beside it.
        let groups = ["\(root)/sys/fs/cgroup", mounts("unified")].flatMap { Self.lineage(of: path, below: $0) }
        memory += groups
        cores += groups
      }
      if names.contains("memory") { memory += Self.lineage(of: path, below: mounts("memory")) }
      if names.contains("cpu") {
        cores += Set(["cpu", parts[1]]).sorted().flatMap { Self.lineage(of: path, below: mounts($0)) }
      }
    }
    (self.memory, self.cores) = (memory, cores)
  }

  /// A group and those above it. In a container the path may be one that only the host knows: its directories are not
  /// there then, and the container's own group is what is mounted.
  private static func lineage(of path: Substring, below mount: String) -> [String] {
    let names = path.split(separator: "/")
    guard !names.contains("..") else { return [mount] }
    return (0...names.count).reversed().map { ([mount] + names.prefix($0).map(String.init)).joined(separator: "/") }
  }

  /// The bytes that the processes of a group may have together; nil where there is no limit.
  public var memoryLimit: Int64? { memory.compactMap { Self.limit(of: $0)?.most }.min() }

  /// The bytes that may still be taken before one of these groups is at its limit; nil where there is no limit.
  public var memoryAvailable: Int64? {
    memory.compactMap { group -> Int64? in
      guard let (most, used) = Self.limit(of: group), let now = KernelFile.number("\(group)/\(used)")
      else { return nil }
      // What is only cached can be dropped; of what was used lately, such as spool files that were read again, half.
      // Version 1 counts that of the groups below under another name.
      let statistics = KernelFile.text("\(group)/memory.stat")
      func cached(_ name: String) -> Int64 {
        KernelFile.figure("total_\(name)", in: statistics) ?? KernelFile.figure(name, in: statistics) ?? 0
      }
      return max(0, most - now + cached("inactive_file") + cached("active_file") / 2)
    }.min()
  }

  /// How many cores' time the processes of a group may use together, rounded up; nil where there is no limit.
  public var coreLimit: Int? {
    cores.compactMap { group -> Int? in
      let words = KernelFile.text("\(group)/cpu.max").split { $0 == " " || $0 == "\n" }
      let quota = words.first.flatMap { Int($0) } ?? KernelFile.number("\(group)/cpu.cfs_quota_us").map { Int($0) }
      let period =
        words.dropFirst().first.flatMap { Int($0) } ?? KernelFile.number("\(group)/cpu.cfs_period_us").map { Int($0) }
      // `max` in version 2 and -1 in version 1: no limit.
      guard let quota, let period, quota > 0, period > 0 else { return nil }
      return (quota - 1) / period + 1
    }.min()
  }

  /// How many processes of this process's own group the kernel has ended for want of memory; nil where nobody counts.
  public var memoryKills: Int64? {
    for group in memory {
      for file in ["memory.events", "memory.oom_control"] {
        if let count = KernelFile.figure("oom_kill", in: KernelFile.text("\(group)/\(file)")) { return count }
      }
    }
    return nil
  }

  /// A group's limit, and the name of the file that says what is used of it.
  private static func limit(of group: String) -> (most: Int64, used: String)? {
    for (limit, used) in [
      ("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes"),
    ] {
      if let most = KernelFile.number("\(group)/\(limit)") { return (most, used) }
    }
    return nil
  }
}

/// Small files in which the kernel says something.
enum KernelFile {
  /// Empty where there is no such file, or it may not be read: that says nothing, which is an answer here.
  static func text(_ path: String) -> String {
    // For that reason.
    guard let bytes = try? AtomicFile.read(path, limit: 1 << 20) else { return "" }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The number that the first line is; nil for words.
  static func number(_ path: String) -> Int64? { Int64(text(path).split(separator: "\n").first ?? "") }

  /// The number behind a word at the start of a line.
  static func figure(_ name: String, in text: String) -> Int64? {
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ", omittingEmptySubsequences: true)
      if words.count >= 2, words[0] == name { return Int64(words[1]) }
    }
    return nil
  }
}

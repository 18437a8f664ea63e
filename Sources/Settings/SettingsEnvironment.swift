// Owns what settings may learn about the place they run in: cores, memory, data directory, environment variables.
// Defaults that depend on the machine take it as an argument, so tests can choose it.
import Base
import Glibc

/// The machine and the process that settings are read for.
public struct SettingsEnvironment: Sendable {
  /// Cores this process may use; at least 1.
  public var cores: Int
  /// Bytes of memory this process may use.
  public var memory: DataSize
  /// Directory under which everything is written.
  public var dataDirectory: String
  /// Environment variables, for `${ENV:NAME}`.
  public var variables: [String: String]

  public init(cores: Int, memory: DataSize, dataDirectory: String, variables: [String: String] = [:]) {
    self.cores = max(1, cores)
    self.memory = memory
    self.dataDirectory = dataDirectory
    self.variables = variables
  }

  /// This machine: cores and memory, or less where affinity or a control group allows less.
  public static func current(dataDirectory: String) -> SettingsEnvironment {
    SettingsEnvironment(
      cores: availableCores(), memory: availableMemory(), dataDirectory: dataDirectory,
      variables: environmentVariables())
  }

  /// The affinity mask of /proc, since Swift does not see sched_getaffinity(2); less where a control group's
  /// quota allows less. Files that cannot be read (`try?`) limit nothing.
  private static func availableCores() -> Int {
    var cores = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    if let status = try? FileText.read("/proc/self/status"),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix("Cpus_allowed:") })
    {
      let mask = line.drop { $0 != ":" }
      let allowed = mask.reduce(0) { $0 + ($1.hexDigitValue?.nonzeroBitCount ?? 0) }
      if allowed > 0 { cores = min(cores, allowed) }
    }
    // No such file: the machine has no limit of this kind.
    if let quota = try? FileText.read("/sys/fs/cgroup/cpu.max") {
      let numbers = quota.trimmedBlanks.split(separator: " ").compactMap { Int($0) }
      if numbers.count == 2, numbers[1] > 0 { cores = min(cores, (numbers[0] + numbers[1] - 1) / numbers[1]) }
    }
    return max(1, cores)
  }

  private static func availableMemory() -> DataSize {
    let pages = Int64(sysconf(Int32(_SC_PHYS_PAGES)))
    var bytes = pages * Int64(sysconf(Int32(_SC_PAGESIZE)))
    // Control group v2. An unreadable file (`try?`) means the same as none, and as the word `max`: no limit known.
    if let text = try? FileText.read("/sys/fs/cgroup/memory.max"), let limit = Int64(text.trimmedBlanks) {
      bytes = min(bytes, limit)
    }
    return DataSize(bytes: max(bytes, 64 << 20))
  }

  private static func environmentVariables() -> [String: String] {
    var variables: [String: String] = [:]
    var entry = environ
    while let pointer = entry.pointee {
      let text = String(cString: pointer)
      if let equals = text.firstIndex(of: "=") {
        variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
      }
      entry += 1
    }
    return variables
  }
}

// Owns what settings may learn about the place they run in: cores, memory, data directory, environment variables.
// Defaults that depend on the machine take it as an argument, so tests can choose it.
import Base
import Glibc
import Platform

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

  /// This machine: cores and memory, or less where affinity, this process's control group or one above it allows less.
  /// `root`: the directory below which proc and sys lie, for tests.
  public static func current(dataDirectory: String, root: String = "") -> SettingsEnvironment {
    let groups = ControlGroups(root: root)
    return SettingsEnvironment(
      cores: min(availableCores(root), groups.coreLimit ?? .max),
      memory: min(installedMemory, groups.memoryLimit.map { DataSize(bytes: max($0, 64 << 20)) } ?? installedMemory),
      dataDirectory: dataDirectory, variables: environmentVariables())
  }

  /// Those of the affinity mask of /proc, since Swift does not see sched_getaffinity(2).
  private static func availableCores(_ root: String) -> Int {
    let online = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    // A file that cannot be read limits nothing.
    guard let status = try? FileText.read("\(root)/proc/self/status"),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix("Cpus_allowed:") })
    else { return online }
    let mask = line.drop { $0 != ":" }
    let allowed = mask.reduce(0) { $0 + ($1.hexDigitValue?.nonzeroBitCount ?? 0) }
    return allowed > 0 ? min(online, allowed) : online
  }

  private static var installedMemory: DataSize {
    let bytes = Int64(sysconf(Int32(_SC_PHYS_PAGES))) * Int64(sysconf(Int32(_SC_PAGESIZE)))
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

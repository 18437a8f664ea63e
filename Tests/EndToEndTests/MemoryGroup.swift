// Owns a control group whose processes may use so much memory together, and its end.
import Base
import Foundation
import Glibc

/// A memory control group of version 1 or 2, whichever this machine has.
final class MemoryGroup {
  private static let parents = [
    (path: "/sys/fs/cgroup/memory", limit: "memory.limit_in_bytes"), (path: "/sys/fs/cgroup", limit: "memory.max"),
  ]
  private let path: String
  private let parent: String

  /// Whether this process may make such a group.
  static let isPossible: Bool = {
    guard let group = try? MemoryGroup(bytes: 1 << 30) else { return false }
    return !group.path.isEmpty
  }()

  /// `bytes`: above that, the kernel kills one of the group's processes.
  init(bytes: Int) throws {
    for (parent, limit) in Self.parents {
      let path = "\(parent)/waterbear-test-\(UUID())"
      guard mkdir(path, 0o755) == 0 else { continue }
      if Self.write("\(bytes)", to: "\(path)/\(limit)") {
        // Without swap, where the group could use any; there is no such file where it could not.
        _ = Self.write("0", to: "\(path)/memory.swap.max")
        (self.path, self.parent) = (path, parent)
        return
      }
      rmdir(path)
    }
    throw WaterbearError(.permissionDenied, "cannot make a control group for memory")
  }

  deinit {
    // A group that cannot be read is gone already.
    let members = (try? String(contentsOfFile: "\(path)/cgroup.procs", encoding: .utf8)) ?? ""
    for member in members.split(separator: "\n") { _ = Self.write(String(member), to: "\(parent)/cgroup.procs") }
    rmdir(path)
  }

  /// Puts a process, and all that it starts from now on, into the group.
  func add(_ process: pid_t) throws {
    guard Self.write("\(process)", to: "\(path)/cgroup.procs") else {
      throw WaterbearError(.permissionDenied, "cannot put process \(process) into \(path)")
    }
  }

  private static func write(_ text: String, to path: String) -> Bool {
    guard let file = fopen(path, "w") else { return false }
    let written = fputs(text, file)
    return fclose(file) == 0 && written >= 0
  }
}

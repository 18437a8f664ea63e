// Owns looking up processes in /proc.
import Glibc
import Platform

/// The processes of this machine.
enum ProcessTable {
  /// The children of a process with the names they gave themselves, such as `waterbeard: worker 1`.
  static func children(of parent: pid_t) -> [(process: pid_t, title: String)] {
    guard let directory = opendir("/proc") else { return [] }
    defer { closedir(directory) }
    var found: [(process: pid_t, title: String)] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard let process = pid_t(name), self.parent(of: process) == parent else { continue }
      found.append((process, title(of: process)))
    }
    return found
  }

  /// Nil for a process that is gone or has ended and is not collected yet.
  private static func parent(of process: pid_t) -> pid_t? {
    // State and parent follow the name in parentheses, proc(5).
    guard let text = read("/proc/\(process)/stat"), let end = text.lastIndex(of: ")") else { return nil }
    let fields = text[end...].split(separator: " ")
    guard fields.count > 2, fields[1] != "Z", fields[1] != "X" else { return nil }
    return pid_t(fields[2])
  }

  private static func title(of process: pid_t) -> String {
    read("/proc/\(process)/cmdline")?.split(separator: "\0").first.map(String.init) ?? ""
  }

  private static func read(_ path: String) -> String? {
    // Unreadable means gone.
    guard let bytes = try? AtomicFile.read(path, limit: 64 << 10) else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }
}

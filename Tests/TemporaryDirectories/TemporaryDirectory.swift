// Owns a directory for one test, removed with everything in it when the test ends. It must not know what is tested.
import Glibc

/// An empty directory below TMPDIR, or /tmp; deleted with all it holds in `deinit`.
public final class TemporaryDirectory: Sendable {
  /// Absolute, and short where TMPDIR is: paths of sockets are limited to 107 bytes.
  public let path: String

  /// Makes the directory. Traps where none can be made: then no test can run.
  public init() {
    let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(base)/wb-test-XXXXXX".utf8CString)
    precondition(mkdtemp(&template) != nil, "no directory can be made in \(base)")
    path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }  // mkdtemp leaves a closing zero.
  }

  deinit { Self.remove(path) }

  private static func remove(_ path: String) {
    guard let directory = opendir(path) else {
      unlink(path)
      return
    }
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name == "." || name == ".." { continue }
      // A link to a directory is removed itself, never followed.
      if entry.pointee.d_type == UInt8(DT_DIR) { remove(path + "/" + name) } else { unlink(path + "/" + name) }
    }
    closedir(directory)
    rmdir(path)
  }
}

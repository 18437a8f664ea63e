// Owns a directory for one test, removed with everything in it when the test ends.
import Glibc

final class TemporaryDirectory: Sendable {
  let path: String

  init() {
    var template = Array("/tmp/waterbear-test-XXXXXX".utf8CString)
    precondition(mkdtemp(&template) != nil, "the machine has a writable /tmp")
    path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
  }

  deinit { Self.remove(path) }

  private static func remove(_ path: String) {
    guard let directory = opendir(path) else {
      unlink(path)
      return
    }
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: entry.pointee.d_name) { pointer in
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

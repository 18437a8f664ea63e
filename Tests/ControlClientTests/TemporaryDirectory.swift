// Owns a directory for one test, removed with the files in it when the test ends.
import Glibc

final class TemporaryDirectory {
  let path: String

  init() {
    var template = Array("/tmp/waterbear-test-XXXXXX".utf8CString)
    precondition(mkdtemp(&template) != nil, "the machine has a writable /tmp")
    path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
  }

  deinit {
    guard let directory = opendir(path) else { return }
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { unlink(path + "/" + name) }
    }
    closedir(directory)
    rmdir(path)
  }
}

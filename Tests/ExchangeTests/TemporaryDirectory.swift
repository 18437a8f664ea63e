// A directory for one test, gone with it.
import Glibc
import Sealing
import Testing

/// An empty directory below the system's temporary one; deleted with all it holds in `deinit`.
final class TemporaryDirectory: Sendable {
  let path: String

  init() throws {
    let suffix = try RandomBytes.make(8).map { String($0, radix: 16) }.joined()
    path = (getenv("TMPDIR").map { String(cString: $0) } ?? P_tmpdir) + "/waterbear-spool-" + suffix
    try #require(mkdir(path, 0o700) == 0)
  }

  deinit { Self.remove(path) }

  private static func remove(_ path: String) {
    if let stream = opendir(path) {
      while let entry = readdir(stream) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != "." && name != ".." { remove(path + "/" + name) }
      }
      closedir(stream)
      rmdir(path)
    } else {
      unlink(path)
    }
  }
}

/// Whole files, for tests that damage them.
enum TestFile {
  static func read(_ path: String) throws -> [UInt8] {
    let descriptor = open(path, O_RDONLY)
    try #require(descriptor >= 0, "\(path) cannot be opened")
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = Glibc.read(descriptor, &part, part.count), count > 0 { bytes += part[..<count] }
    return bytes
  }

  static func write(_ bytes: [UInt8], to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    try #require(descriptor >= 0, "\(path) cannot be written")
    defer { close(descriptor) }
    try #require(Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
  }

  /// Changes one byte in place.
  static func overwrite(_ byte: UInt8, at position: Int, of path: String) throws {
    let descriptor = open(path, O_WRONLY)
    try #require(descriptor >= 0, "\(path) cannot be written")
    defer { close(descriptor) }
    try #require(pwrite(descriptor, [byte], 1, position) == 1)
  }

  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
}

// Owns reading small text files and listing directories with plain system calls. Knows nothing of settings.
import Base
import Glibc

enum FileText {
  /// No settings file is anywhere near this; more is refused before it is held in memory.
  static let limit = 1 << 20

  /// The file's text, or nil where there is no such file.
  static func read(_ path: String) throws -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 {
      let code = errno
      if code == ENOENT { return nil }
      throw unreadable(path, code)
    }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16384)
    while true {
      let count = chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        let code = errno
        if code == EINTR { continue }
        throw unreadable(path, code)
      }
      if count == 0 { break }
      bytes += chunk[..<count]
      guard bytes.count <= limit else {
        throw WaterbearError(
          .configurationInvalid, "\(path) is larger than \(DataSize(bytes: Int64(limit)))",
          remedy: "Check that this is a properties file.")
      }
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw WaterbearError(
        .configurationInvalid, "\(path) is not UTF-8 text", remedy: "Save the file as UTF-8.")
    }
    return text
  }

  /// The names in a directory, sorted; empty where there is no such directory.
  static func list(_ path: String) throws -> [String] {
    guard let directory = opendir(path) else {
      let code = errno
      if code == ENOENT { return [] }
      throw unreadable(path, code)
    }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      // d_name is a fixed array that ends with a zero byte; Swift imports it as a tuple.
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  private static func unreadable(_ path: String, _ code: Int32) -> WaterbearError {
    WaterbearError(
      .configurationInvalid, "\(path) cannot be read: \(String(cString: strerror(code)))",
      remedy: "Make it readable for the user the daemon runs as.")
  }
}

// Owns finding and reading the files below Tests/sql. Knows nothing of what they mean.
import Base
import Glibc

/// Files below `Tests/sql`.
public enum SQLFiles {
  /// The directory's path.
  public static let directory: String = {
    let here = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    return here.dropLast(2).joined(separator: "/") + "/sql"
  }()

  /// A file's content, by its path below the directory.
  public static func text(_ path: String) throws -> String {
    guard let file = fopen("\(directory)/\(path)", "r") else {
      throw WaterbearError(.notFound, "\(directory)/\(path) cannot be opened")
    }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The names of the files in a folder that end in `suffix`, sorted.
  public static func names(in folder: String = "", endingIn suffix: String) throws -> [String] {
    guard let stream = opendir("\(directory)/\(folder)") else {
      throw WaterbearError(.notFound, "\(directory)/\(folder) cannot be listed")
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name.hasSuffix(suffix) { names.append(name) }
    }
    return names.sorted()
  }
}

// A base directory for one test, gone with it, and a catalog over it.

import Base
import ConnectorAPI
import Glibc
import Testing

@testable import FilesConnector

/// A catalog `files` over a directory of its own.
final class TestCatalog: Sendable {
  let path: String
  let connector: FilesConnector

  /// `onChange` is called before each change of a directory by the connector.
  init(
    _ properties: [String: String] = [:], onChange: (@Sendable (DirectoryChange) throws -> Void)? = nil
  ) throws {
    var template = Array(((getenv("TMPDIR").map { String(cString: $0) } ?? P_tmpdir) + "/wb-files-XXXXXX").utf8CString)
    try #require(mkdtemp(&template) != nil)
    path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    connector = try FilesConnector(
      catalog: "files", properties: properties.merging(["files.base-directory": path]) { first, _ in first },
      onChange: onChange)
  }

  deinit { Self.remove(path) }

  private static func remove(_ path: String) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    if status.st_mode & S_IFMT == S_IFDIR, let stream = opendir(path) {
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

  func makeDirectory(_ relative: String) throws {
    var at = path
    for name in relative.utf8.split(separator: UInt8(ascii: "/")) {
      at += "/" + String(Substring(name))
      try #require(mkdir(at, 0o755) == 0 || errno == EEXIST)
    }
  }

  /// Writes a file with the directories above it.
  func write(_ text: String, to relative: String) throws {
    try write(Array(text.utf8), to: relative)
  }

  func write(_ bytes: [UInt8], to relative: String) throws {
    if let slash = relative.utf8.lastIndex(of: UInt8(ascii: "/")) { try makeDirectory(String(relative[..<slash])) }
    let descriptor = open(path + "/" + relative, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    try #require(Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
  }

  /// All names below the base directory, in order.
  func names(below relative: String = "") -> [String] {
    guard let stream = opendir(path + "/" + relative) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name == "." || name == ".." { continue }
      let whole = relative.isEmpty ? name : relative + "/" + name
      names.append(whole)
      names += self.names(below: whole)
    }
    return names.sorted()
  }
}

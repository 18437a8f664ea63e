// A base directory for one test, gone with it, and a catalog over it.

import Base
import Columnar
import ConnectorAPI
import Glibc
import LocalRunner
import Testing

@testable import FilesConnector

/// A catalog `files` over a directory of its own.
final class TestCatalog: Sendable {
  let path: String
  let connector: FilesConnector

  init(_ properties: [String: String] = [:]) throws {
    var template = Array(((getenv("TMPDIR").map { String(cString: $0) } ?? P_tmpdir) + "/wb-files-XXXXXX").utf8CString)
    try #require(mkdtemp(&template) != nil)
    path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    connector = try FilesConnector(
      catalog: "files", properties: properties.merging(["files.base-directory": path]) { first, _ in first })
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
    for name in relative.split(separator: "/") {
      at += "/" + name
      try #require(mkdir(at, 0o755) == 0 || errno == EEXIST)
    }
  }

  /// Writes a file with the directories above it.
  func write(_ text: String, to relative: String) throws {
    try write(Array(text.utf8), to: relative)
  }

  func write(_ bytes: [UInt8], to relative: String) throws {
    if let slash = relative.lastIndex(of: "/") { try makeDirectory(String(relative[..<slash])) }
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

  var runner: LocalRunner { LocalRunner(Catalogs(["files": connector]), catalog: "files", schema: "s") }

  /// Rows as texts, NULL as nil.
  func rows(_ sql: String) throws -> [[String?]] {
    let result = try runner.run(sql)
    return result.rows.map { row in zip(row, result.types).map { ValueFormatter($1).text($0) } }
  }

  /// What the query fails with.
  func failure(_ sql: String) -> WaterbearError? {
    do {
      _ = try rows(sql)
      return nil
    } catch {
      return WaterbearError.wrapping(error)
    }
  }
}

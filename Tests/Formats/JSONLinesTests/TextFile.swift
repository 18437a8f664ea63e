// A file with a text for one test, gone with it, and the rows that the readers find in it.

import Base
import Columnar
import Glibc
import Platform
import Testing
import TextColumns

@testable import JSONLines

/// A file in the system's temporary directory.
final class TextFile: Sendable {
  let path: String
  let size: Int64

  init(_ bytes: [UInt8], suffix: String = "") throws {
    var template = Array(((getenv("TMPDIR").map { String(cString: $0) } ?? P_tmpdir) + "/wb-json-XXXXXX").utf8CString)
    let descriptor = mkstemp(&template)
    try #require(descriptor >= 0)
    path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    size = Int64(bytes.count)
    let file = OwnedDescriptor(adopting: descriptor)
    try file.writeAll(bytes)
  }

  convenience init(_ text: String) throws { try self.init(Array(text.utf8)) }

  deinit { unlink(path) }

  func open() throws -> OwnedDescriptor { try OwnedDescriptor.open(path, O_RDONLY) }

  func sample(rows: Int = 1000, compression: TextCompression = .none) throws -> JSONLinesSample? {
    try JSONLinesSample.read(open(), name: "a file", size: size, compression: compression, rows: rows)
  }

  /// All rows with these columns, NULL as `nil`, read in ranges of `step` bytes.
  func rows(
    _ columns: [(String, DataType)], step: Int64? = nil, compression: TextCompression = .none
  ) throws -> [[String?]] {
    var rows: [[String?]] = []
    for start in stride(from: 0, to: size, by: Int(step ?? max(size, 1))) {
      let reader = try JSONLinesReader(
        open(), name: "a file", size: size, range: start..<min(start + (step ?? size), size),
        compression: compression, wanted: columns.map { JSONField(name: $0.0, type: $0.1) })
      while let batch = try reader.next() {
        for row in 0..<batch.count {
          rows.append(batch.columns.map { ValueFormatter($0.type).text($0.value(at: row)) })
        }
      }
    }
    return rows
  }

  /// All rows with the columns that are found out.
  func rows() throws -> [[String?]] {
    let sample = try #require(try sample())
    return try rows(Array(zip(sample.names, sample.guesses.map(\.type))))
  }
}

/// The error that `body` throws.
func failure(_ body: () throws -> Void) -> WaterbearError? {
  do {
    try body()
    return nil
  } catch {
    return WaterbearError.wrapping(error)
  }
}

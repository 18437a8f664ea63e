// A file with a text for one test, gone with it, and the rows that the readers find in it.

import Base
import Columnar
import Glibc
import Platform
import Testing
import TextColumns

@testable import Delimited

/// A file in the system's temporary directory.
final class TextFile: Sendable {
  let path: String
  let size: Int64

  init(_ bytes: [UInt8], suffix: String = "") throws {
    var template = Array(((getenv("TMPDIR").map { String(cString: $0) } ?? P_tmpdir) + "/wb-text-XXXXXX").utf8CString)
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

  func sample(
    _ hints: DialectHints = DialectHints(), rows: Int = 1000, compression: TextCompression = .none
  ) throws -> DelimitedSample? {
    try DelimitedSample.read(
      open(), name: "a file", size: size, compression: compression, hints: hints, rows: rows)
  }

  /// All rows as `types` say, NULL as `nil`, read in ranges of `step` bytes.
  func rows(
    _ dialect: Dialect, _ types: [DataType], step: Int64? = nil, compression: TextCompression = .none
  ) throws -> [[String?]] {
    var rows: [[String?]] = []
    for start in stride(from: 0, to: size, by: Int(step ?? max(size, 1))) {
      let reader = try DelimitedReader(
        open(), name: "a file", size: size, range: start..<min(start + (step ?? size), size),
        compression: compression, dialect: dialect,
        wanted: types.enumerated().map { WantedField(position: $0, name: "c\($0)", type: $1) })
      while let batch = try reader.next() {
        for row in 0..<batch.count {
          rows.append(batch.columns.map { ValueFormatter($0.type).text($0.value(at: row)) })
        }
      }
    }
    return rows
  }

  /// All rows with the dialect and types that are found out.
  func rows(_ hints: DialectHints = DialectHints()) throws -> [[String?]] {
    let sample = try #require(try sample(hints))
    return try rows(sample.dialect, sample.guesses.map(\.type))
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

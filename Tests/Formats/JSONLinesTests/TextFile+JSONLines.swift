// What the samples and readers of JSON lines find in a file.

import Columnar
import Testing
import TextColumns
import TextFiles

@testable import JSONLines

extension TextFile {
  func sample(rows: Int = 1000, compression: TextCompression = .none) throws -> JSONLinesSample? {
    try JSONLinesSample.read(open(), name: "a file", size: size, compression: compression, rows: rows)
  }

  /// All rows with these columns, NULL as `nil`, read in ranges of `step` bytes.
  func rows(
    _ columns: [(String, DataType)], step: Int64? = nil, compression: TextCompression = .none
  ) throws -> [[String?]] {
    try rows(step: step) { descriptor, range in
      let reader = try JSONLinesReader(
        descriptor, name: "a file", size: size, range: range, compression: compression,
        wanted: columns.map { JSONField(name: $0.0, type: $0.1) })
      return reader.next
    }
  }

  /// All rows with the columns that are found out.
  func rows() throws -> [[String?]] {
    let sample = try #require(try sample())
    return try rows(Array(zip(sample.names, sample.guesses.map(\.type))))
  }
}

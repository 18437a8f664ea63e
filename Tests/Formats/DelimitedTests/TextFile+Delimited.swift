// What the samples and readers of delimited text find in a file.

import Columnar
import Testing
import TextColumns
import TextFiles

@testable import Delimited

extension TextFile {
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
    try rows(step: step) { descriptor, range in
      let reader = try DelimitedReader(
        descriptor, name: "a file", size: size, range: range, compression: compression, dialect: dialect,
        wanted: types.enumerated().map { WantedField(position: $0, name: "c\($0)", type: $1) })
      return reader.next
    }
  }

  /// All rows with the dialect and types that are found out.
  func rows(_ hints: DialectHints = DialectHints()) throws -> [[String?]] {
    let sample = try #require(try sample(hints))
    return try rows(sample.dialect, sample.guesses.map(\.type))
  }
}

// Tests of what is said of columns of Parquet files that cannot be read.

import Base
import Foundation
import Testing

@testable import FilesConnector

@Suite struct UnreadableColumnTests {
  /// A file with a list, a map and a time of day among other columns.
  private static let sample = URL(filePath: #filePath).resolvingSymlinksInPath()
    .appending(path: "../../Formats/ParquetTests/Samples/pyarrow-nested.parquet").standardizedFileURL

  @Test func theFirstErrorNamesAll() throws {
    let catalog = try TestCatalog()
    try catalog.write([UInt8](Data(contentsOf: Self.sample)), to: "s/t.parquet")
    let error = try #require(catalog.failure("SELECT * FROM t"))
    #expect(error.code == .notSupported)
    #expect(error.message.contains("s/t.parquet: column 'list' is "), "\(error.message)")
    #expect(error.message.hasSuffix("; nor can the columns 'map', 'time'"), "\(error.message)")
    #expect(try catalog.rows("SELECT id FROM t ORDER BY 1") == [["1"], ["2"], ["3"]])
  }
}

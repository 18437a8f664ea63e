// Owns writing the rows of one file, whatever its format: from batches to bytes in a descriptor. Knows no attempts and
// no partitions.

import Base
import Columnar
import Delimited
import JSONLines
import Parquet
import Platform
import TextColumns

/// Writes rows in one format. Used by one thread.
protocol RowWriter: AnyObject {
  /// Bytes held in memory.
  var retainedBytes: Int { get }
  func append(_ batch: Batch) throws
  /// Writes what is left. Called once, last.
  func finish() throws
}

extension ParquetWriter: RowWriter {}
extension DelimitedWriter: RowWriter {}
extension JSONLinesWriter: RowWriter {}

/// The writers of all formats.
enum RowWriters {
  /// A writer of a table's files to `output`. `isOneOfMany`: the same task writes other files at the same time.
  static func writer(
    _ definition: TableDefinition, isOneOfMany: Bool, to output: @escaping (UnsafeRawBufferPointer) throws -> Void
  ) throws -> any RowWriter {
    switch definition.format {
    case .parquet:
      var options = ParquetWriterOptions()
      options.compression = definition.compression.ofPages
      // Each open file holds a row group in memory.
      if isOneOfMany { options.rowGroupBytes = 8 << 20 }
      return try ParquetWriter(
        columns: definition.columns.map { ($0.name, $0.type) }, options: options, output: output)
    case .csv:
      guard let dialect = definition.dialect else {
        throw WaterbearError(.genericInternalError, "A table of delimited text has no dialect")
      }
      let text = try TextOutput(definition.compression.ofFile(.csv).ofText, to: output)
      return DelimitedWriter(columns: definition.columns.map(\.name), dialect: dialect, output: text)
    case .json:
      let text = try TextOutput(definition.compression.ofFile(.json).ofText, to: output)
      return JSONLinesWriter(columns: definition.columns.map(\.name), output: text)
    }
  }
}

extension WrittenCompression {
  fileprivate var ofPages: ParquetCompression {
    switch self {
    case .none: .uncompressed
    case .snappy: .snappy
    case .zstd: .zstd(level: 3)
    case .gzip: .gzip(level: 6)
    case .lz4: .lz4Raw
    }
  }
}

/// A new file that takes rows. Used by one thread.
final class WrittenFile {
  /// Relative to the base directory.
  let path: String
  private let base: BaseDirectory
  private let descriptor: OwnedDescriptor
  private let writer: any RowWriter

  /// Makes the file; its directory is there. `isNew`: there must be none yet.
  init(
    _ path: String, _ definition: TableDefinition, isOneOfMany: Bool = false, isNew: Bool = true,
    in base: BaseDirectory
  ) throws {
    self.path = path
    self.base = base
    let descriptor = try base.create(path, isNew: isNew)
    self.descriptor = descriptor
    writer = try RowWriters.writer(definition, isOneOfMany: isOneOfMany) { bytes in
      try base.write(bytes, to: descriptor, of: path)
    }
  }

  var retainedBytes: Int { writer.retainedBytes }

  func append(_ batch: Batch) throws { try writer.append(batch) }

  /// Writes what is left, and makes the content durable. The name is not durable yet.
  func finish() throws {
    try writer.finish()
    try base.sync(descriptor, of: path)
  }
}

// Owns what the connector asks of each format, and the piece of a file that one split reads.

import Base
import ConnectorAPI
import Delimited

/// Reads the files of one format. Called from several threads at once.
protocol TableFormat: Sendable {
  /// The columns of the files, and how their text is written. Partition columns are not known here.
  func describe(_ list: FileList) throws -> FormatDescription

  /// Rows and values of the files, for the optimiser: the columns of `layout.columns` by name.
  func statistics(of files: [DataFile], layout: TableLayout) throws -> FormatStatistics

  /// The pieces of the files that may hold rows within `constraint`, which names columns of the files only.
  func pieces(
    of files: [DataFile], layout: TableLayout, columns: [TableLayout.Column], constraint: TupleDomain
  ) throws -> [FilePiece]

  /// Opens a piece. Pages hold `columns` in order; columns that the file does not have are NULL.
  func open(
    _ piece: FilePiece, layout: TableLayout, columns: [TableLayout.Column], constraint: TupleDomain,
    filters: [any RowFilter]
  ) throws -> any PageSource

  /// Frees what can be read again.
  func releaseMemory()
}

extension TableFormat {
  func releaseMemory() {}
}

/// What a format found in a table's files.
struct FormatDescription: Sendable {
  var columns: [TableLayout.Column]
  var dialect: Dialect?
}

/// What a format knows of rows and values.
struct FormatStatistics: Sendable {
  /// Rows of each file, in the order of the files.
  var rows: [Double]
  var columns: [String: ColumnStatistics]
}

/// A part of a file that is read alone.
struct FilePiece: Hashable, Codable, Sendable {
  var file: DataFile
  /// Row groups of Parquet, bytes of text.
  var start: Int64
  var end: Int64
  /// Estimated bytes of the columns asked for, as they lie in memory.
  var bytes: Int64
  /// Estimated rows.
  var rows: Int64
}

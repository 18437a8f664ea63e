// Owns tables of Parquet files: columns of several files by name, pieces of row groups, readers of pieces.

import Base
import Columnar
import ConnectorAPI
import Parquet

/// Reads Parquet.
struct ParquetFormat: TableFormat {
  let files: ParquetFiles

  /// Files whose footers are looked at for a table's columns and statistics; of more, that many spread evenly.
  private static let describedFiles = 2000
  /// Bytes of a piece, as values in memory: enough to pay for starting one, few enough that all cores get some.
  private static let pieceBytes: ClosedRange<Int64> = (64 << 10)...(8 << 20)
  /// Pieces that a table is cut into if its row groups allow it, and at most.
  private static let wantedPieces: Int64 = 64
  private static let mostPieces: Int64 = 4000
  /// Bytes that a row group is taken for at most.
  private static let mostGroupBytes: Int64 = 1 << 36

  init(base: BaseDirectory) { files = ParquetFiles(base: base) }

  func releaseMemory() { files.removeAll() }

  // MARK: Columns

  func describe(_ list: FileList) throws -> FormatDescription {
    var names: [String] = []
    var found: [String: (type: DataType, file: String)] = [:]
    for file in Self.spread(list.files, to: Self.describedFiles) {
      let parquet = try files.open(file)
      var seen = Set<String>()
      for column in parquet.columns {
        let name = column.name.lowercased()
        guard seen.insert(name).inserted else {
          throw Self.ambiguous(name, in: file.path)
        }
        // What cannot be read is refused when somebody asks for it.
        let type = column.type ?? .varcharUnbounded
        guard let known = found[name] else {
          names.append(name)
          found[name] = (type, file.path)
          continue
        }
        guard let common = Widening.common(known.type, type) else {
          throw WaterbearError(
            .typeMismatch, "Column '\(name)' is \(known.type) in \(known.file) and \(type) in \(file.path)",
            remedy: "Write the files with the same types, or put them into directories of their own.")
        }
        found[name]?.type = common
      }
    }
    // Each name was entered with its type.
    return FormatDescription(columns: names.map { TableLayout.Column(name: $0, type: found[$0]!.type) })
  }

  /// The position of a column; nil where the file lacks it, which its rows show as NULL.
  private static func position(of column: TableLayout.Column, in file: ParquetFile) throws -> Int? {
    // Not every file was looked at when the table was described.
    if file.isAmbiguous(column.name) { throw ambiguous(column.name, in: file.name) }
    return file.columnIndex(named: column.name)
  }

  private static func ambiguous(_ name: String, in path: String) -> WaterbearError {
    WaterbearError(
      .filesBadData, "\(path) has two columns '\(name)', if case is not looked at",
      remedy: "Rename one of them: names of columns are compared in lower case.")
  }

  private static func spread(_ files: [DataFile], to count: Int) -> [DataFile] {
    if files.count <= count { return files }
    return (0..<count).map { files[$0 * files.count / count] }
  }

  // MARK: Statistics

  func statistics(of list: [DataFile], layout: TableLayout) throws -> FormatStatistics {
    let looked = Self.spread(list, to: Self.describedFiles)
    let opened = try looked.map { try files.open($0) }
    let estimates = ParquetEstimates(opened)
    var columns: [String: ColumnStatistics] = [:]
    for column in layout.columns { columns[column.name] = estimates.column(column) }
    if looked.count == list.count {
      return FormatStatistics(rows: opened.map { Double($0.rowCount) }, columns: columns)
    }
    let bytes = looked.reduce(1.0) { $0 + Double($1.version.size) }
    let rowsPerByte = opened.reduce(0.0) { $0 + Double($1.rowCount) } / bytes
    return FormatStatistics(rows: list.map { Double($0.version.size) * rowsPerByte }, columns: columns)
  }

  // MARK: Pieces

  /// A row group that is read.
  private struct Group {
    var file: Int
    var index: Int
    var bytes: Int64
    var rows: Int64
  }

  func pieces(
    of list: [DataFile], layout: TableLayout, columns: [TableLayout.Column], constraint: TupleDomain
  ) throws -> [FilePiece] {
    var groups: [Group] = []
    for (number, file) in list.enumerated() {
      let parquet = try files.open(file)
      let positions = try columns.map { try Self.position(of: $0, in: parquet) }
      try Self.checkReadable(positions.compactMap { $0.map { parquet.columns[$0] } })
      for index in 0..<parquet.rowGroupCount where parquet.rowGroupMayMatch(index, constraint: constraint) {
        let rows = parquet.rowCount(ofRowGroup: index)
        if rows == 0 { continue }
        let bytes = Self.bytes(parquet, index, rows: rows, columns, positions)
        groups.append(Group(file: number, index: index, bytes: bytes, rows: rows))
      }
    }
    return Self.packed(groups, of: list)
  }

  /// Throws the refusal of the first column that cannot be read, with the names of all others.
  private static func checkReadable(_ columns: [ParquetColumn]) throws {
    let refused = columns.filter { $0.unreadable != nil }
    guard let first = refused.first, var refusal = first.unreadable else { return }
    if refused.count > 1 {
      refusal.message += "; nor can the columns " + refused.dropFirst().map { "'\($0.name)'" }.joined(separator: ", ")
      refusal.remedy = "Leave these columns out of the query."
    }
    throw refusal
  }

  /// Bytes of the values of a row group in memory: tasks are cut by them, as those over other sources are.
  private static func bytes(
    _ file: ParquetFile, _ index: Int, rows: Int64, _ columns: [TableLayout.Column], _ positions: [Int?]
  ) -> Int64 {
    var bytes = rows
    for (column, position) in zip(columns, positions) {
      bytes += rows * Int64(column.type.layout.stride)
      if column.type.layout == .string, let position {
        bytes += file.uncompressedBytes(ofRowGroup: index, columns: [position])
      }
    }
    // Whatever footers claim, the sum over any number of row groups has room.
    return min(bytes, mostGroupBytes)
  }

  /// Successive row groups of a file together, until they are worth a piece.
  private static func packed(_ groups: [Group], of list: [DataFile]) -> [FilePiece] {
    let total = groups.reduce(0) { $0 + $1.bytes }
    let wanted = min(max(total / wantedPieces, pieceBytes.lowerBound), pieceBytes.upperBound)
    let target = max(wanted, total / mostPieces)
    var pieces: [FilePiece] = []
    for group in groups {
      if let last = pieces.last, last.file == list[group.file], last.end == group.index,
        last.bytes + group.bytes <= target
      {
        pieces[pieces.count - 1].end += 1
        pieces[pieces.count - 1].bytes += group.bytes
        pieces[pieces.count - 1].rows += group.rows
      } else {
        let start = Int64(group.index)
        pieces.append(
          FilePiece(file: list[group.file], start: start, end: start + 1, bytes: group.bytes, rows: group.rows))
      }
    }
    return pieces
  }

  // MARK: Reading

  func open(
    _ piece: FilePiece, layout: TableLayout, columns: [TableLayout.Column], constraint: TupleDomain,
    filters: [any RowFilter]
  ) throws -> any PageSource {
    let (file, descriptor) = try files.openPinned(piece.file)
    guard piece.start >= 0, piece.start <= piece.end, piece.end <= file.rowGroupCount else {
      throw WaterbearError(
        .genericInternalError, "A split has row groups \(piece.start) to \(piece.end) of \(piece.file.path)")
    }
    let wanted = try columns.map { column -> ParquetReadColumn in
      guard let position = try Self.position(of: column, in: file) else {
        return ParquetReadColumn(source: .constant(.null), type: column.type)
      }
      return ParquetReadColumn(source: .column(position), type: column.type)
    }
    let reader = try file.reader(
      rowGroups: Int(piece.start)..<Int(piece.end), columns: wanted, constraint: constraint, filters: filters)
    return CheckedPageSource(reader, of: piece.file, opened: descriptor)
  }
}

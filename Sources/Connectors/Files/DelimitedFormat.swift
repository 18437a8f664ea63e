// Owns tables of delimited text: columns of several files by name, cuts of plain files, readers of pieces.

import Base
import Columnar
import ConnectorAPI
import Delimited
import TextColumns

/// Reads CSV and its relatives.
struct DelimitedFormat: TableFormat {
  let base: BaseDirectory
  let hints: DialectHints
  let sampleRows: Int

  func describe(_ list: FileList) throws -> FormatDescription {
    var dialect: Dialect?
    var columns = GuessedColumns()
    var sampled = 0
    for file in list.files where file.version.size > 0 {
      let rows = sampled < TextFiles.sampledFiles ? max(sampleRows / (sampled + 1), 1) : 1
      guard let sample = try sample(file, known: dialect, rows: rows) else { continue }
      sampled += 1
      if dialect == nil { dialect = sample.dialect }
      if let dialect, !dialect.hasHeader, sample.dialect.fieldCount != dialect.fieldCount {
        throw WaterbearError(
          .filesBadData,
          "\(list.files[0].path) has \(dialect.fieldCount) columns and \(file.path) has \(sample.dialect.fieldCount)",
          remedy: "Files of a table without headers have the same columns, in the same order.")
      }
      columns.add(sample.names, sample.guesses)
    }
    return FormatDescription(columns: columns.columns, dialect: dialect)
  }

  private func sample(_ file: DataFile, known: Dialect?, rows: Int) throws -> DelimitedSample? {
    let descriptor = try file.open(in: base)
    var hints = hints
    if hints.delimiter == nil { hints.delimiter = Self.delimiter(byName: file.path) }
    return try DelimitedSample.read(
      descriptor, name: file.path, size: file.version.size, compression: file.compression.ofText, hints: hints,
      known: known, rows: rows)
  }

  private static func delimiter(byName path: String) -> UInt8? {
    let name = path.lowercased()
    if name.contains(".tsv") { return 0x09 }
    return name.contains(".psv") ? UInt8(ascii: "|") : nil
  }

  // MARK: Statistics

  func statistics(of files: [DataFile], layout: TableLayout) throws -> FormatStatistics {
    guard let dialect = layout.dialect, let first = files.first(where: { $0.version.size > 0 }),
      let sample = try sample(first, known: dialect, rows: sampleRows), sample.rows > 0
    else { return FormatStatistics(rows: files.map { _ in 0 }, columns: [:]) }
    let sampled = TextFiles.Sampled(
      file: first, rows: sample.rows, bytes: sample.bytes, headerBytes: sample.headerBytes, isWhole: sample.isWhole)
    let piece = FilePiece(file: first, start: 0, end: first.version.size, bytes: 0, rows: 0)
    let source = try open(piece, layout: layout, columns: layout.columns, constraint: .all, filters: [])
    return try TextFiles.statistics(of: files, sampled, source: source, layout: layout, sampleRows: sampleRows)
  }

  // MARK: Reading

  func pieces(
    of files: [DataFile], layout: TableLayout, columns: [TableLayout.Column], constraint: TupleDomain
  ) throws -> [FilePiece] {
    TextFiles.pieces(of: files, share: Double(max(columns.count, 1)) / Double(max(layout.columns.count, 1)))
  }

  func open(
    _ piece: FilePiece, layout: TableLayout, columns: [TableLayout.Column], constraint: TupleDomain,
    filters: [any RowFilter]
  ) throws -> any PageSource {
    guard var dialect = layout.dialect else {
      throw WaterbearError(.genericInternalError, "\(layout.path) has no dialect")
    }
    let file = try piece.file.open(in: base)
    var positions: [String: Int] = [:]
    if dialect.hasHeader {
      // Columns are found by name: each file may have them in its own order.
      guard let header = try sample(piece.file, known: dialect, rows: 1) else { return EmptyPageSource() }
      for (position, name) in header.names.enumerated() {
        positions[name] = position
        guard (layout.columns + layout.partitions).contains(where: { $0.name == name }) else {
          throw WaterbearError(
            .filesBadData, "\(piece.file.path) has a column '\(name)', which the table does not have",
            remedy: "Run the query again if the file is new.")
        }
      }
      dialect.fieldCount = header.dialect.fieldCount
    } else {
      for (position, column) in layout.columns.enumerated() { positions[column.name] = position }
    }
    let wanted = columns.map { WantedField(position: positions[$0.name], name: $0.name, type: $0.type) }
    let reader = try DelimitedReader(
      file, name: piece.file.path, size: piece.file.version.size, range: piece.start..<piece.end,
      compression: piece.file.compression.ofText, dialect: dialect, wanted: wanted,
      filters: filters)
    return CheckedPageSource(TextPageSource(reader.next), of: piece.file, opened: file)
  }
}

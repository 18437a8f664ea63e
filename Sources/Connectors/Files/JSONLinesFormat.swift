// Owns tables of JSON lines: columns of several files by key, cuts of plain files, readers of pieces.

import Base
import Columnar
import ConnectorAPI
import JSONLines
import TextColumns

/// Reads files with one object per line.
struct JSONLinesFormat: TableFormat {
  let base: BaseDirectory
  let sampleRows: Int

  func describe(_ list: FileList) throws -> FormatDescription {
    var columns = GuessedColumns()
    var sampled = 0
    for file in list.files where file.version.size > 0 {
      // Each further file has at least some rows to say its keys.
      let rows = max(sampleRows / (sampled + 1), sampled < TextFiles.sampledFiles ? 100 : 1)
      guard let sample = try sample(file, rows: min(rows, sampleRows)) else { continue }
      sampled += 1
      columns.add(sample.names, sample.guesses)
    }
    return FormatDescription(columns: columns.columns)
  }

  private func sample(_ file: DataFile, rows: Int) throws -> JSONLinesSample? {
    try JSONLinesSample.read(
      try file.open(in: base), name: file.path, size: file.version.size, compression: file.compression.ofText,
      rows: rows)
  }

  func statistics(of files: [DataFile], layout: TableLayout) throws -> FormatStatistics {
    guard let first = files.first(where: { $0.version.size > 0 }), let sample = try sample(first, rows: sampleRows)
    else { return FormatStatistics(rows: files.map { _ in 0 }, columns: [:]) }
    let sampled = TextFiles.Sampled(
      file: first, rows: sample.rows, bytes: sample.bytes, headerBytes: 0, isWhole: sample.isWhole)
    let piece = FilePiece(file: first, start: 0, end: first.version.size, bytes: 0, rows: 0)
    let source = try open(piece, layout: layout, columns: layout.columns, constraint: .all, filters: [])
    return try TextFiles.statistics(of: files, sampled, source: source, layout: layout, sampleRows: sampleRows)
  }

  func pieces(
    of files: [DataFile], layout: TableLayout, columns: [TableLayout.Column], constraint: TupleDomain
  ) throws -> [FilePiece] {
    TextFiles.pieces(of: files, share: Double(max(columns.count, 1)) / Double(max(layout.columns.count, 1)))
  }

  func open(
    _ piece: FilePiece, layout: TableLayout, columns: [TableLayout.Column], constraint: TupleDomain,
    filters: [any RowFilter]
  ) throws -> any PageSource {
    let file = try piece.file.open(in: base)
    let reader = try JSONLinesReader(
      file, name: piece.file.path, size: piece.file.version.size, range: piece.start..<piece.end,
      compression: piece.file.compression.ofText, wanted: columns.map { JSONField(name: $0.name, type: $0.type) },
      filters: filters)
    return CheckedPageSource(TextPageSource(reader.next), of: piece.file, opened: file)
  }
}

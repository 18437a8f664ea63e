// Owns tables of delimited text: columns of several files by name, cuts of plain files, readers of pieces.

import Base
import Columnar
import ConnectorAPI
import Delimited
import Glibc
import TextColumns

/// Reads CSV and its relatives.
struct DelimitedFormat: TableFormat {
  let base: BaseDirectory
  let hints: DialectHints
  let sampleRows: Int

  /// Files that types are inferred from.
  private static let sampledFiles = 16
  /// Bytes of a piece of a plain file: some batches, so that cores share a file of some megabytes.
  private static let pieceBytes: Int64 = 8 << 20

  func describe(_ list: FileList) throws -> FormatDescription {
    var dialect: Dialect?
    var columns = GuessedColumns()
    var sampled = 0
    for file in list.files where file.version.size > 0 {
      let rows = sampled < Self.sampledFiles ? max(sampleRows / (sampled + 1), 1) : 1
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
    let bytesPerRow = max(Double(sample.bytes) / Double(sample.rows), 1)
    let rows = files.map { file -> Double in
      if sample.isWhole && file == first { return Double(sample.rows) }
      // Text packs to about a fourth.
      let packing = file.compression == .none ? 1.0 : 4.0
      let bytes = max(Double(file.version.size) * packing - Double(sample.headerBytes), 0)
      return (bytes / bytesPerRow).rounded(.up)
    }
    let piece = FilePiece(file: first, start: 0, end: first.version.size, bytes: 0, rows: 0)
    let source = try open(piece, layout: layout, columns: layout.columns, constraint: .all, filters: [])
    var batches: [Batch] = []
    while batches.reduce(0, { $0 + $1.count }) < sampleRows, let batch = try source.next() { batches.append(batch) }
    return FormatStatistics(
      rows: rows,
      columns: SampleStatistics.of(batches, names: layout.columns.map(\.name), total: rows.reduce(0, +)))
  }

  // MARK: Reading

  func pieces(
    of files: [DataFile], layout: TableLayout, columns: [TableLayout.Column], constraint: TupleDomain
  ) throws -> [FilePiece] {
    let share = Double(max(columns.count, 1)) / Double(max(layout.columns.count, 1))
    return files.flatMap { file -> [FilePiece] in
      let size = file.version.size
      if size == 0 { return [] }
      let packing: Int64 = file.compression == .none ? 1 : 4
      let step = file.compression == .none ? max(Self.pieceBytes, size / 2000 + 1) : size
      return stride(from: 0, to: size, by: Int(step)).map { start in
        let end = min(start + step, size)
        // All of the text is looked at, whichever columns are wanted.
        let bytes = Double((end - start) * packing) * (0.5 + 0.5 * share)
        return FilePiece(file: file, start: start, end: end, bytes: Int64(bytes), rows: (end - start) * packing / 64)
      }
    }
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
      compression: piece.file.compression.ofText, dialect: dialect, wanted: wanted)
    return TextPageSource(reader.next) { try piece.file.checkUnchanged(file) }
  }
}

/// Columns of several files, by name.
struct GuessedColumns {
  private var names: [String] = []
  private var guesses: [String: TypeGuess] = [:]

  /// Adds what one file's sample shows.
  mutating func add(_ names: [String], _ guesses: [TypeGuess]) {
    for (name, guess) in zip(names, guesses) {
      if let known = self.guesses[name] {
        self.guesses[name] = known.merged(with: guess)
      } else {
        self.names.append(name)
        self.guesses[name] = guess
      }
    }
  }

  /// In the order in which they were first seen.
  var columns: [TableLayout.Column] {
    names.map { TableLayout.Column(name: $0, type: guesses[$0]?.type ?? .varcharUnbounded) }
  }
}

/// Gives what a reader of text gives, and looks at the end whether the file is still the same.
final class TextPageSource: PageSource {
  private let read: () throws -> Batch?
  private let check: () throws -> Void

  init(_ read: @escaping () throws -> Batch?, check: @escaping () throws -> Void) {
    self.read = read
    self.check = check
  }

  func next() throws -> Batch? {
    while let batch = try read() {
      if batch.count > 0 { return batch }
    }
    try check()
    return nil
  }
}

/// No rows.
final class EmptyPageSource: PageSource {
  func next() throws -> Batch? { nil }
}

extension FileCompression {
  var ofText: TextCompression {
    switch self {
    case .none: .none
    case .gzip: .gzip
    case .zstd: .zstd
    }
  }
}

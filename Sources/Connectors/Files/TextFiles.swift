// Owns what formats of text have in common: columns of several files, estimates, cuts. Knows no format.

import Columnar
import ConnectorAPI
import TextColumns

/// Files of text.
enum TextFiles {
  /// Files that types are inferred from.
  static let sampledFiles = 16
  /// Bytes of a piece of a plain file: some batches, so that cores share a file of some megabytes.
  private static let pieceBytes: Int64 = 8 << 20
  /// Pieces that the plain files of a table are cut into at most, besides one for each file: the coordinator notes all
  /// of them before the query begins, in some microseconds each.
  private static let mostCuts: Int64 = 20_000

  /// What was seen of one file.
  struct Sampled {
    var file: DataFile
    /// More than 0.
    var rows: Int
    /// Bytes of text that these rows take.
    var bytes: Int
    /// Bytes of text in front of them.
    var headerBytes: Int
    /// Whether these are all rows of the file.
    var isWhole: Bool
  }

  /// Rows by the sizes of files, values by up to `sampleRows` rows of `source`, which has the columns of the layout.
  static func statistics(
    of files: [DataFile], _ sample: Sampled, source: any PageSource, layout: TableLayout, sampleRows: Int
  ) throws -> FormatStatistics {
    let bytesPerRow = max(Double(sample.bytes) / Double(sample.rows), 1)
    let rows = files.map { file -> Double in
      if sample.isWhole && file == sample.file { return Double(sample.rows) }
      // Text packs to about a fourth.
      let packing = file.compression == .none ? 1.0 : 4.0
      let bytes = max(Double(file.version.size) * packing - Double(sample.headerBytes), 0)
      return (bytes / bytesPerRow).rounded(.up)
    }
    var batches: [Batch] = []
    while batches.reduce(0, { $0 + $1.count }) < sampleRows, let batch = try source.next() { batches.append(batch) }
    return FormatStatistics(
      rows: rows,
      columns: SampleStatistics.of(batches, names: layout.columns.map(\.name), total: rows.reduce(0, +)))
  }

  /// The pieces of files: ranges of bytes of plain ones. `share`: of the columns that are wanted.
  static func pieces(of files: [DataFile], share: Double) -> [FilePiece] {
    let plainBytes = files.reduce(0.0) { $0 + ($1.compression == .none ? Double($1.version.size) : 0) }
    let smallest = max(pieceBytes, Int64(min(plainBytes / Double(mostCuts), 1e18)) + 1)
    return files.flatMap { file -> [FilePiece] in
      let size = file.version.size
      if size == 0 { return [] }
      let packing: Int64 = file.compression == .none ? 1 : 4
      let step = file.compression == .none ? max(smallest, size / 2000 + 1) : size
      return stride(from: 0, to: size, by: Int(step)).map { start in
        let end = min(start + step, size)
        // All of the text is looked at, whichever columns are wanted.
        let bytes = Double((end - start) * packing) * (0.5 + 0.5 * share)
        return FilePiece(file: file, start: start, end: end, bytes: Int64(bytes), rows: (end - start) * packing / 64)
      }
    }
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

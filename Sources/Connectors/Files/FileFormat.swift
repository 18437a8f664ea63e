// Owns what a file's name says of its content: format and compression. Opens nothing.

/// How the rows of a file are written.
enum FileFormat: String, Codable, Sendable, CaseIterable {
  case parquet = "PARQUET"
  case csv = "CSV"
  case json = "JSON"

  /// The extension that written files get.
  var fileExtension: String {
    switch self {
    case .parquet: "parquet"
    case .csv: "csv"
    case .json: "jsonl"
    }
  }
}

/// How a whole file is compressed. Parquet compresses its pages itself.
enum FileCompression: String, Codable, Sendable, CaseIterable {
  case none = "NONE"
  case gzip = "GZIP"
  case zstd = "ZSTD"

  var fileExtension: String? {
    switch self {
    case .none: nil
    case .gzip: "gz"
    case .zstd: "zst"
    }
  }
}

/// A file's name, taken apart.
struct FileName: Hashable, Sendable {
  /// The name in front of what says format and compression.
  var stem: String
  /// Nil where the name does not tell.
  var format: FileFormat?
  var compression: FileCompression

  private static let formats: [String: FileFormat] = [
    "parquet": .parquet, "parq": .parquet, "pq": .parquet, "csv": .csv, "tsv": .csv, "psv": .csv,
    "json": .json, "jsonl": .json, "ndjson": .json,
  ]
  private static let compressions: [String: FileCompression] = ["gz": .gzip, "zst": .zstd, "zstd": .zstd]

  init(_ name: String) {
    var parts = name.split(separator: ".", omittingEmptySubsequences: false)
    compression = .none
    if parts.count > 2, let last = parts.last, let found = Self.compressions[last.lowercased()],
      Self.formats[parts[parts.count - 2].lowercased()] != nil
    {
      compression = found
      parts.removeLast()
    }
    if parts.count > 1, let last = parts.last, let found = Self.formats[last.lowercased()] {
      format = found
      parts.removeLast()
    }
    stem = parts.joined(separator: ".")
  }

  /// The extensions of known formats, for messages.
  static let knownExtensions =
    ".parquet, .csv, .tsv, .psv, .json, .jsonl or .ndjson, the text formats also with .gz or .zst"
}

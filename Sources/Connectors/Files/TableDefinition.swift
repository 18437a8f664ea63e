// Owns what a statement that made a table leaves in its directory: format, columns and their types, partitions. Knows
// nothing of how the file gets there.

import Base
import Columnar
import Delimited
import Glibc
import Platform

/// How the files of a table are compressed, by the names of the table property.
enum WrittenCompression: String, Codable, Sendable, CaseIterable {
  case none = "NONE"
  case snappy = "SNAPPY"
  case zstd = "ZSTD"
  case gzip = "GZIP"
  case lz4 = "LZ4"

  /// Those that a format has.
  static func supported(by format: FileFormat) -> [WrittenCompression] {
    format == .parquet ? allCases : [.none, .gzip, .zstd]
  }

  /// What is taken where nothing is said: what most readers read fastest.
  static func preferred(by format: FileFormat) -> WrittenCompression { format == .parquet ? .snappy : .none }

  /// The compression of a whole file; none for a format that compresses parts of it.
  func ofFile(_ format: FileFormat) -> FileCompression {
    switch self {
    case .gzip where format != .parquet: .gzip
    case .zstd where format != .parquet: .zstd
    default: .none
    }
  }
}

/// A table that was made by CREATE TABLE. Lies in its directory as `.waterbear-table`, in CBOR.
///
/// Text files do not say their columns' types, and directories' names not those of partitions: with this file nothing
/// of a table that was made here has to be guessed, and a table without rows has columns.
struct TableDefinition: Hashable, Codable, Sendable {
  static let fileName = ".waterbear-table"
  /// More bytes are taken for damage.
  private static let largest = 4 << 20

  /// The query that made the table. Tells a table from one that was made under the same name later.
  var query: String
  var format: FileFormat
  var compression: WrittenCompression
  /// Columns that files hold.
  var columns: [TableLayout.Column]
  /// Columns that directories say.
  var partitions: [TableLayout.Column]
  /// Of delimited text.
  var dialect: Dialect?

  /// The definition in a table's directory; nil where there is none. FILES_BAD_DATA where it is damaged.
  static func read(of directory: String, in base: BaseDirectory) throws -> TableDefinition? {
    let path = "\(directory)/\(fileName)"
    guard let file = try base.openIfPresent(path, O_RDONLY) else { return nil }
    var bytes: [UInt8] = []
    while let chunk = try file.readAvailable(limit: 64 << 10), !chunk.isEmpty {
      bytes += chunk
      guard bytes.count <= largest else { break }
    }
    do {
      guard bytes.count <= largest else {
        throw WaterbearError(.filesBadData, "it has more than \(largest) bytes")
      }
      let definition = try BinaryDecoder.decode(TableDefinition.self, from: bytes)
      guard definition.partitions.allSatisfy({ PartitionType.isSupported($0.type) }) else {
        throw WaterbearError(.filesBadData, "a partition column has a type that none can have")
      }
      return definition
    } catch {
      throw WaterbearError.wrapping(error).asCause(
        of: "\(path), which says what columns the table has, cannot be read", code: .filesBadData)
    }
  }
}

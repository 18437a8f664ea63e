// Owns what a plan carries of a table: format, columns and their types. A worker reads files by it and infers nothing.

import Base
import Columnar
import ConnectorAPI
import Delimited

/// A table's columns and how its files are written. Travels in the table's handle.
struct TableLayout: Hashable, Codable, Sendable {
  struct Column: Hashable, Codable, Sendable {
    /// In lower case.
    var name: String
    var type: DataType
  }

  /// The table's directory or only file, relative to the base directory.
  var path: String
  var isDirectory: Bool
  var format: FileFormat
  /// Columns that files hold.
  var columns: [Column]
  /// Columns that directories say, outermost first. They come behind the others.
  var partitions: [Column]
  /// How delimited text is written; nil for other formats.
  var dialect: Dialect?

  /// Columns that `*` shows, in order.
  var visibleColumns: [ColumnHandle] {
    (columns + partitions).enumerated().map { ColumnHandle(name: $1.name, type: $1.type, index: $0) }
  }

  /// Columns that tell where a row comes from. Their indices follow those of the visible ones.
  var hiddenColumns: [ColumnHandle] {
    HiddenColumn.allCases.enumerated().map { index, column in
      ColumnHandle(name: column.rawValue, type: column.type, index: columns.count + partitions.count + index)
    }
  }

  /// Reads a handle's payload; GENERIC_INTERNAL_ERROR for one that is none of this connector.
  init(payload: [UInt8]) throws {
    do {
      self = try BinaryDecoder.decode(TableLayout.self, from: payload)
    } catch {
      throw WaterbearError.wrapping(error).asCause(
        of: "A table handle is none of the files connector", code: .genericInternalError)
    }
  }

  init(
    path: String, isDirectory: Bool, format: FileFormat, columns: [Column], partitions: [Column], dialect: Dialect?
  ) {
    self.path = path
    self.isDirectory = isDirectory
    self.format = format
    self.columns = columns
    self.partitions = partitions
    self.dialect = dialect
  }
}

/// What each row knows of its file.
enum HiddenColumn: String, CaseIterable {
  /// Relative to the base directory.
  case path = "$path"
  /// Bytes, as they lie on disk.
  case size = "$file_size"
  /// UTC.
  case modified = "$file_modified_time"

  var type: DataType {
    switch self {
    case .path: .varcharUnbounded
    case .size: .bigint
    case .modified: .timestamp(precision: 6)
    }
  }

  func value(of file: DataFile) -> Value {
    switch self {
    case .path: return .text(file.path)
    case .size: return .integer(file.version.size)
    case .modified:
      return .integer(file.version.modifiedMicroseconds)
    }
  }
}

/// Where a column's values come from.
enum ColumnOrigin {
  case file(TableLayout.Column)
  /// One value for all rows of a file.
  case constant(Value)
}

extension TableLayout {
  /// Where the values of a column come from in the rows of `file`. GENERIC_INTERNAL_ERROR where the handle does not fit
  /// the layout.
  func origin(of column: ColumnHandle, in file: DataFile) throws -> ColumnOrigin {
    let index = column.index
    if columns.indices.contains(index), columns[index].name == column.name, columns[index].type == column.type {
      return .file(columns[index])
    }
    let partition = index - columns.count
    if partitions.indices.contains(partition), partitions[partition].name == column.name {
      return .constant(try partitionValue(partition, in: file))
    }
    let hidden = index - columns.count - partitions.count
    if HiddenColumn.allCases.indices.contains(hidden), HiddenColumn.allCases[hidden].rawValue == column.name {
      return .constant(HiddenColumn.allCases[hidden].value(of: file))
    }
    throw WaterbearError(
      .genericInternalError, "\(path) has no column \(index) '\(column.name)' of type \(column.type)")
  }

  /// The value of a partition column in a file; FILES_BAD_DATA where the directory's name is none.
  func partitionValue(_ index: Int, in file: DataFile) throws -> Value {
    let text = file.partitions.indices.contains(index) ? file.partitions[index] : nil
    guard let value = PartitionType.value(text, as: partitions[index].type) else {
      throw WaterbearError(
        .filesBadData,
        "\(file.path): '\(text ?? "")' is no \(partitions[index].type), the type of column \(partitions[index].name)",
        remedy: "Rename the directory.")
    }
    return value
  }
}

// Owns what CREATE TABLE may say: the table properties, the names and types of columns. Looks at no directory.

import Base
import Columnar
import ConnectorAPI
import Delimited
import TextColumns

/// The checks of a table to be made.
struct TableProperties {
  private static let names = ["compression", "format", "partitioned_by"]

  let catalog: String
  let hints: DialectHints

  /// The table as its directory will describe it. INVALID_TABLE_PROPERTY, NOT_SUPPORTED for a type that the format
  /// cannot keep or a name that a file cannot have.
  func definition(of table: NewTable, query: QueryID) throws -> TableDefinition {
    for name in table.properties.keys.sorted() where !Self.names.contains(name) {
      throw WaterbearError(
        .invalidTableProperty, "Catalog '\(catalog)' table property '\(name)' does not exist",
        remedy: "There are \(Self.names.joined(separator: ", ")).")
    }
    try checkTableName(table.name)
    let format = try choice(table, "format", FileFormat.allCases) ?? .parquet
    let compression =
      try choice(table, "compression", WrittenCompression.supported(by: format)) ?? .preferred(by: format)
    let partitionCount = try partitionCount(table)
    var columns: [TableLayout.Column] = []
    for (index, column) in table.columns.enumerated() {
      try checkColumnName(column.name)
      let isPartition = index >= table.columns.count - partitionCount
      let type = isPartition ? try partitionType(column) : try storedType(column, format)
      columns.append(TableLayout.Column(name: column.name, type: type))
    }
    let fileCount = columns.count - partitionCount
    return TableDefinition(
      query: query.text, format: format, compression: compression, columns: Array(columns[..<fileCount]),
      partitions: Array(columns[fileCount...]), dialect: format == .csv ? dialect(fields: fileCount) : nil)
  }

  /// What new delimited files look like: what the catalog says, else as RFC 4180 has it.
  private func dialect(fields: Int) -> Dialect {
    Dialect(
      delimiter: hints.delimiter ?? UInt8(ascii: ","), quote: hints.quote ?? UInt8(ascii: "\""),
      escape: hints.escape ?? nil, hasHeader: hints.hasHeader ?? true, nullText: hints.nullText ?? "",
      fieldCount: fields)
  }

  // MARK: Properties

  private func choice<Choice: RawRepresentable>(
    _ table: NewTable, _ name: String, _ choices: [Choice]
  ) throws -> Choice? where Choice.RawValue == String {
    guard let value = table.properties[name] else { return nil }
    if case .text(let text) = value, let found = choices.first(where: { $0.rawValue == text.uppercased() }) {
      return found
    }
    throw WaterbearError(
      .invalidTableProperty, "Invalid value for catalog '\(catalog)' table property '\(name)': \(Self.text(value))",
      remedy: "Valid are \(choices.map { "'\($0.rawValue)'" }.joined(separator: ", ")).")
  }

  /// How many columns, the last ones, are said by directories.
  private func partitionCount(_ table: NewTable) throws -> Int {
    guard let value = table.properties["partitioned_by"] else { return 0 }
    var keys: [String] = []
    var isList = false
    if case .list(let elements) = value {
      isList = true
      for element in elements {
        if case .text(let key) = element { keys.append(key.lowercased()) } else { isList = false }
      }
    }
    guard isList, Set(keys).count == keys.count else {
      throw WaterbearError(
        .invalidTableProperty,
        "Invalid value for catalog '\(catalog)' table property 'partitioned_by': \(Self.text(value))",
        remedy: "Give the names of different columns, such as ARRAY['year', 'month'].")
    }
    guard keys.count < table.columns.count else {
      throw WaterbearError(
        .invalidTableProperty, "Table '\(table.schema).\(table.name)' contains only partition columns",
        remedy: "Leave one column out of partitioned_by.")
    }
    guard table.columns.suffix(keys.count).map(\.name) == keys else {
      throw WaterbearError(
        .invalidTableProperty,
        "Partition keys must be the last columns in the table and in the same order as the table properties: "
          + "[\(keys.joined(separator: ", "))]",
        remedy: "Select the columns in another order.")
    }
    for key in keys where BaseDirectory.isHidden(key) {
      throw WaterbearError(
        .invalidTableProperty, "Partition column '\(key)' would have hidden directories",
        remedy: "Give it a name that does not begin with a dot or an underscore.")
    }
    return keys.count
  }

  private static func text(_ value: PropertyValue) -> String {
    switch value {
    case .text(let text): "'\(text)'"
    case .integer(let number): "\(number)"
    case .boolean(let flag): "\(flag)"
    case .list(let values): "ARRAY[\(values.map(text).joined(separator: ", "))]"
    }
  }

  // MARK: Names and types

  private func checkTableName(_ name: String) throws {
    guard TableFinder.isPlain(name), !Self.hasControls(name), name.utf8.count <= 200, name == name.lowercased() else {
      throw WaterbearError(
        .notSupported, "'\(name)' cannot be the name of a table: it will be that of a directory",
        remedy: "A name has up to 200 bytes, no slash or control character, and no dot or underscore in front.")
    }
  }

  private func checkColumnName(_ name: String) throws {
    let isTrimmed = !(name.first?.isWhitespace ?? true) && !(name.last?.isWhitespace ?? true)
    guard isTrimmed, !Self.hasControls(name), name == name.lowercased(),
      !HiddenColumn.allCases.contains(where: { $0.rawValue == name })
    else {
      throw WaterbearError(
        .notSupported, "'\(name)' cannot be the name of a column", remedy: "Give it another name with AS.")
    }
  }

  private static func hasControls(_ name: String) -> Bool { name.utf8.contains { $0 < 0x20 || $0 == 0x7f } }

  private func partitionType(_ column: ColumnHandle) throws -> DataType {
    guard PartitionType.isSupported(column.type) else {
      throw WaterbearError(
        .notSupported, "Partition column '\(column.name)' is \(column.type), which names of directories do not keep",
        remedy: "A partition column is an integer, a boolean, a date or varchar.")
    }
    return column.type.withoutLength
  }

  /// The type that a column has when it is read again.
  private func storedType(_ column: ColumnHandle, _ format: FileFormat) throws -> DataType {
    switch column.type {
    case .timestamp(let precision): return .timestamp(precision: format == .parquet && precision <= 3 ? 3 : 6)
    case .varbinary where format == .parquet: return .varbinary
    case let type where ColumnParser.isSupported(type): return type.withoutLength
    default:
      throw WaterbearError(
        .notSupported, "Column '\(column.name)' is \(column.type), which \(format.rawValue) files do not keep",
        remedy: "CAST it, such as to varchar.")
    }
  }
}

extension DataType {
  /// Files do not keep the lengths of texts.
  fileprivate var withoutLength: DataType {
    if case .varchar = self { return .varcharUnbounded }
    return self
  }
}

// Owns the connector: from names to layouts, statistics, splits and page sources. What is in a file is left to the
// formats.

import Base
import Columnar
import ConnectorAPI
import Delimited
import Platform

/// Tables that are files: a schema is a directory below the base directory, a table is a directory or a file in it.
///
/// Names are compared in lower case; names that begin with `.` or `_` are passed over. Each question looks at the
/// directories anew, but reads a file's description again only if its size or modification time changed.
public struct FilesConnector: Connector {
  let catalog: String
  let base: BaseDirectory
  let finder: TableFinder
  let settings: FilesSettings
  private let formats: [FileFormat: any TableFormat]
  private let cache = TableCache()

  /// The properties a catalog file may set.
  public static let propertyNames = FilesSettings.names

  /// A catalog with the given properties; CONFIGURATION_INVALID for one that does not exist or does not fit. The base
  /// directory need not exist yet.
  public init(catalog: String, properties: [String: String]) throws(WaterbearError) {
    var onChange: (@Sendable (DirectoryChange) throws -> Void)?
    if CrashPoint.isArmed { onChange = { CrashPoint.reach("files.\($0.step)") } }
    try self.init(catalog: catalog, properties: properties, onChange: onChange)
  }

  /// `onChange` is called before each change of a directory, and can make it fail.
  init(
    catalog: String, properties: [String: String], onChange: (@Sendable (DirectoryChange) throws -> Void)?
  ) throws(WaterbearError) {
    settings = try FilesSettings(properties)
    self.catalog = catalog
    base = try BaseDirectory(settings.baseDirectory, onChange: onChange)
    finder = TableFinder(base: base)
    formats = [
      .parquet: ParquetFormat(base: base),
      .csv: DelimitedFormat(base: base, hints: settings.csv, sampleRows: settings.sampleRows),
      .json: JSONLinesFormat(base: base, sampleRows: settings.sampleRows),
    ]
  }

  public var ownDirectories: [String] { [base.path] }

  /// Frees what was found out about tables and files.
  public func releaseMemory() {
    cache.removeAll()
    for format in formats.values { format.releaseMemory() }
  }

  public func schemaNames() throws -> [String] { try finder.schemaNames() }

  public func tableNames(in schema: String) throws -> [String] {
    guard let names = try finder.tableNames(in: schema) else {
      throw WaterbearError(
        .schemaNotFound, "Schema '\(schema)' does not exist", remedy: "Make a directory \(base.path)/\(schema).")
    }
    return names
  }

  public func table(schema: String, name: String) throws -> TableMetadata? {
    guard let snapshot = try snapshot(schema: schema, table: name) else { return nil }
    let handle = TableHandle(
      catalog: catalog, schema: schema, name: name, payload: try BinaryEncoder.encode(snapshot.layout))
    return TableMetadata(
      handle: handle, columns: snapshot.layout.visibleColumns, hiddenColumns: snapshot.layout.hiddenColumns)
  }

  public func statistics(of table: TableHandle) throws -> TableStatistics {
    let snapshot = try snapshot(of: table)
    return try snapshot.statistics {
      let found = try format(snapshot.layout).statistics(of: snapshot.list.files, layout: snapshot.layout)
      return PlaceStatistics(snapshot.list.files, layout: snapshot.layout).completing(found)
    }
  }

  public func splits(of table: TableHandle, columns: [ColumnHandle], constraint: TupleDomain) throws -> [Split] {
    let snapshot = try snapshot(of: table)
    let layout = snapshot.layout
    let files = try snapshot.list.files.filter { try mayMatch($0, layout, constraint) }
    let read = layout.fileColumns(of: columns)
    let pieces = try format(layout).pieces(
      of: files, layout: layout, columns: read, constraint: layout.fileConstraint(constraint))
    return try pieces.map { piece in
      Split(payload: try BinaryEncoder.encode(piece), bytes: max(piece.bytes, 1), rows: piece.rows)
    }
  }

  public func pageSource(
    for split: Split, of table: TableHandle, columns: [ColumnHandle], constraint: TupleDomain,
    filters: [any RowFilter]
  ) throws -> any PageSource {
    let layout = try TableLayout(payload: table.payload)
    let piece = try BinaryDecoder.decode(FilePiece.self, from: split.payload)
    var read: [TableLayout.Column] = []
    var assembled: [AssembledColumn] = []
    for column in columns {
      switch try layout.origin(of: column, in: piece.file) {
      case .file(let source):
        assembled.append(.read(read.count))
        read.append(source)
      case .constant(let value):
        var builder = VectorBuilder(type: column.type, capacity: 1)
        builder.append(value)
        assembled.append(.constant(builder.finish()))
      }
    }
    let isPlain = read.count == columns.count
    let source = try format(layout).open(
      piece, layout: layout, columns: read, constraint: layout.fileConstraint(constraint),
      filters: isPlain ? filters : filters.map { AssembledFilter($0, assembled: assembled) })
    return isPlain ? source : AssembledPageSource(source, columns: assembled)
  }

  // MARK: Tables

  func format(_ layout: TableLayout) throws -> any TableFormat { try format(layout.format, of: layout.path) }

  private func format(_ format: FileFormat, of path: String) throws -> any TableFormat {
    guard let found = formats[format] else {
      throw WaterbearError(.notSupported, "\(path) is \(format.rawValue), which cannot be read")
    }
    return found
  }

  /// What is known of a table; nil where there is none.
  func snapshot(schema: String, table: String) throws -> TableSnapshot? {
    guard let list = try finder.files(schema: schema, table: table) else { return nil }
    if let known = cache.snapshot(schema: schema, table: table, list: list) { return known }
    let layout: TableLayout
    if let definition = list.definition {
      layout = try TableLayout(list, definition)
    } else {
      let format = try format(list.format, of: list.path)
      layout = try TableLayout(
        list, list.files.isEmpty ? FormatDescription(columns: []) : try format.describe(list))
    }
    let snapshot = TableSnapshot(list: list, layout: layout)
    cache.store(snapshot, schema: schema, table: table)
    return snapshot
  }

  /// The table as it is now, provided that its columns are still those that the plan was made for.
  private func snapshot(of handle: TableHandle) throws -> TableSnapshot {
    guard let snapshot = try snapshot(schema: handle.schema, table: handle.name) else {
      throw WaterbearError(
        .tableNotFound, "Table '\(handle.catalog).\(handle.schema).\(handle.name)' does not exist any more")
    }
    guard snapshot.layout == (try TableLayout(payload: handle.payload)) else {
      throw WaterbearError(
        .filesBadData,
        "The files of table '\(handle.schema).\(handle.name)' got other columns while it was planned for",
        remedy: "Run the query again.")
    }
    return snapshot
  }

  /// Whether rows of a file can pass, by what its place says.
  private func mayMatch(_ file: DataFile, _ layout: TableLayout, _ constraint: TupleDomain) throws -> Bool {
    for domain in constraint.columns {
      if case .constant(let value) = try layout.origin(of: domain.column, in: file), !domain.admits(value) {
        return false
      }
    }
    return true
  }
}

extension TableLayout {
  /// The layout of files whose content is described. FILES_BAD_DATA where there are no columns at all.
  init(_ list: FileList, _ description: FormatDescription) throws {
    let keys = Set(list.partitionKeys)
    // What directories say goes before what files say: writers leave such columns out, or repeat them.
    let columns = description.columns.filter { !keys.contains($0.name) }
    let partitions = list.partitionKeys.enumerated().map { index, key in
      Column(name: key, type: PartitionType.infer(list.files.lazy.map { $0.partitions[index] }))
    }
    guard !(columns.isEmpty && partitions.isEmpty) else {
      throw WaterbearError(
        .filesBadData, "\(list.path) has no columns",
        remedy: list.files.isEmpty
          ? "The directory holds no files." : "Its files are empty, or have rows without any column.")
    }
    self.init(
      path: list.path, isDirectory: list.isDirectory, format: list.format, columns: columns, partitions: partitions,
      dialect: description.dialect)
  }

  /// The layout of a table that was made by a statement.
  init(_ list: FileList, _ definition: TableDefinition) throws {
    let keys = definition.partitions.map(\.name)
    if let file = list.files.first {
      guard list.format == definition.format, list.partitionKeys == keys else {
        throw WaterbearError(
          .filesBadData,
          "\(file.path) does not fit its table, which is \(definition.format.rawValue) and partitioned by "
            + (keys.isEmpty ? "nothing" : keys.joined(separator: ", ")),
          remedy: "Move the file away, or remove \(list.path)/\(TableDefinition.fileName) to have the files decide.")
      }
    }
    self.init(
      path: list.path, isDirectory: true, format: definition.format, columns: definition.columns,
      partitions: definition.partitions, dialect: definition.dialect)
  }

  /// Those of the columns that files hold.
  func fileColumns(of handles: [ColumnHandle]) -> [Column] {
    handles.compactMap { columns.indices.contains($0.index) ? columns[$0.index] : nil }
  }

  /// The part of a constraint that is about columns of files.
  func fileConstraint(_ constraint: TupleDomain) -> TupleDomain {
    TupleDomain(columns: constraint.columns.filter { columns.indices.contains($0.column.index) })
  }
}

// Owns the steps of a write but its commit: what may be written, sinks, aborts. Drops nothing.

import Base
import Columnar
import ConnectorAPI
import Glibc

extension FilesConnector: WritableConnector {
  /// A commit gathers files by renaming and shows them by one rename, whose name tells whether it was done.
  public var supportsQueryRetries: Bool { true }

  public func beginCreate(_ table: NewTable, query: QueryID) throws -> WriteHandle {
    let definition = try TableProperties(catalog: catalog, hints: settings.csv).definition(of: table, query: query)
    guard let schemaPath = try finder.directory(ofSchema: table.schema) else {
      throw WaterbearError(
        .schemaNotFound, "Schema '\(table.schema)' does not exist",
        remedy: "Make a directory \(base.path)/\(table.schema).")
    }
    if let entry = try finder.entries(named: table.name, in: schemaPath).first {
      throw WaterbearError(.tableAlreadyExists, "Table '\(table.schema).\(table.name)' already exists: \(entry.path)")
    }
    let tablePath = "\(schemaPath)/\(table.name)"
    // A file without an extension or a link to nothing is no table, but has the name.
    guard try !base.exists(tablePath) else {
      throw WaterbearError(
        .tableAlreadyExists,
        "Table '\(table.schema).\(table.name)' cannot be made: \(tablePath) is there, and no table",
        remedy: "Move it away.")
    }
    let intent = WriteIntent(
      query: query, schemaPath: schemaPath, tablePath: tablePath, isNew: true, definition: definition, creator: nil)
    return try handle(intent, schema: table.schema, table: table.name)
  }

  public func beginInsert(
    into table: TableHandle, columns: [ColumnHandle], query: QueryID
  ) throws -> WriteHandle {
    guard let snapshot = try snapshot(schema: table.schema, table: table.name) else {
      throw WaterbearError(.tableNotFound, "Table '\(table.schema).\(table.name)' does not exist")
    }
    let layout = snapshot.layout
    guard layout.isDirectory else {
      throw WaterbearError(
        .notSupported, "Table '\(table.schema).\(table.name)' is the single file \(layout.path), which takes no rows",
        remedy: "Make a directory of the table's name and move the file into it.")
    }
    guard columns == layout.visibleColumns else {
      throw WaterbearError(
        .filesBadData, "Table '\(table.schema).\(table.name)' got other columns while the statement was planned",
        remedy: "Run the statement again.")
    }
    guard let schemaPath = try finder.directory(ofSchema: table.schema) else {
      throw WaterbearError(.schemaNotFound, "Schema '\(table.schema)' does not exist")
    }
    // Rows become visible by a rename, which cannot lead from one file system to another.
    guard try base.device(of: layout.path) == base.device(of: schemaPath) else {
      throw WaterbearError(
        .notSupported,
        "Table '\(table.schema).\(table.name)' takes no rows: \(layout.path) is on another file system than its schema",
        remedy: "Mount the schema's directory, \(schemaPath), or one above it instead of the table's.")
    }
    let definition = try snapshot.list.definition ?? Self.definition(of: snapshot, query: query)
    let intent = WriteIntent(
      query: query, schemaPath: schemaPath, tablePath: layout.path, isNew: false, definition: definition,
      creator: snapshot.list.definition?.query)
    return try handle(intent, schema: table.schema, table: table.name)
  }

  /// How rows are added to files that others made: as those are.
  private static func definition(of snapshot: TableSnapshot, query: QueryID) throws -> TableDefinition {
    let layout = snapshot.layout
    for column in layout.columns where column.name.contains(".") && layout.format == .parquet {
      throw WaterbearError(
        .notSupported, "\(layout.path) has a column '\(column.name)' in a structure, which cannot be written")
    }
    let compression: WrittenCompression =
      switch snapshot.list.files.first?.compression {
      case .gzip: .gzip
      case .zstd: .zstd
      default: .preferred(by: layout.format)
      }
    return TableDefinition(
      query: query.text, format: layout.format, compression: compression, columns: layout.columns,
      partitions: layout.partitions, dialect: layout.dialect)
  }

  private func handle(_ intent: WriteIntent, schema: String, table: String) throws -> WriteHandle {
    let columns = (intent.definition.columns + intent.definition.partitions).enumerated().map { index, column in
      ColumnHandle(name: column.name, type: column.type, index: index)
    }
    return WriteHandle(
      catalog: catalog, schema: schema, table: table, columns: columns, payload: try BinaryEncoder.encode(intent))
  }

  public func pageSink(for handle: WriteHandle, attempt: AttemptID) throws -> any PageSink {
    FilesPageSink(
      try WriteIntent(payload: handle.payload), attempt: attempt, mostPartitions: settings.mostPartitions, base: base)
  }

  public func commit(_ handle: WriteHandle, outputs: [[UInt8]]) throws {
    let intent = try WriteIntent(payload: handle.payload)
    let outputs = try outputs.map { try AttemptOutput(payload: $0) }
    try TableCommit(intent, outputs: outputs, name: "\(handle.schema).\(handle.table)", finder: finder).run()
  }

  public func abort(_ handle: WriteHandle) throws {
    try base.removeTree(try WriteIntent(payload: handle.payload).staging)
  }

  /// Tries all, and throws the first error.
  public func sweep(_ isLeftover: (String) -> Bool) throws {
    var failure: (any Error)?
    for schema in try base.entries(of: "", onlyText: true) ?? [] where schema.kind == .directory {
      guard let directory = try base.openIfPresent(schema.path, O_RDONLY | O_DIRECTORY) else { continue }
      for name in try base.names(in: directory, of: schema.path).compactMap(\.text) {
        let query = name.rest(behind: WriteIntent.stagingPrefix) ?? name.rest(behind: DropIntent.hiddenPrefix)
        guard let query, isLeftover(String(query)) else { continue }
        do {
          try base.removeTree("\(schema.path)/\(name)")
        } catch {
          failure = failure ?? error
        }
      }
    }
    if let failure { throw failure }
  }
}

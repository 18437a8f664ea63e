// Owns how tables in memory are written to: every step is apart, can be made to fail, and can be taken again.

import Base
import Columnar
import ConnectorAPI
import Synchronization

/// A step at which a write into memory can be made to fail.
public enum WriteStep: Hashable, Sendable {
  /// While a CREATE is planned.
  case begin
  case open, append, finish
  /// Before anything is visible.
  case commit
  /// When all is visible, and the attempts' rows are still there.
  case committed
  case abort, drop
  /// When the table is gone.
  case dropped
}

extension MemoryTables: WritableConnector {
  /// Calls `fault` at each step; what it throws comes out of the step.
  public func setFaults(_ fault: (@Sendable (WriteStep) throws -> Void)?) { state.withLock { $0.faults = fault } }

  /// The rows of a table, nil where there is none.
  public func rows(of table: String) -> [[Value]]? { state.withLock { $0.tables[table]?.rows } }

  /// How many attempts have left something that nobody sees.
  public var stagedAttempts: Int { state.withLock { $0.staged.values.reduce(0) { $0 + $1.count } } }

  /// What the WITH clause of a table's CREATE said.
  public func properties(of table: String) -> [String: PropertyValue]? { state.withLock { $0.properties[table] } }

  func reach(_ step: WriteStep) throws { try state.withLock { $0.faults }?(step) }

  public func beginCreate(_ table: NewTable, query: QueryID) throws -> WriteHandle {
    try reach(.begin)
    for name in table.properties.keys.sorted() where name != "note" && name != "parts" {
      throw WaterbearError(
        .invalidTableProperty, "Catalog '\(catalog)' table property '\(name)' does not exist")
    }
    return WriteHandle(
      catalog: catalog, schema: table.schema, table: table.name, columns: table.columns,
      payload: try BinaryEncoder.encode(MemoryWrite(query: query.text, created: table)))
  }

  public func beginInsert(into table: TableHandle, columns: [ColumnHandle], query: QueryID) throws -> WriteHandle {
    WriteHandle(
      catalog: catalog, schema: table.schema, table: table.name, columns: columns,
      payload: try BinaryEncoder.encode(MemoryWrite(query: query.text)))
  }

  public func pageSink(for handle: WriteHandle, attempt: AttemptID) throws -> any PageSink {
    try reach(.open)
    let write = try MemoryWrite(handle)
    // A name of the attempt alone: each attempt of a task leaves rows of its own.
    return MemorySink(self, query: write.query, name: "\(attempt)", types: handle.columns.map(\.type))
  }

  public func commit(_ handle: WriteHandle, outputs: [[UInt8]]) throws {
    let write = try MemoryWrite(handle)
    try reach(.commit)
    try state.withLock { state in
      guard state.committed.insert(write.query).inserted else { return }
      do {
        try Self.show(write, handle, outputs.map { String(decoding: $0, as: UTF8.self) }, in: &state)
      } catch {
        state.committed.remove(write.query)
        throw error
      }
    }
    try reach(.committed)
  }

  private static func show(
    _ write: MemoryWrite, _ handle: WriteHandle, _ names: [String], in state: inout State
  ) throws {
    var table: MemoryTable
    if let created = write.created {
      guard state.tables[handle.table] == nil else {
        throw WaterbearError(.tableAlreadyExists, "Table '\(handle.table)' already exists")
      }
      table = MemoryTable(created.columns.map { ($0.name, $0.type) }, rows: [])
      state.properties[handle.table] = created.properties
    } else {
      guard let found = state.tables[handle.table] else {
        throw WaterbearError(.tableNotFound, "Table '\(handle.table)' does not exist")
      }
      table = found
    }
    for name in names {
      guard let rows = state.staged[write.query]?[name] else {
        throw WaterbearError(.genericInternalError, "The rows of \(name) are not there")
      }
      table.rows += rows
    }
    state.tables[handle.table] = table
  }

  public func abort(_ handle: WriteHandle) throws {
    try reach(.abort)
    let write = try MemoryWrite(handle)
    state.withLock { $0.staged[write.query] = nil }
  }

  public func beginDrop(_ table: TableHandle, query: QueryID) -> TableHandle {
    var begun = table
    begun.payload = Array(query.text.utf8)
    return begun
  }

  public func drop(_ table: TableHandle) throws {
    try reach(.drop)
    let query = String(decoding: table.payload, as: UTF8.self)
    try state.withLock { state in
      guard !state.committed.contains(query) else { return }
      guard state.tables.removeValue(forKey: table.name) != nil else {
        throw WaterbearError(.tableNotFound, "Table '\(table.name)' does not exist")
      }
      state.committed.insert(query)
    }
    try reach(.dropped)
  }

  public func finishDrop(_ table: TableHandle) throws { try reach(.abort) }

  fileprivate func stage(_ rows: [[Value]]?, query: String, name: String) {
    state.withLock { $0.staged[query, default: [:]][name] = rows }
  }
}

/// What a handle of such a write says.
private struct MemoryWrite: Codable {
  var query: String
  /// Nil for an INSERT.
  var created: NewTable?

  init(query: String, created: NewTable? = nil) {
    self.query = query
    self.created = created
  }

  init(_ handle: WriteHandle) throws { self = try BinaryDecoder.decode(MemoryWrite.self, from: handle.payload) }
}

/// The rows of one attempt.
private final class MemorySink: PageSink {
  private let tables: MemoryTables
  private let query: String
  private let name: String
  private let types: [DataType]
  private var rows: [[Value]] = []

  init(_ tables: MemoryTables, query: String, name: String, types: [DataType]) {
    self.tables = tables
    self.query = query
    self.name = name
    self.types = types
    tables.stage([], query: query, name: name)
  }

  var retainedBytes: Int64 { Int64(rows.count * types.count * 16) }

  func append(_ batch: Batch) throws {
    try tables.reach(.append)
    precondition(batch.columns.map(\.type) == types, "\(batch.columns.map(\.type)) for \(types)")
    rows += batch.rowValues
    tables.stage(rows, query: query, name: name)
  }

  func finish() throws -> [UInt8] {
    try tables.reach(.finish)
    tables.stage(rows, query: query, name: name)
    return Array(name.utf8)
  }

  func abort() { tables.stage(nil, query: query, name: name) }
}

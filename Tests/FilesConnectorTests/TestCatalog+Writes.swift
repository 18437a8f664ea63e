// Writes and reads of a test's catalog through the connector alone, step by step as the engine takes them.

import Base
import Columnar
import ConnectorAPI
import Synchronization
import Testing

@testable import FilesConnector

extension TestCatalog {
  static func query(_ number: Int) -> QueryID { QueryID("20260101_000000_0000\(number)_abcde") }

  static func attempt(_ partition: Int, _ number: Int = 0, of query: QueryID) -> AttemptID {
    AttemptID(task: TaskID(stage: StageID(query: query, number: 1), partition: partition), number: number)
  }

  static func batch(_ rows: [[Value]], _ columns: [ColumnHandle]) -> Batch {
    var builders = columns.map { VectorBuilder(type: $0.type, capacity: max(rows.count, 1)) }
    for row in rows { for (index, value) in row.enumerated() { builders[index].append(value) } }
    return Batch(columns: builders.map { $0.finish() }, count: rows.count)
  }

  func beginCreate(
    _ name: String, _ columns: [(String, DataType)], _ properties: [String: PropertyValue] = [:], query: Int = 1
  ) throws -> WriteHandle {
    let handles = columns.enumerated().map { ColumnHandle(name: $1.0, type: $1.1, index: $0) }
    return try connector.beginCreate(
      NewTable(schema: "s", name: name, columns: handles, properties: properties), query: Self.query(query))
  }

  func beginInsert(_ name: String, query: Int) throws -> WriteHandle {
    let table = try #require(try connector.table(schema: "s", name: name))
    return try connector.beginInsert(into: table.handle, columns: table.columns, query: Self.query(query))
  }

  /// The output of one attempt with these rows.
  func write(_ handle: WriteHandle, _ rows: [[Value]], partition: Int = 0, number: Int = 0) throws -> [UInt8] {
    let query = QueryID(try WriteIntent(payload: handle.payload).query)
    let sink = try connector.pageSink(for: handle, attempt: Self.attempt(partition, number, of: query))
    try sink.append(Self.batch(rows, handle.columns))
    return try sink.finish()
  }

  /// A table with the rows of some attempts, from beginning to end.
  func create(
    _ name: String, _ columns: [(String, DataType)], _ parts: [[[Value]]],
    _ properties: [String: PropertyValue] = [:], query: Int = 1
  ) throws {
    let handle = try beginCreate(name, columns, properties, query: query)
    let outputs = try parts.enumerated().map { try write(handle, $1, partition: $0) }
    try connector.commit(handle, outputs: outputs)
    try connector.abort(handle)
  }

  func beginDrop(_ name: String, query: Int = 9) throws -> TableHandle {
    let table = try #require(try connector.table(schema: "s", name: name))
    return try connector.beginDrop(table.handle, query: Self.query(query))
  }

  func drop(_ name: String) throws {
    let table = try beginDrop(name)
    try connector.drop(table)
    try connector.finishDrop(table)
  }

  /// All rows of a table; nil where there is none.
  func read(_ name: String, where constraint: TupleDomain = .all) throws -> [[Value]]? {
    guard let table = try connector.table(schema: "s", name: name) else { return nil }
    let splits = try connector.splits(of: table.handle, columns: table.columns, constraint: constraint)
    return try splits.flatMap { try read($0, of: table) }
  }

  func read(_ split: Split, of table: TableMetadata) throws -> [[Value]] {
    let source = try connector.pageSource(for: split, of: table.handle, columns: table.columns, constraint: .all)
    var rows: [[Value]] = []
    while let batch = try source.next() {
      rows += (0..<batch.count).map { row in batch.columns.map { $0.value(at: row) } }
    }
    return rows
  }

  /// The rows in an order of their own, for tables of several files.
  func sorted(_ name: String) throws -> [[Value]]? { try read(name)?.sorted { "\($0)" < "\($1)" } }

  func types(_ name: String) throws -> [DataType]? {
    try connector.table(schema: "s", name: name)?.columns.map(\.type)
  }

  /// Names that writes leave beside tables.
  var leftovers: [String] {
    names(below: "s").filter { $0.contains(".waterbear-") && !$0.hasSuffix("/.waterbear-table") }
  }
}

/// Lets the N-th change of a directory fail.
final class Faults: Sendable {
  struct Crash: Error {}

  private let left = Mutex<Int?>(nil)

  /// Changes that succeed before one fails; nil for all.
  func failAfter(_ count: Int?) { left.withLock { $0 = count } }

  func change(_: DirectoryChange) throws {
    try left.withLock { left in
      guard let count = left else { return }
      if count == 0 { throw Crash() }
      left = count - 1
    }
  }
}

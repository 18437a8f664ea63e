// Owns a connector over tables that a test made: rows as values, given out in several small splits.

import Base
import Columnar
import ConnectorAPI
import Synchronization

/// A table of a test.
public struct MemoryTable: Sendable {
  public var columns: [(name: String, type: DataType)]
  public var rows: [[Value]]

  public init(_ columns: [(name: String, type: DataType)], rows: [[Value]]) {
    self.columns = columns
    self.rows = rows
  }
}

/// Tables in schema `default`. Statistics are row counts without columns: the real ones, or what a test claims, so that
/// plans are made as for large tables.
///
/// Takes rows, in steps that a test can make fail: what attempts write is kept apart until it is committed.
public final class MemoryTables: Connector {
  public static let schema = "default"

  struct State {
    var tables: [String: MemoryTable]
    /// Rows of attempts, by the write's query and the attempt's name.
    var staged: [String: [String: [[Value]]]] = [:]
    /// Queries whose write is visible.
    var committed: Set<String> = []
    var properties: [String: [String: PropertyValue]] = [:]
    var faults: (@Sendable (WriteStep) throws -> Void)?
  }

  let catalog: String
  let state: Mutex<State>
  public let supportsQueryRetries: Bool
  private let rowsPerSplit: Int
  private let claimedRows: [String: Double]?

  /// `claimedRows`: row counts by table, unknown for tables that are not in it; nil for the real ones.
  public init(
    catalog: String, tables: [String: MemoryTable], rowsPerSplit: Int = 2, claimedRows: [String: Double]? = nil,
    supportsQueryRetries: Bool = true
  ) {
    self.catalog = catalog
    state = Mutex(State(tables: tables))
    self.rowsPerSplit = rowsPerSplit
    self.claimedRows = claimedRows
    self.supportsQueryRetries = supportsQueryRetries
  }

  public func schemaNames() -> [String] { [Self.schema] }

  public func tableNames(in schema: String) throws -> [String] {
    guard schema == Self.schema else {
      throw WaterbearError(.schemaNotFound, "Schema '\(schema)' does not exist")
    }
    return state.withLock { $0.tables.keys.sorted() }
  }

  public func table(schema: String, name: String) -> TableMetadata? {
    guard schema == Self.schema, let table = state.withLock({ $0.tables[name] }) else { return nil }
    let columns = table.columns.enumerated().map { ColumnHandle(name: $1.name, type: $1.type, index: $0) }
    return TableMetadata(handle: TableHandle(catalog: catalog, schema: schema, name: name), columns: columns)
  }

  public func statistics(of table: TableHandle) throws -> TableStatistics {
    guard let claimedRows else { return TableStatistics(rowCount: Double(try resolve(table).rows.count)) }
    return TableStatistics(rowCount: claimedRows[table.name])
  }

  public func splits(of table: TableHandle, columns: [ColumnHandle], constraint: TupleDomain) throws -> [Split] {
    let count = try resolve(table).rows.count
    return stride(from: 0, to: count, by: rowsPerSplit).map { start in
      let rows = min(rowsPerSplit, count - start)
      return Split(payload: SplitRange.bytes(start, start + rows), bytes: Int64(rows * 8), rows: Int64(rows))
    }
  }

  public func pageSource(
    for split: Split, of table: TableHandle, columns: [ColumnHandle], constraint: TupleDomain,
    filters: [any RowFilter]
  ) throws -> any PageSource {
    let rows = try resolve(table).rows[SplitRange.range(split.payload)]
    let vectors = columns.map { column in
      var builder = VectorBuilder(type: column.type)
      for row in rows { builder.append(row[column.index]) }
      return builder.finish()
    }
    return BatchSource([Batch(columns: vectors, count: rows.count)])
  }

  private func resolve(_ handle: TableHandle) throws -> MemoryTable {
    guard let table = state.withLock({ $0.tables[handle.name] }) else {
      throw WaterbearError(.tableNotFound, "Table '\(handle.name)' does not exist")
    }
    return table
  }
}

/// A split's rows as bytes.
private enum SplitRange {
  static func bytes(_ start: Int, _ end: Int) -> [UInt8] {
    [start, end].flatMap { number in (0..<8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) } }
  }

  static func range(_ bytes: [UInt8]) -> Range<Int> {
    let numbers = [0, 8].map { base in (0..<8).reduce(0) { $0 | Int(bytes[base + $1]) << ($1 * 8) } }
    return numbers[0]..<numbers[1]
  }
}

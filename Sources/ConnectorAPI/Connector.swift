// Owns what a data source promises to the engine: names, statistics, splits and pages. Knows no SQL and no plans.

import Base
import Columnar

/// A source of tables. One instance serves a catalog in each process; it is called from several threads at once.
public protocol Connector: Sendable {
  /// The schemas that listings show. A schema that is not listed may still resolve (tpch's `sf7`).
  func schemaNames() throws -> [String]

  /// The tables of `schema`; SCHEMA_NOT_FOUND where there is none.
  func tableNames(in schema: String) throws -> [String]

  /// The table's description, or nil where there is no such schema or table. Names are lower case.
  func table(schema: String, name: String) throws -> TableMetadata?

  /// What is known of the table's size and values without reading it.
  func statistics(of table: TableHandle) throws -> TableStatistics

  /// The pieces that cover the table exactly once. `columns` and `constraint` tell what will be read, so that
  /// sizes are estimated rightly and pieces that cannot hold a matching row are left out.
  func splits(of table: TableHandle, columns: [ColumnHandle], constraint: TupleDomain) throws -> [Split]

  /// Opens a piece. Pages hold `columns` in the order given. `constraint` may be used to skip rows that cannot
  /// match; the engine filters again, so skipping is never required. `filters` may be applied while reading; a page
  /// source that does says so by `appliesFilters`.
  func pageSource(
    for split: Split, of table: TableHandle, columns: [ColumnHandle], constraint: TupleDomain,
    filters: [any RowFilter]
  ) throws -> any PageSource

  /// Absolute paths of the directories that are its tables' alone, such as no intermediate data may be put into.
  var ownDirectories: [String] { get }

  /// Frees what can be made again. Called when the process has had nothing to do for a while.
  func releaseMemory()
}

extension Connector {
  public var ownDirectories: [String] { [] }

  public func releaseMemory() {}

  /// Opens a piece without filters to apply.
  public func pageSource(
    for split: Split, of table: TableHandle, columns: [ColumnHandle], constraint: TupleDomain
  ) throws -> any PageSource {
    try pageSource(for: split, of: table, columns: columns, constraint: constraint, filters: [])
  }
}

/// A stream of batches, used by one thread. The same split gives the same rows in the same order every time.
public protocol PageSource: AnyObject {
  /// Whether only rows that pass all of the filters it was opened with come out. Fixed for the life of the source.
  var appliesFilters: Bool { get }

  /// The next batch, never empty, or nil at the end.
  func next() throws -> Batch?
}

extension PageSource {
  public var appliesFilters: Bool { false }
}

/// A table as a plan names it. `payload` belongs to the connector.
public struct TableHandle: Hashable, Codable, Sendable {
  public var catalog: String
  public var schema: String
  public var name: String
  public var payload: [UInt8]

  public init(catalog: String, schema: String, name: String, payload: [UInt8] = []) {
    self.catalog = catalog
    self.schema = schema
    self.name = name
    self.payload = payload
  }
}

/// A column of a table. `index` counts the table's columns from 0.
public struct ColumnHandle: Hashable, Codable, Sendable {
  public var name: String
  public var type: DataType
  public var index: Int

  public init(name: String, type: DataType, index: Int) {
    self.name = name
    self.type = type
    self.index = index
  }
}

/// A table as the analyser sees it.
public struct TableMetadata: Sendable {
  public var handle: TableHandle
  public var columns: [ColumnHandle]
  /// Columns that `*` does not show.
  public var hiddenColumns: [ColumnHandle]

  public init(handle: TableHandle, columns: [ColumnHandle], hiddenColumns: [ColumnHandle] = []) {
    self.handle = handle
    self.columns = columns
    self.hiddenColumns = hiddenColumns
  }
}

/// A piece of a table that one task reads alone. `payload` belongs to the connector.
public struct Split: Hashable, Codable, Sendable {
  public var payload: [UInt8]
  /// Estimated bytes of the columns to be read; packs tasks. 0 where they are not known: it then counts for
  /// `fault-tolerant-execution-standard-split-size`, as one of 64 MB does.
  public var bytes: Int64
  /// Estimated rows.
  public var rows: Int64

  public init(payload: [UInt8], bytes: Int64, rows: Int64) {
    self.payload = payload
    self.bytes = bytes
    self.rows = rows
  }
}

/// What is known of a table's contents. Nil means unknown.
public struct TableStatistics: Sendable {
  public var rowCount: Double?
  public var columns: [String: ColumnStatistics]

  public init(rowCount: Double?, columns: [String: ColumnStatistics] = [:]) {
    self.rowCount = rowCount
    self.columns = columns
  }
}

/// What is known of a column's values, for the optimiser.
public struct ColumnStatistics: Codable, Sendable {
  public var distinctCount: Double?
  /// 0 to 1.
  public var nullFraction: Double?
  /// Smallest and largest value as numbers: integers, unscaled decimals, days, microseconds, doubles.
  public var minimum: Double?
  public var maximum: Double?
  /// Bytes of an average value.
  public var averageBytes: Double?

  public init(
    distinctCount: Double? = nil, nullFraction: Double? = nil, minimum: Double? = nil,
    maximum: Double? = nil, averageBytes: Double? = nil
  ) {
    self.distinctCount = distinctCount
    self.nullFraction = nullFraction
    self.minimum = minimum
    self.maximum = maximum
    self.averageBytes = averageBytes
  }
}

// Owns the connector: names, splits and page sources of the benchmark's tables. Values are made by the generators.

import Base
import Columnar
import ConnectorAPI

/// The tables of TPC-H, made as they are read; nothing is stored. Schemas are scales: `tiny` is 0.01, `sf1` a gigabyte.
///
/// Rows are those of dbgen, the standard's own program, at every scale.
public struct TPCHConnector: Connector {
  private let catalog: String
  let settings: TPCHSettings

  /// The properties a catalog file may set.
  public static let propertyNames = TPCHSettings.names

  /// A catalog with the given properties; CONFIGURATION_INVALID for one that does not exist or does not fit.
  public init(catalog: String, properties: [String: String] = [:]) throws(WaterbearError) {
    self.catalog = catalog
    settings = try TPCHSettings(properties)
  }

  /// Frees what is kept for all scans of the process: up to 55 MB of comment text. It is made again when asked for.
  public func releaseMemory() { TextPool.release() }

  public func schemaNames() -> [String] { Scale.listedSchemas }

  public func tableNames(in schema: String) throws -> [String] {
    guard Scale(schema: schema) != nil else {
      throw WaterbearError(
        .schemaNotFound, "Schema '\(schema)' does not exist",
        remedy: "Schemas are tiny and sf<scale factor> from sf0.001 to sf10000, such as sf1 or \"sf0.1\".")
    }
    return Table.allCases.map(\.name)
  }

  public func table(schema: String, name: String) -> TableMetadata? {
    guard Scale(schema: schema) != nil, let table = Table(name: name) else { return nil }
    let columns = table.columns.enumerated().map { index, spec in
      ColumnHandle(
        name: settings.columnNaming.name(of: spec, in: table), type: spec.kind.type(money: settings.money),
        index: index)
    }
    return TableMetadata(handle: TableHandle(catalog: catalog, schema: schema, name: name), columns: columns)
  }

  public func statistics(of table: TableHandle) throws -> TableStatistics {
    let (scale, benchmarkTable) = try resolve(table)
    let estimates = ColumnEstimates(scale: scale, money: settings.money)
    var columns: [String: ColumnStatistics] = [:]
    for (index, spec) in benchmarkTable.columns.enumerated() {
      let name = settings.columnNaming.name(of: spec, in: benchmarkTable)
      columns[name] = estimates.column(index, of: benchmarkTable)
    }
    return TableStatistics(rowCount: Double(scale.rows(of: benchmarkTable)), columns: columns)
  }

  public func splits(of table: TableHandle, columns: [ColumnHandle], constraint: TupleDomain) throws -> [Split] {
    let (scale, benchmarkTable) = try resolve(table)
    let keys = benchmarkTable.keys(matching: constraint, naming: settings.columnNaming, scale: scale)
    let rowBytes = columns.reduce(0) { $0 + benchmarkTable.columns[$1.index].averageBytes }
    let rowsPerKey = benchmarkTable.rowsPerKey
    let step = max(benchmarkTable.keysPerSplit, keys.count64 / Self.mostSplits + 1)
    return stride(from: keys.lowerBound, to: keys.upperBound, by: Int(step)).map { start in
      let end = min(start + step, keys.upperBound)
      let rows = (end - start) * rowsPerKey
      return Split(
        payload: KeySplit(table: benchmarkTable, scale: scale, keys: start..<end).payload,
        bytes: max(Int64(Double(rows) * rowBytes), rows), rows: rows)
    }
  }

  public func pageSource(
    for split: Split, of table: TableHandle, columns: [ColumnHandle], constraint: TupleDomain,
    filters: [any RowFilter]
  ) throws -> any PageSource {
    let piece = try KeySplit(payload: split.payload)
    let matching = piece.table.keys(matching: constraint, naming: settings.columnNaming, scale: piece.scale)
    for column in columns {
      guard piece.table.columns.indices.contains(column.index),
        piece.table.columns[column.index].kind.type(money: settings.money) == column.type
      else {
        throw WaterbearError(
          .genericInternalError, "Table \(piece.table.name) has no column \(column.index) of type \(column.type)",
          remedy: "The settings of catalog \(catalog) must be the same in all processes.")
      }
    }
    return GeneratedPageSource(
      table: piece.table, settings: GeneratorSettings(scale: piece.scale, money: settings.money),
      keys: piece.keys.clamped(to: matching), columns: columns.map(\.index))
  }

  /// A table is cut into no more splits than this, whatever the scale, and one more.
  private static let mostSplits: Int64 = 2000

  private func resolve(_ handle: TableHandle) throws(WaterbearError) -> (Scale, Table) {
    guard let scale = Scale(schema: handle.schema), let table = Table(name: handle.name) else {
      throw WaterbearError(
        .tableNotFound, "Table '\(handle.catalog).\(handle.schema).\(handle.name)' does not exist")
    }
    return (scale, table)
  }
}

extension Range<Int64> {
  fileprivate var count64: Int64 { upperBound - lowerBound }
}

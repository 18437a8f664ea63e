// Owns the catalog of the analyser's tests: the TPC-H tables by name and type, and small tables with rows.

import Base
import Columnar
import ConnectorAPI
import SQLSyntax

@testable import Planning

/// Tables that are known by their columns; never read through the connector.
struct MemoryConnector: Connector {
  var schemas: [String: [String: [(name: String, type: DataType)]]]

  func schemaNames() throws -> [String] { schemas.keys.sorted() }

  func tableNames(in schema: String) throws -> [String] {
    guard let tables = schemas[schema] else {
      throw WaterbearError(.schemaNotFound, "Schema '\(schema)' does not exist")
    }
    return tables.keys.sorted()
  }

  func table(schema: String, name: String) throws -> TableMetadata? {
    guard let columns = schemas[schema]?[name] else { return nil }
    let handles = columns.enumerated().map { ColumnHandle(name: $1.name, type: $1.type, index: $0) }
    return TableMetadata(
      handle: TableHandle(catalog: "memory", schema: schema, name: name), columns: handles,
      hiddenColumns: [ColumnHandle(name: "$row", type: .bigint, index: handles.count)])
  }

  func statistics(of table: TableHandle) throws -> TableStatistics { TableStatistics(rowCount: nil) }

  func splits(of table: TableHandle, columns: [ColumnHandle], constraint: TupleDomain) throws -> [Split] { [] }

  func pageSource(
    for split: Split, of table: TableHandle, columns: [ColumnHandle], constraint: TupleDomain,
    filters: [any RowFilter]
  ) throws -> any PageSource {
    throw WaterbearError(.notSupported, "the tests' catalog has no pages")
  }
}

enum MemoryCatalog {
  private static let money = DataType.decimal(precision: 12, scale: 2)
  private static func text(_ length: Int) -> DataType { .varchar(length: length) }

  static let tpch: [String: [(name: String, type: DataType)]] = [
    "region": [("r_regionkey", .bigint), ("r_name", text(25)), ("r_comment", text(152))],
    "nation": [
      ("n_nationkey", .bigint), ("n_name", text(25)), ("n_regionkey", .bigint), ("n_comment", text(152)),
    ],
    "supplier": [
      ("s_suppkey", .bigint), ("s_name", text(25)), ("s_address", text(40)), ("s_nationkey", .bigint),
      ("s_phone", text(15)), ("s_acctbal", money), ("s_comment", text(101)),
    ],
    "part": [
      ("p_partkey", .bigint), ("p_name", text(55)), ("p_mfgr", text(25)), ("p_brand", text(10)),
      ("p_type", text(25)), ("p_size", .integer), ("p_container", text(10)), ("p_retailprice", money),
      ("p_comment", text(23)),
    ],
    "partsupp": [
      ("ps_partkey", .bigint), ("ps_suppkey", .bigint), ("ps_availqty", .integer), ("ps_supplycost", money),
      ("ps_comment", text(199)),
    ],
    "customer": [
      ("c_custkey", .bigint), ("c_name", text(25)), ("c_address", text(40)), ("c_nationkey", .bigint),
      ("c_phone", text(15)), ("c_acctbal", money), ("c_mktsegment", text(10)), ("c_comment", text(117)),
    ],
    "orders": [
      ("o_orderkey", .bigint), ("o_custkey", .bigint), ("o_orderstatus", text(1)), ("o_totalprice", money),
      ("o_orderdate", .date), ("o_orderpriority", text(15)), ("o_clerk", text(15)), ("o_shippriority", .integer),
      ("o_comment", text(79)),
    ],
    "lineitem": [
      ("l_orderkey", .bigint), ("l_partkey", .bigint), ("l_suppkey", .bigint), ("l_linenumber", .integer),
      ("l_quantity", money), ("l_extendedprice", money), ("l_discount", money), ("l_tax", money),
      ("l_returnflag", text(1)), ("l_linestatus", text(1)), ("l_shipdate", .date), ("l_commitdate", .date),
      ("l_receiptdate", .date), ("l_shipinstruct", text(25)), ("l_shipmode", text(10)), ("l_comment", text(44)),
    ],
  ]

  /// A table with a column of every type.
  static let types: [String: [(name: String, type: DataType)]] = [
    "everything": [
      ("b", .boolean), ("ti", .tinyint), ("si", .smallint), ("i", .integer), ("bi", .bigint), ("re", .real),
      ("d", .double), ("dec", .decimal(precision: 10, scale: 3)), ("long_dec", .decimal(precision: 30, scale: 5)),
      ("v", .varcharUnbounded), ("v5", text(5)), ("c", .char(length: 4)), ("bin", .varbinary), ("da", .date),
      ("ts", .timestamp(precision: 3)), ("ts6", .timestamp(precision: 6)), ("ym", .intervalYearToMonth),
      ("ds", .intervalDayToSecond),
    ],
    "t": [("a", .integer), ("b", .integer), ("c", text(10))],
    "u": [("a", .integer), ("d", .bigint), ("e", text(5))],
    "w": [("k", .bigint), ("x", .integer)],
  ]

  static let catalogs = Catalogs(["memory": MemoryConnector(schemas: ["tpch": tpch, "s": types])])
}

/// The plan of a statement, in schema `s` unless told otherwise.
func plan(_ sql: String, schema: String? = "s", catalog: String? = "memory") throws -> LogicalPlan {
  var context = QueryContext(catalog: catalog, schema: schema, user: "ada")
  // 2024-02-29 12:34:56.789012
  context.startMicroseconds = 1_709_210_096_789_012
  let planner = LogicalPlanner(catalogs: MemoryCatalog.catalogs, context: context)
  return try planner.plan(SQLParser.parseStatement(sql))
}

/// The whole text of the error that planning gives, its code in front; nil where it gives none.
func planningError(_ sql: String, schema: String? = "s", catalog: String? = "memory") -> String? {
  do {
    _ = try plan(sql, schema: schema, catalog: catalog)
    return nil
  } catch {
    let error = WaterbearError.wrapping(error)
    return "\(error.code.rawValue) \(error)"
  }
}

/// The types of the result's columns.
func resultTypes(_ sql: String) throws -> [String] {
  try plan(sql).root.outputs.map(\.type.description)
}

/// The names of the result's columns.
func resultNames(_ sql: String, schema: String = "s") throws -> [String] {
  guard case .output(let output) = try plan(sql, schema: schema).root else { return [] }
  return output.columnNames
}

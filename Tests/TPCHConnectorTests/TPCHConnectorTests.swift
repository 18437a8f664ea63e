// Proves names, types, settings and statistics of the connector.

import Base
import Columnar
import ConnectorAPI
import Testing

@testable import TPCHConnector

struct TPCHConnectorTests {
  @Test(
    arguments: zip(
      ["tiny", "sf1", "sf10", "sf0.1", "sf10000", "sf0.001"], [0.01, 1, 10, 0.1, 10_000, 0.001]))
  func schemasAreScales(_ schema: String, _ factor: Double) throws {
    #expect(Scale(schema: schema)?.factor == factor)
    #expect(try makeConnector().tableNames(in: schema).count == 8)
  }

  @Test(arguments: ["", "sf", "sf0", "sf-1", "sf1e3", "sf.5", "sf1.", "SF1", "sfinf", "sf10001", "tiny2", "sf1.2.3"])
  func otherSchemasDoNotExist(_ schema: String) throws {
    let connector = try makeConnector()
    #expect(connector.table(schema: schema, name: "orders") == nil)
    let error = #expect(throws: WaterbearError.self) { try connector.tableNames(in: schema) }
    #expect(error?.code == .schemaNotFound)
    #expect(error?.message == "Schema '\(schema)' does not exist")
  }

  @Test
  func listedSchemasResolve() throws {
    let connector = try makeConnector()
    for schema in connector.schemaNames() { #expect(connector.table(schema: schema, name: "region") != nil) }
    #expect(connector.table(schema: "sf1", name: "lineitems") == nil)
  }

  @Test
  func typesAreTrinos() throws {
    let orders = try #require(try makeConnector([:]).table(schema: "sf1", name: "orders"))
    #expect(
      orders.columns.map { "\($0.name) \($0.type)" } == [
        "orderkey bigint", "custkey bigint", "orderstatus varchar(1)", "totalprice double", "orderdate date",
        "orderpriority varchar(15)", "clerk varchar(15)", "shippriority integer", "comment varchar(79)",
      ])
    #expect(orders.columns.map(\.index) == Array(0..<9))
  }

  @Test
  func settingsChangeNamesAndTypes() throws {
    let connector = try makeConnector(["tpch.column-naming": "standard", "tpch.double-type-mapping": "DECIMAL"])
    let partsupp = try #require(connector.table(schema: "tiny", name: "partsupp"))
    #expect(
      partsupp.columns.map { "\($0.name) \($0.type)" } == [
        "ps_partkey bigint", "ps_suppkey bigint", "ps_availqty integer", "ps_supplycost decimal(12,2)",
        "ps_comment varchar(199)",
      ])
  }

  @Test
  func unknownSettingsNameTheValidOnes() {
    let unknown = #expect(throws: WaterbearError.self) { try makeConnector(["tpch.column-name": "STANDARD"]) }
    #expect(unknown?.code == .configurationInvalid)
    #expect(unknown?.remedy?.contains("tpch.column-naming") == true)
    let value = #expect(throws: WaterbearError.self) { try makeConnector(["tpch.column-naming": "SHORT"]) }
    #expect(value?.code == .configurationInvalid)
    #expect(value?.remedy?.contains("SIMPLIFIED, STANDARD") == true)
  }

  @Test
  func doublesAreTheDecimalsHundredth() throws {
    var sums: [Double] = []
    for mapping in ["DOUBLE", "DECIMAL"] {
      let connector = try makeConnector(["tpch.double-type-mapping": mapping])
      let lineitem = try #require(connector.table(schema: "sf1", name: "lineitem"))
      let columns = Array(lineitem.columns[4...7])
      let split = try connector.splits(of: lineitem.handle, columns: columns, constraint: .all)[0]
      let source = try connector.pageSource(for: split, of: lineitem.handle, columns: columns, constraint: .all)
      let batch = try #require(try source.next())
      // Order 1's first line: 17 parts for 21168.23, at 0.04 off, with 0.02 tax.
      let row = batch.columns.map { $0.value(at: 0) }
      if mapping == "DOUBLE" {
        #expect(row == [.double(17), .double(21168.23), .double(0.04), .double(0.02)])
      } else {
        #expect(row == [.integer(1700), .integer(2_116_823), .integer(4), .integer(2)])
      }
      sums.append(
        (0..<batch.count).reduce(0) { sum, row in
          switch batch.columns[1].value(at: row) {
          case .double(let value): sum + (value * 100).rounded()
          case .integer(let cents): sum + Double(cents)
          default: .nan
          }
        })
    }
    #expect(sums[0] == sums[1])
  }

  @Test
  func rowCountsAreExact() {
    #expect(Scale(factor: 0.01)?.rows(of: .lineitem) == 60_175)
    #expect(Scale(factor: 0.1)?.rows(of: .lineitem) == 600_572)
    #expect(Scale(factor: 1)?.rows(of: .lineitem) == 6_001_215)
    #expect(Lines.total(orders: 15_000) == 60_175)
    #expect(Scale(factor: 10)?.rows(of: .partsupp) == 8_000_000)
    #expect(Scale(factor: 100)?.rows(of: .nation) == 25)
  }

  /// Bounds and counts of distinct values hold for what is really there.
  @Test(arguments: Table.allCases)
  func statisticsFitTheRows(_ table: Table) throws {
    let connector = try makeConnector()
    let metadata = try #require(connector.table(schema: "tiny", name: table.name))
    let statistics = try connector.statistics(of: metadata.handle)
    #expect(statistics.rowCount == Double(Scale(factor: 0.01)!.rows(of: table)))
    for column in metadata.columns where column.name != "comment" {
      let known = try #require(statistics.columns[column.name])
      var values: Set<Value> = []
      for split in try connector.splits(of: metadata.handle, columns: [column], constraint: .all) {
        let source = try connector.pageSource(
          for: split, of: metadata.handle, columns: [column], constraint: .all)
        for batch in try batches(source) {
          for row in 0..<batch.count { values.insert(batch.columns[0].value(at: row)) }
        }
      }
      let distinct = try #require(known.distinctCount)
      #expect(abs(distinct / Double(values.count) - 1) < 0.15, "\(column.name): \(distinct), are \(values.count)")
      let numbers = values.compactMap { if case .integer(let number) = $0 { Double(number) } else { nil } }
      if let least = numbers.min(), let most = numbers.max() {
        #expect(try #require(known.minimum) <= least, "\(column.name)")
        #expect(try #require(known.maximum) >= most, "\(column.name)")
      }
    }
  }

  @Test
  func statisticsOfAmountsFollowTheMapping() throws {
    for (mapping, most) in [("DOUBLE", 104_949.5), ("DECIMAL", 10_495_000)] {
      let connector = try makeConnector(["tpch.double-type-mapping": mapping])
      let table = try #require(connector.table(schema: "sf1", name: "lineitem"))
      let price = try #require(try connector.statistics(of: table.handle).columns["extendedprice"])
      #expect(abs(try #require(price.maximum) / most - 1) < 0.01)
      #expect(abs(try #require(price.distinctCount) / 933_900 - 1) < 0.1)
    }
  }

  @Test
  func aHandleOfNoTableIsAnError() throws {
    let connector = try makeConnector()
    let handle = TableHandle(catalog: "tpch", schema: "sf1", name: "nothing")
    let error = #expect(throws: WaterbearError.self) { try connector.statistics(of: handle) }
    #expect(error?.code == .tableNotFound)
    #expect(throws: WaterbearError.self) {
      try connector.splits(of: handle, columns: [], constraint: .all)
    }
  }
}

// Tests of tables of JSON lines: keys of several files, nested values, damage, rows that are added.

import Base
import Columnar
import ConnectorAPI
import Testing

@testable import FilesConnector

@Suite struct JSONTableTests {
  @Test(arguments: ["json", "jsonl", "ndjson", "JSONL"])
  func filesAreTables(_ suffix: String) throws {
    let catalog = try TestCatalog()
    try catalog.write("{\"Id\":1,\"tags\":[\"a\", 1],\"o\":{\"x\":null}}\r\n\r\n{\"id\":2}", to: "s/t.\(suffix)")
    #expect(try catalog.rows("SELECT * FROM t ORDER BY id") == [
      ["1", "[\"a\", 1]", "{\"x\":null}"], ["2", nil, nil],
    ])
    #expect(try catalog.rows("SELECT count(*), count(tags), sum(id) FROM t") == [["2", "1", "3"]])
    #expect(try catalog.types("t") == [.bigint, .varcharUnbounded, .varcharUnbounded])
  }

  @Test func columnsOfSeveralFilesAreFoundByKey() throws {
    let catalog = try TestCatalog()
    try catalog.write("{\"a\":1,\"b\":\"x\"}\n", to: "s/t/k=1/1.json")
    try catalog.write("{\"B\":\"y\",\"c\":\"2024-01-01\",\"a\":2.5}\n", to: "s/t/k=2/2.json")
    try catalog.write("", to: "s/t/k=2/3.json")
    try catalog.write("\n", to: "s/t/k=2/4.json")
    let rows = try catalog.rows("SELECT a, b, c, k FROM t ORDER BY a")
    #expect(rows == [["1.0", "x", nil, "1"], ["2.5", "y", "2024-01-01", "2"]])
    #expect(try catalog.rows("SELECT a FROM t WHERE k = 2 AND \"$path\" LIKE '%2.json'") == [["2.5"]])
  }

  @Test func damagedFilesFailOnlyTheirQueries() throws {
    let catalog = try TestCatalog(["files.sample-rows": "1"])
    try catalog.write("{\"a\":1}\n{\"a\":2", to: "s/cut.jsonl")
    try catalog.write("{\"a\":1}\n{\"a\":\"x\"}\n", to: "s/bad.jsonl")
    try catalog.write("[1]\n", to: "s/other.json")
    try catalog.write("{\"a\":1}\n", to: "s/good.jsonl")
    #expect(catalog.failure("SELECT * FROM cut")?.message
      == "s/cut.jsonl, line 2, offset 14: the object is not closed at the end of the line")
    let error = catalog.failure("SELECT * FROM bad")
    #expect(error?.code == .filesBadData)
    #expect(error?.message == "s/bad.jsonl, line 2, offset 14: \"x\" in column a is no bigint")
    #expect(error?.remedy?.contains("files.sample-rows") ?? false)
    #expect(catalog.failure("SELECT * FROM other")?.message == "s/other.json, line 1, offset 0: the line is no object")
    #expect(try catalog.rows("SELECT * FROM good") == [["1"]])
  }

  @Test func statisticsComeFromASample() throws {
    let catalog = try TestCatalog()
    try catalog.write((0..<1000).map { "{\"id\":\($0),\"kind\":\"k\($0 % 7)\"}\n" }.joined(), to: "s/t.json")
    let table = try #require(try catalog.connector.table(schema: "s", name: "t"))
    let statistics = try catalog.connector.statistics(of: table.handle)
    #expect(statistics.rowCount == 1000)
    #expect(statistics.columns["kind"]?.distinctCount == 7)
    #expect(statistics.columns["id"]?.maximum == 999)
  }

  @Test func severalSplitsReadEachRowOnce() throws {
    let catalog = try TestCatalog()
    let filler = String(repeating: "x", count: 1000)
    try catalog.write((0..<20_000).map { "{\"id\":\($0),\"f\":\"\(filler)\"}\n" }.joined(), to: "s/t.json")
    let table = try #require(try catalog.connector.table(schema: "s", name: "t"))
    #expect(try catalog.connector.splits(of: table.handle, columns: [], constraint: .all).count == 3)
    let rows = try catalog.rows("SELECT count(*), sum(id), count(DISTINCT id) FROM t")
    #expect(rows == [["20000", "199990000", "20000"]])
  }

  @Test func rowsAreAddedToFilesOfOthers() throws {
    let catalog = try TestCatalog()
    try catalog.write("{\"a\":1,\"b\":[1]}\n", to: "s/t/1.ndjson")
    let handle = try catalog.beginInsert("t", query: 1)
    let rows: [[Value]] = [[.integer(2), .text("y\"\n")], [.null, .null]]
    try catalog.connector.commit(handle, outputs: [try catalog.write(handle, rows)])
    #expect(try catalog.sorted("t") == ([[.integer(1), .text("[1]")]] + rows).sorted { "\($0)" < "\($1)" })
    #expect(catalog.names(below: "s/t").filter { $0.hasSuffix(".jsonl") }.count == 1)
  }

  @Test func numbersThatJSONLacksComeBack() throws {
    let catalog = try TestCatalog()
    try catalog.makeDirectory("s")
    let rows: [[Value]] = [[.double(.infinity), .double(-.infinity)], [.double(1), .null]]
    try catalog.create("t", [("d", .double), ("r", .real)], [rows], ["format": .text("JSON")])
    #expect(try catalog.read("t") == rows)
  }
}

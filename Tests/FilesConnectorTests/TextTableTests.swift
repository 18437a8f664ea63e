// Tests of tables of delimited text: names, several files, partitions, pruning, changes.

import Base
import Columnar
import ConnectorAPI
import Glibc
import Testing

@testable import FilesConnector

@Suite struct TextTableTests {
  @Test func filesAndDirectoriesAreTables() throws {
    let catalog = try TestCatalog()
    try catalog.write("a,b\n1,x\n", to: "s/one.csv")
    try catalog.write("a,b\n2,y\n", to: "s/Two/part.csv")
    try catalog.write("a,b\n3,z\n", to: "s/two/_temporary.csv")
    try catalog.write("a\n", to: "s/.hidden.csv")
    try catalog.write("", to: "s/notes.txt")
    try catalog.makeDirectory("Other")
    #expect(try catalog.connector.schemaNames() == ["other", "s"])
    #expect(try catalog.rows("SHOW TABLES") == [["one"], ["two"]])
    #expect(try catalog.rows("SELECT * FROM one") == [["1", "x"]])
    #expect(try catalog.connector.table(schema: "s", name: "three") == nil)
    #expect(try catalog.connector.table(schema: "t", name: "one") == nil)
    #expect(throws: WaterbearError.self) { try catalog.connector.tableNames(in: "t") }
  }

  @Test func columnsOfSeveralFilesAreFoundByName() throws {
    let catalog = try TestCatalog()
    try catalog.write("a,b\n1,x\n", to: "s/t/1.csv")
    try catalog.write("b,c,a\ny,2024-01-01,2.5\n", to: "s/t/2.csv")
    try catalog.write("", to: "s/t/3.csv")
    let rows = try catalog.rows("SELECT a, b, c FROM t ORDER BY a")
    #expect(rows == [["1.0", "x", nil], ["2.5", "y", "2024-01-01"]])
  }

  @Test func partitionsAreColumns() throws {
    let catalog = try TestCatalog()
    try catalog.write("a\n1\n", to: "s/t/year=2023/day=2023-05-01/x.csv")
    try catalog.write("a\n2\n3\n", to: "s/t/year=2024/day=2024-05-01/x.csv")
    try catalog.write("a\n4\n", to: "s/t/year=__HIVE_DEFAULT_PARTITION__/day=2024-05-02/x.csv")
    #expect(
      try catalog.rows("SELECT * FROM t ORDER BY a") == [
        ["1", "2023", "2023-05-01"], ["2", "2024", "2024-05-01"], ["3", "2024", "2024-05-01"],
        ["4", nil, "2024-05-02"],
      ])
    #expect(try catalog.rows("SELECT count(*) FROM t WHERE year IS NULL") == [["1"]])
    #expect(try catalog.rows("SELECT sum(a), year FROM t WHERE day >= DATE '2024-01-01' GROUP BY year ORDER BY 1")
      == [["4", nil], ["5", "2024"]])
    let table = try #require(try catalog.connector.table(schema: "s", name: "t"))
    let year = try #require(table.columns.first { $0.name == "year" })
    #expect(year.type == .bigint)
    let constraint = TupleDomain(columns: [ColumnDomain(column: year, values: [.integer(2024)])])
    #expect(try catalog.connector.splits(of: table.handle, columns: [], constraint: constraint).count == 1)
    let statistics = try catalog.connector.statistics(of: table.handle)
    #expect(statistics.rowCount == 4)
    #expect(statistics.columns["year"]?.distinctCount == 2)
    #expect(statistics.columns["year"]?.nullFraction == 0.25)
  }

  @Test func partitionValuesAreUnescaped() throws {
    let catalog = try TestCatalog()
    try catalog.write("a\n1\n", to: "s/t/k=x%2Fy%3D/x.csv")
    try catalog.write("a\n1\n", to: "s/t/k=5/x.csv")
    #expect(try catalog.rows("SELECT k FROM t ORDER BY k") == [["5"], ["x/y="]])
  }

  @Test func hiddenColumnsTellTheFile() throws {
    let catalog = try TestCatalog()
    try catalog.write("a\n1\n22\n", to: "s/t/x.csv")
    #expect(try catalog.rows("SELECT \"$path\", \"$file_size\", a FROM t WHERE a = 22") == [["s/t/x.csv", "7", "22"]])
    #expect(try catalog.rows("SELECT \"$file_modified_time\" > TIMESTAMP '2020-01-01 00:00:00' FROM t LIMIT 1")
      == [["true"]])
    #expect(try catalog.rows("SELECT count(*) FROM t WHERE \"$path\" = 'nowhere'") == [["0"]])
    #expect(try catalog.rows("SELECT * FROM t LIMIT 1") == [["1"]])
  }

  @Test func contradictionsNameBothFiles() throws {
    let catalog = try TestCatalog()
    try catalog.write("a\n1\n", to: "s/t.csv")
    try catalog.write("a\n1\n", to: "s/t.tsv")
    #expect(catalog.failure("SELECT * FROM t")?.message == "Table 's.t' could be s/t.csv or s/t.tsv")
    try catalog.write("a\n1\n", to: "s/u/1.csv")
    try catalog.write("{}\n", to: "s/u/2.json")
    #expect(catalog.failure("SELECT * FROM u")?.message == "s/u/1.csv is CSV and s/u/2.json is JSON")
    try catalog.write("a\n1\n", to: "s/v/1.csv")
    try catalog.write("a\n1\n", to: "s/v/k=1/2.csv")
    #expect(catalog.failure("SELECT * FROM v")?.message.contains("s/v/1.csv") ?? false)
    try catalog.write("a\n1\n", to: "s/w/readme")
    #expect(catalog.failure("SELECT * FROM w")?.code == .filesBadData)
    try catalog.makeDirectory("s/empty")
    #expect(catalog.failure("SELECT * FROM empty")?.message == "s/empty has no columns")
  }

  @Test func newFilesAreSeenAndChangesNoticed() throws {
    let catalog = try TestCatalog()
    try catalog.write("a\n1\n", to: "s/t/1.csv")
    #expect(try catalog.rows("SELECT count(*) FROM t") == [["1"]])
    try catalog.write("a\n2\n", to: "s/t/2.csv")
    #expect(try catalog.rows("SELECT count(*) FROM t") == [["2"]])
    let table = try #require(try catalog.connector.table(schema: "s", name: "t"))
    let splits = try catalog.connector.splits(of: table.handle, columns: table.columns, constraint: .all)
    try catalog.write("a\n2\n3\n", to: "s/t/2.csv")
    #expect {
      for split in splits {
        let source = try catalog.connector.pageSource(
          for: split, of: table.handle, columns: table.columns, constraint: .all)
        while try source.next() != nil {}
      }
    } throws: { error in
      let message = (error as? WaterbearError)?.message ?? ""
      return message == "s/t/2.csv changed while the query ran: it has 6 bytes and had 4"
    }
    try catalog.write("a\nx\n", to: "s/t/2.csv")
    #expect(throws: WaterbearError.self) {
      try catalog.connector.splits(of: table.handle, columns: table.columns, constraint: .all)
    }
  }

  /// A first row that cannot be read is never a file without rows.
  @Test func damagedHeadersAndLongHeadersAreNotPassedOver() throws {
    let catalog = try TestCatalog(["files.csv.header": "true"])
    try catalog.write("a,b\n1,2\n", to: "s/t/1.csv")
    try catalog.write("a,\"b\"x\n3,4\n", to: "s/t/2.csv")
    #expect(
      catalog.failure("SELECT * FROM t")?.message
        == "s/t/2.csv, offset 0 of its text: text follows a closing quote in the first row")
    let names = (0..<1000).map { "\(String(repeating: "x", count: 70))_\($0)" }.joined(separator: ",")
    let row = (0..<1000).map { "\($0)" }.joined(separator: ",")
    try catalog.write("\(names)\n\(row)\n\(row)\n", to: "s/wide.csv")
    let last = String(repeating: "x", count: 70) + "_999"
    #expect(try catalog.rows("SELECT count(*), max(\(last)) FROM wide") == [["2", "999"]])
  }

  @Test func damagedFilesFailOnlyTheirQueries() throws {
    let catalog = try TestCatalog()
    try catalog.write("a,b\n1,2\n3\n", to: "s/bad.csv")
    try catalog.write("a,b\n1,2\n", to: "s/good.csv")
    let error = catalog.failure("SELECT * FROM bad")
    #expect(error?.code == .filesBadData)
    #expect(error?.message == "s/bad.csv, line 3, offset 8: the row has 1 fields, not 2")
    #expect(try catalog.rows("SELECT * FROM good") == [["1", "2"]])
  }

  @Test func propertiesOfDialects() throws {
    let catalog = try TestCatalog([
      "files.csv.delimiter": "\\t", "files.csv.header": "false", "files.csv.null-text": "-", "files.csv.quote": "none",
    ])
    try catalog.write("1\t-\n2\t\"x\n", to: "s/t.csv")
    #expect(try catalog.rows("SELECT * FROM t") == [["1", nil], ["2", "\"x"]])
    #expect(throws: WaterbearError.self) { try TestCatalog(["files.csv.delimiter": "ab"]) }
    #expect(throws: WaterbearError.self) { try FilesConnector(catalog: "x", properties: [:]) }
    #expect(throws: WaterbearError.self) {
      try FilesConnector(catalog: "x", properties: ["files.base-directory": "relative"])
    }
  }

  @Test func statisticsComeFromASample() throws {
    let catalog = try TestCatalog()
    let text = "id,kind\n" + (0..<1000).map { "\($0),k\($0 % 7)\n" }.joined()
    try catalog.write(text, to: "s/t.csv")
    let table = try #require(try catalog.connector.table(schema: "s", name: "t"))
    let statistics = try catalog.connector.statistics(of: table.handle)
    #expect(statistics.rowCount == 1000)
    #expect(statistics.columns["kind"]?.distinctCount == 7)
    #expect(statistics.columns["id"]?.distinctCount == 1000)
    #expect(statistics.columns["id"]?.maximum == 999)
  }
}

// Tests statements that change tables: what they write, what they refuse, and that a failure leaves nothing.

import Base
import Columnar
import ConnectorAPI
import LocalRunner
import Planning
import TPCHConnector
import Testing

@Suite struct WriteTests {
  private let tables = MemoryTables(
    catalog: "memory",
    tables: [
      "t": MemoryTable(
        [("a", .integer), ("b", .varchar(length: 3)), ("c", .decimal(precision: 5, scale: 2))],
        rows: [[.integer(1), .text("x"), .integer(150)], [.integer(2), .null, .null], [.integer(3), .text("z"), .null]])
    ])

  private func runner(_ options: LocalRunner.Options = LocalRunner.Options()) throws -> LocalRunner {
    let catalogs = Catalogs(["memory": tables, "tpch": try TPCHConnector(catalog: "tpch")])
    return LocalRunner(catalogs, catalog: "memory", schema: MemoryTables.schema, options: options)
  }

  /// The update type and the rows of the result.
  @discardableResult
  private func run(_ sql: String) throws -> String {
    let result = try runner().run(sql)
    let rows = result.rows.map { row in row.map { "\($0)" }.joined(separator: ",") }
    return "\(result.updateType ?? "QUERY") \(result.columnNames)\(rows)"
  }

  private func error(_ sql: String) -> String? {
    do {
      _ = try runner().run(sql)
      return nil
    } catch {
      let error = WaterbearError.wrapping(error)
      return "\(error.code.rawValue) \(error)"
    }
  }

  // MARK: What is written

  @Test func aTableIsMadeOfAQuery() throws {
    let text = try run("CREATE TABLE n WITH (note = 'x', parts = ARRAY['a', 'b']) AS SELECT a, b FROM t WHERE a > 1")
    #expect(text == #"CREATE TABLE ["rows"]["integer(2)"]"#)
    #expect(tables.rows(of: "n") == [[.integer(2), .null], [.integer(3), .text("z")]])
    #expect(tables.properties(of: "n") == ["note": .text("x"), "parts": .list([.text("a"), .text("b")])])
    #expect(tables.stagedAttempts == 0)
    let columns = try #require(tables.table(schema: "default", name: "n")).columns
    #expect(columns.map(\.name) == ["a", "b"] && columns.map(\.type) == [.integer, .varchar(length: 3)])
  }

  @Test func everyTaskOfAScanWritesAndAllRowsArrive() throws {
    #expect(try run("CREATE TABLE o AS SELECT * FROM tpch.tiny.orders").hasSuffix(#"["integer(15000)"]"#))
    let sums = "SELECT count(*), sum(orderkey), count(DISTINCT custkey) FROM "
    #expect(try runner().rows(sums + "o") == runner().rows(sums + "tpch.tiny.orders"))
  }

  @Test func joinsAndGroupsAreWrittenWhereTheyAreMade() throws {
    try run(
      "CREATE TABLE g (region, nations) AS SELECT r.name, count(*) FROM tpch.tiny.nation n "
        + "JOIN tpch.tiny.region r ON n.regionkey = r.regionkey GROUP BY 1")
    #expect(try runner().rows("SELECT sum(nations), count(DISTINCT region) FROM g") == [[.integer(25), .integer(5)]])
  }

  @Test func columnAliasesNameTheColumns() throws {
    try run("CREATE TABLE n (\"X\", y) AS SELECT a, a FROM t")
    #expect(try runner().run("SELECT * FROM n WHERE x = 3").rows == [[.integer(3), .integer(3)]])
  }

  @Test func aTableWithoutDataIsMadeWithoutRunningItsQuery() throws {
    #expect(
      try run("CREATE TABLE n AS SELECT 1 / 0 AS x FROM t WITH NO DATA") == #"CREATE TABLE ["rows"]["integer(0)"]"#)
    #expect(tables.rows(of: "n") == [])
    try run("CREATE TABLE e AS SELECT a FROM t WHERE false")
    #expect(tables.rows(of: "e") == [])
  }

  @Test func aTableIsMadeOfColumns() throws {
    #expect(
      try run("CREATE TABLE n (\"Day\" date, price decimal(10, 2)) WITH (parts = -3)") == "CREATE TABLE [][]")
    #expect(tables.properties(of: "n") == ["parts": .integer(-3)])
    try run("INSERT INTO n VALUES (DATE '2020-02-29', 1), (NULL, 2.5)")
    #expect(
      try runner().rows("SELECT day, price FROM n ORDER BY price")
        == [[.integer(18321), .integer(100)], [.null, .integer(250)]])
  }

  @Test func whatIsThereStaysWhereItMay() throws {
    #expect(try run("CREATE TABLE IF NOT EXISTS t AS SELECT 1 / 0 AS x") == #"CREATE TABLE ["rows"]["integer(0)"]"#)
    #expect(try run("CREATE TABLE IF NOT EXISTS t (x bigint)") == "CREATE TABLE [][]")
    #expect(try run("DROP TABLE IF EXISTS nope") == "DROP TABLE [][]")
    #expect(tables.rows(of: "t")?.count == 3)
  }

  @Test func whatWritesNoRowsIsExplainedByItsTable() throws {
    func explained(_ sql: String) throws -> String {
      guard case .bytes(let text) = try runner().rows("EXPLAIN \(sql)")[0][0] else { return "" }
      return String(decoding: text, as: UTF8.self)
    }
    #expect(try explained("DROP TABLE t").contains("DROP TABLE[table = memory.default.t]"))
    #expect(try explained("(TYPE LOGICAL) CREATE TABLE u (x bigint)").contains("[table = memory.default.u]"))
    #expect(try explained("DROP TABLE IF EXISTS nope").contains("there is nothing to do"))
    #expect(try explained("(FORMAT JSON) DROP TABLE t").contains("memory.default.t"))
    #expect(tables.rows(of: "t")?.count == 3)
  }

  @Test func aTableIsDropped() throws {
    #expect(try run("DROP TABLE t") == "DROP TABLE [][]")
    #expect(tables.rows(of: "t") == nil)
  }

  @Test func insertedColumnsThatAreNotNamedAreNull() throws {
    #expect(try run("INSERT INTO t (b, a) SELECT b, a + 10 FROM t WHERE b = 'x'") == #"INSERT ["rows"]["integer(1)"]"#)
    #expect(tables.rows(of: "t")?.last == [.integer(11), .text("x"), .null])
    try run("INSERT INTO t SELECT * FROM t")
    #expect(tables.rows(of: "t")?.count == 8)
  }

  @Test func valuesTakeTheTypesOfTheirColumns() throws {
    try run("INSERT INTO t VALUES (4e0, 'ab    ', 3), (BIGINT '5', 'c', 1.005), (SMALLINT '6', NULL, 2e0)")
    #expect(
      tables.rows(of: "t")?.suffix(3) == [
        [.integer(4), .text("ab "), .integer(300)], [.integer(5), .text("c"), .integer(101)],
        [.integer(6), .null, .integer(200)],
      ])
  }

  @Test func orderWithoutALimitIsNotKept() throws {
    let plan = try runner().plan("CREATE TABLE n AS SELECT a FROM t ORDER BY a")
    #expect(plan.fragments.map(\.kind) == [.single, .source])
    try run("CREATE TABLE n AS SELECT a FROM t ORDER BY a DESC LIMIT 1")
    #expect(tables.rows(of: "n") == [[.integer(3)]])
  }

  // MARK: What is refused

  @Test(arguments: [
    ("CREATE TABLE t AS SELECT 1 AS x",
      "TABLE_ALREADY_EXISTS line 1:14: Destination table 'memory.default.t' already exists"),
    ("CREATE TABLE t (x bigint)", "TABLE_ALREADY_EXISTS line 1:14: Table 'memory.default.t' already exists"),
    ("CREATE TABLE nope.n AS SELECT 1 AS x", "SCHEMA_NOT_FOUND line 1:14: Schema 'nope' does not exist"),
    ("CREATE TABLE x.y.z AS SELECT 1 AS x", "CATALOG_NOT_FOUND line 1:14: Catalog 'x' not found"),
    ("CREATE TABLE n AS SELECT 1", "MISSING_COLUMN_NAME line 1:1: Column name not specified at position 1"),
    ("CREATE TABLE n AS SELECT a, b AS \"A\" FROM t",
      "DUPLICATE_COLUMN_NAME line 1:1: Column name 'a' specified more than once"),
    ("CREATE TABLE n AS SELECT a, NULL AS x FROM t",
      "COLUMN_TYPE_UNKNOWN line 1:1: Column type is unknown at position 2"),
    ("CREATE TABLE n (x) AS SELECT a, b FROM t",
      "MISMATCHED_COLUMN_ALIASES line 1:17: Column alias list has 1 entries but relation has 2 columns"),
    ("CREATE TABLE n (x, X) AS SELECT a, b FROM t",
      "DUPLICATE_COLUMN_NAME line 1:20: Column name 'X' specified more than once"),
    ("CREATE TABLE n (x bigint, x date)", "DUPLICATE_COLUMN_NAME line 1:27: Column name 'x' specified more than once"),
    ("CREATE TABLE n (x thing)", "TYPE_NOT_FOUND line 1:19: Unknown type: thing"),
    ("CREATE TABLE n WITH (what = 1) AS SELECT 1 AS x",
      "INVALID_TABLE_PROPERTY line 1:14: Catalog 'memory' table property 'what' does not exist"),
    ("CREATE TABLE n WITH (note = 1 + 1) AS SELECT 1 AS x",
      "INVALID_TABLE_PROPERTY line 1:31: Invalid value for catalog 'memory' table property 'note': (1 + 1)"),
    ("CREATE TABLE n WITH (note = 'a', NOTE = 'b') AS SELECT 1 AS x",
      "DUPLICATE_PROPERTY line 1:34: Duplicate property: note"),
    ("CREATE TABLE n COMMENT 'c' AS SELECT 1 AS x", "NOT_SUPPORTED line 1:1: Comments on tables are not supported"),
    ("CREATE OR REPLACE TABLE t AS SELECT 1 AS x",
      "NOT_SUPPORTED line 1:1: This connector does not support replacing tables"),
    ("CREATE TABLE n (LIKE t)", "NOT_SUPPORTED line 1:17: LIKE in CREATE TABLE is not supported"),
    ("CREATE TABLE n (a bigint NOT NULL)", "NOT_SUPPORTED line 1:26: NOT NULL is not supported"),
    ("INSERT INTO nope VALUES (1)", "TABLE_NOT_FOUND line 1:13: Table 'memory.default.nope' does not exist"),
    ("INSERT INTO t (a, q) VALUES (1, 2)",
      "COLUMN_NOT_FOUND line 1:19: Insert column name does not exist in target table: q"),
    ("INSERT INTO t (a, A) VALUES (1, 2)",
      "DUPLICATE_COLUMN_NAME line 1:19: Insert column name is specified more than once: a"),
    ("INSERT INTO t VALUES (1)",
      "TYPE_MISMATCH line 1:1: Insert query has mismatched column types: "
        + "Table: [integer, varchar(3), decimal(5,2)], Query: [integer]"),
    ("INSERT INTO t (a) VALUES 'x'",
      "TYPE_MISMATCH line 1:1: Insert query has mismatched column types: Table: [integer], Query: [varchar(1)]"),
    ("INSERT INTO t (b) VALUES 'xxxx'",
      "INVALID_CAST_ARGUMENT line 1:1: "
        + "Cannot truncate non-space characters when casting from varchar(4) to varchar(3) on INSERT"),
    ("INSERT INTO t (a) VALUES 3000000000",
      "NUMERIC_VALUE_OUT_OF_RANGE line 1:1: Out of range for integer: 3000000000"),
    ("DROP TABLE nope", "TABLE_NOT_FOUND line 1:12: Table 'memory.default.nope' does not exist"),
    ("DROP TABLE IF EXISTS a.b.c.d", "SYNTAX_ERROR line 1:22: Too many dots in table name: a.b.c.d"),
    ("CREATE TABLE tpch.tiny.n AS SELECT 1 AS x",
      "NOT_SUPPORTED line 1:14: This connector does not support creating tables with data"),
    ("CREATE TABLE tpch.tiny.n (x bigint)", "NOT_SUPPORTED line 1:14: This connector does not support creating tables"),
    ("INSERT INTO tpch.tiny.nation VALUES (1)", "NOT_SUPPORTED line 1:13: This connector does not support inserts"),
    ("DROP TABLE tpch.tiny.nation", "NOT_SUPPORTED line 1:12: This connector does not support dropping tables"),
  ]) func refusals(sql: String, expected: String) {
    #expect(error(sql) == expected)
    #expect(tables.rows(of: "t")?.count == 3)
    #expect(tables.stagedAttempts == 0)
  }

  @Test func aConnectorThatCannotBearRetriesIsOnlyWrittenToWithoutThem() throws {
    let fragile = MemoryTables(
      catalog: "memory", tables: ["t": MemoryTable([("a", .integer)], rows: [])], supportsQueryRetries: false)
    var runner = LocalRunner(Catalogs(["memory": fragile]), catalog: "memory", schema: MemoryTables.schema)
    for sql in ["CREATE TABLE n AS SELECT 1 AS x", "INSERT INTO t VALUES 1", "DROP TABLE t"] {
      #expect {
        try runner.run(sql)
      } throws: { error in
        let error = WaterbearError.wrapping(error)
        return error.code == .notSupported && error.message == "This connector does not support query retries"
      }
    }
    runner.options.retries = false
    _ = try runner.run("INSERT INTO t VALUES 1")
    #expect(fragile.rows(of: "t")?.count == 1)
  }

  // MARK: What fails

  @Test(arguments: [WriteStep.open, .append, .finish, .commit])
  func aWriteThatFailsLeavesNothing(_ step: WriteStep) throws {
    tables.setFaults { if $0 == step { throw WaterbearError(.filesFilesystemError, "no") } }
    #expect(error("CREATE TABLE n AS SELECT * FROM t") == "FILES_FILESYSTEM_ERROR no")
    #expect(error("INSERT INTO t SELECT * FROM t") == "FILES_FILESYSTEM_ERROR no")
    #expect(tables.rows(of: "n") == nil && tables.rows(of: "t")?.count == 3 && tables.stagedAttempts == 0)
  }

  @Test func anErrorInTheQueryLeavesNothing() throws {
    #expect(error("INSERT INTO t (a) SELECT 1 / (a - 3) FROM t")?.hasPrefix("DIVISION_BY_ZERO") == true)
    #expect(tables.rows(of: "t")?.count == 3 && tables.stagedAttempts == 0)
  }

  @Test func theSinksMemoryIsTheTasks() throws {
    var options = LocalRunner.Options()
    options.taskMemory = 1 << 16
    #expect {
      try runner(options).run("CREATE TABLE o AS SELECT * FROM tpch.tiny.orders")
    } throws: { WaterbearError.wrapping($0).code == .exceededLocalMemoryLimit }
    #expect(tables.rows(of: "o") == nil && tables.stagedAttempts == 0)
  }

  @Test func explainShowsWriterAndCommitAndWritesNothing() throws {
    let rows = try runner().rows("EXPLAIN CREATE TABLE n AS SELECT a FROM t")
    guard case .bytes(let bytes)? = rows.first?.first else {
      Issue.record("EXPLAIN gave no text")
      return
    }
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(text.contains("TableCommit[target = memory:default:n]") && text.contains("a:integer := a"))
    #expect(text.contains("Fragment 1 [SOURCE]") && text.contains("TableWriter[target = memory:default:n]"))
    #expect(tables.rows(of: "n") == nil)
  }
}

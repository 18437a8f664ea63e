// Owns the tests of statements other than queries.
import Base
import Testing

@testable import SQLSyntax

struct StatementTests {
  private func show(_ sql: String) throws -> Show {
    guard case .show(let show) = try SQLParser.parseStatement(sql) else {
      throw WaterbearError(.genericInternalError, "not SHOW: \(sql)")
    }
    return show
  }

  private func explain(_ sql: String) throws -> Explain {
    guard case .explain(let explain) = try SQLParser.parseStatement(sql) else {
      throw WaterbearError(.genericInternalError, "not EXPLAIN: \(sql)")
    }
    return explain
  }

  @Test func explainOptions() throws {
    let plain = try explain("EXPLAIN SELECT 1")
    #expect(plain.type == .distributed && plain.format == .text && !plain.analyze && !plain.verbose)
    let options = try explain("explain (type logical, format json) select 1")
    #expect(options.type == .logical && options.format == .json)
    let analyze = try explain("EXPLAIN ANALYZE VERBOSE SELECT 1")
    #expect(analyze.analyze && analyze.verbose)
    guard case .query = try explain("EXPLAIN (SELECT 1)").statement else {
      Issue.record("not a query")
      return
    }
  }

  @Test func showStatements() throws {
    #expect(try show("SHOW CATALOGS").subject == .catalogs)
    #expect(try show("SHOW CATALOGS LIKE 't%' ESCAPE '$'").like == "t%")
    guard case .schemas(let catalog) = try show("SHOW SCHEMAS FROM tpch").subject else {
      Issue.record("not SHOW SCHEMAS")
      return
    }
    #expect(catalog?.value == "tpch")
    guard case .tables(let schema) = try show("SHOW TABLES IN tpch.tiny LIKE 'n%'").subject else {
      Issue.record("not SHOW TABLES")
      return
    }
    #expect(schema?.canonical == "tpch.tiny")
    #expect(try show("SHOW TABLES").subject == .tables(schema: nil))
    #expect(try show("SHOW COLUMNS FROM a.b.c") == show("DESCRIBE a.b.c"))
    #expect(try show("desc c") == show("SHOW COLUMNS FROM c"))
    #expect(try show("SHOW FUNCTIONS").subject == .functions(schema: nil))
    #expect(try show("SHOW SESSION").subject == .session)
    guard case .createTable = try show("SHOW CREATE TABLE t").subject,
      case .stats = try show("SHOW STATS FOR t").subject,
      case .statsForQuery = try show("SHOW STATS FOR (SELECT 1)").subject
    else {
      Issue.record("SHOW CREATE TABLE or SHOW STATS not recognised")
      return
    }
  }

  @Test func sessionStatements() throws {
    guard case .use(let short) = try SQLParser.parseStatement("USE tiny"),
      case .use(let long) = try SQLParser.parseStatement("USE tpch.tiny"),
      case .setSession(let set) = try SQLParser.parseStatement("SET SESSION retry_policy = 'TASK'"),
      case .resetSession(let name) = try SQLParser.parseStatement("RESET SESSION tpch.x")
    else {
      Issue.record("USE, SET SESSION or RESET SESSION not recognised")
      return
    }
    #expect(short.catalog == nil && short.schema.value == "tiny")
    #expect(long.catalog?.value == "tpch")
    #expect(set.name.canonical == "retry_policy" && set.value.kind == .string("TASK"))
    #expect(name.canonical == "tpch.x")
  }

  @Test func writes() throws {
    guard
      case .createTableAs(let create) = try SQLParser.parseStatement(
        "CREATE TABLE IF NOT EXISTS a.b (x, y) COMMENT 'c' WITH (format = 'ORC', k = DEFAULT) "
          + "AS SELECT 1, 2 WITH NO DATA"),
      case .insert(let insert) = try SQLParser.parseStatement("INSERT INTO t (a, b) VALUES (1, 2)"),
      case .insert(let plain) = try SQLParser.parseStatement("INSERT INTO t (SELECT 1)"),
      case .dropTable(let drop) = try SQLParser.parseStatement("DROP TABLE IF EXISTS a.b.c;")
    else {
      Issue.record("a write was not recognised")
      return
    }
    #expect(create.ifNotExists && !create.withData && !create.replaces)
    #expect(create.columnAliases.map(\.value) == ["x", "y"])
    #expect(create.properties.count == 2 && create.comment == "c")
    #expect(insert.columns?.count == 2 && plain.columns == nil)
    #expect(drop.ifExists && drop.table.canonical == "a.b.c")
  }

  @Test func tablesOfColumns() throws {
    guard
      case .createTable(let create) = try SQLParser.parseStatement(
        "CREATE TABLE IF NOT EXISTS s.t (\"A\" decimal(12, 2), b varchar) WITH (k = TRUE, l = ARRAY['x'])")
    else {
      Issue.record("CREATE TABLE was not recognised")
      return
    }
    #expect(create.ifNotExists && create.table.canonical == "s.t" && create.properties.count == 2)
    #expect(create.columns.map(\.name.value) == ["A", "b"] && create.columns[0].type.base == "decimal")
  }

  @Test(arguments: [
    ("CREATE TABLE t (a bigint,)", "line 1:26: mismatched input ')'. Expecting: <identifier>"),
    ("CREATE TABLE t AS", "line 1:18: mismatched input '<EOF>'. Expecting: "),
    ("CREATE TABLE t WITH (a 1) AS SELECT 1", "line 1:24: mismatched input '1'. Expecting: '='"),
    ("CREATE TABLE t AS SELECT 1 WITH DAT", "line 1:33: mismatched input 'DAT'. Expecting: 'DATA', 'NO'"),
    ("INSERT t VALUES 1", "line 1:8: mismatched input 't'. Expecting: 'INTO'"),
    ("DROP TABLE IF t", "line 1:15: mismatched input 't'. Expecting: 'EXISTS'"),
  ]) func brokenWrites(sql: String, expected: String) {
    let error = #expect(throws: WaterbearError.self) { try SQLParser.parseStatement(sql) }
    #expect(error.map { "\($0)".hasPrefix(expected) } == true, "\(error.map { "\($0)" } ?? "")")
  }

  @Test(arguments: [
    ("CREATE VIEW v AS SELECT 1", "CREATE VIEW"), ("CREATE OR REPLACE VIEW v AS SELECT 1", "CREATE VIEW"),
    ("CREATE SCHEMA s", "CREATE SCHEMA"),
    ("DROP VIEW v", "DROP VIEW"), ("DELETE FROM t WHERE a = 1", "DELETE FROM"), ("UPDATE t SET a = 1", "UPDATE"),
    ("GRANT SELECT ON t TO u;", "GRANT"), ("START TRANSACTION", "START TRANSACTION"),
    ("ALTER TABLE t RENAME TO u", "ALTER TABLE"),
    ("MERGE INTO t USING s ON a = b WHEN MATCHED THEN DELETE", "MERGE INTO"), ("PREPARE p FROM SELECT ?", "PREPARE"),
    ("EXECUTE p USING 1", "EXECUTE"), ("SET ROLE r", "SET ROLE"), ("SET TIME ZONE LOCAL", "SET TIME ZONE"),
    ("CREATE MATERIALIZED VIEW v AS SELECT 1", "CREATE MATERIALIZED VIEW"), ("DESCRIBE INPUT p", "DESCRIBE INPUT"),
  ]) func otherStatementsAreNamed(sql: String, name: String) throws {
    guard case .other(let statement) = try SQLParser.parseStatement(sql) else {
      Issue.record("not passed over: \(sql)")
      return
    }
    #expect(statement.name == name)
  }
}

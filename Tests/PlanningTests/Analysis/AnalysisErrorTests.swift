// Owns the tests of the analyser's errors: code, place and Trino's words.

import Base
import Testing

@testable import Planning

struct AnalysisErrorTests {
  @Test(arguments: [
    ("SELECT x FROM t", "COLUMN_NOT_FOUND line 1:8: Column 'x' cannot be resolved"),
    ("SELECT T.X FROM t", "COLUMN_NOT_FOUND line 1:8: Column 'T.X' cannot be resolved"),
    ("SELECT u.a FROM t", "COLUMN_NOT_FOUND line 1:8: Column 'u.a' cannot be resolved"),
    ("SELECT a FROM t, u", "AMBIGUOUS_NAME line 1:8: Column 'a' is ambiguous"),
    ("SELECT a AS x, b AS x FROM t ORDER BY x", "AMBIGUOUS_NAME line 1:39: Column 'x' is ambiguous"),
    ("SELECT * FROM nope", "TABLE_NOT_FOUND line 1:15: Table 'memory.s.nope' does not exist"),
    ("SELECT * FROM nope.t", "SCHEMA_NOT_FOUND line 1:15: Schema 'nope' does not exist"),
    ("SELECT * FROM nope.s.t", "CATALOG_NOT_FOUND line 1:15: Catalog 'nope' not found"),
    ("SELECT *", "COLUMN_NOT_FOUND line 1:8: SELECT * not allowed in queries without FROM clause"),
    ("SELECT z.* FROM t", "TABLE_NOT_FOUND line 1:8: Unable to resolve reference z"),
    ("SELECT t.a FROM t x", "COLUMN_NOT_FOUND line 1:8: Column 't.a' cannot be resolved"),
    ("SELECT x.b FROM t x (b)",
      "MISMATCHED_COLUMN_ALIASES line 1:19: Column alias list has 1 entries but 'x' has 3 columns available"),
    ("WITH q AS (SELECT 1), Q AS (SELECT 2) SELECT 1",
      "DUPLICATE_NAMED_QUERY line 1:23: WITH query name 'Q' specified more than once"),
    ("SELECT a FROM t JOIN u USING (b)", "COLUMN_NOT_FOUND line 1:31: Column 'b' is missing from right side of join"),
    ("SELECT (SELECT a, b FROM t)",
      "NOT_SUPPORTED line 1:8: Multiple columns returned by subquery are not yet supported. Found 2"),
  ]) func names(sql: String, expected: String) {
    #expect(planningError(sql) == expected)
  }

  @Test func missingSessionNames() {
    #expect(planningError("SELECT * FROM t", schema: nil)
      == "MISSING_SCHEMA_NAME line 1:15: Schema must be specified when session schema is not set")
    #expect(planningError("SELECT * FROM s.t", catalog: nil)
      == "MISSING_CATALOG_NAME line 1:15: Catalog must be specified when session catalog is not set")
    #expect(planningError("SELECT * FROM memory.s.t", schema: nil, catalog: nil) == nil)
  }

  @Test(arguments: [
    ("SELECT a + c FROM t", "TYPE_MISMATCH line 1:10: Cannot apply operator: integer + varchar(10)"),
    ("SELECT a = 'x' FROM t", "TYPE_MISMATCH line 1:10: Cannot apply operator: integer = varchar(1)"),
    ("SELECT -c FROM t", "TYPE_MISMATCH line 1:8: Cannot negate varchar(10)"),
    ("SELECT a IS DISTINCT FROM c FROM t",
      "TYPE_MISMATCH line 1:10: Cannot check if integer is distinct from varchar(10)"),
    ("SELECT a BETWEEN 1 AND c FROM t",
      "TYPE_MISMATCH line 1:10: Cannot check if integer is BETWEEN integer and varchar(10)"),
    ("SELECT 1 FROM t WHERE a",
      "TYPE_MISMATCH line 1:23: WHERE clause must evaluate to a boolean: actual type integer"),
    ("SELECT 1 FROM t HAVING 1",
      "TYPE_MISMATCH line 1:24: HAVING clause must evaluate to a boolean: actual type integer"),
    ("SELECT 1 FROM t JOIN u ON 1",
      "TYPE_MISMATCH line 1:27: JOIN ON clause must evaluate to a boolean: actual type integer"),
    ("SELECT a AND true FROM t",
      "TYPE_MISMATCH line 1:8: Logical expression term must evaluate to a boolean (actual: integer)"),
    ("SELECT NOT a FROM t",
      "TYPE_MISMATCH line 1:12: Value of logical NOT expression must evaluate to a boolean (actual: integer)"),
    ("SELECT CASE WHEN 1 THEN 2 END",
      "TYPE_MISMATCH line 1:18: CASE WHEN clause must evaluate to a boolean (actual: integer)"),
    ("SELECT a LIKE 'x' FROM t",
      "TYPE_MISMATCH line 1:8: Left side of LIKE expression must evaluate to a varchar (actual: integer)"),
    ("SELECT coalesce(a, c) FROM t",
      "TYPE_MISMATCH line 1:20: All COALESCE operands must be the same type or coercible to a common type. "
        + "Cannot find common type between integer and varchar(10), all types "
        + "(without duplicates): [integer, varchar(10)]"),
    ("SELECT CAST(DATE '2020-01-01' AS bigint)", "TYPE_MISMATCH line 1:8: Cannot cast date to bigint"),
    ("SELECT CAST(1 AS nope)", "TYPE_NOT_FOUND line 1:18: Unknown type: nope"),
    ("SELECT CAST(1 AS decimal(39,0))", "TYPE_NOT_FOUND line 1:18: Unknown type: decimal(39, 0)"),
    ("SELECT DATE '2020-13-01'", "INVALID_LITERAL line 1:8: '2020-13-01' is not a valid DATE literal"),
    ("SELECT 1 UNION SELECT 1, 2", "TYPE_MISMATCH line 1:10: UNION query has different number of fields: 1, 2"),
    ("SELECT 1 EXCEPT SELECT 'a'",
      "TYPE_MISMATCH line 1:10: column 1 in EXCEPT query has incompatible types: integer, varchar(1)"),
    ("VALUES (1, 2), 3", "TYPE_MISMATCH line 1:16: Values rows have mismatched sizes: 2 vs 1"),
    ("SELECT CAST(1 AS decimal(38,38)) * 0.5",
      "TYPE_MISMATCH line 1:34: Cannot apply operator: decimal(38,38) * decimal(1,1)"),
  ]) func types(sql: String, expected: String) {
    #expect(planningError(sql) == expected)
  }

  @Test(arguments: [
    ("SELECT a, count(*) FROM t",
      "EXPRESSION_NOT_AGGREGATE line 1:8: 'a' must be an aggregate expression or appear in GROUP BY clause"),
    ("SELECT b + 1 FROM t GROUP BY a",
      "EXPRESSION_NOT_AGGREGATE line 1:10: '(b + 1)' must be an aggregate expression or appear in GROUP BY clause"),
    ("SELECT a FROM t GROUP BY a HAVING b > 1",
      "EXPRESSION_NOT_AGGREGATE line 1:37: '(b > 1)' must be an aggregate expression or appear in GROUP BY clause"),
    ("SELECT a FROM t GROUP BY a ORDER BY b",
      "EXPRESSION_NOT_AGGREGATE line 1:37: 'b' must be an aggregate expression or appear in GROUP BY clause"),
    ("SELECT (SELECT max(d) FROM u WHERE u.a = t.a) FROM t GROUP BY b",
      "EXPRESSION_NOT_AGGREGATE line 1:8: 'a' must be an aggregate expression or appear in GROUP BY clause"),
    ("SELECT a FROM t GROUP BY 2", "INVALID_COLUMN_REFERENCE line 1:26: GROUP BY position 2 is not in select list"),
    ("SELECT a FROM t ORDER BY 0", "INVALID_COLUMN_REFERENCE line 1:26: ORDER BY position 0 is not in select list"),
    ("SELECT a FROM t WHERE sum(a) > 1",
      "EXPRESSION_NOT_SCALAR line 1:23: WHERE clause cannot contain aggregations, window functions "
        + "or grouping operations: [sum(a)]"),
    ("SELECT 1 FROM t GROUP BY sum(a)",
      "EXPRESSION_NOT_SCALAR line 1:26: GROUP BY clause cannot contain aggregations, window functions "
        + "or grouping operations: [sum(a)]"),
    ("SELECT sum(max(a)) FROM t",
      "NESTED_AGGREGATION line 1:12: Cannot nest aggregations inside aggregation 'sum': [max(a)]"),
    ("SELECT DISTINCT a FROM t ORDER BY b",
      "EXPRESSION_NOT_IN_DISTINCT line 1:35: For SELECT DISTINCT, ORDER BY expressions must appear in select list"),
    ("SELECT a, b, c FROM t GROUP BY CUBE (a, b, c, a+1, a+2, a+3, a+4, a+5, a+6, a+7, a+8, a+9)",
      "TOO_MANY_GROUPING_SETS line 1:23: GROUP BY has 2049 grouping sets but can contain at most 2048"),
  ]) func grouping(sql: String, expected: String) {
    #expect(planningError(sql) == expected)
  }

  @Test(arguments: [
    ("SELECT nope(1)", "FUNCTION_NOT_FOUND line 1:8: Function 'nope' not registered"),
    ("SELECT a.b.nope(1)", "FUNCTION_NOT_FOUND line 1:8: Function 'a.b.nope' not registered"),
    ("SELECT length(1)",
      "FUNCTION_NOT_FOUND line 1:8: Unexpected parameters (integer) for function length. "
        + "Expected: length(varchar(x)), length(varbinary)"),
    ("SELECT sum(c) FROM t",
      "FUNCTION_NOT_FOUND line 1:8: Unexpected parameters (varchar(10)) for function sum. "
        + "Expected: sum(bigint), sum(decimal(p,s)), sum(real), sum(double)"),
    ("SELECT lower(DISTINCT c) FROM t",
      "FUNCTION_NOT_AGGREGATE line 1:8: DISTINCT is not supported for non-aggregation functions"),
    ("SELECT extract(century FROM DATE '2020-01-01')", "SYNTAX_ERROR line 1:8: Invalid EXTRACT field: century"),
  ]) func functions(sql: String, expected: String) {
    #expect(planningError(sql) == expected)
  }

  @Test(arguments: [
    ("SELECT rank() OVER (ORDER BY a) FROM t", "line 1:8: The window function rank is not supported"),
    ("SELECT * FROM UNNEST(ARRAY[1])", "line 1:15: UNNEST is not supported"),
    ("SELECT ARRAY[1]", "line 1:8: ARRAY is not supported"), ("SELECT ?", "line 1:8: A parameter (?) is not supported"),
    ("SELECT CAST(1 AS array(bigint))", "line 1:18: Type array(bigint) is not supported"),
    ("SELECT a FROM t WHERE (a, b) < (1, 2)", "line 1:30: The order of row values is not supported"),
    ("WITH RECURSIVE q (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM q) SELECT * FROM q",
      "line 1:16: WITH RECURSIVE is not supported"),
    ("SELECT 1 FETCH FIRST 1 ROW WITH TIES", "line 1:10: FETCH FIRST WITH TIES is not supported"),
    ("SELECT TRY(1 / 0)", "line 1:8: TRY of anything but a CAST is not supported"),
    ("CREATE TABLE x AS SELECT 1", "line 1:14: This connector does not support creating tables with data"),
    ("INSERT INTO t SELECT 1", "line 1:13: This connector does not support inserts"),
    ("DROP TABLE t", "line 1:12: This connector does not support dropping tables"),
    ("CREATE VIEW v AS SELECT 1", "line 1:1: CREATE VIEW is not supported here"),
  ]) func unsupported(sql: String, expected: String) {
    #expect(planningError(sql) == "NOT_SUPPORTED " + expected)
  }

  @Test func aMisspelledColumnComesWithSuggestions() {
    let error = #expect(throws: WaterbearError.self) { try plan("SELECT lon_dec FROM everything") }
    #expect(error?.remedy == "Columns with similar names: long_dec.")
  }

  @Test func aLongChainIsPlannedWithoutExhaustingTheStack() {
    let chain = String(repeating: " + a", count: 900)
    #expect(planningError("SELECT a\(chain) FROM t WHERE a\(chain) > 1 GROUP BY a\(chain) HAVING sum(a\(chain)) > 1")?
      .hasPrefix("EXPRESSION_NOT_AGGREGATE") != true)
    let joins = String(repeating: " JOIN t USING (a)", count: 200)
    #expect(planningError("SELECT count(*) FROM w t (a, x)\(joins)") == nil)
    let nested = String(repeating: "(SELECT * FROM ", count: 100) + "t" + String(repeating: ")", count: 100)
    #expect(planningError("SELECT * FROM \(nested)") == nil)
  }

  @Test func queriesThatUnfoldWithoutEndAreStopped() {
    var sql = "WITH q0 AS (SELECT 1 AS x)"
    for level in 1...40 { sql += ", q\(level) AS (SELECT p.x FROM q\(level - 1) p, q\(level - 1) r)" }
    #expect(planningError(sql + " SELECT * FROM q40")?.hasPrefix("QUERY_HAS_TOO_MANY_STAGES") == true)
  }
}

struct OutputTests {
  @Test func columnNamesAreThoseWritten() throws {
    #expect(try resultNames("SELECT A, t.B, c AS \"X y\", a + 1, count FROM (SELECT a, b, c, 1 AS count FROM t) t")
      == ["A", "B", "X y", "_col3", "count"])
    #expect(try resultNames("SELECT * FROM t") == ["a", "b", "c"])
    #expect(try resultNames("SELECT t.* AS (x, y, z) FROM t") == ["x", "y", "z"])
    #expect(try resultNames("VALUES (1, 2)") == ["_col0", "_col1"])
    #expect(try resultNames("SELECT a FROM t UNION SELECT d FROM u") == ["a"])
    #expect(try resultNames("EXPLAIN SELECT a FROM t") == ["a"])
  }

  @Test func showStatements() throws {
    #expect(try rows("SHOW CATALOGS") == "memory")
    #expect(try rows("SHOW SCHEMAS") == "s; tpch")
    #expect(try rows("SHOW SCHEMAS FROM memory LIKE 't%'") == "tpch")
    #expect(try rows("SHOW TABLES") == "everything; t; u; w")
    #expect(try rows("SHOW TABLES FROM memory.tpch LIKE '_a%'") == "nation; part; partsupp")
    #expect(try rows("DESCRIBE t") == "a integer  ; b integer  ; c varchar(10)  ")
    #expect(try rows("SHOW FUNCTIONS LIKE 'ab$s' ESCAPE '$'") == "abs scalar")
    #expect(try resultNames("SHOW COLUMNS FROM t") == ["Column", "Type", "Extra", "Comment"])
    #expect(planningError("SHOW TABLES FROM nope") == "SCHEMA_NOT_FOUND line 1:18: Schema 'nope' does not exist")
  }
}

// Owns the tests of the expression grammar, told by the formatter's spelling.
import Base
import Testing

@testable import SQLSyntax

struct ExpressionTests {
  @Test(arguments: [
    ("1", "1"), ("-1", "-1"), ("- 1", "-1"), ("1.50", "DECIMAL '1.50'"), ("-.5", "DECIMAL '-.5'"),
    ("1e3", "1E3"), ("1.5e-3", "1.5E-3"), ("123456.75e0", "1.2345675E5"), ("0e0", "0E0"), ("1_000", "1000"),
    ("0xff", "255"), ("0b101", "5"), ("0o17", "15"), ("-9223372036854775808", "-9223372036854775808"),
    ("'it''s'", "'it''s'"), ("''", "''"), ("U&'d\\0061t\\+000061'", "'data'"), ("U&'d!0061' UESCAPE '!'", "'da'"),
    ("X'0aFF'", "X'0AFF'"), ("x''", "X''"), ("TRUE", "true"), ("false", "false"), ("NULL", "null"),
    ("DATE '2020-01-01'", "DATE '2020-01-01'"), ("timestamp '2020-01-01 00:00'", "TIMESTAMP '2020-01-01 00:00'"),
    ("TIME '01:02'", "TIME '01:02'"), ("decimal '1.5'", "DECIMAL '1.5'"), ("json '{}'", "JSON '{}'"),
    ("DOUBLE PRECISION '1'", "DOUBLE '1'"), ("INTERVAL '90' DAY", "INTERVAL '90' DAY"),
    ("interval - '1-2' year to month", "INTERVAL -'1-2' YEAR TO MONTH"), ("?", "?"),
  ]) func literals(sql: String, expected: String) throws {
    #expect(try formatted(sql) == expected)
  }

  @Test(arguments: [
    ("1 + 2 * 3", "(1 + (2 * 3))"), ("1 * 2 + 3", "((1 * 2) + 3)"), ("1 - 2 - 3", "((1 - 2) - 3)"),
    ("a / b % c", "((a / b) % c)"), ("(1 + 2) * 3", "((1 + 2) * 3)"), ("-a * b", "(-a * b)"),
    ("- - a", "- -a"), ("-(-1)", "- -1"), ("+a", "+a"), ("1 -1", "(1 - 1)"), ("a -1", "(a - 1)"),
    ("a || b || c", "concat(concat(a, b), c)"), ("a + 1 || b", "concat((a + 1), b)"),
    ("a = 1 OR b = 2 AND c = 3", "((a = 1) OR ((b = 2) AND (c = 3)))"),
    ("a AND b AND c", "(a AND b AND c)"), ("(a AND b) AND c", "((a AND b) AND c)"),
    ("NOT a = 1 AND b", "((NOT (a = 1)) AND b)"), ("NOT NOT a", "(NOT (NOT a))"),
    ("a != b", "(a <> b)"), ("a <= b", "(a <= b)"), ("a >= b", "(a >= b)"), ("a < b", "(a < b)"),
    ("a BETWEEN 1 AND 2 AND b", "((a BETWEEN 1 AND 2) AND b)"), ("a NOT BETWEEN 1 AND 2", "(NOT (a BETWEEN 1 AND 2))"),
    ("a IN (1, 2)", "(a IN (1, 2))"), ("a NOT IN (1)", "(NOT (a IN (1)))"),
    ("a LIKE 'x%' ESCAPE '$'", "(a LIKE 'x%' ESCAPE '$')"), ("a NOT LIKE b", "(NOT (a LIKE b))"),
    ("a IS NULL", "(a IS NULL)"), ("a IS NOT NULL", "(a IS NOT NULL)"),
    ("a IS DISTINCT FROM b", "(a IS DISTINCT FROM b)"), ("a IS NOT DISTINCT FROM b", "(NOT (a IS DISTINCT FROM b))"),
    ("a + 1 = b * 2", "((a + 1) = (b * 2))"),
  ]) func operators(sql: String, expected: String) throws {
    #expect(try formatted(sql) == expected)
  }

  @Test(arguments: [
    ("a.b.c", "a.b.c"), ("\"A b\".\"c\"\"d\"", "\"A b\".\"c\"\"d\""), ("a[1].b[2]", "a[1].b[2]"), ("Foo", "Foo"),
    ("date", "date"), ("limit", "limit"), ("interval", "interval"), ("row", "row"), ("array", "array"),
    ("f()", "f()"), ("count(*)", "count(*)"), ("count(DISTINCT a)", "count(DISTINCT a)"), ("f(ALL a)", "f(a)"),
    ("a.b.f(1)", "a.b.f(1)"), ("array_agg(a ORDER BY b DESC, c)", "array_agg(a ORDER BY b DESC, c ASC)"),
    ("sum(a) FILTER (WHERE b > 1)", "sum(a) FILTER (WHERE (b > 1))"),
    ("rank() OVER (PARTITION BY a ORDER BY b)", "rank() OVER (PARTITION BY a ORDER BY b ASC)"),
    ("sum(a) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING)",
      "sum(a) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING)"),
    ("sum(a) OVER (ORDER BY b RANGE 2 PRECEDING)", "sum(a) OVER (ORDER BY b ASC RANGE 2 PRECEDING)"),
    ("sum(a) OVER (w GROUPS CURRENT ROW)", "sum(a) OVER (w GROUPS CURRENT ROW)"), ("f(a) OVER w", "f(a) OVER w"),
    ("lag(a) IGNORE NULLS OVER ()", "lag(a) IGNORE NULLS OVER ()"),
    ("listagg(a, ',') WITHIN GROUP (ORDER BY b)", "listagg(a, ',') WITHIN GROUP (ORDER BY b ASC)"),
    ("substring(a FROM 1 FOR 2)", "substr(a, 1, 2)"), ("SUBSTRING(a FROM 1)", "substr(a, 1)"),
    ("substring(a, 1, 2)", "substring(a, 1, 2)"), ("position('a' IN b)", "strpos(b, 'a')"),
    ("extract(year FROM a)", "EXTRACT(YEAR FROM a)"), ("trim(a)", "trim(BOTH FROM a)"),
    ("trim(LEADING FROM a)", "trim(LEADING FROM a)"), ("trim(TRAILING 'x' FROM a)", "trim(TRAILING 'x' FROM a)"),
    ("trim('x' FROM a)", "trim(BOTH 'x' FROM a)"), ("trim(a, 'x')", "trim(BOTH 'x' FROM a)"),
    ("normalize(a, nfkc)", "normalize(a, 'NFKC')"), ("ceil(a)", "ceil(a)"), ("grouping(a, t.b)", "GROUPING (a, t.b)"),
    ("if(a, 1)", "IF(a, 1)"), ("IF(a, 1, 2)", "IF(a, 1, 2)"), ("coalesce(a, b)", "COALESCE(a, b)"),
    ("nullif(a, 0)", "NULLIF(a, 0)"), ("try(1 / 0)", "TRY((1 / 0))"),
    ("current_date", "CURRENT_DATE"), ("current_timestamp(6)", "CURRENT_TIMESTAMP(6)"), ("localtime", "LOCALTIME"),
    ("current_user", "CURRENT_USER"), ("a AT TIME ZONE 'UTC'", "a AT TIME ZONE 'UTC'"),
    ("a AT TIME ZONE INTERVAL '1' HOUR", "a AT TIME ZONE INTERVAL '1' HOUR"),
    ("(1, 'a')", "ROW (1, 'a')"), ("ROW(1)", "ROW (1)"), ("ARRAY[1, 2]", "ARRAY[1,2]"), ("ARRAY[]", "ARRAY[]"),
    ("transform(a, x -> x + 1)", "transform(a, (x) -> (x + 1))"),
    ("reduce(a, (s, x) -> s + x)", "reduce(a, (s, x) -> (s + x))"),
    ("f(() -> 1)", "f(() -> 1)"),
  ]) func primaries(sql: String, expected: String) throws {
    #expect(try formatted(sql) == expected)
  }

  @Test(arguments: [
    ("CASE WHEN a THEN 1 ELSE 2 END", "(CASE WHEN a THEN 1 ELSE 2 END)"),
    ("CASE a WHEN 1 THEN 'x' WHEN 2 THEN 'y' END", "(CASE a WHEN 1 THEN 'x' WHEN 2 THEN 'y' END)"),
    ("CAST(a AS decimal(12, 2))", "CAST(a AS decimal(12, 2))"), ("try_cast(a as int)", "TRY_CAST(a AS integer)"),
    ("cast(a as timestamp(3) with time zone)", "CAST(a AS timestamp(3) with time zone)"),
    ("cast(a as map(varchar, array(bigint)))", "CAST(a AS map(varchar, array(bigint)))"),
    ("cast(a as row(x bigint, \"Y\" varchar(3), double precision))",
      "CAST(a AS row(x bigint, \"Y\" varchar(3), double))"),
    ("cast(a as double array)", "CAST(a AS array(double))"), ("cast(a as time without time zone)", "CAST(a AS time)"),
    ("cast(a as interval day to second)", "CAST(a AS interval day to second)"),
    ("cast(a as numeric(3))", "CAST(a AS decimal(3))"),
    ("cast(a as map<int,char(2)>)", "CAST(a AS map(integer, char(2)))"),
    ("EXISTS (SELECT 1)", "(EXISTS (SELECT 1))"), ("(SELECT max(a) FROM t)", "(SELECT max(a) FROM t)"),
    ("a IN (SELECT b FROM t)", "(a IN (SELECT b FROM t))"), ("a > ALL (VALUES 1, 2)", "(a > ALL (VALUES 1, 2))"),
    ("a = ANY (SELECT 1)", "(a = ANY (SELECT 1))"), ("((SELECT 1)) + 1", "(((SELECT 1)) + 1)"),
    ("((SELECT 1) + 2)", "((SELECT 1) + 2)"), ("((SELECT 1) UNION (SELECT 2))", "((SELECT 1) UNION (SELECT 2))"),
    ("a IN ((SELECT 1), 2)", "(a IN ((SELECT 1), 2))"), ("((((SELECT 1), 2)))", "ROW ((SELECT 1), 2)"),
  ]) func formsAndSubqueries(sql: String, expected: String) throws {
    #expect(try formatted(sql) == expected)
  }

  @Test func formattedTextParsesToTheSameTree() throws {
    for sql in [
      "a + b * -c", "- - 1", "x -> x || 'y'", "CASE WHEN a IS NOT NULL THEN b[1] END", "sum(DISTINCT a) OVER (w)",
      "(SELECT DISTINCT a x, t.* FROM t, (u JOIN v USING (k)) w (i, j) LEFT JOIN z ON i = j WHERE EXISTS (TABLE q) "
        + "GROUP BY ROLLUP (a, (b, c)), GROUPING SETS ((), (a)) HAVING 1 > 2 ORDER BY 1 DESC NULLS FIRST LIMIT 5)",
      "(WITH RECURSIVE w (n) AS (VALUES 1, (2)) SELECT * FROM w UNION ALL (SELECT 1 OFFSET 2) "
        + "FETCH FIRST 3 ROWS WITH TIES)",
      "(SELECT 1 FROM UNNEST (a, b) WITH ORDINALITY x CROSS JOIN LATERAL (SELECT 2) NATURAL JOIN y)",
    ] {
      let tree = try SQLParser.parseExpression(sql)
      // Decimal literals come back as typed ones, so these texts hold none.
      #expect(try SQLParser.parseExpression(tree.description) == tree, "\(sql)")
    }
  }

  @Test func equalityIgnoresPlacesAndCase() throws {
    let first = try SQLParser.parseExpression("Sum( A + 1 )")
    let second = try SQLParser.parseExpression("sum(a+1)")
    #expect(first == second)
    #expect(first.hashValue == second.hashValue)
    #expect(try SQLParser.parseExpression("sum(a + 2)") != second)
  }

  @Test func placesAreTrinos() throws {
    func place(_ sql: String) throws -> String {
      let location = try SQLParser.parseExpression(sql).location
      return "\(location.line):\(location.column)"
    }
    #expect(try place("ab + c") == "1:4")
    #expect(try place("ab = c") == "1:4")
    #expect(try place("ab || c") == "1:4")
    #expect(try place("ab NOT IN (1)") == "1:4")
    #expect(try place("ab AND c") == "1:1")
    #expect(try place("ab.c") == "1:1")
    #expect(try place(" f(x)") == "1:2")
    #expect(try place("\n -x") == "2:2")
  }

  @Test func parametersAreNumbered() throws {
    guard case .call(let call) = try SQLParser.parseExpression("f(?, ?)").kind else {
      Issue.record("not a call")
      return
    }
    #expect(call.arguments.map(\.kind) == [.parameter(0), .parameter(1)])
  }
}

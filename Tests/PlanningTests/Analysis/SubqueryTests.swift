// Owns the tests of subqueries: what they compute, with NULLs and without matches, and how they are joined.

import Base
import Testing

@testable import Planning

struct SubqueryTests {
  @Test(arguments: [
    ("SELECT (SELECT max(d) FROM u)", "600"), ("SELECT (SELECT k FROM w)", "-"),
    ("SELECT a FROM t WHERE a = (SELECT min(a) FROM u)", "1"),
    ("SELECT a, (SELECT count(*) FROM u WHERE u.a = t.a) FROM t", "- 0; 1 1; 2 2; 2 2; 3 0"),
    ("SELECT a, (SELECT sum(d) FROM u WHERE u.a = t.a) FROM t", "- -; 1 100; 2 215; 2 215; 3 -"),
    ("SELECT a FROM t WHERE (SELECT count(*) FROM u WHERE u.a = t.a) = 0", "-; 3"),
    ("SELECT b FROM t WHERE b < (SELECT sum(d) / 5 FROM u WHERE u.a = t.a)", "10; 20; 21"),
    ("SELECT b FROM t WHERE (SELECT sum(d) FROM u WHERE u.a = t.a) IS NULL", "-; 40"),
    ("SELECT a, (SELECT count(*) + t.a FROM u WHERE u.a = t.a + 1) FROM t", "- -; 1 3; 2 2; 2 2; 3 3"),
    ("SELECT a, (SELECT sum(d) FROM u WHERE u.a = t.a HAVING count(*) > 1) FROM t", "- -; 1 -; 2 215; 2 215; 3 -"),
    ("SELECT a, (SELECT count(*) FROM u WHERE u.a = t.a HAVING count(*) = 0) FROM t", "- 0; 1 -; 2 -; 2 -; 3 0"),
    ("SELECT a, (SELECT t.a * 2) FROM t WHERE a = 3", "3 6"),
    ("SELECT sum((SELECT count(*) FROM u WHERE u.a = t.a)) FROM t", "5"),
    ("SELECT c, (SELECT count(*) FROM u WHERE u.e = t.c) FROM t GROUP BY c", "x 1; y 1; z 1"),
    ("SELECT c FROM t GROUP BY c HAVING sum(b) > (SELECT min(d) FROM u)", "x; y"),
    ("SELECT a FROM t ORDER BY (SELECT count(*) FROM u WHERE u.a = t.a) DESC, a", "2; 2; 1; 3; -"),
  ]) func scalars(sql: String, expected: String) throws {
    #expect(try rows(sql) == expected)
  }

  @Test(arguments: [
    ("SELECT a FROM t WHERE a IN (SELECT a FROM u)", "1; 2; 2"),
    ("SELECT a FROM t WHERE a NOT IN (SELECT a FROM u)", ""),
    ("SELECT a FROM t WHERE a NOT IN (SELECT a FROM u WHERE a IS NOT NULL)", "3"),
    ("SELECT a FROM t WHERE a NOT IN (SELECT k FROM w)", "-; 1; 2; 2; 3"),
    ("SELECT a FROM t WHERE NOT (a IN (SELECT a FROM u))", ""),
    ("SELECT a, a IN (SELECT a FROM u) FROM t", "- -; 1 true; 2 true; 2 true; 3 -"),
    ("SELECT a, a IN (SELECT k FROM w) FROM t", "- false; 1 false; 2 false; 2 false; 3 false"),
    ("SELECT a FROM t WHERE a IN (SELECT a FROM u) OR a = 3", "1; 2; 2; 3"),
    ("SELECT a FROM t WHERE a IN (SELECT a FROM u WHERE u.e = t.c)", "1; 2"),
    ("SELECT a, b FROM t WHERE a NOT IN (SELECT a FROM u WHERE u.e = t.c)", "2 21"),
    ("SELECT b FROM t WHERE b + 80 IN (SELECT d FROM u)", "20"),
    ("SELECT c FROM t GROUP BY c HAVING max(a) IN (SELECT a FROM u)", "x; y"),
    ("SELECT count(*) IN (SELECT 5) FROM t", "true"), ("SELECT a FROM t WHERE a = ANY (SELECT a FROM u)", "1; 2; 2"),
  ]) func membership(sql: String, expected: String) throws {
    #expect(try rows(sql) == expected)
  }

  @Test(arguments: [
    ("SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a)", "1; 2; 2"),
    ("SELECT a FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.a = t.a)", "-; 3"),
    ("SELECT b FROM t WHERE EXISTS (SELECT * FROM u WHERE u.a = t.a AND u.d < t.b)", "20; 21"),
    ("SELECT b FROM t WHERE EXISTS (SELECT * FROM u WHERE u.d < t.b)", "20; 21; 40"),
    ("SELECT a, EXISTS (SELECT 1 FROM u WHERE u.a = t.a) FROM t", "- false; 1 true; 2 true; 2 true; 3 false"),
    ("SELECT a FROM t WHERE EXISTS (SELECT 1 FROM w)", ""),
    ("SELECT count(*) FROM t WHERE EXISTS (SELECT 1 FROM u)", "5"),
    ("SELECT count(*) FROM t WHERE NOT EXISTS (SELECT 1 FROM w) AND a > 1", "3"),
    ("SELECT a FROM t WHERE EXISTS (SELECT count(*) FROM u WHERE u.a = t.a) AND a < 2", "1"),
    ("SELECT a FROM t WHERE EXISTS (SELECT a FROM u WHERE u.a = t.a GROUP BY a HAVING count(*) > 1)", "2; 2"),
    ("SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a ORDER BY d LIMIT 1)", "1; 2; 2"),
    ("SELECT a FROM t WHERE EXISTS (SELECT DISTINCT d FROM u WHERE u.a = t.a) OR a = 3", "1; 2; 2; 3"),
    ("SELECT a FROM t x WHERE EXISTS (SELECT 1 FROM u WHERE u.a = x.a "
      + "AND EXISTS (SELECT 1 FROM t y WHERE y.a = u.a AND y.b > 20))",
      "2; 2"),
    ("SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u JOIN t y ON u.a = y.a AND y.b > t.b WHERE u.a = t.a)", "2"),
    ("SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a LIMIT 0)", ""),
  ]) func existence(sql: String, expected: String) throws {
    #expect(try rows(sql) == expected)
  }

  @Test(arguments: [
    ("SELECT a FROM t WHERE a > ALL (SELECT 1 UNION SELECT 2)", "3"),
    ("SELECT a FROM t WHERE a >= ALL (SELECT a FROM u)", ""),
    ("SELECT a FROM t WHERE a < ALL (SELECT k FROM w)", "-; 1; 2; 2; 3"),
    ("SELECT a FROM t WHERE a < ANY (SELECT k FROM w)", ""),
    ("SELECT a FROM t WHERE a > SOME (SELECT a FROM u)", "2; 2; 3"),
    ("SELECT a FROM t WHERE a <> ALL (VALUES 1, 2)", "3"),
    ("SELECT a FROM t WHERE a <> ANY (VALUES 2, 2)", "1; 3"), ("SELECT a FROM t WHERE a = ALL (VALUES 2, 2)", "2; 2"),
    ("SELECT a, a > ALL (SELECT a FROM u) FROM t", "- -; 1 false; 2 false; 2 false; 3 false"),
    ("SELECT a, a < ANY (SELECT a FROM u WHERE a IS NULL OR a < 3) FROM t", "- -; 1 true; 2 -; 2 -; 3 -"),
  ]) func quantified(sql: String, expected: String) throws {
    #expect(try rows(sql) == expected)
  }

  @Test func twoRowsForOneValueAreAnError() throws {
    let error = #expect(throws: WaterbearError.self) { try rows("SELECT (SELECT a FROM t)") }
    #expect(error?.code == .subqueryMultipleRows)
  }

  @Test(arguments: [
    ("a FROM t WHERE a IN (SELECT a FROM u)", "semi join [a = a]"),
    ("a FROM t WHERE a NOT IN (SELECT a FROM u)", "nullAwareAnti join [a = a]"),
    ("a FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.a = t.a)", "anti join [a = a]"),
    ("a IN (SELECT a FROM u) FROM t", "mark join null-aware [a = a]"),
    ("b FROM t WHERE b < (SELECT d FROM u WHERE u.a = t.a)", "inner join [a = a]"),
    ("b FROM t WHERE b < (SELECT max(d) FROM u WHERE u.a = t.a)", "left join [a = a]"),
    ("b FROM t WHERE 0 = (SELECT count(*) FROM u WHERE u.a = t.a)", "left join [a = a]"),
  ]) func conjunctsBecomeFilteringJoins(sql: String, join: String) throws {
    #expect(try planText("SELECT \(sql)").contains(join))
  }

  @Test(arguments: [
    ("SELECT a, (SELECT d FROM u WHERE u.a = t.a AND d > 100) FROM t", "- -; 1 -; 2 200; 2 200; 3 -"),
    ("SELECT a, (SELECT sum(d) FROM u WHERE u.a > t.a) FROM t", "- -; 1 715; 2 500; 2 500; 3 500"),
    ("SELECT a, (SELECT count(*) FROM u WHERE u.a > t.a) FROM t", "- 0; 1 3; 2 1; 2 1; 3 1"),
    ("SELECT b, b > ALL (SELECT d FROM u WHERE u.a = t.a) FROM t", "- true; 10 false; 20 false; 21 false; 40 true"),
    ("SELECT a FROM t WHERE b IN (SELECT d + 5 FROM u WHERE u.a = t.a LIMIT 1)", ""),
    ("SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u LEFT JOIN w ON k = t.a)", "-; 1; 2; 2; 3"),
    ("SELECT a FROM t WHERE NOT EXISTS (SELECT 1 FROM u x WHERE x.a < t.a AND NOT EXISTS "
      + "(SELECT 1 FROM u y WHERE y.a = x.a AND y.d > 4 * t.b))", "-; 1; 2; 2"),
    ("SELECT a FROM t WHERE (a, b) IN (SELECT a, d - 90 FROM u)", "1"),
    ("SELECT a FROM t WHERE (a, b) NOT IN (SELECT a, d - 90 FROM u WHERE a < 9)", "-; 2; 2; 3"),
  ]) func anyCorrelation(sql: String, expected: String) throws {
    #expect(try rows(sql) == expected)
  }

  @Test func severalRowsForAnOuterRowAreAnError() throws {
    for condition in ["u.a = t.a", "u.a > t.a"] {
      let error = #expect(throws: WaterbearError.self) {
        try rows("SELECT (SELECT d FROM u WHERE \(condition)) FROM t")
      }
      #expect(error?.code == .subqueryMultipleRows)
    }
  }

  @Test func correlationThatCannotBeUndoneIsRefused() {
    let sql = "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u FULL JOIN w ON k = t.a)"
    #expect(planningError(sql) == "NOT_SUPPORTED line 1:23: Given correlated subquery is not supported")
  }
}

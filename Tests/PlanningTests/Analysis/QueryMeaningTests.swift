// Owns the tests of what plans compute, by running them over a few rows.

import Base
import Testing

@testable import Planning

struct QueryMeaningTests {
  @Test(arguments: [
    ("SELECT 1", "1"), ("SELECT 1 WHERE false", ""), ("SELECT 1 WHERE NULL", ""),
    ("SELECT a, b FROM t WHERE a = 2", "2 20; 2 21"),
    ("SELECT * FROM u WHERE d > 150 AND a IS NOT NULL", "2 200 y; 5 500 v"),
    ("SELECT t.* FROM t WHERE c = 'z'", "3 - z"), ("SELECT a + 1 FROM t WHERE b BETWEEN 20 AND 21", "3; 3"),
    ("SELECT DISTINCT a FROM t", "-; 1; 2; 3"), ("SELECT a AS x, a AS y FROM t WHERE a = 1", "1 1"),
    ("SELECT \"$row\" FROM t WHERE a = 3", "3"), ("TABLE w", ""), ("VALUES 1, NULL, 2", "-; 1; 2"),
    ("SELECT x FROM (VALUES (1, 'a'), (2, 'b')) v (x, y) WHERE y = 'b'", "2"),
    ("SELECT CASE a WHEN 1 THEN 'one' WHEN 2 THEN 'two' END FROM t", "-; -; one; two; two"),
    ("SELECT if(a > 1, b) FROM t", "-; -; -; 20; 21"), ("SELECT nullif(a, 2) FROM t", "-; -; -; 1; 3"),
    ("SELECT coalesce(b, a, 0) FROM t", "10; 20; 21; 3; 40"), ("SELECT a FROM t WHERE a IN (1, 3, NULL)", "1; 3"),
    ("SELECT a FROM t WHERE a NOT IN (1, NULL)", ""), ("SELECT a FROM t WHERE a IS NOT DISTINCT FROM NULL", "-"),
  ]) func selections(sql: String, expected: String) throws {
    #expect(try rows(sql) == expected)
  }

  @Test(arguments: [
    ("SELECT a FROM t ORDER BY a", "1; 2; 2; 3; -"), ("SELECT a FROM t ORDER BY a DESC", "3; 2; 2; 1; -"),
    ("SELECT a FROM t ORDER BY a NULLS FIRST, b DESC", "-; 1; 2; 2; 3"),
    ("SELECT b FROM t ORDER BY a, b DESC", "10; 21; 20; -; 40"),
    ("SELECT -b AS n FROM t ORDER BY n", "-40; -21; -20; -10; -"),
    ("SELECT a, b FROM t ORDER BY 2 DESC LIMIT 2", "- 40; 2 21"),
    ("SELECT b FROM t ORDER BY b OFFSET 1 LIMIT 2", "20; 21"), ("SELECT b FROM t ORDER BY b OFFSET 3", "40; -"),
    ("SELECT b FROM t ORDER BY b FETCH FIRST ROW ONLY", "10"), ("SELECT a AS b FROM t ORDER BY b", "1; 2; 2; 3; -"),
    ("SELECT a FROM t ORDER BY b + 1 DESC", "-; 2; 2; 1; 3"),
    ("SELECT DISTINCT a FROM t ORDER BY a DESC LIMIT 2", "3; 2"),
    ("SELECT c FROM t GROUP BY c ORDER BY sum(b) DESC", "x; y; z"),
    ("SELECT 1 AS a FROM t ORDER BY t.a", "1; 1; 1; 1; 1"),
    ("VALUES 3, 1, 2 ORDER BY 1 DESC", "3; 2; 1"),
    ("(SELECT a FROM t ORDER BY a LIMIT 1) UNION ALL SELECT 9 ORDER BY 1", "1; 9"),
    ("SELECT a FROM (SELECT a FROM t ORDER BY a DESC LIMIT 1) ORDER BY 1", "3"),
  ]) func orderAndLimits(sql: String, expected: String) throws {
    #expect(try rows(sql) == expected)
  }

  @Test(arguments: [
    ("SELECT count(*), count(b), sum(b), min(b), max(c) FROM t", "5 4 91 10 z"), ("SELECT count(*) FROM w", "0"),
    ("SELECT sum(k), count(k) FROM w", "- 0"), ("SELECT count(*) FROM w GROUP BY k", ""),
    ("SELECT c, count(*) FROM t GROUP BY c", "x 3; y 1; z 1"),
    ("SELECT a, count(*) FROM t GROUP BY 1", "- 1; 1 1; 2 2; 3 1"),
    ("SELECT a + 1, sum(b) FROM t GROUP BY a + 1", "- 40; 2 10; 3 41; 4 -"),
    ("SELECT a + 1 + 1 FROM t GROUP BY a + 1", "-; 3; 4; 5"),
    ("SELECT count(DISTINCT a), count(DISTINCT c) FROM t", "3 3"), ("SELECT sum(b) FILTER (WHERE a = 2) FROM t", "41"),
    ("SELECT c FROM t GROUP BY c HAVING count(*) > 1", "x"), ("SELECT sum(b) FROM t HAVING count(*) > 100", ""),
    ("SELECT 1 FROM t HAVING true", "1"), ("SELECT DISTINCT count(*) FROM t GROUP BY a", "1; 2"),
    ("SELECT sum(b) + count(*) * 2 FROM t", "101"), ("SELECT t.c FROM t GROUP BY c", "x; y; z"),
    ("SELECT max(n) FROM (SELECT count(*) AS n FROM t GROUP BY c)", "3"),
    ("SELECT 'k', count(*) FROM t GROUP BY 'k'", "k 5"),
    ("SELECT c, a, count(*) FROM t GROUP BY GROUPING SETS ((c), (a), ())",
      "- - 1; - - 5; - 1 1; - 2 2; - 3 1; x - 3; y - 1; z - 1"),
    ("SELECT c, sum(b) FROM t GROUP BY ROLLUP (c)", "- 91; x 71; y 20; z -"),
    ("SELECT a, c, grouping(a, c), count(*) FROM t WHERE a = 2 GROUP BY CUBE (a, c)",
      "- - 3 2; - x 2 1; - y 2 1; 2 - 1 2; 2 x 0 1; 2 y 0 1"),
    ("SELECT count(*) FROM w GROUP BY GROUPING SETS ((), (k))", "0"),
    ("SELECT c, count(*) AS n FROM t GROUP BY ROLLUP (c) ORDER BY n DESC, c LIMIT 2", "- 5; x 3"),
  ]) func grouping(sql: String, expected: String) throws {
    #expect(try rows(sql) == expected)
  }

  @Test(arguments: [
    ("SELECT t.b, u.d FROM t, u WHERE t.a = u.a", "10 100; 20 15; 20 200; 21 15; 21 200"),
    ("SELECT t.b, d FROM t JOIN u ON t.a = u.a AND d > 50", "10 100; 20 200; 21 200"),
    ("SELECT t.b, d FROM t LEFT JOIN u ON t.a = u.a AND d > 150", "- -; 10 -; 20 200; 21 200; 40 -"),
    ("SELECT b, d FROM t RIGHT JOIN u ON t.a = u.a AND b = 20", "- 100; - 500; - 600; 20 15; 20 200"),
    ("SELECT b, d FROM t FULL JOIN u ON t.a + 1 = u.a", "- -; - 100; - 500; - 600; 10 15; 10 200; 20 -; 21 -; 40 -"),
    ("SELECT b, d FROM t LEFT JOIN u ON false WHERE b < 21", "10 -; 20 -"),
    ("SELECT count(*) FROM t CROSS JOIN u", "25"),
    ("SELECT a, b, d FROM t JOIN u USING (a)", "1 10 100; 2 20 15; 2 20 200; 2 21 15; 2 21 200"),
    ("SELECT a FROM t FULL JOIN u USING (a)", "-; -; 1; 2; 2; 2; 2; 3; 5"),
    ("SELECT a FROM t RIGHT JOIN u USING (a) WHERE d = 500", "5"),
    ("SELECT * FROM t NATURAL JOIN u WHERE d = 100", "1 10 x 100 x"),
    ("SELECT x.a, y.a FROM t x JOIN t y ON x.a = y.a AND x.b < y.b", "2 2"),
    ("SELECT b FROM t JOIN u ON t.a = u.a AND u.d = (SELECT max(d) FROM u WHERE a = 2)", "20; 21"),
    ("SELECT t.b, s FROM t CROSS JOIN LATERAL (SELECT d FROM u WHERE u.a = t.a) x (s) WHERE s > 50",
      "10 100; 20 200; 21 200"),
    ("SELECT t.b, s FROM t LEFT JOIN LATERAL (SELECT d FROM u WHERE u.a = t.a AND d > 50) x (s) ON true",
      "- -; 10 100; 20 200; 21 200; 40 -"),
    ("SELECT q.d, b FROM (t JOIN u ON t.a = u.a) JOIN (SELECT 200 AS d) q ON q.d = u.d", "200 20; 200 21"),
  ]) func joins(sql: String, expected: String) throws {
    #expect(try rows(sql) == expected)
  }

  @Test(arguments: [
    ("SELECT a FROM t UNION SELECT a FROM u", "-; 1; 2; 3; 5"),
    ("SELECT a FROM t UNION ALL SELECT d FROM u WHERE d > 400", "-; 1; 2; 2; 3; 500; 600"),
    ("SELECT a FROM t INTERSECT SELECT a FROM u", "-; 1; 2"), ("SELECT a FROM t EXCEPT SELECT a FROM u", "3"),
    ("SELECT a FROM t INTERSECT SELECT a FROM u INTERSECT SELECT 2", "2"),
    ("SELECT a, a FROM t UNION SELECT 7, 8", "- -; 1 1; 2 2; 3 3; 7 8"),
    ("SELECT a FROM u EXCEPT SELECT a FROM t EXCEPT SELECT 5", ""),
    ("SELECT x FROM (SELECT 1 AS x UNION SELECT 2) WHERE x > 1", "2"),
    ("WITH q AS (SELECT a FROM t WHERE a > 1) SELECT count(*) FROM q x, q y", "9"),
    ("WITH q (z) AS (SELECT a FROM t), r AS (SELECT z + 1 AS y FROM q) SELECT y FROM r", "-; 2; 3; 3; 4"),
    ("WITH t AS (SELECT 1 AS only) SELECT * FROM t", "1"), ("SELECT 1 UNION (SELECT 1 UNION ALL SELECT 1)", "1"),
    ("WITH q AS (SELECT 1 AS v) SELECT (SELECT v FROM q) + v FROM q", "2"),
  ]) func setsAndNamedQueries(sql: String, expected: String) throws {
    #expect(try rows(sql) == expected)
  }
}

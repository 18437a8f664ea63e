// Owns the tests of what is certain about row counts and unique columns.

import Testing

@testable import Planning

struct RowBoundsTests {
  private func body(_ sql: String) throws -> PlanNode { try plan(sql).root.sources[0] }

  @Test(arguments: [
    ("SELECT a FROM t", 0, nil), ("VALUES 1, 2", 2, 2), ("SELECT count(*) FROM t", 1, 1),
    ("SELECT a FROM t LIMIT 3", 0, 3), ("SELECT * FROM (VALUES 1, 2, 3) OFFSET 2", 1, 1),
    ("SELECT a, count(*) FROM t GROUP BY a", 0, nil), ("SELECT 1 UNION ALL SELECT 2", 2, 2),
    ("(SELECT a FROM t LIMIT 3) UNION ALL (SELECT a FROM t LIMIT 4)", 0, 7),
    ("(SELECT a FROM t LIMIT 9223372036854775807) UNION ALL (SELECT a FROM t LIMIT 9223372036854775807)", 0, nil),
    (
      "SELECT * FROM (SELECT a FROM t LIMIT 9223372036854775807) x "
        + "FULL JOIN (SELECT a FROM t LIMIT 9223372036854775807) y ON x.a = y.a", 0, nil
    ),
    ("SELECT x FROM (VALUES 1, 2) AS v (x) WHERE x > 1", 0, 2),
    ("SELECT * FROM (VALUES 1, 2) AS v (x) CROSS JOIN (SELECT count(*) FROM t)", 2, 2),
    ("SELECT * FROM (VALUES 1, 2) AS v (x) LEFT JOIN t ON x = a", 2, nil),
    ("SELECT * FROM (VALUES 1, 2) AS v (x) JOIN (VALUES 1, 2, 3) AS w (y) ON x = y", 0, 6),
  ] as [(String, Int, Int?)])
  func bounds(sql: String, least: Int, most: Int?) throws {
    let bounds = RowBounds(of: try body(sql))
    #expect(bounds.least == least)
    #expect(bounds.most == most)
  }

  @Test(arguments: [
    ("SELECT a, count(*) FROM t GROUP BY a", ["a"]), ("SELECT DISTINCT a, b FROM t", ["a", "b"]),
    ("SELECT a FROM t", nil), ("SELECT count(*) FROM t", []),
    ("SELECT x + 1 FROM (SELECT DISTINCT a AS x FROM t)", nil),
    (
      "SELECT * FROM (SELECT DISTINCT a FROM t) AS d LEFT JOIN (SELECT a AS k, max(d) FROM u GROUP BY a) ON a = k",
      ["a"]
    ),
    ("SELECT * FROM (SELECT DISTINCT a FROM t) AS d LEFT JOIN u ON d.a = u.a", nil),
  ] as [(String, [String]?)])
  func uniqueColumns(sql: String, names: [String]?) throws {
    #expect(try body(sql).uniqueKey.map { $0.map(\.name).sorted() } == names)
  }
}

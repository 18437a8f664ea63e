// Owns the tests of the query grammar.
import Base
import Testing

@testable import SQLSyntax

struct QueryTests {
  @Test func clausesOfASelect() throws {
    let query = try parsedQuery(
      """
      SELECT DISTINCT a, b AS x, c y, t.*, * FROM s.t WHERE a > 1 GROUP BY a, 2 HAVING count(*) > 1
      WINDOW w AS (PARTITION BY a) ORDER BY x DESC NULLS FIRST, 2 OFFSET 5 ROWS LIMIT 10;
      """)
    guard case .select(let select) = query.body else {
      Issue.record("not a SELECT")
      return
    }
    #expect(select.isDistinct)
    #expect(select.items.count == 5)
    #expect(select.groupBy?.elements.count == 2)
    #expect(select.having != nil)
    #expect(select.windows.map(\.name.value) == ["w"])
    #expect(query.orderBy.map(\.isAscending) == [false, true])
    #expect(query.orderBy.map(\.nullsFirst) == [true, nil])
    #expect(query.offset?.kind == .number(5))
    #expect(query.limit == .rows(RowCount(kind: .number(10), location: query.location)))
  }

  @Test func wordsThatMayBeNamesServeAsAliases() throws {
    #expect(QueryFormatter.format(try parsedQuery("SELECT a date FROM t limit LIMIT 1"))
      == "SELECT a date FROM t limit LIMIT 1")
    #expect(QueryFormatter.format(try parsedQuery("SELECT a FROM t LIMIT")) == "SELECT a FROM t LIMIT")
    #expect(QueryFormatter.format(try parsedQuery("SELECT 1 OFFSET 2")) == "SELECT 1 OFFSET 2 ROWS")
    #expect(QueryFormatter.format(try parsedQuery("SELECT f(x) over, g(x) filter FROM t"))
      == "SELECT f(x) over, g(x) filter FROM t")
    #expect(QueryFormatter.format(try parsedQuery("SELECT all FROM t")) == "SELECT all FROM t")
    #expect(QueryFormatter.format(try parsedQuery("SELECT ALL a FROM t")) == "SELECT a FROM t")
  }

  @Test func limits() throws {
    #expect(try parsedQuery("SELECT 1 LIMIT ALL").limit == .all)
    #expect(QueryFormatter.format(try parsedQuery("SELECT 1 FETCH NEXT ROW ONLY")) == "SELECT 1 FETCH FIRST ROWS ONLY")
    #expect(QueryFormatter.format(try parsedQuery("SELECT 1 OFFSET ? FETCH FIRST 2 ROWS WITH TIES"))
      == "SELECT 1 OFFSET ? ROWS FETCH FIRST 2 ROWS WITH TIES")
  }

  @Test func setOperationsBindFromTheLeftAndIntersectFirst() throws {
    guard case .setOperation(let union) = try parsedQuery(
      "SELECT 1 UNION SELECT 2 INTERSECT SELECT 3 UNION SELECT 4 ORDER BY 1").body
    else {
      Issue.record("not a set operation")
      return
    }
    #expect(union.kind == .union && union.isDistinct)
    #expect(union.inputs.count == 3)
    guard case .setOperation(let intersect) = union.inputs[1] else {
      Issue.record("INTERSECT did not bind first")
      return
    }
    #expect(intersect.kind == .intersect)
    guard case .setOperation(let mixed) = try parsedQuery("SELECT 1 UNION ALL SELECT 2 UNION SELECT 3").body else {
      Issue.record("not a set operation")
      return
    }
    #expect(mixed.isDistinct && mixed.inputs.count == 2)
    guard case .setOperation(let except) = try parsedQuery("TABLE a EXCEPT TABLE b EXCEPT TABLE c").body else {
      Issue.record("not a set operation")
      return
    }
    #expect(except.inputs.count == 2)
  }

  @Test func aParenthesisedUnionIsNotPartOfTheChain() throws {
    guard case .setOperation(let union) = try parsedQuery("(SELECT 1 UNION SELECT 2) UNION SELECT 3").body else {
      Issue.record("not a set operation")
      return
    }
    #expect(union.inputs.count == 2)
  }

  @Test func manyUnionsAndTermsAreNotDeep() throws {
    let union = Array(repeating: "SELECT 1", count: 5000).joined(separator: " UNION ALL ")
    guard case .setOperation(let operation) = try parsedQuery(union).body else {
      Issue.record("not a set operation")
      return
    }
    #expect(operation.inputs.count == 5000)
    let terms = Array(repeating: "a = 1", count: 5000).joined(separator: " OR ")
    #expect(try parsedSelect("SELECT 1 FROM t WHERE \(terms)").where != nil)
    let list = Array(repeating: "1", count: 20000).joined(separator: ", ")
    #expect(try parsedSelect("SELECT 1 FROM t WHERE a IN (\(list))").where != nil)
  }

  @Test func joins() throws {
    func from(_ sql: String) throws -> String {
      QueryFormatter.format(try parsedQuery("SELECT * FROM \(sql)"))
    }
    #expect(try from("a JOIN b ON a.x = b.x LEFT OUTER JOIN c USING (y)")
      == "SELECT * FROM a JOIN b ON (a.x = b.x) LEFT JOIN c USING (y)")
    #expect(try from("a CROSS JOIN b NATURAL FULL JOIN c, d") == "SELECT * FROM a CROSS JOIN b NATURAL FULL JOIN c, d")
    #expect(try from("a JOIN b JOIN c ON b.x = c.x ON a.x = b.x")
      == "SELECT * FROM a JOIN (b JOIN c ON (b.x = c.x)) ON (a.x = b.x)")
    #expect(try from("a RIGHT JOIN (b INNER JOIN c ON TRUE) ON FALSE")
      == "SELECT * FROM a RIGHT JOIN (b JOIN c ON true) ON false")
    #expect(try from("((a))") == "SELECT * FROM a")
    #expect(try from("((SELECT 1) x JOIN y ON true)") == "SELECT * FROM (SELECT 1) x JOIN y ON true")
    #expect(try from("((SELECT 1))") == "SELECT * FROM ((SELECT 1))")
  }

  @Test func relations() throws {
    func from(_ sql: String) throws -> String {
      QueryFormatter.format(try parsedQuery("SELECT * FROM \(sql)"))
    }
    #expect(try from("c.s.t AS x (a, b)") == "SELECT * FROM c.s.t x (a, b)")
    #expect(try from("(VALUES (1, 'a'), (2, 'b')) v (n, s)")
      == "SELECT * FROM (VALUES ROW (1, 'a'), ROW (2, 'b')) v (n, s)")
    #expect(try from("t, LATERAL (SELECT t.a)") == "SELECT * FROM t, LATERAL (SELECT t.a)")
    #expect(try from("UNNEST(ARRAY[1]) WITH ORDINALITY AS u (v, n)")
      == "SELECT * FROM UNNEST (ARRAY[1]) WITH ORDINALITY u (v, n)")
  }

  @Test func with() throws {
    let query = try parsedQuery("WITH a AS (SELECT 1), b (x) AS (TABLE a) SELECT * FROM b")
    #expect(query.with?.queries.map(\.name.value) == ["a", "b"])
    #expect(query.with?.isRecursive == false)
    #expect(try parsedQuery("WITH RECURSIVE a (n) AS (SELECT 1) TABLE a").with?.isRecursive == true)
  }

  @Test func groupingElements() throws {
    let select = try parsedSelect(
      "SELECT 1 FROM t GROUP BY DISTINCT a, (), (b, c), (d), ROLLUP (a, (b, c)), CUBE (a), GROUPING SETS ((), a, (b))")
    let groupBy = try #require(select.groupBy)
    #expect(groupBy.isDistinct)
    let sizes = groupBy.elements.map { element in
      switch element {
      case .simple(let columns): "simple \(columns.count)"
      case .rollup(let sets): "rollup \(sets.map(\.count))"
      case .cube(let sets): "cube \(sets.map(\.count))"
      case .groupingSets(let sets): "sets \(sets.map(\.count))"
      }
    }
    #expect(sizes == ["simple 1", "simple 0", "simple 2", "simple 1", "rollup [1, 2]", "cube [1]", "sets [0, 1, 1]"])
  }
}

// Owns the test of rows dropped early by keys of another stage: planned as for large tables, run on small ones.

import Columnar
import ConnectorAPI
import LocalRunner
import Planning
import Testing

struct DynamicFilterTests {
  private static let tables = [
    "item": MemoryTable(
      [("part", .bigint), ("supplier", .bigint), ("quantity", .bigint)],
      rows: (0..<60).map { row in
        [row % 13 == 0 ? .null : .integer(row % 7), .integer(row % 3), row % 11 == 0 ? .null : .integer(row)]
      }),
    "part": MemoryTable(
      [("id", .bigint), ("brand", .bigint)],
      rows: (0..<9).map { [$0 == 8 ? .null : .integer($0), .integer($0 % 4)] }),
  ]

  private func runner(_ isOptimized: Bool) -> LocalRunner {
    let connector = MemoryTables(
      catalog: "memory", tables: Self.tables, rowsPerSplit: 7, claimedRows: ["item": 1e8, "part": 1e5])
    var options = LocalRunner.Options()
    options.isOptimized = isOptimized
    return LocalRunner(
      Catalogs(["memory": connector]), catalog: "memory", schema: MemoryTables.schema, options: options)
  }

  @Test(arguments: [
    "SELECT quantity FROM item, part WHERE part = id AND brand = 1 "
      + "AND quantity > (SELECT avg(i.quantity) FROM item i WHERE i.part = id)",
    "SELECT id, n FROM part JOIN (SELECT part, count(*) AS n FROM item GROUP BY part) ON part = id WHERE brand = 2",
    "SELECT id, n FROM part LEFT JOIN (SELECT part, count(*) AS n FROM item GROUP BY part) ON part = id "
      + "WHERE brand = 2",
    "SELECT id, s FROM part JOIN (SELECT part, supplier, sum(quantity) AS s FROM item GROUP BY part, supplier) "
      + "ON part = id AND supplier = id WHERE brand IN (1, 2)",
    "SELECT id FROM part WHERE brand = 3 "
      + "AND id IN (SELECT part FROM item GROUP BY part HAVING sum(quantity) > 100)",
    "SELECT id, (SELECT max(quantity) FROM item WHERE part = id) FROM part WHERE brand = 1",
  ])
  func reducedGroupsGiveTheSameRows(_ sql: String) throws {
    #expect(try runner(true).plan(sql).fragments.contains { !$0.keySources.isEmpty })
    let expected = try runner(false).rows(sql).map { "\($0)" }.sorted()
    #expect(try runner(true).rows(sql).map { "\($0)" }.sorted() == expected)
    #expect(!expected.isEmpty)
  }

  @Test(arguments: [
    "SELECT id FROM part WHERE brand = 1 AND EXISTS (SELECT 1 FROM item WHERE part = id AND quantity > 30)",
    "SELECT id FROM part WHERE brand = 1 AND NOT EXISTS (SELECT 1 FROM item WHERE part = id AND quantity > 55)",
    "SELECT id FROM part WHERE brand = 2 AND EXISTS (SELECT 1 FROM item WHERE part = id AND quantity > id * 10)",
    "SELECT id FROM part WHERE brand < 1 AND NOT EXISTS (SELECT 1 FROM item WHERE part = id AND supplier <> brand)",
    "SELECT id FROM part WHERE brand = 3 AND id IN (SELECT part FROM item)",
  ])
  func reducedMatchesGiveTheSameRows(_ sql: String) throws {
    #expect(try runner(true).plan(sql).fragments.contains { !$0.keySources.isEmpty })
    let expected = try runner(false).rows(sql).map { "\($0)" }.sorted()
    #expect(try runner(true).rows(sql).map { "\($0)" }.sorted() == expected)
    #expect(!expected.isEmpty)
  }

  @Test(arguments: [
    // Groups without a partner count here.
    "SELECT id, n FROM part RIGHT JOIN (SELECT part, count(*) AS n FROM item GROUP BY part) ON part = id AND brand = 1",
    // Which rows a limit leaves is not certain twice.
    "SELECT n FROM (SELECT id FROM part LIMIT 2) "
      + "JOIN (SELECT part, count(*) AS n FROM item GROUP BY part) ON part = id",
  ])
  func groupsThatMustStayDo(_ sql: String) throws {
    guard case .bytes(let text) = try runner(true).rows("EXPLAIN (TYPE LOGICAL) \(sql)")[0][0] else { return }
    #expect(!String(decoding: text, as: UTF8.self).contains("SemiJoin"))
  }
}

// Owns the test that queries give the same rows when their plans change while they run: joins turned round, joins done
// elsewhere, stages left out.

import Columnar
import ConnectorAPI
import LocalRunner
import Planning
import Synchronization
import Testing

struct AdaptiveTests {
  private static let tables = [
    "item": MemoryTable(
      [("part", .bigint), ("supplier", .bigint), ("quantity", .bigint)],
      rows: (0..<90).map { row in
        [row % 13 == 0 ? .null : .integer(row % 11), .integer(row % 3), row % 7 == 0 ? .null : .integer(row)]
      }),
    "part": MemoryTable(
      [("id", .bigint), ("brand", .bigint)],
      rows: (0..<9).map { [$0 == 8 ? .null : .integer($0), .integer($0 % 4)] }),
    "shop": MemoryTable([("id", .bigint), ("town", .bigint)], rows: (0..<5).map { [.integer($0), .integer($0 % 2)] }),
    "nothing": MemoryTable([("id", .bigint), ("x", .bigint)], rows: []),
  ]

  /// Sizes that make the planner spread what is small and build what is big.
  private func runner(_ claimed: [String: Double], joins: JoinDistribution? = .partitioned) -> LocalRunner {
    let connector = MemoryTables(catalog: "memory", tables: Self.tables, rowsPerSplit: 20, claimedRows: claimed)
    var options = LocalRunner.Options()
    options.joinDistribution = joins
    return LocalRunner(
      Catalogs(["memory": connector]), catalog: "memory", schema: MemoryTables.schema, options: options)
  }

  /// What was decided while `sql` ran with plans that change at the least reason; its rows must stay the same.
  private func decisions(
    _ sql: String, claimed: [String: Double], joins: JoinDistribution? = .partitioned,
    options: AdaptiveOptions = AdaptiveOptions(minSizeThreshold: 0)
  ) throws -> [String] {
    var runner = runner(claimed, joins: joins)
    let expected = try runner.rows(sql).map { "\($0)" }.sorted()
    let made = Made()
    runner.options.adaptive = options
    runner.options.onDecision = { made.add($0) }
    #expect(try runner.rows(sql).map { "\($0)" }.sorted() == expected)
    return made.all
  }

  private final class Made: Sendable {
    private let list = Mutex<[String]>([])
    func add(_ decision: String) { list.withLock { $0.append(decision) } }
    var all: [String] { list.withLock { $0 } }
  }

  /// The tables' sizes the wrong way round.
  private static let wrong: [String: Double] = ["item": 1e4, "part": 1e8, "shop": 1e7, "nothing": 1e6]

  @Test(arguments: [
    "SELECT quantity, brand FROM item JOIN part ON part = id",
    "SELECT quantity, brand FROM item LEFT JOIN part ON part = id AND quantity > brand",
    "SELECT quantity, brand FROM part RIGHT JOIN item ON part = id",
    "SELECT quantity, brand FROM part LEFT JOIN item ON part = id AND quantity > 50",
    "SELECT quantity, brand FROM item FULL JOIN part ON part = id",
    "SELECT brand, sum(quantity) FROM item JOIN part ON part = id GROUP BY brand",
    "SELECT a.quantity, town FROM item a JOIN part p ON a.part = p.id JOIN shop s ON s.id = a.supplier",
  ])
  func joinsTurnRound(_ sql: String) throws {
    var options = AdaptiveOptions(minSizeThreshold: 0)
    options.mayDistribute = false
    options.sizeDifferenceRatio = 1
    #expect(try decisions(sql, claimed: Self.wrong, options: options).contains { $0.hasPrefix("joinSidesSwapped") })
  }

  @Test(arguments: [
    "SELECT quantity, brand FROM item JOIN part ON part = id ORDER BY quantity",
    "SELECT brand, sum(quantity) FROM item LEFT JOIN part ON part = id GROUP BY brand",
    "SELECT supplier, count(*) FROM item WHERE part IN (SELECT id FROM part WHERE brand = 1) GROUP BY supplier",
    "SELECT count(*) FROM item WHERE NOT EXISTS (SELECT 1 FROM part WHERE id = part AND brand > 1)",
    "SELECT town, sum(quantity + brand) FROM item a JOIN part p ON a.part = p.id JOIN shop s ON s.id = a.supplier "
      + "GROUP BY town",
    "SELECT count(*) FROM item WHERE quantity > 80 OR EXISTS (SELECT 1 FROM part WHERE id = part AND brand > 2)",
  ])
  func joinsAreDoneWhereTheirRowsAre(_ sql: String) throws {
    // Both thought to be big; one is small after all.
    let made = try decisions(sql, claimed: ["item": 1e8, "part": 1e7, "shop": 1e6])
    #expect(made.contains { $0.hasPrefix("joinMadeBroadcast") }, "\(made)")
  }

  @Test(arguments: [
    "SELECT quantity, brand FROM item JOIN part ON part = id ORDER BY quantity, brand",
    "SELECT brand, sum(quantity) FROM item LEFT JOIN part ON part = id AND quantity > brand GROUP BY brand",
    "SELECT count(*) FROM item WHERE part IN (SELECT id FROM part WHERE brand = 1)",
    "SELECT count(*) FROM item WHERE NOT EXISTS (SELECT 1 FROM part WHERE id = part AND brand > 1)",
    "SELECT town, sum(quantity + brand) FROM item a JOIN part p ON a.part = p.id JOIN shop s ON s.id = a.supplier "
      + "GROUP BY town",
  ])
  func joinsAreSpreadWhereCopiesAreTooBig(_ sql: String) throws {
    // Thought to be small.
    let claimed: [String: Double] = ["item": 1e8, "part": 1, "shop": 1]
    let made = try decisions(sql, claimed: claimed, joins: nil, options: AdaptiveOptions(broadcastBytesMax: 20))
    #expect(made.contains { $0.hasPrefix("joinMadePartitioned") }, "\(made)")
    let most = AdaptiveOptions(broadcastBytesMax: 1 << 20)
    let kept = try decisions(sql, claimed: claimed, joins: nil, options: most)
    #expect(!kept.contains { $0.hasPrefix("joinMadePartitioned") }, "\(kept)")
  }

  @Test(arguments: [
    "SELECT s, count(*) FROM (SELECT part, sum(quantity) AS s FROM item GROUP BY part) GROUP BY s",
    "SELECT brand, count(*) FROM (SELECT part, max(quantity) AS q FROM item GROUP BY part) JOIN part ON q = id "
      + "GROUP BY brand",
  ])
  func tooBigTasksGetFewerRows(_ sql: String) throws {
    var options = AdaptiveOptions()
    options.partitioning = .init(count: 7, taskBytesMax: 0)
    let made = try decisions(sql, claimed: ["item": 1e8, "part": 1e7], options: options)
    #expect(made.contains { $0.hasPrefix("partitionsRaised") && $0.hasSuffix("it gets 7") }, "\(made)")
    options.partitioning?.taskBytesMax = 1 << 50
    let still = try decisions(sql, claimed: ["item": 1e8, "part": 1e7], options: options)
    #expect(!still.contains { $0.hasPrefix("partitionsRaised") }, "\(still)")
  }

  @Test func whatWasKnownBeforeChangesNothing() throws {
    let sql = "SELECT quantity, brand FROM item JOIN part ON part = id"
    #expect(try decisions(sql, claimed: [:], options: AdaptiveOptions()) == [])
  }

  @Test(arguments: [
    ("SELECT quantity FROM item JOIN nothing ON part = id", 1),
    ("SELECT quantity, x FROM item LEFT JOIN nothing ON part = id", 0),
    ("SELECT quantity, x FROM nothing LEFT JOIN item ON part = id", 1),
    ("SELECT count(*), sum(quantity) FROM item JOIN nothing ON part = id", 1),
    ("SELECT part, count(*) FROM item JOIN nothing ON part = id GROUP BY part ORDER BY 2", 1),
    ("SELECT count(*) FROM item WHERE part IN (SELECT id FROM nothing)", 1),
    ("SELECT count(*) FROM item WHERE part NOT IN (SELECT id FROM nothing)", 0),
    ("SELECT count(*) FROM item WHERE quantity > 80 OR part IN (SELECT id FROM nothing)", 0),
    ("SELECT quantity FROM item JOIN nothing ON part = id UNION ALL SELECT brand FROM part", 0),
    ("SELECT quantity, (SELECT max(x) FROM nothing) FROM item JOIN part ON part = id", 0),
    ("SELECT brand, (SELECT count(*) FROM nothing WHERE x = brand) FROM part", 0),
    ("SELECT quantity FROM item JOIN (SELECT id FROM part WHERE brand > 100) ON part = id LIMIT 5", 1),
    ("SELECT a.quantity FROM item a JOIN part ON part = id FULL JOIN (SELECT id FROM nothing) n ON n.id = a.part", 0),
  ])
  func emptyInputsLeaveStagesOut(_ sql: String, _ least: Int) throws {
    let made = try decisions(sql, claimed: ["item": 1e8, "part": 1e6, "nothing": 1e5], joins: nil)
    #expect(made.count { $0.hasPrefix("skipped") } >= least, "\(made)")
  }
}

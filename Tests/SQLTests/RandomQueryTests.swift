// Owns the test of random queries: however a query is planned and cut into tasks, it gives the same rows. A failing
// seed is printed with its query.

import Base
import Columnar
import ConnectorAPI
import LocalRunner
import Planning
import Testing

struct RandomQueryTests {
  private static func table(_ names: [String], _ rows: [[Int64?]]) -> MemoryTable {
    MemoryTable(
      names.map { ($0, .integer) },
      rows: rows.map { $0.map { number in number.map { Value.integer($0) } ?? .null } })
  }

  /// Few values, so that keys meet, and NULL in every column.
  private static let tables = [
    "t": table(["a", "b"], [[1, 10], [2, 20], [2, 21], [3, 3], [nil, 20], [3, nil], [1, 1], [20, 2]]),
    "u": table(["a", "d"], [[1, 100], [2, 200], [2, 15], [nil, 3], [4, nil], [3, 150], [20, 20]]),
    "w": table(["k", "x"], [[1, 1], [2, nil], [nil, 20], [3, 150], [150, 3]]),
  ]

  /// What the optimiser is told of the tables' sizes: the truth, nothing, and sizes at which every kind of plan pays.
  private static let claims: [[String: Double]?] = [
    nil, [:], ["t": 1e8, "u": 1e5, "w": 1e3], ["t": 1e4, "u": 1e8, "w": 1e7], ["t": 1e7, "u": 1e2],
  ]

  private static func lines(
    _ sql: String, _ options: LocalRunner.Options, claimedRows: [String: Double]? = nil
  ) throws -> [String] {
    let connector = MemoryTables(catalog: "memory", tables: tables, claimedRows: claimedRows)
    let runner = LocalRunner(
      Catalogs(["memory": connector]), catalog: "memory", schema: MemoryTables.schema, options: options)
    return try runner.rows(sql).map { "\($0)" }.sorted()
  }

  @Test(arguments: [1, 2, 3, 4])
  func allWaysGiveTheSameRows(_ part: UInt64) throws {
    var compared = 0
    for seed in (part * 10_000)..<(part * 10_000 + 60) {
      var random = RandomQuery(seed: seed)
      let sql = random.query()
      let expected: [String]
      do {
        expected = try Self.lines(sql, LogicTests.ways[1].options)
      } catch let error as WaterbearError where error.code == .notSupported || error.code == .typeMismatch {
        continue
      }
      compared += 1
      for index in 0..<max(Self.claims.count, LogicTests.ways.count) {
        let claimedRows = Self.claims[index % Self.claims.count]
        let way = LogicTests.ways[index % LogicTests.ways.count]
        let found = try Self.lines(sql, way.options, claimedRows: claimedRows)
        #expect(found == expected, "seed \(seed), \(way.name), sizes \(index): \(sql)")
      }
    }
    // Nearly every query is one that Waterbear has; otherwise the test has lost its point.
    #expect(compared > 45)
  }
}

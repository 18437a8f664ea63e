// Owns the tests of dynamic filters between stages: which joins have them, in which direction, and that stages never
// wait for each other in a circle.

import LocalRunner
import Testing

@testable import Planning

struct KeySourceTests {
  /// The dynamic filters of a query whose joins are all partitioned, as `restricted IN key`.
  private func filters(_ sql: String, rowsMin: Double = 1) throws -> [String] {
    var runner = try snapshotRunner()
    runner.options.joinDistribution = .partitioned
    runner.options.dynamicFilterRowsMin = rowsMin
    return try runner.plan(sql).fragments.flatMap(\.keySources).map { "\($0.restricted.name) IN \($0.key.name)" }
  }

  private let fewOrders = "(SELECT * FROM orders WHERE o_orderdate = DATE '1995-01-01') o"

  @Test func theSideWithFewKeysRestrictsTheOther() throws {
    let join = "lineitem JOIN \(fewOrders) ON l_orderkey = o_orderkey"
    #expect(try filters("SELECT l_tax, o_clerk FROM \(join)") == ["l_orderkey IN o_orderkey"])
    #expect(try filters("SELECT l_tax, o_clerk FROM \(join)", rowsMin: 1e9) == [])
    #expect(try filters("SELECT l_tax, o_clerk FROM lineitem JOIN orders ON l_orderkey = o_orderkey") == [])
  }

  @Test func outerJoinsRestrictOnlyTheSideThatMayVanish() throws {
    let (few, many) = (fewOrders, "lineitem")
    let condition = "ON l_orderkey = o_orderkey"
    #expect(try filters("SELECT o_clerk, l_tax FROM \(few) LEFT JOIN \(many) \(condition)").count == 1)
    #expect(try filters("SELECT o_clerk, l_tax FROM \(many) RIGHT JOIN \(few) \(condition)").count == 1)
    #expect(try filters("SELECT o_clerk, l_tax FROM \(many) LEFT JOIN \(few) \(condition)") == [])
    #expect(try filters("SELECT o_clerk, l_tax FROM \(many) FULL JOIN \(few) \(condition)") == [])
  }

  @Test func theSideThatIsAskedForMatchesIsRestricted() throws {
    let exists = "(SELECT 1 FROM lineitem WHERE l_orderkey = o_orderkey)"
    #expect(try filters("SELECT o_clerk FROM \(fewOrders) WHERE EXISTS \(exists)").count == 1)
    #expect(try filters("SELECT o_clerk FROM \(fewOrders) WHERE NOT EXISTS \(exists)").count == 1)
    #expect(try filters("SELECT o_clerk, EXISTS \(exists) FROM \(fewOrders)").count == 1)
    // NOT IN must know of every NULL, and whether there is any row.
    let notIn = "o_orderkey NOT IN (SELECT nullif(l_orderkey, 5) FROM lineitem)"
    #expect(try filters("SELECT o_clerk FROM \(fewOrders) WHERE \(notIn)") == [])
  }

  @Test func groupKeysPassFiltersOn() throws {
    let sums = "(SELECT l_orderkey, sum(l_tax) AS tax FROM lineitem GROUP BY l_orderkey) s"
    #expect(try filters("SELECT tax FROM \(sums) JOIN \(fewOrders) ON l_orderkey = o_orderkey").count == 1)
    // A limit in between decides by the rows that it sees.
    let first = "(SELECT l_orderkey, l_tax FROM lineitem ORDER BY l_shipdate LIMIT 1000000) s"
    #expect(try filters("SELECT l_tax FROM \(first) JOIN \(fewOrders) ON l_orderkey = o_orderkey") == [])
  }

  @Test func stagesNeverWaitForEachOtherInACircle() throws {
    let sql = "SELECT count(*) FROM \(fewOrders) JOIN lineitem a ON a.l_orderkey = o_orderkey "
      + "JOIN lineitem b ON b.l_orderkey = a.l_orderkey JOIN (SELECT * FROM lineitem WHERE l_shipmode = 'AIR') c "
      + "ON c.l_orderkey = b.l_orderkey"
    var runner = try snapshotRunner()
    runner.options.joinDistribution = .partitioned
    runner.options.dynamicFilterRowsMin = 1
    let plan = try runner.plan(sql)
    #expect(plan.fragments.flatMap(\.keySources).count >= 3)
    for fragment in plan.fragments { #expect(fragment.inputs.allSatisfy { $0.fragment > fragment.number }) }
  }
}

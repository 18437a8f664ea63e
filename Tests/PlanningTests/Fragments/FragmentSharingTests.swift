// Owns the tests of equal fragments: that they run once, and that what only looks equal does not.

import LocalRunner
import Testing

@testable import Planning

struct FragmentSharingTests {
  /// How many fragments scan a table.
  private func scans(of table: String, in sql: String) throws -> Int {
    func reads(_ node: PlanNode) -> Bool {
      if case .tableScan(let scan) = node { return scan.table.name == table }
      return node.sources.contains(where: reads)
    }
    var runner = try snapshotRunner()
    runner.options.joinDistribution = .partitioned
    return try runner.plan(sql).fragments.count { reads($0.root) }
  }

  private let revenue = "WITH r AS (SELECT l_suppkey, sum(l_tax) AS tax FROM lineitem GROUP BY 1)"

  @Test func aNamedQueryRunsOnceForTwoReaders() throws {
    let most = "(SELECT max(tax) FROM r)"
    #expect(try scans(of: "lineitem", in: "\(revenue) SELECT l_suppkey FROM r WHERE tax = \(most)") == 1)
    // What reads equal fragments is equal, too.
    let chain = "(SELECT max(s_acctbal) FROM supplier JOIN nation ON s_nationkey = n_nationkey)"
    let sql = "SELECT (\(chain) + \(chain)) FROM region"
    #expect(try scans(of: "supplier", in: sql) == 1)
    #expect(try scans(of: "nation", in: sql) == 1)
  }

  @Test func whatDiffersRunsTwice() throws {
    func pair(_ one: String, _ two: String) -> String {
      "SELECT * FROM (\(one)) a JOIN (\(two)) b ON a.k = b.m"
    }
    let sums = "SELECT l_suppkey AS k, sum(l_tax) AS t FROM lineitem"
    let others = "SELECT l_suppkey AS m, sum(l_tax) AS u FROM lineitem"
    func count(_ one: String, _ two: String) throws -> Int { try scans(of: "lineitem", in: pair(one, two)) }
    #expect(try count("\(sums) WHERE l_tax > 0.01 GROUP BY 1", "\(others) WHERE l_tax > 0.02 GROUP BY 1") == 2)
    #expect(try count("\(sums) GROUP BY 1", "SELECT l_partkey AS m, sum(l_tax) AS u FROM lineitem GROUP BY 1") == 2)
    #expect(try count("\(sums) GROUP BY 1", "SELECT l_suppkey AS m, max(l_tax) AS u FROM lineitem GROUP BY 1") == 2)
  }

  @Test func rowsOfASharedFragmentArriveAtBothReaders() throws {
    let sql = "\(revenue) SELECT count(*) FROM r WHERE tax >= (SELECT avg(tax) FROM r)"
    let apart = "\(revenue), s AS (SELECT l_suppkey, sum(l_tax + 0) AS tax FROM lineitem GROUP BY 1) "
      + "SELECT count(*) FROM r WHERE tax >= (SELECT avg(tax) FROM s)"
    var runner = try snapshotRunner()
    runner = LocalRunner(runner.catalogs, catalog: "tpch", schema: "tiny", options: runner.options)
    #expect(try runner.plan(sql).fragments.count < runner.plan(apart).fragments.count)
    #expect(try runner.rows(sql) == runner.rows(apart))
  }
}

// Owns the test that a query of very many joins is planned and answered: more than an order is searched for.

import LocalRunner
import Testing

struct ManyJoinsTests {
  @Test(arguments: [(39, ""), (70, ""), (70, " WHERE n0.n_nationkey IN (SELECT r_regionkey FROM region)")])
  func manyTablesJoin(tables: Int, condition: String) throws {
    let runner = LocalRunner(try TPCHCatalog.catalogs(), catalog: "tpch", schema: "tiny")
    let joins = (1..<tables).map { "JOIN nation n\($0) ON n0.n_nationkey = n\($0).n_nationkey" }
    let sql = "SELECT count(*) FROM nation n0 \(joins.joined(separator: " "))\(condition)"
    #expect(try runner.rows(sql) == [[.integer(condition.isEmpty ? 25 : 5)]])
  }
}

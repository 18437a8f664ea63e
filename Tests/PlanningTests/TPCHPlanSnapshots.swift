// Owns the plans of the benchmark's 22 queries at scale 1, as EXPLAIN shows them.

import ConnectorAPI
import LocalRunner
import TPCHConnector
import Testing

/// The catalog of plan snapshots: the benchmark at scale 1, with its own column names and decimals.
func snapshotRunner() throws -> LocalRunner {
  let connector = try TPCHConnector(
    catalog: "tpch", properties: ["tpch.column-naming": "STANDARD", "tpch.double-type-mapping": "DECIMAL"])
  var options = LocalRunner.Options()
  options.partitionCount = 50
  options.dynamicFilterRowsMin = 100_000
  return LocalRunner(Catalogs(["tpch": connector]), catalog: "tpch", schema: "sf1", options: options)
}

/// The text that EXPLAIN gives, or the error.
func explained(_ sql: String, _ options: String = "") throws -> String {
  guard case .bytes(let text) = try snapshotRunner().rows("EXPLAIN \(options) \(sql)")[0][0] else { return "" }
  return String(decoding: text, as: UTF8.self)
}

struct TPCHPlanSnapshots {
  @Test(arguments: 1...22)
  func plan(_ number: Int) throws {
    let name = number < 10 ? "q0\(number)" : "q\(number)"
    try Snapshot.expect(explained(Snapshot.file("../../sql/tpch/\(name).sql")), named: "tpch-\(name)")
  }
}

// Measures how fast columns are made. Run by hand:
// WATERBEAR_BENCHMARK=1 swift test -c release -Xswiftc -enable-testing --filter ThroughputTests

import ConnectorAPI
import Glibc
import Testing

@testable import TPCHConnector

@Suite(.enabled(if: getenv("WATERBEAR_BENCHMARK") != nil), .serialized)
struct ThroughputTests {
  /// Rows at scale 1 on one thread; the text pool is there already.
  @Test(arguments: [
    ("lineitem", ["quantity", "extendedprice", "discount", "shipdate"], 10.0),
    (
      "lineitem",
      ["quantity", "extendedprice", "discount", "tax", "returnflag", "linestatus", "shipdate"], 10.0
    ),
    ("lineitem", ["comment"], 2.0), ("orders", ["totalprice", "orderstatus"], 2.0), ("orders", ["comment"], 2.0),
    ("part", ["name"], 2.0), ("customer", ["address", "phone"], 2.0),
  ])
  func millionRowsASecond(_ name: String, _ wanted: [String], _ leastMillions: Double) throws {
    let connector = try makeConnector([:])
    let metadata = try #require(connector.table(schema: "sf1", name: name))
    let columns = wanted.compactMap { name in metadata.columns.first { $0.name == name } }
    var best = 0.0
    for _ in 0..<3 {
      var rows = 0
      let elapsed = try ContinuousClock().measure {
        for split in try connector.splits(of: metadata.handle, columns: columns, constraint: .all) {
          let source = try connector.pageSource(
            for: split, of: metadata.handle, columns: columns, constraint: .all)
          while let batch = try source.next() { rows += batch.count }
        }
      }
      best = max(best, Double(rows) / (elapsed / .seconds(1)) / 1e6)
    }
    print("\(name) \(wanted.joined(separator: ", ")): \((best * 10).rounded() / 10) million rows a second")
    #expect(best > leastMillions)
  }
}

// Owns the test that the benchmark's queries give the answers that DuckDB gives on the same data, scale 0.01.

import Base
import Columnar
import ConnectorAPI
import LocalRunner
import Planning
import TPCHConnector
import Testing

/// The catalog that the benchmark's queries are written for.
enum TPCHCatalog {
  static func catalogs() throws -> Catalogs {
    Catalogs([
      "tpch": try TPCHConnector(
        catalog: "tpch",
        properties: ["tpch.column-naming": "STANDARD", "tpch.double-type-mapping": "DECIMAL"])
    ])
  }
}

struct TPCHTests {
  /// Queries whose ORDER BY leaves ties open, or that have none.
  static let unordered: Set = [2, 3, 9, 10, 11, 16, 18, 21]

  @Test(arguments: 1...22)
  func answers(_ number: Int) throws {
    let name = number < 10 ? "q0\(number)" : "q\(number)"
    let runner = LocalRunner(try TPCHCatalog.catalogs(), catalog: "tpch", schema: "tiny")
    let answer = Answer(try SQLFiles.text("answers/sf0.01/\(name).psv"))
    let result = try runner.run(SQLFiles.text("tpch/\(name).sql"))
    let difference = answer.difference(from: result, isOrdered: !Self.unordered.contains(number))
    #expect(difference == nil, "\(name)")
  }
}

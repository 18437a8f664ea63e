// Owns the test that the benchmark's queries give the answers that DuckDB gives on the same data, scale 0.01.

import Base
import Columnar
import ConnectorAPI
import LocalRunner
import Planning
import SQLScripts
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
  @Test(arguments: 1...22)
  func answers(_ number: Int) throws {
    let name = number < 10 ? "q0\(number)" : "q\(number)"
    let runner = LocalRunner(try TPCHCatalog.catalogs(), catalog: "tpch", schema: "tiny")
    let answer = Answer(try SQLFiles.text("answers/sf0.01/\(name).psv"))
    let result = try runner.run(SQLFiles.text("tpch/\(name).sql")).table
    let difference = answer.difference(from: result, isOrdered: !Answer.unordered.contains(number))
    #expect(difference == nil, "\(name)")
  }
}

extension LocalResult {
  /// The rows as they are compared.
  var table: ResultTable { ResultTable(columnNames: columnNames, types: types, rows: rows) }
}

// Queries over a test's catalog, run in this process.

import Base
import Columnar
import ConnectorAPI
import LocalRunner

@testable import FilesConnector

extension TestCatalog {
  var runner: LocalRunner { LocalRunner(Catalogs(["files": connector]), catalog: "files", schema: "s") }

  /// Rows as texts, NULL as nil.
  func rows(_ sql: String) throws -> [[String?]] {
    let result = try runner.run(sql)
    return result.rows.map { row in zip(row, result.types).map { ValueFormatter($1).text($0) } }
  }

  /// What the query fails with.
  func failure(_ sql: String) -> WaterbearError? {
    do {
      _ = try rows(sql)
      return nil
    } catch {
      return WaterbearError.wrapping(error)
    }
  }
}

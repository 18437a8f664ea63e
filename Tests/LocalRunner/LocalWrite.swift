// Owns the last step of a local write: commit, drop or abort, as the coordinator takes it.

import Base
import Columnar
import ConnectorAPI
import Planning

/// The end of one write.
struct LocalWrite {
  private let write: PlannedWrite
  private let catalogs: Catalogs

  init(_ write: PlannedWrite, catalogs: Catalogs) {
    self.write = write
    self.catalogs = catalogs
  }

  /// Runs the writer tasks, whose rows are counts and fragments, and takes the last step.
  func run(_ tasks: () throws -> [[Value]]) throws -> LocalResult {
    var count: Int64 = 0
    switch write.act {
    case .nothing: break
    case .drop(let table, _):
      let connector = try connector(table.catalog)
      try connector.drop(table)
      try connector.finishDrop(table)
    case .commit(let handle):
      let connector = try connector(handle.catalog)
      do {
        var outputs: [[UInt8]] = []
        for row in try tasks() {
          guard case .integer(let rows) = row[0], case .bytes(let fragment) = row[1] else {
            preconditionFailure("\(row) is not what a writer says")
          }
          count += rows
          outputs.append(fragment)
        }
        try connector.commit(handle, outputs: outputs)
      } catch {
        try connector.abort(handle)
        throw error
      }
      try connector.abort(handle)
    }
    return LocalResult(
      columnNames: write.countsRows ? ["rows"] : [], types: write.countsRows ? [.bigint] : [],
      rows: write.countsRows ? [[.integer(count)]] : [], updateType: write.updateType)
  }

  private func connector(_ catalog: String) throws -> any WritableConnector {
    guard let connector = try catalogs.connector(catalog) as? any WritableConnector else {
      preconditionFailure("'\(catalog)' cannot be written to")
    }
    return connector
  }
}

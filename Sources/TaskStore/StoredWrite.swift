// Owns reading back the writes that are not forgotten, and making sure that what was noted of one survives everything.
import Base
import Foundation
import GRDB

/// How far a write is.
///
///     open ──commit started──▶ committing ──▶ committed ──nothing is left──▶ (forgotten)
///       └──────────────────────────┴────────▶ aborted ─────────────────────────▲
public enum WriteState: String, Sendable {
  /// Attempts may write. Without its query, the write is to be aborted.
  case open = "OPEN"
  /// It will be committed, also without its query.
  case committing = "COMMITTING"
  case committed = "COMMITTED"
  case aborted = "ABORTED"
}

/// A write that is not forgotten.
public struct StoredWrite: Sendable, Equatable {
  public var id: QueryID
  public var act: [UInt8]
  public var state: WriteState
  /// What is committed; only while it is.
  public var outputs: [UInt8]?
}

extension TaskStore {
  /// Every write that is not forgotten, by id.
  public func writes() throws -> [StoredWrite] {
    try read { db in
      try Row.fetchAll(db, sql: "SELECT * FROM write ORDER BY id").map { row in
        let state: String = row["state"]
        guard let known = WriteState(rawValue: state) else {
          throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "'\(state)' is no state of a write")
        }
        let outputs: Data? = row["outputs"]
        return StoredWrite(
          id: QueryID(row["id"]), act: Self.bytes(row["act"]), state: known,
          outputs: outputs.map { [UInt8]($0) })
      }
    }
  }

  /// Makes everything applied so far safe from a loss of power, like `flush`, but always: nobody who reads the file
  /// can hold it up. Costs an fsync(2) of the write-ahead log. May be called on any thread, and holds up no other call.
  public func sync() throws {
    do { try file.syncLog() } catch { throw StoreFailure.error(error, path: path) }
  }
}

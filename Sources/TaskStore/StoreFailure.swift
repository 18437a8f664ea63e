// Owns turning errors into what the store throws and into the text that it stores.
import Base
import Foundation
import GRDB

enum StoreFailure {
  /// SQLite's error as TASK_STORE_FAILED, naming the file and what to do.
  static func error(_ error: any Error, path: String) -> WaterbearError {
    guard let error = error as? DatabaseError else { return WaterbearError.wrapping(error) }
    let remedy =
      switch error.resultCode {
      case .SQLITE_FULL: "Free space on its disk."
      case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM:
        "Let the user the daemon runs as write to the file and its directory."
      case .SQLITE_CORRUPT, .SQLITE_NOTADB: "Start the daemon again: it sets the damaged store aside."
      // A quota that is used up is one, too.
      case .SQLITE_IOERR: "Check the disk, and the quotas of the user the daemon runs as."
      default: "See the log for what happened before."
      }
    return WaterbearError(
      .taskStoreFailed, "The task store \(path) failed: \(error.message ?? "SQLite error \(error.resultCode)")",
      causes: [error.description], remedy: remedy)
  }

  /// Whether SQLite found the contents damaged.
  static func isDamage(_ error: any Error) -> Bool {
    guard let code = (error as? DatabaseError)?.resultCode else { return false }
    return code == .SQLITE_CORRUPT || code == .SQLITE_NOTADB
  }

  /// The file was written by a release that is newer than this one.
  static func newer(_ path: String) -> WaterbearError {
    WaterbearError(
      .taskStoreFailed,
      "The task store \(path) has a newer format than this release knows, which is \(StoreSchema.version)",
      remedy: "Start the newer release again, or move the file away; its queries are then lost.")
  }

  /// A bug of the caller that the database noticed; the transaction is undone.
  static func refused(_ what: String) -> WaterbearError {
    WaterbearError(.taskStoreFailed, "The task store refused a change: \(what)", remedy: "This is a bug; report it.")
  }
}

/// Values that are stored as JSON, so that people can read them with sqlite3.
enum StoredText {
  static func encode(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  /// Text that is no such value means that the store is damaged.
  static func decode<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
    do {
      return try JSONDecoder().decode(type, from: Data(text.utf8))
    } catch {
      throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a stored \(type) cannot be read: \(error)")
    }
  }
}

// Owns the sealed keys of queries. Sealed means: useless without the master key file, and bound to the query's name.
import Base
import Foundation
import GRDB
import Sealing

extension TaskStore {
  /// Seals a query's key for `NewQuery.sealedKey`.
  public func sealQueryKey(_ key: SealingKey, for id: QueryID) throws -> [UInt8] {
    try keyOfKeys.seal(key.bytes, associated: Array(id.text.utf8))
  }

  /// The key of a query; nil where it was destroyed or the query is unknown. Throws where it was sealed under another
  /// master key.
  public func openQueryKey(_ id: QueryID) throws -> SealingKey? {
    let sql = "SELECT sealed_key FROM query_key JOIN query ON query.number = query_key.query WHERE query.id = ?"
    let sealed = try read { db in try Data.fetchOne(db, sql: sql, arguments: [id.text]) }
    guard let sealed, sealed.contains(where: { $0 != 0 }) else { return nil }
    do {
      return try SealingKey(bytes: try keyOfKeys.open([UInt8](sealed), associated: Array(id.text.utf8)))
    } catch {
      throw WaterbearError.wrapping(error).asCause(
        of: "The key of \(id) cannot be opened with this master key", code: .taskStoreFailed)
    }
  }
}

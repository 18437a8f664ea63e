// Owns the durable state of queries: opening the database, transactions, and when bytes reach the disk.
// It must not know what the blobs in it mean, and never decides anything about a query.
import Base
import GRDB
import Sealing
import Synchronization

/// The coordinator's store. All calls block; make them from one thread of their own.
///
/// A transaction is safe from the death of any process when `apply` returns. It is safe from a loss of power after the
/// next `flush`; see docs/task-store.md for why.
public final class TaskStore: Sendable {
  public let path: String
  /// What was found damaged and set aside when the store was opened; to be logged as `store_damaged`.
  public let damage: StoreDamage?

  let file: StoreFile
  let database: DatabaseQueue
  let keyOfKeys: SealingKey
  private struct Progress {
    /// Row numbers of queries that changes were made to.
    var numbers: [QueryID: Int64] = [:]
    var hasUnflushed = false
  }
  private let progress = Mutex(Progress())
  /// How long a transaction waits for somebody else who writes.
  private static let busyMilliseconds = 5000

  /// Opens or makes the store at `path`. A damaged one is renamed to `path.damaged-TIME` and replaced by an empty one.
  ///
  /// `time` is part of that name, such as `20260131-235959`. Throws where the file was written by a newer release
  /// (which is left untouched) and where it cannot be read or made. Contents are checked only after a crash: that
  /// reads the whole file once.
  public static func open(path: String, masterKey: SealingKey, time: String) throws -> TaskStore {
    let file = StoreFile(path: path)
    let keyOfKeys = try masterKey.derived(for: Array("waterbear query keys".utf8))
    var damage: StoreDamage?
    switch try file.look() {
    case .newer: throw StoreFailure.newer(path)
    case .damaged(let reason): damage = try file.setAside(reason: reason, time: time)
    case .fresh: break
    case .usable(let wasClean):
      do {
        let database = try connect(file, check: !wasClean)
        let store = TaskStore(file: file, database: database, keyOfKeys: keyOfKeys, damage: nil)
        if file.isSuspect {
          // A whole structure may hold contents that make no sense, on which a coordinator would fail again and again.
          _ = try database.read(Self.liveQueries)
          file.clearSuspect()
        }
        return store
      } catch {
        guard StoreFailure.isDamage(error) else { throw StoreFailure.error(error, path: path) }
        damage = try file.setAside(reason: StoreFailure.error(error, path: path).message, time: time)
      }
    }
    do {
      try file.create()
      let database = try connect(file, check: false)
      return TaskStore(file: file, database: database, keyOfKeys: keyOfKeys, damage: damage)
    } catch {
      throw StoreFailure.error(error, path: path)
    }
  }

  private init(file: StoreFile, database: DatabaseQueue, keyOfKeys: SealingKey, damage: StoreDamage?) {
    path = file.path
    self.file = file
    self.database = database
    self.keyOfKeys = keyOfKeys
    self.damage = damage
  }

  private static func connect(_ file: StoreFile, check: Bool) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.label = "task-store"
    configuration.journalMode = .wal
    configuration.foreignKeysEnabled = false
    // A person may look with sqlite3 while the daemon runs.
    configuration.busyMode = .timeout(Double(busyMilliseconds) / 1000)
    configuration.prepareDatabase { db in
      try db.execute(
        sql: """
          PRAGMA synchronous = NORMAL;
          PRAGMA secure_delete = FAST;
          PRAGMA wal_autocheckpoint = 4000;
          PRAGMA cache_size = -16384;
          PRAGMA temp_store = MEMORY;
          """)
    }
    let database = try DatabaseQueue(path: file.path, configuration: configuration)
    if check {
      try database.read { db in
        let answer = try String.fetchOne(db, sql: "PRAGMA quick_check(1)") ?? ""
        guard answer == "ok" else { throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: answer) }
      }
    }
    let migrator = StoreSchema.migrator
    try database.read { db in
      if try migrator.hasBeenSuperseded(db) { throw StoreFailure.newer(file.path) }
      guard try StoreSchema.isOurs(db) else {
        throw DatabaseError(resultCode: .SQLITE_NOTADB, message: "the file is a database of another program")
      }
    }
    if try database.read({ try !migrator.hasCompletedMigrations($0) }) {
      try migrator.migrate(database)
      // The format's number must be in the file itself, where an older release looks for it.
      try database.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
    }
    return database
  }

  /// Makes all changes or none, in one transaction. Safe from the death of this process when it returns.
  public func apply(_ changes: [StoreChange]) throws {
    guard !changes.isEmpty else { return }
    do {
      try write { db in
        try db.inTransaction(.immediate) {
          var writer = ChangeWriter(db: db, numbers: progress.withLock { $0.numbers })
          for change in changes { try writer.apply(change) }
          progress.withLock { $0.numbers = writer.numbers }
          return .commit
        }
      }
      progress.withLock { $0.hasUnflushed = true }
    } catch {
      // What the transaction learnt is undone with it.
      progress.withLock { $0.numbers = [:] }
      throw error
    }
  }

  /// Makes everything applied so far safe from a loss of power, and clears destroyed keys from the write-ahead log.
  /// Costs two fsync(2) where something changed since the last call, else nothing. To be called about once a second.
  ///
  /// False where somebody reads the file at the moment (a person with sqlite3, say); the next call tries again.
  @discardableResult
  public func flush() throws -> Bool {
    guard progress.withLock({ $0.hasUnflushed }) else { return true }
    let isDone = try write { db in
      // Who reads at the moment must not hold up the store.
      try db.execute(sql: "PRAGMA busy_timeout = 0")
      defer { restoreBusyTimeout(db) }
      do {
        _ = try db.checkpoint(.truncate)
        return true
      } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
        return false
      }
    }
    if isDone { progress.withLock { $0.hasUnflushed = false } }
    return isDone
  }

  private func restoreBusyTimeout(_ db: Database) {
    do {
      try db.execute(sql: "PRAGMA busy_timeout = \(Self.busyMilliseconds)")
    } catch {
      preconditionFailure("setting a time-out touches no file and cannot fail: \(error)")
    }
  }

  /// Flushes and closes; the store is not used afterwards.
  public func close() throws {
    try flush()
    do { try database.close() } catch { throw StoreFailure.error(error, path: path) }
  }

  /// A number that this store never gave before, from 1; used in query identifiers.
  public func nextQuerySequence() throws -> Int64 {
    let number = try write { db in
      try Int64.fetchOne(
        db.cachedStatement(
          sql: """
            INSERT INTO counter (name, value) VALUES ('query', 1)
            ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value
            """))
    }
    progress.withLock { $0.hasUnflushed = true }
    guard let number else { throw StoreFailure.refused("the counter of queries gave no number") }
    return number
  }

  /// Runs `body` on the database with errors as this module throws them.
  func write<Result>(_ body: (Database) throws -> Result) throws -> Result {
    do {
      return try database.writeWithoutTransaction(body)
    } catch {
      if StoreFailure.isDamage(error) { file.markSuspect() }
      throw StoreFailure.error(error, path: path)
    }
  }

  func read<Result>(_ body: (Database) throws -> Result) throws -> Result {
    do {
      return try database.read(body)
    } catch {
      if StoreFailure.isDamage(error) { file.markSuspect() }
      throw StoreFailure.error(error, path: path)
    }
  }

  func noteChange() { progress.withLock { $0.hasUnflushed = true } }
}

// Tests of the files: clean and unclean ends, damage of every kind, newer formats, full disks, places that cannot be
// written.
import Base
import Foundation
import GRDB
import Sealing
import Testing

@testable import TaskStore

@Suite struct StoreFileTests {
  let fixture: StoreFixture

  init() throws { fixture = try StoreFixture() }

  private func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: fixture.directory).sorted()
  }

  /// A closed store with some megabytes in it.
  private func makeClosedStore() throws {
    let store = try fixture.open()
    try submitWithTasks(store)
    let splits = (0..<2000).map { StoredSplit(payload: [UInt8](repeating: UInt8($0 % 251), count: 900), weight: 1) }
    try store.apply([.splits(stage, first: 0, splits, last: true)])
    try store.close()
  }

  /// The store was set aside, and the new one works.
  private func expectSetAside(_ reason: String) throws {
    let store = try fixture.open()
    let damage = try #require(store.damage)
    #expect(damage.setAsideAs == fixture.path + ".damaged-T")
    #expect(damage.reason.contains(reason), "\(damage.reason)")
    #expect(FileManager.default.fileExists(atPath: damage.setAsideAs))
    #expect(try store.liveQueries().isEmpty)
    try submitWithTasks(store)
    try store.close()
    let again = try fixture.open()
    #expect(again.damage == nil)
    #expect(try again.liveQueries().count == 1)
  }

  @Test func aNewStoreIsItsOwnersAlone() throws {
    let store = try fixture.open()
    try submitWithTasks(store)
    for name in try names() {
      let attributes = try FileManager.default.attributesOfItem(atPath: fixture.directory + "/" + name)
      #expect(attributes[.posixPermissions] as? Int == 0o600, "\(name)")
    }
    #expect(store.damage == nil)
  }

  @Test func aCleanEndLeavesOneFile() throws {
    try makeClosedStore()
    #expect(try names() == ["store.sqlite"])
    let store = try fixture.open()
    #expect(store.damage == nil)
    #expect(try liveStage(store).splits.count == 2000)
  }

  @Test func aFlushEmptiesTheLog() throws {
    let store = try fixture.open()
    #expect(try store.flush())
    try submitWithTasks(store)
    #expect(try fixture.size("-wal") > 0)
    #expect(try store.flush())
    #expect(try fixture.size("-wal") == 0)
    #expect(try fixture.openAfterCrash().liveQueries().count == 1)
  }

  @Test func aReaderDelaysAFlushButHoldsNobodyUp() throws {
    let store = try fixture.open()
    try submitWithTasks(store)
    let reader = try DatabaseQueue(path: fixture.path)
    try reader.unsafeRead { db in
      try db.execute(sql: "BEGIN; SELECT * FROM query")
      let start = Date()
      #expect(try !store.flush())
      #expect(Date().timeIntervalSince(start) < 4)
      try store.apply([.queryStateChanged(queryID, state: "RUNNING")])
      try db.execute(sql: "COMMIT")
    }
    #expect(try store.flush())
    #expect(try store.query(queryID)?.state == "RUNNING")
  }

  @Test func garbageInTheHeaderIsSetAside() throws {
    try makeClosedStore()
    try fixture.overwrite(at: 0, with: [UInt8](repeating: 0xAA, count: 100))
    try expectSetAside("does not begin like a database")
  }

  @Test(arguments: [0.0, 0.3, 0.99])
  func aTruncatedFileIsSetAside(part: Double) throws {
    try makeClosedStore()
    let length = max(50, UInt64(Double(try fixture.size()) * part))
    try fixture.truncate(to: length)
    try expectSetAside(part == 0 ? "does not begin like a database" : "shorter than its")
  }

  @Test func anotherProgramsDatabaseIsSetAside() throws {
    let other = try DatabaseQueue(path: fixture.path)
    try other.write { try $0.execute(sql: "CREATE TABLE person (name TEXT)") }
    try other.close()
    try expectSetAside("database of another program")
  }

  @Test(arguments: [true, false])
  func aLogWithoutADatabaseIsSetAside(hasEmptyFile: Bool) throws {
    if hasEmptyFile { try Data().write(to: URL(fileURLWithPath: fixture.path)) }
    try Data([1, 2, 3]).write(to: URL(fileURLWithPath: fixture.path + "-wal"))
    let store = try fixture.open()
    #expect(store.damage?.reason == "there is a write-ahead log, but no database to it")
    #expect(try names().contains("store.sqlite.damaged-T-wal"))
    try submitWithTasks(store)
  }

  @Test func whatWasSetAsideIsNeverReplaced() throws {
    for _ in 0..<2 {
      try Data("rubbish".utf8).write(to: URL(fileURLWithPath: fixture.path))
      try fixture.open().close()
    }
    #expect(try names() == ["store.sqlite", "store.sqlite.damaged-T", "store.sqlite.damaged-T-again"])
  }

  /// Damage that SQLite cannot see, as its structure is whole: a restart must not fail on it for ever.
  @Test(arguments: ["DELETE FROM task WHERE partition = 0", "UPDATE query SET session = '{'"])
  func contentsThatMakeNoSenseAreSetAsideAtTheNextStart(damage: String) throws {
    let store = try fixture.open()
    try submitWithTasks(store)
    try store.write { try $0.execute(sql: damage) }
    #expect(throws: WaterbearError.self) { try store.liveQueries() }
    try store.close()
    let again = try fixture.open()
    #expect(again.damage != nil)
    #expect(try again.liveQueries().isEmpty)
  }

  @Test func aSuspicionThatProvesFalseIsForgotten() throws {
    try makeClosedStore()
    try Data().write(to: URL(fileURLWithPath: fixture.path + "-suspect"))
    let store = try fixture.open()
    #expect(store.damage == nil)
    #expect(try !names().contains("store.sqlite-suspect"))
    #expect(try store.liveQueries().count == 1)
  }

  @Test func anEmptyFileIsANewStore() throws {
    try Data().write(to: URL(fileURLWithPath: fixture.path))
    #expect(try fixture.open().damage == nil)
  }

  /// After a crash the contents are checked, so a page of rubbish is found at once.
  @Test func aDamagedPageAfterACrashIsSetAside() throws {
    try makeClosedStore()
    let store = try fixture.open()
    try store.apply([.queryStateChanged(queryID, state: "RUNNING")])
    let pages = try fixture.size() / 4096
    let rubbish = [UInt8](repeating: 0x5A, count: 4096)
    try fixture.overwrite(at: UInt64(pages / 2 * 4096), with: rubbish)
    let crashed = try fixture.openAfterCrash()
    #expect(crashed.damage != nil)
    #expect(try crashed.liveQueries().isEmpty)
  }

  /// After a clean end they are not checked; the damage is found when it is read, and the next start acts on it.
  @Test func damageFoundLaterIsSetAsideAtTheNextStart() throws {
    try makeClosedStore()
    let pages = try fixture.size() / 4096
    try fixture.overwrite(at: UInt64(pages / 2 * 4096), with: [UInt8](repeating: 0x5A, count: 4096))
    let store = try fixture.open()
    #expect(store.damage == nil)
    let error = #expect(throws: WaterbearError.self) { try store.liveQueries() }
    #expect(error?.code == .taskStoreFailed)
    #expect(error?.remedy == "Start the daemon again: it sets the damaged store aside.")
    try store.close()
    try expectSetAside("failed")
    #expect(try !names().contains("store.sqlite-suspect"))
  }

  /// A log that was cut anywhere, as by a loss of power, gives a state that existed after some transaction.
  @Test func aTornLogGivesAnEarlierState() throws {
    let store = try fixture.open()
    try submitWithTasks(store)
    try store.flush()
    for number in 0..<20 {
      try store.apply([
        .queryRetried(queryID, failures: number + 1), .attemptStarted(attempt(0, number), worker, memory: 1, at: 1),
      ])
    }
    let log = try Data(contentsOf: URL(fileURLWithPath: fixture.path + "-wal"))
    var seen: Set<Int> = []
    for part in 0...16 {
      let copy = fixture.directory + "/torn-\(part)"
      try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: true)
      try FileManager.default.copyItem(atPath: fixture.path, toPath: copy + "/store.sqlite")
      try log.prefix(log.count * part / 16).write(to: URL(fileURLWithPath: copy + "/store.sqlite-wal"))
      let torn = try TaskStore.open(path: copy + "/store.sqlite", masterKey: fixture.masterKey, time: "T")
      #expect(torn.damage == nil)
      let query = try #require(try torn.liveQueries().first)
      #expect(query.stages[0].tasks[0].nextAttempt == query.summary.failures)
      seen.insert(query.summary.failures)
    }
    #expect(seen.contains(0) && seen.contains(20) && seen.count > 5)
  }

  @Test(arguments: [true, false])
  func aNewerFormatIsRefusedUntouched(byNumber: Bool) throws {
    try makeClosedStore()
    let other = try DatabaseQueue(path: fixture.path)
    try other.write {
      try $0.execute(sql: byNumber ? "PRAGMA user_version = 5" : "INSERT INTO grdb_migrations VALUES ('5')")
    }
    try other.close()
    let before = try fixture.bytes()
    let error = #expect(throws: WaterbearError.self) { try fixture.open() }
    #expect(error?.message.contains("has a newer format than this release knows, which is 4") == true)
    #expect(error?.remedy != nil)
    // By its number the file is known before SQLite opens it; else nothing but SQLite's own counters may change.
    if byNumber { #expect(try fixture.bytes() == before) }
    #expect(try names().allSatisfy { !$0.contains("damaged") })
  }

  @Test func aStoreOfTheFirstFormatIsTakenOver() throws {
    let old = try DatabaseQueue(path: fixture.path)
    try StoreSchema.migrator.migrate(old, upTo: "1")
    try old.write {
      try $0.execute(
        sql: """
          INSERT INTO query (id, nonce, sql, user, session, retry_policy, state, created_us)
          VALUES ('q', 'n', 'SELECT 1', 'ada', '{}', 'TASK', 'RUNNING', 1)
          """)
      #expect(try Int.fetchOne($0, sql: "PRAGMA user_version") == 1)
    }
    try old.close()
    let store = try fixture.open()
    #expect(store.damage == nil)
    #expect(try store.liveQueries().map(\.summary.id.text) == ["q"])
    #expect(try store.query(QueryID("q"))?.updateCount == nil && store.writes().isEmpty)
    #expect(try store.read { try Int.fetchOne($0, sql: "PRAGMA user_version") } == 4)
  }

  @Test func aFullDiskFailsTheChangeAndKeepsTheRest() throws {
    let store = try fixture.open()
    try submitWithTasks(store)
    try store.write { try $0.execute(sql: "PRAGMA max_page_count = 40") }
    let splits = (0..<500).map { _ in StoredSplit(payload: [UInt8](repeating: 1, count: 900), weight: 1) }
    let error = #expect(throws: WaterbearError.self) {
      try store.apply([.queryStateChanged(queryID, state: "X"), .splits(stage, first: 0, splits, last: true)])
    }
    #expect(error?.code == .taskStoreFailed && error?.remedy == "Free space on its disk.")
    #expect(try store.query(queryID)?.state == "QUEUED")
    try store.write { try $0.execute(sql: "PRAGMA max_page_count = 100000") }
    try store.apply([.splits(stage, first: 0, splits, last: true)])
    #expect(try liveStage(store).splits.count == 500)
  }

  @Test(arguments: ["/nonexistent/directory/store.sqlite", "/proc/store.sqlite", "/dev/null/store.sqlite"])
  func aPlaceThatCannotBeWrittenIsNamed(path: String) throws {
    let error = #expect(throws: WaterbearError.self) {
      try TaskStore.open(path: path, masterKey: fixture.masterKey, time: "T")
    }
    #expect(error?.code == .taskStoreFailed)
    #expect(error?.message.contains(path) == true)
    #expect(error?.remedy?.contains("let the user the daemon runs as write there") == true)
  }

  @Test func aDirectoryInItsPlaceIsNamed() throws {
    try FileManager.default.createDirectory(atPath: fixture.path, withIntermediateDirectories: false)
    let error = #expect(throws: WaterbearError.self) { try fixture.open() }
    #expect(error?.message.contains(fixture.path) == true)
  }
}

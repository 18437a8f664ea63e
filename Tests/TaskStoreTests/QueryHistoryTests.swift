// Tests of the history, the counter of queries, and the keys.
import Base
import Foundation
import Sealing
import Testing

@testable import TaskStore

@Suite struct QueryHistoryTests {
  let fixture: StoreFixture
  let store: TaskStore

  init() throws {
    fixture = try StoreFixture()
    store = try fixture.open()
  }

  private func id(_ number: Int) -> QueryID { QueryID("20260101_000000_0000\(number)_abcde") }

  @Test func pruneKeepsTheNewestAndEveryLiveQuery() throws {
    for number in 0..<6 {
      try store.apply([.querySubmitted(try newQuery(store, id: id(number), nonce: "\(number)"))])
      if number != 1 { try store.apply([.queryReleased(id(number))]) }
    }
    #expect(try store.prune(keep: 2) == [id(3), id(2), id(0)])
    #expect(try store.queries(limit: 10).map(\.id) == [id(5), id(4), id(1)])
    #expect(try store.queries(limit: 1).map(\.id) == [id(5)])
    #expect(try store.prune(keep: 2).isEmpty)
    #expect(try store.query(id(0)) == nil && store.queryID(nonce: "0") == nil)
  }

  @Test func aReleasedQueryKeepsTheFiguresOfItsStages() throws {
    for number in 0..<2 { try store.apply([.querySubmitted(try newQuery(store, id: id(number), nonce: "\(number)"))]) }
    try store.apply([.queryReleased(id(0), stages: [7, 8]), .queryReleased(id(1))])
    #expect(try store.query(id(0))?.stages == [7, 8])
    #expect(try store.query(id(1))?.stages == nil)
    #expect(try fixture.openAfterCrash().queries(limit: 2).map(\.stages) == [nil, [7, 8]])
  }

  @Test func theCounterNeverRepeats() throws {
    #expect(try (1...3).map { _ in try store.nextQuerySequence() } == [1, 2, 3])
    let crashed = try fixture.openAfterCrash()
    #expect(try crashed.nextQuerySequence() == 4)
    try store.close()
    #expect(try fixture.open().nextQuerySequence() == 4)
  }

  @Test func aKeyOpensUntilTheQueryIsReleased() throws {
    let key = try SealingKey.random()
    var query = try newQuery(store)
    query.sealedKey = try store.sealQueryKey(key, for: queryID)
    try store.apply([.querySubmitted(query)])
    #expect(try store.openQueryKey(queryID)?.bytes == key.bytes)
    #expect(try fixture.openAfterCrash().openQueryKey(queryID)?.bytes == key.bytes)
    try store.apply([.queryEnded(queryID, state: "FINISHED", nil, at: 1)])
    // The result is still sealed under it.
    #expect(try store.openQueryKey(queryID)?.bytes == key.bytes)
    try store.apply([.queryReleased(queryID)])
    #expect(try store.openQueryKey(queryID) == nil)
    #expect(try store.openQueryKey(id(9)) == nil)
  }

  @Test func aKeyIsBoundToItsQueryAndToTheMasterKey() throws {
    var query = try newQuery(store)
    query.sealedKey = try store.sealQueryKey(try SealingKey.random(), for: id(9))
    try store.apply([.querySubmitted(query)])
    let error = #expect(throws: WaterbearError.self) { try store.openQueryKey(queryID) }
    #expect(error?.code == .taskStoreFailed)
    try store.apply([.querySubmitted(try newQuery(store, id: id(8), nonce: "8"))])
    try store.close()
    let other = try TaskStore.open(path: fixture.path, masterKey: try SealingKey.random(), time: "T")
    #expect(throws: WaterbearError.self) { try other.openQueryKey(id(8)) }
  }

  @Test(arguments: [false, true])
  func aDestroyedKeyIsInNoFile(fails: Bool) throws {
    // Many queries, so that the key lies in the middle of pages that were split and written several times.
    var sealedKeys: [QueryID: [UInt8]] = [:]
    for number in 0..<150 {
      let id = QueryID("20260101_000000_00001_\(number)")
      let query = try newQuery(store, id: id, nonce: "\(number)", sql: String(repeating: "x", count: number * 50))
      sealedKeys[id] = query.sealedKey
      try store.apply([.querySubmitted(query)])
      if number % 50 == 0 { try store.flush() }
    }
    let ids = sealedKeys.keys.sorted()
    let before = try fixture.bytes()
    for id in ids { #expect(before.range(of: Data(sealedKeys[id] ?? [])) != nil) }
    for (index, id) in ids.enumerated() where index % 2 == 0 {
      try store.apply([
        fails ? .queryEnded(id, state: "FAILED", failure, at: 1) : .queryReleased(id)
      ])
    }
    #expect(try store.flush())
    let after = try fixture.bytes()
    for (index, id) in ids.enumerated() {
      #expect((after.range(of: Data(sealedKeys[id] ?? [])) == nil) == (index % 2 == 0), "\(id)")
    }
  }
}

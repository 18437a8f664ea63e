// Tests what the store keeps of writes: their states, and that no state is left the wrong way.
import Base
import Testing

@testable import TaskStore

@Suite struct StoredWriteTests {
  let fixture: StoreFixture
  let store: TaskStore

  init() throws {
    fixture = try StoreFixture()
    store = try fixture.open()
  }

  private func submit() throws {
    try store.apply([.writeOpened(queryID, act: [1, 2])])
    try store.sync()
    try store.apply([.querySubmitted(try newQuery(store))])
  }

  @Test func aWriteIsKeptFromItsOpeningOn() throws {
    try submit()
    let open = StoredWrite(id: queryID, act: [1, 2], state: .open, outputs: nil)
    #expect(try store.writes() == [open])
    #expect(throws: WaterbearError.self) { try store.apply([.writeOpened(queryID, act: [3])]) }
    try store.apply([.commitStarted(queryID, rowCount: 25, outputs: [7])])
    #expect(try store.writes() == [StoredWrite(id: queryID, act: [1, 2], state: .committing, outputs: [7])])
    #expect(try store.query(queryID)?.updateCount == 25)
    try store.apply([
      .queryEnded(queryID, state: "FINISHED", nil, at: 9), .writeEnded(queryID, isCommitted: true),
      .queryReleased(queryID),
    ])
    #expect(try store.writes() == [StoredWrite(id: queryID, act: [1, 2], state: .committed, outputs: nil)])
    // The history may forget the query before the write is cleaned up.
    try store.prune(keep: 0)
    #expect(try store.writes().count == 1)
    try store.apply([.writeForgotten(queryID)])
    #expect(try store.writes() == [])
  }

  @Test func aCommitStartsOnceAndOnlyOfAnOpenWrite() throws {
    #expect(throws: WaterbearError.self) { try store.apply([.commitStarted(queryID, rowCount: 1, outputs: [])]) }
    try submit()
    try store.apply([.commitStarted(queryID, rowCount: 1, outputs: [])])
    #expect(throws: WaterbearError.self) { try store.apply([.commitStarted(queryID, rowCount: 1, outputs: [])]) }
    try store.apply([.writeEnded(queryID, isCommitted: false)])
    #expect(throws: WaterbearError.self) { try store.apply([.commitStarted(queryID, rowCount: 1, outputs: [])]) }
    #expect(try store.writes().map(\.state) == [.aborted])
  }

  @Test func whatIsNotThereCannotEndOrBeForgotten() throws {
    #expect(throws: WaterbearError.self) { try store.apply([.writeEnded(queryID, isCommitted: true)]) }
    #expect(throws: WaterbearError.self) { try store.apply([.writeForgotten(queryID)]) }
  }

  @Test func syncIsNotHeldUpByReaders() throws {
    try submit()
    try store.sync()
    try store.flush()
    // Without anything in the log, too.
    try store.sync()
  }
}

// Tests clients that ask for what is not there, ask twice, ask without end, or send garbage.
import Base
import Sockets
import Testing
import Wire

@testable import CoordinatorProcess

@Suite struct ClientFaultTests {
  private func isDone(_ bench: CoordinatorBench, _ sql: String = "SELECT 1") throws -> QueryID {
    let worker = try bench.worker()
    let query = try bench.client().submit(sql)
    try worker.work()
    #expect(try bench.client().end(of: query).state == .finished)
    return query
  }

  @Test func aPageThatCannotBeIsRefusedAndHarmsNobody() throws {
    let bench = try CoordinatorBench()
    let query = try isDone(bench)
    let client = try bench.client()
    for position in [(0, -1), (-1, 0), (Int.min, Int.min), (0, Int.min)] {
      #expect {
        try client.fetch(query, ResultPosition(task: position.0, page: position.1), wait: 0)
      } throws: { ($0 as? WaterbearError)?.code == .invalidArguments }
    }
    #expect(try client.fetch(query, ResultPosition(task: .max, page: .max)).isLast)
    #expect(try client.fetch(query, ResultPosition(task: 0, page: .max)).isLast)
    #expect(try client.fetch(query).next == ResultPosition(task: 0, page: 1))
    try bench.stop()
  }

  @Test func whoNeedsNamesThatDifferHearsBeforeAnythingRuns() throws {
    let bench = try CoordinatorBench()
    func submit(_ sql: String) throws -> QueryID {
      try bench.client().ask(
        SubmitQuery(
          nonce: sql, sql: sql, catalog: "tpch", schema: "tiny", session: [:], needsDistinctNames: true), Submitted.self
      ).query
    }
    #expect {
      try submit("SELECT 1 AS a, 2 AS b, 3 AS a")
    } throws: { ($0 as? WaterbearError)?.code == .duplicateColumnName && "\($0)".contains("'a'") }
    #expect(try bench.look { $0.queries.isEmpty })
    _ = try submit("SELECT 1 AS a, 2 AS b")
    _ = try bench.client().submit("SELECT 1 AS a, 2 AS a")
    try bench.stop()
  }

  @Test func twoClientsFetchTheSameResultPageByPage() throws {
    let bench = try CoordinatorBench()
    let query = try isDone(bench)
    let (first, second) = (try bench.client(), try bench.client())
    #expect(try first.fetch(query).next == ResultPosition(task: 0, page: 1))
    #expect(try second.fetch(query).next == ResultPosition(task: 0, page: 1))
    #expect(try first.fetch(query, ResultPosition(task: 0, page: 1)).isLast)
    #expect(try second.fetch(query, ResultPosition(task: 0, page: 1)).isLast)
    try bench.stop()
  }

  @Test func releasedTwiceIsReleasedOnce() throws {
    let bench = try CoordinatorBench()
    let query = try isDone(bench)
    let client = try bench.client()
    for id: UInt64 in 1...3 { try client.socket.send(ReleaseResult(query: query), id: id) }
    for _ in 1...3 { #expect(try client.socket.receive(timeout: .seconds(20))?.name == QueryStatus.name) }
    #expect { try client.fetch(query) } throws: { ($0 as? WaterbearError)?.code == .notFound }
    try bench.stop()
  }

  @Test func oneNonceMakesOneQueryHoweverOftenItIsSent() throws {
    let bench = try CoordinatorBench()
    let clients = try (0..<10).map { _ in try bench.client() }
    // Several from each client, so that some arrive between the end of planning and the store's transaction.
    for client in clients {
      for id: UInt64 in 1...4 {
        try client.socket.send(
          SubmitQuery(nonce: "same", sql: "SELECT 1", catalog: "tpch", schema: "tiny", session: [:]), id: id)
      }
    }
    var found: Set<QueryID> = []
    for client in clients {
      for _ in 1...4 {
        let frame = try #require(try client.socket.receive(timeout: .seconds(20)))
        found.insert(try frame.message(Submitted.self).query)
      }
    }
    #expect(found.count == 1)
    let next = try bench.restarted()
    #expect(found.contains(try next.client().submit("SELECT 1", nonce: "same")))
    try next.stop()
  }

  @Test func aNonceIsFoundUntilItsQueryIsDurable() throws {
    let bench = try CoordinatorBench()
    let client = try bench.client()
    try client.socket.send(
      SubmitQuery(nonce: "same", sql: "SELECT 1", catalog: "tpch", schema: "tiny", session: [:]), id: 1)
    // Whenever the query is live, its nonce is known: in planning or in the store.
    for _ in 0..<2000 {
      let isKnown = try bench.look { coordinator in
        try coordinator.queries.isEmpty || !coordinator.planning.isEmpty
          || coordinator.store.queryID(nonce: "same") != nil
      }
      try #require(isKnown)
    }
    try bench.stop()
  }

  @Test func aQueryWithoutANonceIsRefused() throws {
    let bench = try CoordinatorBench()
    #expect { try bench.client().submit("SELECT 1", nonce: "") } throws: {
      ($0 as? WaterbearError)?.code == .invalidArguments
    }
    try bench.stop()
  }

  @Test func aClientThatAsksWithoutEndIsNotReadOn() throws {
    let bench = try CoordinatorBench()
    let query = try bench.client().submit("SELECT 1")
    let flooder = try bench.client()
    for id: UInt64 in 1...150 {
      try flooder.socket.send(WaitForQuery(query: query, waitMilliseconds: 60_000), id: id)
    }
    // Another client is served meanwhile, and the waiting requests are few.
    for _ in 0..<20 { _ = try bench.client().ask(AskStatus(), DaemonStatus.self) }
    let waiting = try bench.look { $0.queries[query]?.waiters.count }
    #expect(waiting == ClientSession.unansweredMax)
    // All are answered in the end.
    _ = try bench.client().ask(CancelQuery(query: query), QueryStatus.self)
    for id: UInt64 in 1...150 { #expect(try flooder.socket.receive(timeout: .seconds(20))?.id == id) }
    try bench.stop()
  }

  @Test func requestsWhoseTimeIsUpAreForgotten() throws {
    let bench = try CoordinatorBench()
    let client = try bench.client()
    let query = try client.submit("SELECT 1")
    for _ in 0..<200 { _ = try client.ask(WaitForQuery(query: query, waitMilliseconds: 1), QueryStatus.self) }
    let waiting = try bench.look { $0.queries[query]?.waiters.count ?? 0 }
    #expect(waiting <= 64)
    try bench.stop()
  }

  @Test func garbageEndsItsConnectionOnly() throws {
    let bench = try CoordinatorBench()
    let (good, bad) = (try bench.client(), try bench.client())
    try bad.socket.send(Frame(name: FetchResult.name, id: 5, body: [0xff, 0x00]))
    #expect(try bad.socket.receive(timeout: .seconds(20))?.name == Refusal.name)
    #expect(try good.ask(AskStatus(), DaemonStatus.self).runningQueries == 0)
    try bench.stop()
  }

  @Test func aClientThatLeavesInTheMiddleOfItsRequestIsForgotten() throws {
    let bench = try CoordinatorBench()
    let query = try bench.client().submit("SELECT 1")
    let gone = try bench.client()
    let request = FetchResult(query: query, position: ResultPosition(), waitMilliseconds: 60_000)
    for id: UInt64 in 1...3 { try gone.socket.send(request, id: id) }
    gone.socket.shutDown()
    let worker = try bench.worker()
    try worker.work()
    #expect(try bench.client().end(of: query).state == .finished)
    #expect(try bench.look { $0.queries[query]?.waiters.count } == 0)
    try bench.stop()
  }
}

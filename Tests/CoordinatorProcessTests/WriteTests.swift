// Tests writes: that rows appear once or not at all, wherever the coordinator dies, and that nothing hidden stays.
import Base
import Columnar
import ConnectorAPI
import Dispatch
import Glibc
import LocalRunner
import Planning
import Synchronization
import TaskStore
import Testing
import Wire

@testable import CoordinatorProcess

@Suite struct WriteTests {
  private let tables = MemoryTables(
    catalog: "memory", tables: ["t": MemoryTable([("a", .integer)], rows: [[.integer(1)]])])
  private let insert = "INSERT INTO memory.default.t VALUES 2, 3"

  private func makeBench() throws -> CoordinatorBench { try CoordinatorBench(tables: tables) }

  /// Waits until nothing of any write is left to be cleaned up.
  private func expectClean(_ bench: CoordinatorBench) throws {
    for _ in 0..<1000 {
      if try bench.look({ try $0.store.writes().isEmpty && $0.writes.isEmpty }) { break }
      usleep(2000)
    }
    #expect(try bench.look { try $0.store.writes() } == [])
    #expect(tables.stagedAttempts == 0)
  }

  /// The row count that a client is told, and what was done.
  private func result(_ bench: CoordinatorBench, _ query: QueryID) throws -> String {
    let client = try bench.client()
    let position = ResultPosition()
    try client.socket.send(FetchResult(query: query, position: position, waitMilliseconds: 20_000), id: 99)
    guard let frame = try client.socket.receive(timeout: .seconds(30)) else { throw Silence() }
    if frame.name == Refusal.name { throw try frame.message(Refusal.self).error }
    let page = try frame.message(ResultPage.self)
    if let error = page.status.error { return "\(error.code.rawValue)" }
    guard !frame.attachment.isEmpty else { return "\(page.status.updateType ?? "")" }
    let batch = try BatchCodec.decode(frame.attachment, types: [.bigint])
    #expect(page.isLast && page.columns?.map(\.name) == ["rows"] && batch.count == 1)
    return "\(page.status.updateType ?? ""): \(batch.columns[0].value(at: 0))"
  }

  private var values: [[Value]]? { tables.rows(of: "t") }
  private let written: [[Value]] = [[.integer(1)], [.integer(2)], [.integer(3)]]

  @Test func rowsAreCommittedOnceAndCounted() throws {
    let bench = try makeBench()
    let query = try bench.client().submit(insert)
    let (worker, other) = (try bench.worker(), try bench.worker(number: 2))
    try worker.run(bench.catalogs)
    #expect(try result(bench, query) == "INSERT: integer(2)")
    // The result can be asked for again.
    #expect(try result(bench, query) == "INSERT: integer(2)")
    #expect(values == written)
    try expectClean(bench)
    withExtendedLifetime(other) {}
    try bench.stop()
  }

  @Test func writersOfManyTasksAreGathered() throws {
    let bench = try makeBench()
    let query = try bench.client().submit("CREATE TABLE memory.default.n AS SELECT name FROM tpch.tiny.nation")
    let worker = try bench.worker()
    while try bench.look({ $0.queries[query]?.state == .running }) {
      guard try worker.run(bench.catalogs).task.stage.number > 0 else { break }
    }
    #expect(try result(bench, query) == "CREATE TABLE: integer(25)")
    #expect(tables.rows(of: "n")?.count == 25)
    try bench.stop()
  }

  @Test func statementsWithoutRowsNeedNoWorker() throws {
    let bench = try makeBench()
    let made = try bench.client().submit("CREATE TABLE memory.default.n (x bigint)", nonce: "a")
    #expect(try result(bench, made) == "CREATE TABLE" && tables.rows(of: "n") == [])
    let there = try bench.client().submit("CREATE TABLE IF NOT EXISTS memory.default.n AS SELECT 1 AS x", nonce: "d")
    #expect(try result(bench, there) == "CREATE TABLE: integer(0)")
    let empty = try bench.client().submit("CREATE TABLE memory.default.e AS SELECT 1 AS x WITH NO DATA", nonce: "e")
    #expect(try result(bench, empty) == "CREATE TABLE: integer(0)" && tables.rows(of: "e") == [])
    let dropped = try bench.client().submit("DROP TABLE memory.default.t", nonce: "b")
    #expect(try result(bench, dropped) == "DROP TABLE" && values == nil)
    let gone = try bench.client().submit("DROP TABLE IF EXISTS memory.default.t", nonce: "c")
    #expect(try result(bench, gone) == "DROP TABLE")
    let history = try bench.client().ask(ListQueries(limit: 10), QueryList.self).queries.map(\.state)
    #expect(history == Array(repeating: .finished, count: 5))
    try bench.stop()
  }

  // MARK: The coordinator dies

  /// Stands for the death of the coordinator at a step of the connector: the thread that comes there stays there.
  private func dying(
    _ bench: CoordinatorBench, at step: WriteStep, _ body: () throws -> Void
  ) throws -> CoordinatorBench {
    let reached = DispatchSemaphore(value: 0)
    tables.setFaults { current in
      guard current == step else { return }
      reached.signal()
      DispatchSemaphore(value: 0).wait()
    }
    try body()
    #expect(reached.wait(timeout: .now() + 30) == .success)
    tables.setFaults(nil)
    return try bench.restarted()
  }

  @Test(arguments: [WriteStep.commit, .committed])
  func aCommitIsCompletedOnce(_ step: WriteStep) throws {
    let bench = try makeBench()
    let query = try bench.client().submit(insert)
    let next = try dying(bench, at: step) { try bench.worker().run(bench.catalogs) }
    #expect(try result(next, query) == "INSERT: integer(2)")
    #expect(values == written)
    // And no third time.
    let last = try next.restarted()
    #expect(try result(last, query) == "INSERT: integer(2)")
    let workers = [try last.worker(2), try last.worker(2, number: 2)]
    try expectClean(last)
    #expect(values == written)
    withExtendedLifetime(workers) {}
    try last.stop()
  }

  @Test func anAbortIsCompleted() throws {
    let bench = try makeBench()
    let query = try bench.client().submit(insert)
    let worker = try bench.worker()
    _ = try worker.order()
    try leaveRows(bench, query)
    let next = try dying(bench, at: .abort) {
      _ = try bench.client().ask(CancelQuery(query: query), QueryStatus.self)
    }
    #expect(tables.stagedAttempts <= 1)
    let workers = [try next.worker(2), try next.worker(2, number: 2)]
    try expectClean(next)
    #expect(try next.client().end(of: query).error?.code == .userCanceled)
    #expect(values == [[.integer(1)]])
    withExtendedLifetime(workers) {}
    try next.stop()
  }

  @Test func aWriteThatWasNotedButNotAcceptedIsAborted() throws {
    let bench = try makeBench()
    let handle = try tables.beginInsert(
      into: TableHandle(catalog: "memory", schema: "default", name: "t"),
      columns: [ColumnHandle(name: "a", type: .integer, index: 0)], query: QueryID("early"))
    let write = PlannedWrite(act: .commit(handle), updateType: "INSERT", countsRows: true)
    let act = try BinaryEncoder.encode(write)
    try bench.look { try $0.store.apply([.writeOpened(QueryID("early"), act: act)]) }
    let sink = try tables.pageSink(for: handle, attempt: attempt(QueryID("early")))
    #expect(tables.stagedAttempts == 1)
    let next = try bench.restarted()
    let workers = [try next.worker(), try next.worker(number: 2)]
    try expectClean(next)
    #expect(values?.count == 1)
    withExtendedLifetime((workers, sink)) {}
    try next.stop()
  }

  @Test func aCommitIsCompletedEvenIfItsQueryIsLost() throws {
    let bench = try makeBench()
    let query = try bench.client().submit(insert)
    let next = try dying(bench, at: .commit) {
      try bench.worker().run(bench.catalogs)
      // The query's description makes no sense any more.
      unlink(bench.home.path + "/data/master.key")
      unlink(bench.home.path + "/data/spool/.waterbear-spool")
    }
    let status = try next.client().end(of: query)
    #expect(status.state == .failed && status.error?.remedy?.contains("committed nevertheless") == true)
    let workers = [try next.worker(2), try next.worker(2, number: 2)]
    try expectClean(next)
    #expect(values == written)
    withExtendedLifetime(workers) {}
    try next.stop()
  }

  @Test func aRepeatedDropSparesTheTableThatWasMadeMeanwhile() throws {
    let bench = try makeBench()
    var query = QueryID("")
    let next = try dying(bench, at: .dropped) {
      query = try bench.client().submit("DROP TABLE memory.default.t")
      let handle = try tables.beginCreate(
        NewTable(
          schema: "default", name: "t", columns: [ColumnHandle(name: "b", type: .bigint, index: 0)]),
        query: QueryID("other"))
      while values != nil { usleep(1000) }
      try tables.commit(handle, outputs: [])
    }
    #expect(try result(next, query) == "DROP TABLE")
    #expect(values == [])
    try expectClean(next)
    try next.stop()
  }

  // MARK: Failures

  @Test func whatCannotBeRemovedIsTriedAgain() throws {
    let bench = try makeBench()
    let failures = Atomic<Int>(0)
    tables.setFaults { step in
      guard step == .abort, failures.add(1, ordering: .relaxed).newValue <= 2 else { return }
      throw WaterbearError(.filesFilesystemError, "not now")
    }
    let query = try bench.client().submit(insert)
    let (worker, other) = (try bench.worker(), try bench.worker(number: 2))
    try worker.run(bench.catalogs)
    #expect(try result(bench, query) == "INSERT: integer(2)")
    try expectClean(bench)
    #expect(failures.load(ordering: .relaxed) >= 3)
    withExtendedLifetime(other) {}
    try bench.stop()
  }

  @Test func aCatalogThatIsNotThereIsNoRefusal() throws {
    let bench = try makeBench()
    let table = TableHandle(catalog: "gone", schema: "default", name: "t")
    let write = PlannedWrite(act: .drop(table, mayBeMissing: true), updateType: "DROP TABLE", countsRows: false)
    let found = Mutex<ErrorCode?>(nil)
    let answered = DispatchSemaphore(value: 0)
    bench.coordinator.commits.commit(
      write, outputs: [], isRepeated: true, endedWithin: true, on: bench.coordinator.loop
    ) { error in
      found.withLock { $0 = error?.code }
      answered.signal()
    }
    #expect(answered.wait(timeout: .now() + 30) == .success)
    #expect(found.withLock { $0 } == .configurationInvalid)
    try bench.stop()
  }

  @Test func planningThatHangsHoldsUpNobodyElse() throws {
    let bench = try makeBench()
    let gate = DispatchSemaphore(value: 0)
    tables.setFaults { step in if step == .begin { gate.wait() } }
    let create = "CREATE TABLE memory.default.n (x bigint)"
    // More than there are threads; each is refused when its time is up.
    let clients = try (0..<12).map { _ in try bench.client() }
    for (number, client) in clients.enumerated() {
      let session = ["query_max_planning_time": "300ms"]
      try client.socket.send(
        SubmitQuery(nonce: "h\(number)", sql: create, catalog: "tpch", schema: "tiny", session: session), id: 1)
    }
    for client in clients {
      guard let frame = try client.socket.receive(timeout: .seconds(30)) else { throw Silence() }
      #expect(frame.name == Refusal.name)
      #expect(try frame.message(Refusal.self).error.code == .exceededTimeLimit)
    }
    _ = try bench.client().submit("SELECT 1", nonce: "quick")
    #expect(try bench.look { $0.planning.isEmpty })
    tables.setFaults(nil)
    for _ in clients { gate.signal() }
    try bench.stop()
  }

  @Test func aRefusedCommitFailsTheQueryAndLeavesNothing() throws {
    let bench = try makeBench()
    let query = try bench.client().submit("CREATE TABLE memory.default.n AS SELECT 1 AS x", nonce: "a")
    let first = try bench.client().submit("CREATE TABLE memory.default.n (y date)", nonce: "b")
    #expect(try result(bench, first) == "CREATE TABLE")
    let (worker, other) = (try bench.worker(), try bench.worker(number: 2))
    try worker.run(bench.catalogs)
    #expect(try result(bench, query) == "TABLE_ALREADY_EXISTS")
    #expect(tables.rows(of: "n") == [])
    try expectClean(bench)
    withExtendedLifetime(other) {}
    try bench.stop()
  }

  @Test func aCommitThatFailsIsTriedAgain() throws {
    let bench = try makeBench()
    let failures = Atomic<Int>(0)
    tables.setFaults { step in
      guard step == .committed, failures.add(1, ordering: .relaxed).newValue == 1 else { return }
      throw WaterbearError(.filesFilesystemError, "not now")
    }
    let query = try bench.client().submit(insert)
    try bench.worker().run(bench.catalogs)
    #expect(try result(bench, query) == "INSERT: integer(2)")
    #expect(values == written)
    try bench.stop()
  }

  @Test func aFailedQueryLeavesNothing() throws {
    let bench = try makeBench()
    let query = try bench.client().submit(insert)
    let (worker, other) = (try bench.worker(), try bench.worker(number: 2))
    let attempt = try worker.order().attempt
    try leaveRows(bench, query)
    try worker.fail(attempt, WaterbearError(.divisionByZero, "Division by zero"))
    #expect(try result(bench, query) == "DIVISION_BY_ZERO")
    try expectClean(bench)
    #expect(values?.count == 1)
    withExtendedLifetime(other) {}
    try bench.stop()
  }

  // MARK: Late attempts

  private func attempt(_ query: QueryID, number: Int = 7) -> AttemptID {
    AttemptID(task: TaskID(stage: StageID(query: query, number: 0), partition: 0), number: number)
  }

  /// Leaves what an attempt of a query leaves that has written and was not finished.
  private func leaveRows(_ bench: CoordinatorBench, _ query: QueryID) throws {
    let write = try #require(try bench.look { $0.queries[query]?.write?.planned ?? $0.writes[query]?.planned })
    guard case .commit(let handle) = write.act else { throw Silence() }
    _ = try tables.pageSink(for: handle, attempt: attempt(query))
  }

  @Test(arguments: [true, false]) func whatALateAttemptLeavesIsRemoved(isCommitted: Bool) throws {
    let bench = try makeBench()
    let query = try bench.client().submit(insert)
    let worker = try bench.worker()
    let attempt = try worker.order().attempt
    let other = try bench.worker(number: 2)
    while try bench.look({ $0.workers.count }) < 2 { usleep(1000) }
    // An attempt that was given up, and whose worker has not answered yet.
    let late = self.attempt(query)
    try bench.look { coordinator in
      for session in coordinator.workers.values where session.id.number == 2 { session.running.insert(late) }
    }
    if isCommitted {
      try worker.report(attempt, try worker.commit(attempt, pages: 0))
      #expect(try result(bench, query) == "INSERT: integer(0)")
    } else {
      try worker.fail(attempt, WaterbearError(.divisionByZero, "Division by zero"))
      #expect(try result(bench, query) == "DIVISION_BY_ZERO")
    }
    try leaveRows(bench, query)
    #expect(tables.stagedAttempts == 1)
    #expect(try bench.look { try $0.store.writes().map(\.state) } == [isCommitted ? .committed : .aborted])
    try other.fail(late, WaterbearError(.abandonedTask, "stopped"))
    try expectClean(bench)
    try bench.stop()
  }
}

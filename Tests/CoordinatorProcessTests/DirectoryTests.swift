// Tests what the coordinator makes of base directories that go, come back, or are not configured any more.
import Base
import ConnectorAPI
import Exchange
import Glibc
import LocalRunner
import Platform
import Sockets
import TemporaryDirectories
import Testing
import Wire

@testable import CoordinatorProcess

@Suite struct DirectoryTests {
  private static let patience = TimeSpan.milliseconds(500)

  /// When something in a directory was last made, deleted or renamed.
  private func changed(_ path: String) -> [Int] {
    var status = stat()
    return stat(path, &status) == 0 ? [status.st_mtim.tv_sec, status.st_mtim.tv_nsec] : []
  }

  private func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  private func wait(_ condition: () throws -> Bool) throws {
    for _ in 0..<2000 {
      if try condition() { return }
      SystemClock.sleep(.milliseconds(10))
    }
    throw Silence()
  }

  /// A query whose result lies in `old`, then a coordinator to which only `new` is configured. No loss is allowed to
  /// count.
  private func takeOut(_ change: (String) -> Void = { _ in }) throws -> (CoordinatorBench, QueryID, old: String) {
    let bench = try CoordinatorBench(spools: ["old"])
    let query = try bench.client().submit("SELECT 1", session: ["task_retry_attempts_per_task": "0"])
    try bench.worker().work()
    #expect(try bench.client().end(of: query).state == .finished)
    let old = bench.home.path + "/old"
    change(old)
    return (try bench.restarted(spools: ["new"], patience: Self.patience), query, old)
  }

  /// Asks for the first page, while a worker makes again what is missing.
  private func fetchWhileMadeAgain(_ bench: CoordinatorBench, _ query: QueryID) throws -> QueryStatus? {
    let client = try bench.client()
    try client.socket.send(FetchResult(query: query, position: ResultPosition(), waitMilliseconds: 20_000), id: 1)
    let worker = try bench.worker(2)
    try worker.work()
    return try client.socket.receive(timeout: .seconds(20))?.message(ResultPage.self).status
  }

  // MARK: Not configured any more

  @Test func whatLiesThereIsReadAndNothingIsWritten() throws {
    // What a sweep would remove.
    let stranger = "20200101_000000_00000_aaaaa"
    let (bench, query, old) = try takeOut { mkdir("\($0)/\(stranger)", 0o700) }
    let before = changed(old)
    #expect(try bench.client().fetch(query).status.state == .finished)
    #expect(try bench.look { $0.spoolStatus().map(\.isSetAside) } == [false, true])
    #expect(try bench.look { $0.spoolStatus().last?.directory } == old)
    // Some trials later, and though it was asked for.
    try bench.look { $0.searchOutputs(in: old, isBack: true) }
    SystemClock.sleep(.milliseconds(1200))
    #expect(changed(old) == before && exists("\(old)/\(stranger)"))
    #expect(try bench.events("outputs_missing").isEmpty && bench.events("spool_directory_restored").isEmpty)
    // What the query has there goes with it; nobody looks further.
    #expect(exists("\(old)/\(query)"))
    _ = try bench.client().ask(ReleaseResult(query: query), QueryStatus.self)
    try wait { !exists("\(old)/\(query)") }
    #expect(exists("\(old)/\(stranger)"))
    try bench.look { coordinator in for _ in 0..<5 { coordinator.watchSpool() } }
    #expect(try bench.look { $0.spoolStatus().map(\.isSetAside) } == [false])
    try bench.stop()
  }

  @Test func whatIsGoneIsMadeAgainAndCountsAgainstNobody() throws {
    let (bench, query, old) = try takeOut { rename($0, $0 + ".gone") }
    #expect(try fetchWhileMadeAgain(bench, query)?.state == .finished)
    #expect(!exists(old))
    #expect(try bench.events("outputs_missing").count == 1 && bench.events("output_lost").isEmpty)
    try bench.stop()
  }

  @Test func whatIsBackInTimeIsNotMadeAgain() throws {
    let bench = try CoordinatorBench(spools: ["old"])
    let query = try bench.client().submit("SELECT 1")
    try bench.worker().work()
    #expect(try bench.client().end(of: query).state == .finished)
    let old = bench.home.path + "/old"
    rename(old, old + ".gone")
    let next = try bench.restarted(spools: ["new"])
    let client = try next.client()
    try client.socket.send(FetchResult(query: query, position: ResultPosition(), waitMilliseconds: 20_000), id: 1)
    try wait { try next.look { $0.spoolWatch.setAside[old]?.awaySince != nil } }
    // Between two looks at the file, which are 250 ms apart: in the middle of one it would be missing in a directory
    // that is there, and there is no worker to make it again.
    SystemClock.sleep(.milliseconds(100))
    rename(old + ".gone", old)
    #expect(try client.socket.receive(timeout: .seconds(20))?.message(ResultPage.self).status.state == .finished)
    #expect(try next.events("outputs_missing").isEmpty)
    try next.stop()
  }

  @Test func aWriteThatWaitsForWhatIsGoneIsMadeAgain() throws {
    let tables = MemoryTables(
      catalog: "memory", tables: ["t": MemoryTable([("a", .integer)], rows: [[.integer(1)]])])
    let bench = try CoordinatorBench(tables: tables, spools: ["old"])
    let old = bench.home.path + "/old"
    let query = try bench.client().submit(
      "INSERT INTO memory.default.t VALUES 2, 3", session: ["task_retry_attempts_per_task": "0"])
    let worker = try bench.worker()
    try worker.run(try worker.order(), bench.catalogs) { rename(old, old + ".gone") }
    try wait { try bench.look { $0.queries[query]?.write?.wanted != nil } }
    let next = try bench.restarted(spools: ["new"], patience: Self.patience)
    try next.worker(2).run(next.catalogs)
    #expect(try next.client().end(of: query).state == .finished)
    #expect(tables.rows(of: "t") == [[.integer(1)], [.integer(2)], [.integer(3)]])
    #expect(!exists(old))
    try next.stop()
  }

  /// The coordinator has read the new configuration, and no worker has.
  @Test func aWorkerOfTheOldConfigurationIsToldToLeaveTheDirectory() throws {
    let bench = try CoordinatorBench(spools: ["old"])
    let (before, old) = (bench.spool, bench.home.path + "/old")
    let next = try bench.restarted(spools: ["new"])
    let query = try next.client().submit("SELECT 1")
    let worker = try next.worker(spool: before)
    #expect(try worker.next(SpoolStates.self)?.setAside == [])
    try worker.work()
    let states = try worker.next(SpoolStates.self)
    #expect(states?.setAside == [old])
    #expect(try next.client().fetch(query).status.state == .finished)
    before.hold(Set(states?.setAside ?? []), silent: [])
    #expect(throws: WaterbearError.self) { try worker.commit(AttemptID(task: Self.task(query), number: 7)) }
    try next.stop()
  }

  private static func task(_ query: QueryID) -> TaskID {
    TaskID(stage: StageID(query: query, number: 0), partition: 0)
  }

  // MARK: What is where

  /// A number comes up again after a loss of power, so a file may have the name of an output that lies elsewhere.
  @Test func aSweepKeepsOutputsWhereTheyLieAndNoOtherFileOfTheirName() throws {
    let bench = try CoordinatorBench(spools: ["a", "b"])
    let query = try bench.client().submit("SELECT 1")
    let worker = try bench.worker()
    let attempt = try worker.order().attempt
    let output = try worker.commit(attempt)
    try worker.report(attempt, output)
    #expect(try bench.client().end(of: query).state == .finished)
    let place = output.location
    let other = try #require(bench.spool.paths.first { $0 != place.directory })
    mkdir("\(other)/\(query)", 0o700)
    let copy = place.path.replacing(place.directory, with: other)
    symlink("/dev/null", copy)
    let next = try bench.restarted()
    var status = stat()
    try wait { lstat(copy, &status) != 0 }
    #expect(exists(place.path))
    try next.stop()
  }

  @Test func aDirectoryThatHasAnotherNameNowKeepsWhatItHolds() throws {
    let home = TemporaryDirectory()
    mkdir(home.path + "/real", 0o700)
    symlink(home.path + "/real", home.path + "/link")
    let bench = try CoordinatorBench(home: home, spools: ["link"])
    let query = try bench.client().submit("SELECT 1")
    try bench.worker().work()
    #expect(try bench.client().end(of: query).state == .finished)
    let next = try bench.restarted(spools: ["real"])
    // The first sweep is over.
    next.coordinator.firstSweeps.wait()
    #expect(try next.client().fetch(query).status.state == .finished)
    try next.stop()
  }

  /// It was given up as it had gone, and is back before anybody reads what lies there.
  @Test func whatIsBackIsNotMadeAgainWithWhatReadIt() throws {
    let bench = try CoordinatorBench(spools: ["a", "b"], patience: Self.patience)
    let spools = try bench.spool.paths.map { path in
      try SpoolDirectories(paths: [path], owner: "", now: { SystemClock.monotonic() }, report: { _ in })
    }
    let (a, b) = (bench.spool.paths[0], bench.spool.paths[1])
    let query = try bench.client().submit(
      "SELECT name FROM (SELECT name, count(*) FROM nation GROUP BY name) ORDER BY 1",
      session: ["retry_initial_delay": "1ms"])
    let worker = try bench.worker()
    var order = try worker.order()
    while order.attempt.task.stage.number > 0 {
      worker.spool = spools[order.attempt.task.stage.number == 2 ? 0 : 1]
      try worker.run(order, bench.catalogs)
      order = try worker.order()
    }
    rename(a, a + ".gone")
    try worker.socket.send(SpoolFaultReport(directory: a, reason: "it is gone", isFull: false, fileBytes: 0))
    try wait { try !bench.events("outputs_missing").isEmpty }
    rename(a + ".gone", a)
    try wait { try !bench.events("spool_directory_restored").isEmpty }
    try wait { try bench.look { $0.spoolSearches[a]?.isUnderWay == false } }
    let lost = try #require(
      try bench.look { $0.queries[query]?.outputs.values.first { $0.attempt.task.stage.number == 1 }?.location })
    #expect(lost.directory == b && unlink(lost.path) == 0)
    var report = ReportAttempt(
      attempt: order.attempt, error: WaterbearError(.exchangeDataUnrecoverable, "it is not there"))
    report.lostInput = lost.attempt
    try worker.socket.send(report)
    // It needs what is back, and nothing else.
    #expect(try worker.order().attempt.task == lost.attempt.task)
    try bench.stop()
  }
}

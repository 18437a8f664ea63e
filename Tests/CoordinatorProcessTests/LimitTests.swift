// Tests the limits of a query's time in a coordinator: before there is a plan, over restarts, and with clients that do
// not come back.
import Base
import Glibc
import Sockets
import TemporaryDirectories
import Testing
import Wire

@testable import CoordinatorProcess

@Suite struct LimitTests {
  /// A coordinator with these lines in config.properties and exchange-manager.properties.
  private func bench(_ config: String, exchange: String = "") throws -> CoordinatorBench {
    let home = TemporaryDirectory()
    mkdir(home.path + "/etc", 0o755)
    for (name, text) in [("config", config), ("exchange-manager", exchange)] {
      let file = fopen(home.path + "/etc/\(name).properties", "w")
      fputs(text, file)
      fclose(file)
    }
    return try CoordinatorBench(home: home)
  }

  private func submit(
    _ bench: CoordinatorBench, _ sql: String = "SELECT 1", session: [String: String] = [:], isAwaited: Bool? = nil
  ) throws -> QueryID {
    let request = SubmitQuery(
      nonce: "n", sql: sql, catalog: "tpch", schema: "tiny", session: session, isAwaited: isAwaited)
    return try bench.client().ask(request, Submitted.self).query
  }

  private func state(_ bench: CoordinatorBench, _ query: QueryID, wait: Int) throws -> QueryState {
    try bench.client().ask(WaitForQuery(query: query, waitMilliseconds: wait), QueryStatus.self).state
  }

  private func refusal(_ body: () throws -> Void) -> WaterbearError? {
    do {
      try body()
      return nil
    } catch {
      return error as? WaterbearError
    }
  }

  @Test func aQueryThatRunsForTooLongEnds() throws {
    let bench = try bench("")
    let query = try submit(bench, session: ["query_max_run_time": "300ms"])
    let status = try bench.client().end(of: query)
    #expect(status.error?.code == .exceededTimeLimit)
    #expect(status.error?.message == "Query exceeded maximum time limit of 300ms")
    try bench.stop()
  }

  @Test func theExecutionTimeCountsFromTheFirstTask() throws {
    let bench = try bench("query.max-execution-time=200ms\n")
    let query = try submit(bench)
    #expect(try state(bench, query, wait: 400) == .running)
    let worker = try bench.worker()
    _ = try worker.order()
    let status = try bench.client().end(of: query)
    #expect(status.error?.message == "Query exceeded the maximum execution time limit of 200ms")
    try bench.stop()
  }

  @Test func aQueryOfWhichNothingRunsEndsInTheQueue() throws {
    let bench = try bench("query.max-queued-time=100ms\n")
    let status = try bench.client().end(of: try submit(bench))
    #expect(status.error?.message == "Query exceeded the maximum queued time limit of 100ms")
    try bench.stop()
  }

  @Test func aPlanThatComesTooLateIsNotRun() throws {
    let bench = try bench("query.max-run-time=1ms\n")
    // Whether the limit strikes in planning or right after it depends on the machine; it always strikes.
    var error = refusal { _ = try submit(bench) }
    if error == nil { error = try bench.client().end(of: try submit(bench)).error }
    #expect(error?.code == .exceededTimeLimit)
    try bench.stop()
  }

  @Test func theTimeOfARestartCounts() throws {
    let bench = try bench("query.max-run-time=2s\n")
    let query = try submit(bench)
    sleep(2)
    let next = try bench.restarted()
    let status = try next.client().ask(WaitForQuery(query: query, waitMilliseconds: 300), QueryStatus.self)
    #expect(status.error?.code == .exceededTimeLimit)
    try next.stop()
  }

  @Test func theAgeIsTheMonotonicClocksWithinABoot() {
    var submission = Submission()
    submission.boot = "a"
    submission.monotonic = 5_000_000_000
    let second: Int64 = 1_000_000
    // The wall clock was set back by an hour, and forward by a day: neither counts.
    for wall in [-3600 * second, 86_400 * second] {
      let now = Submission.Moment(boot: "a", monotonic: 8_000_000_000, wall: 100 * second + wall)
      #expect(submission.age(createdMicroseconds: 100 * second, now: now) == .seconds(3))
    }
    // After a boot there is only the wall clock, and time does not run backwards.
    let later = Submission.Moment(boot: "b", monotonic: 1, wall: 110 * second)
    #expect(submission.age(createdMicroseconds: 100 * second, now: later) == .seconds(10))
    let earlier = Submission.Moment(boot: "b", monotonic: 1, wall: 90 * second)
    #expect(submission.age(createdMicroseconds: 100 * second, now: earlier) == .zero)
  }

  // MARK: Clients

  @Test func aQueryThatNobodyAsksForIsAbandoned() throws {
    let bench = try bench("query.client.timeout=1s\n")
    let query = try submit(bench, isAwaited: true)
    // Somebody waits: it goes on however long that takes.
    #expect(try state(bench, query, wait: 1500) == .running)
    usleep(1_700_000)
    let status = try bench.client().ask(WaitForQuery(query: query, waitMilliseconds: 0), QueryStatus.self)
    #expect(status.error?.code == .abandonedQuery)
    #expect(
      status.error?.message.hasPrefix(
        "Query \(query) was abandoned by the client, as it may have exited or stopped checking for query results. "
          + "Query results have not been accessed since ") == true)
    try bench.stop()
  }

  @Test func aQueryWhoseClientLeftOnPurposeGoesOn() throws {
    let bench = try bench("query.client.timeout=1s\n")
    let query = try submit(bench)
    usleep(1_700_000)
    #expect(try state(bench, query, wait: 0) == .running)
    try bench.stop()
  }

  @Test func aRestartGivesTheClientItsTimeAgainAndNoMore() throws {
    let bench = try bench("query.client.timeout=2s\n")
    let query = try submit(bench, isAwaited: true)
    let next = try bench.restarted()
    #expect(try next.look { $0.queries[query]?.state } == .running)
    for _ in 0..<100 where try next.look({ $0.queries[query] != nil }) { usleep(100_000) }
    #expect(try next.look { $0.queries[query] == nil })
    try next.stop()
  }

  // MARK: Without an exchange manager

  @Test func taskWithoutAnExchangeManagerIsRefused() throws {
    let bench = try bench("", exchange: "exchange-manager.name=none\n")
    let error = refusal { _ = try submit(bench) }
    #expect(error?.code == .exchangeManagerNotConfigured)
    #expect(
      error?.message
        == "Exchange manager must be configured for the failure recovery capabilities to be fully functional")
    try bench.stop()
  }

  @Test func queryWithoutAnExchangeManagerServesSmallResultsWhenAllIsThere() throws {
    let bench = try bench("retry-policy=QUERY\n", exchange: "exchange-manager.name=none\n")
    let query = try submit(bench)
    let worker = try bench.worker()
    let attempt = try worker.order().attempt
    #expect(try bench.client().fetch(query, wait: 50).columns?.count == 1)
    try worker.report(attempt, try worker.commit(attempt))
    #expect(try bench.client().end(of: query).state == .finished)
    #expect(try bench.client().fetch(query).next == ResultPosition(task: 0, page: 1))
    try bench.stop()
  }

  @Test func queryWithoutAnExchangeManagerRefusesLargeResults() throws {
    let bench = try bench(
      "retry-policy=QUERY\nexchange.deduplication-buffer-size=100B\n", exchange: "exchange-manager.name=none\n")
    let query = try submit(bench)
    try bench.worker().work()
    #expect(try bench.client().end(of: query).error?.code == .exchangeManagerNotConfigured)
    try bench.stop()
  }

  @Test func withAnExchangeManagerItHoldsThem() throws {
    let bench = try bench("retry-policy=QUERY\nexchange.deduplication-buffer-size=100B\n")
    let query = try submit(bench)
    try bench.worker().work()
    #expect(try bench.client().end(of: query).state == .finished)
    try bench.stop()
  }

  // MARK: Splits

  @Test func splitsThatDoNotFitAreReadFromTheStore() throws {
    let bench = try bench("fault-tolerant-execution-task-descriptor-storage-max-memory=1B\n")
    let query = try submit(bench, "SELECT count(*) FROM lineitem")
    #expect(try bench.look { $0.queries[query]?.splits.isEmpty } == true)
    let order = try bench.worker().order()
    #expect(order.splits.contains { !$0.splits.isEmpty })
    // So they are after a restart.
    let next = try bench.restarted()
    #expect(try next.look { $0.queries[query]?.splits.isEmpty } == true)
    #expect(try next.worker(2).order().splits.map(\.splits) == order.splits.map(\.splits))
    try next.stop()
  }

  @Test func splitsThatFitStayInMemory() throws {
    let bench = try bench("")
    let query = try submit(bench, "SELECT count(*) FROM lineitem")
    #expect(try bench.look { $0.queries[query]?.splits.isEmpty } == false)
    try bench.stop()
  }
}

// Tests of plans that change while their query runs: what the store keeps of it, over a restart too.
import Base
import Columnar
import LocalRunner
import Testing
import Wire

@testable import CoordinatorProcess

@Suite struct AdaptiveTests {
  /// The planner thinks that both sides of the join are big.
  private let tables = Self.tables(claimed: ["item": 1e8, "part": 1e7, "nothing": 1e7])

  private static func tables(claimed: [String: Double]) -> MemoryTables {
    MemoryTables(catalog: "memory", tables: contents, rowsPerSplit: 30, claimedRows: claimed)
  }

  private static let contents: [String: MemoryTable] = [
    "item": MemoryTable(
      [("part", .bigint), ("quantity", .bigint)], rows: (0..<60).map { [.integer($0 % 11), .integer($0)] }),
    "part": MemoryTable(
      [("id", .bigint), ("brand", .bigint)], rows: (0..<9).map { [.integer($0), .integer($0 % 2)] }),
    "nothing": MemoryTable([("id", .bigint), ("x", .bigint)], rows: []),
  ]

  private let join = """
    SELECT brand, sum(quantity) FROM memory.default.item JOIN memory.default.part ON part = id
    GROUP BY brand ORDER BY brand
    """

  /// What was decided on the plan, not what was made of it.
  private func decisions(_ bench: CoordinatorBench, _ query: QueryID) throws -> [String] {
    try allDecisions(bench, query).map(\.kind).filter { $0 != "KEYS_PUSHED_INTO_SCAN" }
  }

  private func allDecisions(_ bench: CoordinatorBench, _ query: QueryID) throws -> [DecisionDetail] {
    try bench.client().ask(ShowQuery(query: query), QueryDetail.self).decisions ?? []
  }

  /// Runs attempts up to the root's only one.
  private func finish(_ bench: CoordinatorBench, _ worker: FakeWorker) throws {
    while try worker.run(bench.catalogs).task.stage.number > 0 {}
  }

  private func rows(_ bench: CoordinatorBench, _ query: QueryID) throws -> [String] {
    #expect(try bench.client().end(of: query).state == .finished)
    let request = FetchResult(query: query, position: ResultPosition(), waitMilliseconds: 5000)
    let socket = try bench.client().socket
    try socket.send(request, id: 1)
    guard let frame = try socket.receive(timeout: .seconds(20)) else { throw Silence() }
    if frame.attachment.isEmpty { return [] }
    return try BatchCodec.decode(frame.attachment, types: [.bigint, .bigint]).rowValues.map { "\($0)" }
  }

  private var expected: [String] {
    var sums: [Int64: Int64] = [:]
    for row in Int64(0)..<60 where row % 11 < 9 { sums[row % 11 % 2, default: 0] += row }
    return sums.sorted { $0.key < $1.key }.map { "\([Value.integer($0.key), .integer($0.value)])" }
  }

  @Test func aJoinIsDoneElsewhereWhenOneSideIsSmall() throws {
    let bench = try CoordinatorBench(tables: tables)
    let query = try bench.client().submit(join)
    try finish(bench, bench.worker())
    #expect(try rows(bench, query) == expected)
    let made = try decisions(bench, query)
    #expect(made.contains("JOIN_MADE_BROADCAST") && made.contains("STAGE_SKIPPED"), "\(made)")
    try bench.stop()
  }

  @Test func aChangedPlanOutlivesTheCoordinator() throws {
    let bench = try CoordinatorBench(tables: tables)
    let query = try bench.client().submit(join)
    let worker = try bench.worker()
    while try decisions(bench, query).isEmpty { try worker.run(bench.catalogs) }
    let made = try decisions(bench, query)
    let next = try bench.restarted()
    #expect(try decisions(next, query) == made)
    try finish(next, next.worker(2))
    #expect(try rows(next, query) == expected)
    #expect(try decisions(next, query) == made)
    try next.stop()
  }

  @Test func stagesAreAddedWhenACopyIsTooBigAndOutliveTheCoordinator() throws {
    let bench = try CoordinatorBench(tables: Self.tables(claimed: ["item": 1e8, "part": 1]))
    let request = SubmitQuery(
      nonce: "n", sql: join, catalog: nil, schema: nil, session: ["join_max_broadcast_table_size": "50B"])
    let query = try bench.client().ask(request, Submitted.self).query
    let worker = try bench.worker()
    let planned = try bench.client().ask(ShowQuery(query: query), QueryDetail.self).status.stages.count
    while try decisions(bench, query).isEmpty { try worker.run(bench.catalogs) }
    #expect(try decisions(bench, query) == ["JOIN_MADE_PARTITIONED"])
    let next = try bench.restarted()
    #expect(try next.client().ask(ShowQuery(query: query), QueryDetail.self).status.stages.count == planned + 2)
    try finish(next, next.worker(2))
    #expect(try rows(next, query) == expected)
    #expect(try decisions(next, query) == ["JOIN_MADE_PARTITIONED"])
    try next.stop()
  }

  @Test func keysThatFilterAScanAreADecision() throws {
    let bench = try CoordinatorBench(tables: tables)
    let sql = "SELECT sum(quantity) FROM memory.default.item JOIN memory.default.part ON part = id WHERE brand = 1"
    let query = try bench.client().submit(
      sql,
      session: [
        "join_distribution_type": "PARTITIONED", "fault_tolerant_execution_adaptive_query_planning_enabled": "false",
      ])
    try finish(bench, bench.worker())
    #expect(try bench.client().end(of: query).state == .finished)
    let made = try allDecisions(bench, query)
    // One for the stage, whose tasks are two.
    #expect(made.map(\.kind) == ["KEYS_PUSHED_INTO_SCAN"])
    #expect(made.first?.reason.hasPrefix("4 keys of id from stage ") == true, "\(made)")
    let next = try bench.restarted()
    #expect(try allDecisions(next, query).map(\.reason) == made.map(\.reason))
    try next.stop()
  }

  @Test func whatHasNothingToDoIsSkipped() throws {
    let bench = try CoordinatorBench(tables: tables)
    let sql = "SELECT quantity, x FROM memory.default.item JOIN memory.default.nothing ON part = id ORDER BY 1"
    let query = try bench.client().submit(sql)
    // The empty side has no splits, so nothing has to run at all.
    let status = try bench.client().end(of: query)
    #expect(status.state == .finished)
    #expect(status.stages.contains { $0.state == "SKIPPED" } && status.stages.allSatisfy { $0.runningTasks == 0 })
    #expect(try rows(bench, query) == [])
    #expect(try decisions(bench, query).contains("STAGE_SKIPPED"))
    let next = try bench.restarted()
    #expect(try next.client().end(of: query).stages.contains { $0.state == "SKIPPED" })
    #expect(try rows(next, query) == [])
    try next.stop()
  }

  @Test func aPlanStaysAsItIsWhereTheSessionSaysSo() throws {
    let bench = try CoordinatorBench(tables: tables)
    let request = SubmitQuery(
      nonce: "n", sql: join, catalog: nil, schema: nil,
      session: ["fault_tolerant_execution_adaptive_query_planning_enabled": "false"])
    let query = try bench.client().ask(request, Submitted.self).query
    try finish(bench, bench.worker())
    #expect(try rows(bench, query) == expected)
    #expect(try decisions(bench, query) == [])
    try bench.stop()
  }
}

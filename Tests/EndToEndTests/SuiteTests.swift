// Proves that the SQL suite of Tests/sql gives its answers a second time: on a real daemon with tiny limits, while its
// processes are killed. Which answers are right is written there.
import Base
import Foundation
import Platform
import SQLScripts
import Testing

extension EndToEndTests {
  @Suite(.serialized) struct SuiteTests {
    /// Every limit as tight as it may be: one split per task, pages of 64 kB, a handful of partitions, two waiting
    /// tasks, and grants of 1 MB, which even small queries exceed. Workers die every 300 ms, so a
    /// whole query may have to begin more often than four times. What a client has taken over is forgotten soon where
    /// the coordinator died before it could note that.
    private static let config = """
      waterbear.worker-memory=16MB
      task.max-worker-threads=16
      fault-tolerant-execution-task-memory=1MB
      fault-tolerant-execution-coordinator-task-memory=1MB
      fault-tolerant-execution-max-partition-count=5
      fault-tolerant-execution-min-partition-count=5
      fault-tolerant-execution-min-partition-count-for-write=5
      fault-tolerant-execution-max-task-split-count=1
      fault-tolerant-execution-arbitrary-distribution-compute-task-target-size-min=1MB
      fault-tolerant-execution-arbitrary-distribution-compute-task-target-size-max=1MB
      fault-tolerant-execution-arbitrary-distribution-write-task-target-size-min=1MB
      fault-tolerant-execution-arbitrary-distribution-write-task-target-size-max=1MB
      fault-tolerant-execution-hash-distribution-compute-task-target-size=1MB
      fault-tolerant-execution-hash-distribution-compute-task-to-node-min-ratio=5
      fault-tolerant-execution-task-descriptor-storage-max-memory=1kB
      max-tasks-waiting-for-node-per-query=2
      max-tasks-waiting-for-execution-per-query=2
      exchange.deduplication-buffer-size=1kB
      query-retry-attempts=100
      retry-initial-delay=10ms
      retry-max-delay=100ms
      query.min-expire-age=10s

      """
    private static let exchange = "exchange.max-page-storage-size=64kB\n"
    private static let policies = ["TASK", "QUERY"]

    @Test(arguments: policies)
    func `every script gives its answers while processes are killed`(_ policy: String) throws {
      let lake = try TemporaryDirectory()
      try lake.write("", to: "default/.schema")
      let stage = try SuiteStage(
        try Daemon(
          config: Self.config, exchange: Self.exchange,
          catalogs: [
            "memory": "connector.name=files\nfiles.base-directory=\(lake.path)\n", "tpch": "connector.name=tpch\n",
          ]), policy: policy)
      var faults: [String] = []
      for script in try SQLFiles.names(endingIn: ".slt") { faults += try stage.play(script) }
      #expect(faults.count == 0, "\(faults.joined(separator: "\n\n"))")
      try stage.expectOrder()
      // What was dropped last may have been left to the daemon's next start.
      #expect(files(below: lake.path) == ["default/.schema"])
    }

    @Test(arguments: policies)
    func `the 22 queries of the benchmark give their answers while processes are killed`(_ policy: String) throws {
      let stage = try SuiteStage(try Daemon(config: Self.config, exchange: Self.exchange), policy: policy)
      var faults: [String] = []
      repeat { faults += try stage.playBenchmark() } while faults.isEmpty && !stage.hasKilledEnough
      #expect(faults.count == 0, "\(faults.joined(separator: "\n\n"))")
      let exceeded = try stage.daemon.events("attempt_failed").count { $0.contains("EXCEEDED_LOCAL_MEMORY_LIMIT") }
      #expect(exceeded > 0, "no grant was too small; the test has lost its point")
      try stage.expectOrder()
    }
  }
}

/// A daemon whose processes are killed all the time.
private final class SuiteStage {
  let daemon: Daemon
  private let runner: StatementRunner
  private let session: [String: String]
  private let workers: Killer
  private let coordinators: Killer

  init(_ daemon: Daemon, policy: String) throws {
    self.daemon = daemon
    runner = try StatementRunner(socket: daemon.socket, threads: 4)
    session = ["retry_policy": policy, "join_distribution_type": "PARTITIONED"]
    workers = try Killer(of: "worker", supervisor: daemon.processID, every: .milliseconds(300))
    coordinators = try Killer(of: "coordinator", supervisor: daemon.processID, every: .milliseconds(1500))
  }

  deinit {
    _ = workers.stop()
    _ = coordinators.stop()
  }

  private func statement(_ sql: String) -> Statement { Statement(sql: sql, session: session) }

  // MARK: Scripts

  /// Runs a script: its tables one after the other, and what stands between them all at once. Gives what is wrong.
  func play(_ script: String) throws -> [String] {
    var faults: [String] = []
    var waiting: [LogicTestScript.Record] = []
    var tables: Set<String> = []
    func playWaiting() throws {
      // The script's day is a fixed one.
      waiting.removeAll { $0.sql.contains("current_date") }
      let outcomes = try runner.run(waiting.map { statement($0.sql) })
      for (record, outcome) in zip(waiting, outcomes) {
        guard let fault = record.fault(in: outcome.result, ignoringLengths: true) ?? outcome.irregularity else {
          continue
        }
        faults.append("\(script):\(record.line): \(fault)\n\(record.sql)")
      }
      waiting = []
    }
    for record in try LogicTestScript.parse(SQLFiles.text(script)).records {
      guard case .table(let name) = record.kind else {
        waiting.append(record)
        continue
      }
      try playWaiting()
      if !tables.insert(name).inserted { try runner.run(statement("DROP TABLE \(name)")) }
      try make(name, of: record.sql)
    }
    try playWaiting()
    for name in tables { try runner.run(statement("DROP TABLE \(name)")) }
    return faults
  }

  /// Makes a table of a query's rows, two to a file, so that reading it takes several tasks.
  private func make(_ name: String, of sql: String) throws {
    let rows = try runner.run(statement(sql))
    try runner.run(statement("CREATE TABLE \(name) AS SELECT * FROM (\(sql)) LIMIT 0"))
    for start in stride(from: 0, to: rows.rows.count, by: 2) {
      try runner.run(statement("INSERT INTO \(name) SELECT * FROM (\(sql)) OFFSET \(start) LIMIT 2"))
    }
    let found = try runner.run(statement("SELECT * FROM \(name)"))
    #expect(found.lines.sorted() == rows.lines.sorted(), "\(name): \(sql)")
  }

  // MARK: The benchmark

  func playBenchmark() throws -> [String] {
    let numbers = Array(1...22)
    let names = numbers.map { $0 < 10 ? "q0\($0)" : "q\($0)" }
    let statements = try names.map {
      Statement(sql: try SQLFiles.text("tpch/\($0).sql"), catalog: "tpch", schema: "tiny", session: session)
    }
    let outcomes = try runner.run(statements)
    return try zip(numbers, zip(names, outcomes)).compactMap { number, query in
      let (name, outcome) = query
      let answer = Answer(try SQLFiles.text("answers/sf0.01/\(name).psv"))
      switch outcome.result {
      case .failure(let error): return "\(name) fails: \(error)"
      case .success(let table):
        let difference = answer.difference(from: table, isOrdered: !Answer.unordered.contains(number))
        return (difference ?? outcome.irregularity).map { "\(name): \($0)" }
      }
    }
  }

  // MARK: Afterwards

  var hasKilledEnough: Bool { workers.kills >= 10 && coordinators.kills >= 2 }

  /// Enough was killed, nothing died by itself, and nothing is left.
  func expectOrder() throws {
    _ = (workers.stop(), coordinators.stop())
    #expect(hasKilledEnough, "too little was killed for this test to say anything")
    try daemon.wait(for: "a coordinator") { try daemon.control(["status", "--quiet"]).succeeded }
    try daemon.expectEmptySpool()
    let traps = try daemon.traps()
    let deaths = try daemon.events("child_exited").filter { !$0.contains("\"signal\":\"SIGKILL\"") }
    #expect(deaths.count == 0, "\(deaths)\n\(traps)")
    #expect(try daemon.events("process_failed").count == 0)
    #expect(try daemon.stop() == .exited(0))
  }
}

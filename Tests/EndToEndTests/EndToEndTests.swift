// Owns the order of all tests that run whole daemons: one after the other, so that none starves another.
import Base
import Foundation
import Platform
import Testing

/// Daemons of the built programs, driven from outside as a user would.
@Suite(.serialized) struct EndToEndTests {}

extension EndToEndTests {
  /// The promise of the project: whatever is killed, the answers are the same and each task counts once.
  @Suite(.serialized) struct AnswerTests {
    @Test func `the 22 queries of the benchmark at scale 1, undisturbed`() throws {
      let daemon = try Daemon()
      for number in Benchmark.numbers {
        let id = try daemon.submit(["--file", Benchmark.file(number), "--catalog", "tpch", "--schema", "sf1"])
        try checkAnswer(of: id, to: number, from: daemon)
        #expect(try daemon.show(id).retries == 0)
      }
      try daemon.expectEmptySpool()
      #expect(try daemon.stop() == .exited(0))
      // Of what is found in its run directory, the locks are for ever.
      let left = try FileManager.default.contentsOfDirectory(atPath: daemon.data + "/run")
      #expect(left.allSatisfy { $0.hasSuffix(".lock") }, "\(left)")
    }

    @Test func `the same while a random worker is killed every 300 ms`() throws {
      let daemon = try Daemon()
      let killer = try Killer(of: "worker", supervisor: daemon.processID, every: .milliseconds(300))
      defer { _ = killer.stop() }
      var (retries, rounds) = (0, 0)
      // On a fast machine one round is over before much has been killed.
      while rounds == 0 || (killer.kills < 20 || retries == 0) && rounds < 20 {
        for number in Benchmark.numbers {
          let id = try daemon.submit(["--file", Benchmark.file(number), "--catalog", "tpch", "--schema", "sf1"])
          retries += try checkAnswer(of: id, to: number, from: daemon)
        }
        rounds += 1
      }
      #expect(killer.stop() >= 20 && retries > 0, "too little was killed for this test to say anything")
      try daemon.expectEmptySpool()
    }

    @Test func `the same while the coordinator is killed every second`() throws {
      let daemon = try Daemon()
      let killer = try Killer(of: "coordinator", supervisor: daemon.processID, every: .seconds(1))
      defer { _ = killer.stop() }
      var rounds = 0
      while rounds == 0 || killer.kills < 5 && rounds < 20 {
        for number in Benchmark.numbers {
          // One command from SQL to rows: it must live through every loss of its connection.
          let result = try daemon.control(
            ["query", "--file", Benchmark.file(number)] + Daemon.options(schema: "sf1"), within: .seconds(180))
          #expect(result.succeeded, "query \(number): \(result.error)")
          #expect(try Benchmark.difference(result.output, query: number, scale: "sf1") == nil, "query \(number)")
        }
        rounds += 1
      }
      #expect(killer.stop() >= 5)
      try daemon.wait(for: "a coordinator") { try daemon.control(["status", "--quiet"]).succeeded }
      try daemon.expectEmptySpool()
    }

    @Test func `a short query does not wait for long tasks of another`() throws {
      let daemon = try Daemon()
      // Billions of pairs for each of its tasks: they hold all slots for minutes.
      let long = try daemon.submit([
        "SELECT count(*) FROM tpch.sf1.orders a, tpch.sf1.orders b WHERE a.o_custkey > b.o_custkey + 1000000"
      ])
      try daemon.wait(for: "tasks that run") {
        let running = try daemon.control(["workers", "--format", "tsv"]).output.components(separatedBy: long)
        return running.count > 2
      }
      let answer = try daemon.control(["query", "--format", "tsv", "SELECT 1 AS one"], within: .seconds(20))
      #expect(answer.output == "one\n1\n")
      #expect(try daemon.control(["cancel", long]).succeeded)
    }

    @Test func `the same after every process was killed at once and the daemon was started again`() throws {
      let daemon = try Daemon()
      let submitted = try daemon.submit(["--file", Benchmark.file(18), "--catalog", "tpch", "--schema", "sf1"])
      let running = try daemon.startControl(["query", "--file", Benchmark.file(1)] + Daemon.options(schema: "sf1"))
      try daemon.wait(for: "some finished tasks") {
        try daemon.show(submitted).attempts.contains { $0.selected }
      }
      daemon.kill()
      SystemClock.sleep(.milliseconds(200))
      #expect(running.end() == nil, "the client must wait for the daemon")
      try daemon.start()

      let result = try running.finish(within: .seconds(180))
      #expect(result.succeeded, "\(result.error)")
      #expect(result.error.contains("the daemon is away") && result.error.contains("the daemon is back"))
      #expect(try Benchmark.difference(result.output, query: 1, scale: "sf1") == nil)

      try checkAnswer(of: submitted, to: 18, from: daemon)
      try daemon.expectEmptySpool()
    }

    @Test func `an idle daemon loses no process where its patience is the shortest that may be set`() throws {
      let daemon = try Daemon(config: "query.remote-task.max-error-duration=1s\nwaterbear.hang-timeout=1s\n")
      SystemClock.sleep(.seconds(5))
      for event in ["worker_silent", "worker_lost", "child_hung", "child_exited"] {
        #expect(try daemon.events(event).count == 0, "\(event)")
      }
    }

    /// Waits for a query, checks that each of its tasks has one selected attempt, then fetches and compares its rows.
    /// Gives the number of retries.
    @discardableResult
    private func checkAnswer(of id: String, to number: Int, from daemon: Daemon) throws -> Int {
      let waited = try daemon.control(["wait", id], within: .seconds(180))
      #expect(waited.succeeded, "query \(number): \(waited.error)")
      let detail = try daemon.show(id)
      #expect(detail.state == "FINISHED")
      var selected: [[Int]: Int] = [:]
      for attempt in detail.attempts {
        selected[[attempt.stage, attempt.task], default: 0] += attempt.selected ? 1 : 0
      }
      #expect(!selected.isEmpty)
      #expect(selected.values.allSatisfy { $0 == 1 }, "query \(number): \(detail.attempts)")
      let fetched = try daemon.control(["fetch", id, "--format", "tsv"])
      #expect(fetched.succeeded, "query \(number): \(fetched.error)")
      #expect(try Benchmark.difference(fetched.output, query: number, scale: "sf1") == nil, "query \(number)")
      return detail.retries
    }
  }
}

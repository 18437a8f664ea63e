// Tests how often an attempt is tried again: in each stage of a query, at the first attempt, the next and the last.
import Base
import Foundation
import Testing

extension EndToEndTests {
  @Suite(.serialized) struct FailedAttemptTests {
    /// May fail so often, so three attempts are the most.
    private static let allowed = 2

    private static let shapes = [
      "group by": "SELECT n_regionkey, count(*) AS c FROM tpch.tiny.nation GROUP BY 1 ORDER BY 1",
      "join": "SELECT o_orderpriority, count(*) AS c FROM tpch.tiny.customer JOIN tpch.tiny.orders "
        + "ON c_custkey = o_custkey GROUP BY 1 ORDER BY 1",
      "union": "SELECT n_name FROM tpch.tiny.nation UNION SELECT r_name FROM tpch.tiny.region ORDER BY 1 LIMIT 7",
      "CTAS": "CREATE TABLE lake.out.# AS SELECT n_regionkey, count(*) AS c FROM tpch.tiny.nation GROUP BY 1",
    ]

    @Test(arguments: shapes.keys.sorted())
    func `exactly so many attempts fail, and one more than is allowed ends the query`(_ shape: String) throws {
      let stage = try FailureStage(try #require(Self.shapes[shape]), allowed: Self.allowed)
      let stages = try stage.run([])
      #expect(stages.count >= 2 && stages.first == 0, "\(stages)")
      // The root, the leaf, and what is between.
      for number in stages {
        for failures in 1...Self.allowed + 1 {
          try stage.fail(failures, of: number)
        }
        for step in ["begun", "written", "committed"] { try stage.die(at: step, of: number) }
      }
    }
  }
}

/// A daemon in which chosen attempts of a query fail, or kill their worker.
private final class FailureStage {
  private let lake: TemporaryDirectory
  private let daemon: Daemon
  private let sql: String
  private let allowed: Int
  private var expected = ""
  private var round = 0

  private var script: String { lake.path + "/.script" }

  init(_ sql: String, allowed: Int) throws {
    (self.sql, self.allowed) = (sql, allowed)
    lake = try TemporaryDirectory()
    try lake.write("", to: "out/.schema")
    daemon = try Daemon(
      config: "task-retry-attempts-per-task=\(allowed)\nretry-initial-delay=50ms\nretry-max-delay=50ms\n",
      catalogs: ["lake": "connector.name=files\nfiles.base-directory=\(lake.path)\n"],
      environment: ["WATERBEAR_CRASH_SCRIPT": lake.path + "/.script"])
    expected = try rows().rows
  }

  /// Runs the statement and gives its rows, and what is known of it.
  private func rows() throws -> (rows: String, detail: QueryDetail) {
    round += 1
    let id = try daemon.submit([sql.replacing("#", with: "t\(round)")])
    _ = try daemon.control(["wait", id])
    let detail = try daemon.show(id)
    guard detail.state == "FINISHED" else { return ("", detail) }
    let result = try daemon.control(["fetch", id, "--format", "tsv"])
    #expect(result.succeeded, "\(result.error)")
    guard sql.contains("#") else { return (result.output, detail) }
    return (try daemon.rows("SELECT * FROM lake.out.t\(round) ORDER BY 1"), detail)
  }

  /// Runs the statement with this script, and gives its stages. All of the script must have been played.
  func run(_ script: [String]) throws -> [Int] {
    Set(try play(script).detail.attempts.map(\.stage)).sorted()
  }

  private func play(_ lines: [String]) throws -> (rows: String, detail: QueryDetail) {
    if !lines.isEmpty { try lake.write(lines.map { $0 + "\n" }.joined(), to: ".script") }
    let result = try rows()
    let isPlayed = FileManager.default.fileExists(atPath: script + ".done")
    #expect(isPlayed == !lines.isEmpty, "\(lines) was not played")
    for end in ["", ".done"] where FileManager.default.fileExists(atPath: script + end) {
      try FileManager.default.removeItem(atPath: script + end)
    }
    try daemon.expectEmptySpool()
    return result
  }

  /// The first task of the stage fails so often.
  func fail(_ count: Int, of stage: Int) throws {
    let (found, detail) = try play((0..<count).map { "worker attempt.written.\(stage).0.\($0) 1 fails" })
    let what = "\(count) failures of stage \(stage): \(detail.attempts)"
    let failed = detail.attempts.filter { $0.state == "FAILED" }
    #expect(failed.map(\.attempt).sorted() == Array(0..<count), "\(what)")
    #expect(failed.allSatisfy { $0.stage == stage && $0.task == 0 }, "\(what)")
    if count <= allowed {
      #expect(found == expected, "\(what)")
      #expect(detail.retries == count, "\(what)")
      let selected = detail.attempts.filter { $0.stage == stage && $0.task == 0 && $0.selected }
      #expect(selected.map(\.attempt) == [count], "\(what)")
    } else {
      #expect(detail.state == "FAILED" && detail.error_code == "GENERIC_INTERNAL_ERROR", "\(what)")
      let message = detail.error_message ?? ""
      for part in ["Task \(detail.query).\(stage).0 failed \(count) times", "attempts-per-task = \(allowed)"] {
        #expect(message.contains(part), "\(message)")
      }
      if sql.contains("#") {
        #expect(!(try daemon.control(["query", "SELECT * FROM lake.out.t\(round)"]).succeeded), "\(what)")
      }
    }
  }

  /// The worker dies with the first attempt of the stage's first task: that is no failure of the task.
  func die(at step: String, of stage: Int) throws {
    let (found, detail) = try play(["worker attempt.\(step).\(stage).0.0 1"])
    let what = "death at \(step) of stage \(stage): \(detail.attempts)"
    #expect(found == expected, "\(what)")
    #expect(!detail.attempts.contains { $0.state == "FAILED" }, "\(what)")
    let lost = detail.attempts.filter { $0.state == "LOST" && $0.stage == stage && $0.task == 0 }
    #expect(lost.map(\.attempt) == [0], "\(what)")
  }
}

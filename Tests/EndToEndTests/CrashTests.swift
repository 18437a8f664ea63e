// Tests that a statement that writes is done once and whole, or not at all, at whichever step of it the coordinator
// dies.
import Base
import Foundation
import Glibc
import Platform
import Testing

extension EndToEndTests {
  @Suite(.serialized) struct CrashTests {
    /// What a statement does to the rows of a table; nil is no table.
    private struct Statement {
      let sql: String
      let before: Int?
      let after: Int?
    }

    private static let rows = "SELECT n_nationkey, n_name, n_regionkey FROM tpch.tiny.nation"
    private static let statements: [String: Statement] = [
      "CREATE": Statement(
        sql: "CREATE TABLE # WITH (format = 'CSV', partitioned_by = ARRAY['n_regionkey']) AS \(rows) "
          + "WHERE n_regionkey < 2", before: nil, after: 10),
      "INSERT": Statement(sql: "INSERT INTO # \(rows) WHERE n_regionkey < 2", before: 25, after: 35),
      "DROP": Statement(sql: "DROP TABLE #", before: 25, after: nil),
    ]

    @Test(arguments: ["CREATE", "INSERT", "DROP"])
    func `a coordinator dies at every step of a commit`(_ name: String) throws {
      let statement = try #require(Self.statements[name])
      let stage = try Stage()
      var steps: [String] = []
      while let step = try stage.play(
        statement.sql, dyingAt: "* \(steps.count + 1)", statement.before, statement.after)
      {
        steps.append(step)
        try #require(steps.count < 100, "\(steps)")
      }
      // Which thread comes to its nth step differs from run to run, so one may have been passed over.
      for step in ["commit.begin", "files.rename", "files.sync", "commit.done"] where !steps.contains(step) {
        #expect(try stage.play(statement.sql, dyingAt: "\(step) 1", statement.before, statement.after) == step)
      }
      #expect(steps.count >= 8, "\(steps)")
    }

    @Test func `a worker dies at every step of an attempt`() throws {
      let directory = try TemporaryDirectory()
      let script = directory.path + "/script"
      let daemon = try Daemon(environment: ["WATERBEAR_CRASH_SCRIPT": script])
      var steps: [String] = []
      while steps.count < 100 {
        try directory.write("worker * \(steps.count + 1)\n", to: "script")
        let rows = try daemon.rows("SELECT n_regionkey, count(*) FROM nation GROUP BY 1 ORDER BY 1")
        #expect(rows.split(separator: "\n").dropFirst() == (0..<5).map { "\($0)\t5" }[...], "after \(steps)")
        try daemon.expectEmptySpool()
        // The last step comes when the client has its rows already.
        for _ in 0..<50 where access(script + ".done", F_OK) != 0 { SystemClock.sleep(.milliseconds(10)) }
        // None where it did not come to that many.
        guard let step = try? String(contentsOfFile: script + ".done", encoding: .utf8) else { break }
        steps.append(step.trimmingCharacters(in: .whitespacesAndNewlines))
        unlink(script + ".done")
      }
      let names = Set(steps.map { $0.split(separator: ".").prefix(2).joined(separator: ".") })
      #expect(names == ["attempt.begun", "attempt.written", "attempt.committed", "attempt.reported"])
      #expect(try daemon.events("worker_lost").count == steps.count)
    }
  }
}

/// A daemon whose coordinator dies where a script says, with a catalog to write to.
private final class Stage {
  let lake: TemporaryDirectory
  let daemon: Daemon
  private let script: String
  private var round = 0

  init() throws {
    lake = try TemporaryDirectory()
    try lake.write("", to: "out/.schema")
    script = lake.path + "/.script"
    daemon = try Daemon(
      catalogs: ["lake": "connector.name=files\nfiles.base-directory=\(lake.path)\n"],
      environment: ["WATERBEAR_CRASH_SCRIPT": script])
  }

  /// Runs a statement, with `#` for a new table, while the coordinator dies at the given step of it: its name or `*`,
  /// and which of those. Gives the step's name, or nil where the statement has fewer.
  func play(_ sql: String, dyingAt place: String, _ before: Int?, _ after: Int?) throws -> String? {
    round += 1
    let table = "lake.out.t\(round)"
    if before != nil {
      let made = "CREATE TABLE \(table) WITH (format = 'CSV', partitioned_by = ARRAY['n_regionkey']) AS "
      _ = try run(made + "SELECT n_nationkey, n_name, n_regionkey FROM tpch.tiny.nation")
      try waitForNoLeftovers()
    }
    try lake.write("coordinator \(place)\n", to: ".script")
    let statement = try daemon.startControl(["query", "--format", "tsv", sql.replacing("#", with: table)])
    var seen: Set<Int> = []
    while statement.end() == nil {
      if after != nil {
        // Reading a table's files one after the other is not one look, and a signal may interrupt it. What a dead
        // coordinator has left half done is still there at the second.
        var rows = visibleRows(of: table)
        if rows != before ?? 0, rows != after { rows = visibleRows(of: table) }
        seen.insert(rows)
      }
      SystemClock.sleep(.milliseconds(1))
    }
    let result = try statement.finish()
    #expect(result.succeeded, "step \(place): \(result.error)")
    #expect(seen.isSubset(of: [before ?? 0, after ?? 0]), "step \(place): \(seen) rows were seen")
    try daemon.wait(for: "a coordinator") { try daemon.control(["status", "--quiet"]).succeeded }
    try waitForNoLeftovers()
    // The last steps come when nothing is to be seen any more.
    for _ in 0..<50 where access(script + ".done", F_OK) != 0 { SystemClock.sleep(.milliseconds(10)) }
    let step = try? String(contentsOfFile: script + ".done", encoding: .utf8)  // None where it did not come to that.
    if step == nil { unlink(script) }
    unlink(script + ".done")
    try daemon.wait(for: "a coordinator") { try daemon.control(["status", "--quiet"]).succeeded }
    if let after {
      let found = try run("SELECT count(*), count(DISTINCT n_nationkey) FROM \(table)")
      #expect(found.hasSuffix("\n\(after)\t\(min(after, 25))\n"), "step \(place)")
      #expect(visibleRows(of: table) == after, "step \(place)")
    } else {
      #expect(!(try daemon.control(["query", "SELECT * FROM \(table)"]).succeeded), "step \(place)")
      #expect(!files(below: lake.path).contains { $0.contains("/t\(round)/") }, "step \(place)")
    }
    return step?.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private func run(_ sql: String) throws -> String {
    let result = try daemon.control(["query", "--format", "tsv", sql])
    try #require(result.succeeded, "\(sql): \(result.error)")
    return result.output
  }

  /// Rows in the files that other programs would see now.
  private func visibleRows(of table: String) -> Int {
    // Nothing else is listed: an enumeration ends early where a directory goes away below it, as hidden ones do.
    let directory = lake.path + "/out/" + table.split(separator: ".")[2]
    return files(below: directory).reduce(0) { sum, path in
      guard path.hasSuffix(".csv"), !path.hasPrefix("."), !path.contains("/.") else { return sum }
      // Each file has a header.
      let text = try? String(contentsOfFile: directory + "/" + path, encoding: .utf8)  // One that is gone has no rows.
      return sum + max(0, (text?.split(separator: "\n").count ?? 0) - 1)
    }
  }

  private func waitForNoLeftovers() throws {
    try daemon.wait(for: "no leftovers") {
      !files(below: lake.path).contains { $0.contains("/.waterbear-") && !$0.hasSuffix("/.waterbear-table") }
    }
  }
}

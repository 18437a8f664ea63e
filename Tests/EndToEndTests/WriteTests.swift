// Tests that a table is written once and whole, whatever is killed while it is.
import Base
import Foundation
import Glibc
import Platform
import Testing

extension EndToEndTests {
  @Suite(.serialized) struct WriteTests {
    private static let sums = "count(*), sum(o_orderkey), sum(o_custkey), max(o_comment)"

    /// A daemon whose catalog `lake` is the directory, which has an empty schema `out`.
    private func daemon(_ lake: TemporaryDirectory) throws -> Daemon {
      try lake.write("", to: "out/.schema")
      return try Daemon(catalogs: ["lake": "connector.name=files\nfiles.base-directory=\(lake.path)\n"])
    }

    private func run(_ sql: String, on daemon: Daemon) throws -> String {
      let result = try daemon.control(["query", "--format", "tsv", sql], within: .seconds(180))
      try #require(result.succeeded, "\(sql): \(result.error)")
      return result.output
    }

    /// What attempts and unfinished commits have left: anything hidden but a table's own description.
    private func leftovers(in lake: TemporaryDirectory) -> [String] {
      files(below: lake.path).filter { path in
        path.split(separator: "/").contains { $0.hasPrefix(".waterbear-") && $0 != ".waterbear-table" }
      }
    }

    @Test(arguments: ["PARQUET", "CSV"])
    func `tables are made, filled and dropped`(_ format: String) throws {
      let lake = try TemporaryDirectory()
      let daemon = try daemon(lake)
      let made = try run(
        "CREATE TABLE lake.out.nation WITH (format = '\(format)') AS SELECT * FROM tpch.tiny.nation", on: daemon)
      #expect(made == "rows\n25\n")
      #expect(try run("INSERT INTO lake.out.nation SELECT * FROM tpch.tiny.nation", on: daemon) == "rows\n25\n")
      let sums = "count(*), sum(n_nationkey), max(n_name), max(n_comment)"
      let expected = try run("SELECT 50, \(sums.dropFirst(10)) FROM tpch.tiny.nation", on: daemon)
      let doubled = expected.replacing("\t300\t", with: "\t600\t")
      let found = try run("SELECT \(sums) FROM lake.out.nation", on: daemon)
      #expect(found.split(separator: "\n").last == doubled.split(separator: "\n").last)
      _ = try run("DROP TABLE lake.out.nation", on: daemon)
      #expect(!(try daemon.control(["query", "SELECT * FROM lake.out.nation"]).succeeded))
      // What was dropped is removed after the answer.
      try daemon.wait(for: "no leftovers") { files(below: lake.path).allSatisfy { $0.hasSuffix(".schema") } }
    }

    @Test(.enabled(if: SmallDisk.isPossible, "mounting a tmpfs takes root"), arguments: ["PARQUET", "CSV"])
    func `a disk of tables that is full fails a write clearly, and nothing of it stays`(_ format: String) throws {
      let disk = try SmallDisk(bytes: 16 << 20)
      mkdir(disk.path + "/out", 0o700)
      let daemon = try Daemon(
        config: "task-retry-attempts-per-task=1\nretry-initial-delay=100ms\n",
        catalogs: ["lake": "connector.name=files\nfiles.base-directory=\(disk.path)\n"])
      let nation = "WITH (format = '\(format)') AS SELECT * FROM tpch.tiny.nation"
      _ = try run("CREATE TABLE lake.out.nation \(nation)", on: daemon)
      let before = files(below: disk.path).sorted()
      func fails(_ sql: String) throws {
        let failed = try daemon.control(["query", sql])
        #expect(failed.end == .exited(1), "\(sql)")
        // Which task, how often, why, and what to do.
        let remedy = "Free space in files.base-directory \(disk.path)"
        for part in ["Task ", "failed 2 times", "No space left on device", remedy] {
          #expect(failed.error.contains(part), "\(sql): \(failed.error)")
        }
        try daemon.wait(for: "nothing to be left of it") {
          files(below: disk.path).sorted().filter { $0 != "filler" } == before
        }
        #expect(try run("SELECT count(*), sum(n_nationkey) FROM lake.out.nation", on: daemon).hasSuffix("\n25\t300\n"))
        try daemon.expectEmptySpool()
      }
      // It fills up under many rows, and is full before the first.
      try fails("CREATE TABLE lake.out.orders WITH (format = '\(format)') AS SELECT * FROM tpch.sf1.orders")
      disk.fill()
      try fails("CREATE TABLE lake.out.more \(nation)")
      try fails("INSERT INTO lake.out.nation SELECT * FROM tpch.tiny.nation")
      disk.free()
      _ = try run("CREATE TABLE lake.out.more \(nation)", on: daemon)
      #expect(try run("INSERT INTO lake.out.nation SELECT * FROM tpch.tiny.nation", on: daemon) == "rows\n25\n")
      #expect(try run("SELECT count(*) FROM lake.out.nation", on: daemon) == "_col0\n50\n")
    }

    @Test func `a table has each row once while workers and coordinators are killed all the time`() throws {
      let lake = try TemporaryDirectory()
      let daemon = try daemon(lake)
      let expected = try run("SELECT \(Self.sums) FROM tpch.sf1.orders", on: daemon)
      // Twenty deaths later they come every 400 ms.
      let workers = try Killer(of: "worker", supervisor: daemon.processID, every: .milliseconds(150), slowness: 20)
      let coordinators = try Killer(of: "coordinator", supervisor: daemon.processID, every: .milliseconds(700))
      defer {
        _ = workers.stop()
        _ = coordinators.stop()
      }
      var (rounds, names) = (0, 0)
      while rounds < 3 || (workers.kills < 20 || coordinators.kills < 5) && rounds < 30 {
        names += 1
        let table = "lake.out.t\(names)"
        // A submission may die with its coordinator, accepted or not: then another table is made.
        // A task has to fit between two deaths of its worker: here it takes 50 ms, with the default size up to 700.
        let size = "fault_tolerant_execution_arbitrary_distribution_write_task_target_size_min=8MB"
        let submission = try daemon.control(
          ["submit", "--session", size, "CREATE TABLE \(table) AS SELECT * FROM tpch.sf1.orders"])
        guard submission.succeeded else { continue }
        let id = submission.output.trimmingCharacters(in: .whitespacesAndNewlines)
        let end = try daemon.control(["wait", id], within: .seconds(180))
        #expect(end.succeeded, "\(table): \(end.error)")
        // Until its result is fetched a query keeps it.
        #expect(try daemon.control(["fetch", id, "--format", "tsv"]).output == "rows\n1500000\n")
        #expect(try run("SELECT \(Self.sums) FROM \(table)", on: daemon) == expected, "\(table)")
        rounds += 1
      }
      #expect(workers.stop() >= 20 && coordinators.stop() >= 5, "too little was killed for this test to say anything")
      try daemon.wait(for: "a coordinator") { try daemon.control(["status", "--quiet"]).succeeded }
      try daemon.wait(for: "no leftovers") { leftovers(in: lake).isEmpty }
      try daemon.expectEmptySpool()
    }
  }
}

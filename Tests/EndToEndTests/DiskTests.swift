// Tests that disks fill, vanish and come back while queries run: the answers stay right, and the daemon lives.
import Base
import Foundation
import Platform
import Testing

extension EndToEndTests {
  @Suite(.serialized) struct DiskTests {
    private static let cannotMount: Comment = "mounting a tmpfs takes root"
    /// Exchanges some ten megabytes at scale 0.1.
    private static let sql = """
      SELECT count(*), sum(q), max(c) FROM (
        SELECT l_orderkey, l_partkey, sum(l_quantity) AS q, min(l_comment) AS c FROM lineitem GROUP BY 1, 2)
      """

    private func expected() throws -> String { try Daemon().rows(Self.sql, schema: "sf0.1") }

    private func status(_ daemon: Daemon) throws -> String { try daemon.control(["status"]).output }

    @Test(.enabled(if: SmallDisk.isPossible, cannotMount))
    func `a directory that fills up is set aside, and the others take its part`() throws {
      let expected = try expected()
      let (disk, other) = (try SmallDisk(bytes: 1 << 20), try TemporaryDirectory())
      let daemon = try Daemon(spools: [disk.path, other.path + "/spool"])
      #expect(try daemon.rows(Self.sql, schema: "sf0.1") == expected)
      let events = try daemon.events("spool_directory_set_aside")
      #expect(!events.isEmpty && events.allSatisfy { $0.contains(disk.path) && $0.contains("No space left") })
      #expect(try daemon.events("spool_exhausted").isEmpty)
      // It fills up for real and shows so, then is used again.
      disk.fill()
      #expect(try daemon.rows(Self.sql, schema: "sf0.1") == expected)
      try daemon.wait(for: "the full disk to be shown") { try status(daemon).contains("\(disk.path): SET ASIDE") }
      disk.free()
      try daemon.wait(for: "the disk to be used again") { try !status(daemon).contains("SET ASIDE") }
      #expect(try daemon.events("spool_directory_restored").count { $0.contains(disk.path) } > 0)
    }

    @Test(.enabled(if: SmallDisk.isPossible, cannotMount))
    func `with every directory full a query waits, goes on when there is room, and otherwise fails clearly`() throws {
      let expected = try expected()
      let disk = try SmallDisk(bytes: 64 << 20)
      let daemon = try Daemon(config: "waterbear.max-spool-wait=6s\n", spools: [disk.path])
      disk.fill()
      let waiting = try daemon.submit([Self.sql, "--catalog", "tpch", "--schema", "sf0.1"])
      try daemon.wait(for: "the wait to begin") { try !daemon.events("spool_exhausted").isEmpty }
      // Far longer than four attempts with their delays would take without a wait of its own.
      SystemClock.sleep(.seconds(3))
      #expect(try daemon.show(waiting).state == "RUNNING")
      #expect(try status(daemon).contains("\(disk.path): SET ASIDE"))
      disk.free()
      let freed = SystemClock.monotonic()
      #expect(try daemon.control(["wait", waiting]).succeeded)
      #expect(SystemClock.monotonic() - freed < .seconds(5))
      #expect(try daemon.control(["fetch", waiting, "--format", "tsv"]).output == expected)

      disk.fill()
      let failed = try daemon.control(["query", Self.sql, "--catalog", "tpch", "--schema", "sf0.1"])
      #expect(failed.end == .exited(1))
      for part in ["SPOOL_UNAVAILABLE", disk.path, "waterbear.max-spool-wait", "exchange.base-directories"] {
        #expect(failed.error.contains(part), "\(failed.error)")
      }
      disk.free()
      try daemon.wait(for: "the disk to be used again") { try !status(daemon).contains("SET ASIDE") }
      #expect(try daemon.rows(Self.sql, schema: "sf0.1") == expected)
      try daemon.wait(for: "an empty spool") { files(below: disk.path).allSatisfy { !$0.contains("/") } }
    }

    @Test(.enabled(if: SmallDisk.isPossible, cannotMount))
    func `a full disk outlives the coordinator and all workers`() throws {
      let disk = try SmallDisk(bytes: 64 << 20)
      let daemon = try Daemon(spools: [disk.path])
      disk.fill()
      let id = try daemon.submit([Self.sql, "--catalog", "tpch", "--schema", "sf0.1"])
      try daemon.wait(for: "the wait to begin") { try !daemon.events("spool_exhausted").isEmpty }
      daemon.kill()
      try daemon.start()
      try daemon.wait(for: "the full disk to be known") { try status(daemon).contains("\(disk.path): SET ASIDE") }
      for worker in try daemon.workerList() { kill(worker.pid, SIGKILL) }
      SystemClock.sleep(.seconds(1))
      #expect(try daemon.show(id).state == "RUNNING")
      disk.free()
      #expect(try daemon.control(["wait", id]).succeeded)
    }

    @Test func `a directory removed under a running query costs no attempts, and its outputs are made again`() throws {
      let expected = try Daemon().rows(try String(contentsOfFile: Benchmark.file(9), encoding: .utf8), schema: "sf1")
      let directory = try TemporaryDirectory()
      let spools = ["a", "b"].map { directory.path + "/" + $0 }
      let daemon = try Daemon(config: "task-retry-attempts-per-task=1\n", spools: spools)
      let id = try daemon.submit(["--file", Benchmark.file(9), "--catalog", "tpch", "--schema", "sf1"])
      try daemon.wait(for: "some outputs") { try daemon.show(id).attempts.count { $0.selected } > 4 }
      try FileManager.default.removeItem(atPath: spools[0])
      let waited = try daemon.control(["wait", id])
      #expect(waited.succeeded, "\(waited.error)")
      #expect(try daemon.control(["fetch", id, "--format", "tsv"]).output == expected)
      #expect(try !daemon.events("spool_directory_set_aside").isEmpty)
      #expect(!FileManager.default.fileExists(atPath: spools[0]))
      // Made again by whoever repairs it, it is used again.
      try FileManager.default.createDirectory(atPath: spools[0], withIntermediateDirectories: false)
      try daemon.wait(for: "its use") { try !status(daemon).contains("SET ASIDE") }
    }

    /// Whoever drops a disk from the configuration, dead or alive, and restarts, loses no query that is under way.
    @Test(arguments: [true, false])
    func `a directory that is configured no more is read while it is there, and never written`(isThere: Bool) throws {
      let expected = try Daemon().rows(try String(contentsOfFile: Benchmark.file(9), encoding: .utf8), schema: "sf1")
      let directory = try TemporaryDirectory()
      let spools = ["a", "b"].map { directory.path + "/" + $0 }
      let daemon = try Daemon(config: "task-retry-attempts-per-task=1\n", spools: spools)
      let id = try daemon.submit(["--file", Benchmark.file(9), "--catalog", "tpch", "--schema", "sf1"])
      try daemon.wait(for: "some outputs") { try daemon.show(id).attempts.count { $0.selected } > 4 }
      daemon.kill()
      #expect(files(below: spools[0]).contains { $0.contains("/") })
      if !isThere { try FileManager.default.moveItem(atPath: spools[0], toPath: spools[0] + ".gone") }
      try daemon.change(spools: [spools[1]])
      try daemon.start()
      let waited = try daemon.control(["wait", id], within: .seconds(60))
      #expect(waited.succeeded, "\(waited.error)")
      #expect(try daemon.control(["fetch", id, "--format", "tsv"]).output == expected)
      #expect(try daemon.events("spool_directory_set_aside").contains { $0.contains("not configured any more") })
      #expect(try daemon.events("outputs_missing").isEmpty == isThere)
      #expect(try daemon.events("output_recomputed").isEmpty == isThere)
      #expect(FileManager.default.fileExists(atPath: spools[0]) == isThere)
      try daemon.wait(for: "it to be forgotten") { try !status(daemon).contains("SET ASIDE") }
    }

    /// As a mount that is away for a moment: what lies in it is there again afterwards.
    @Test func `directories that are away for two seconds lose nothing`() throws {
      let expected = try Daemon().rows(try String(contentsOfFile: Benchmark.file(9), encoding: .utf8), schema: "sf1")
      let directory = try TemporaryDirectory()
      let spools = ["a", "b"].map { directory.path + "/" + $0 }
      let daemon = try Daemon(config: "task-retry-attempts-per-task=1\n", spools: spools)
      let id = try daemon.submit(["--file", Benchmark.file(9), "--catalog", "tpch", "--schema", "sf1"])
      try daemon.wait(for: "some outputs") { try daemon.show(id).attempts.count { $0.selected } > 4 }
      for spool in spools { try FileManager.default.moveItem(atPath: spool, toPath: spool + ".away") }
      SystemClock.sleep(.seconds(2))
      for spool in spools { try FileManager.default.moveItem(atPath: spool + ".away", toPath: spool) }
      let waited = try daemon.control(["wait", id])
      #expect(waited.succeeded, "\(waited.error)")
      #expect(try daemon.control(["fetch", id, "--format", "tsv"]).output == expected)
      #expect(try !daemon.events("spool_directory_set_aside").isEmpty)
      for event in ["outputs_missing", "output_lost", "output_recomputed"] {
        #expect(try daemon.events(event).isEmpty, "\(event)")
      }
    }

    @Test func `a query waits while its only directory is gone`() throws {
      let expected = try expected()
      let directory = try TemporaryDirectory()
      let daemon = try Daemon(spools: [directory.path + "/spool"])
      try FileManager.default.removeItem(atPath: directory.path + "/spool")
      let id = try daemon.submit([Self.sql, "--catalog", "tpch", "--schema", "sf0.1"])
      SystemClock.sleep(.seconds(2))
      #expect(try daemon.show(id).state == "RUNNING")
      try FileManager.default.createDirectory(
        atPath: directory.path + "/spool", withIntermediateDirectories: false)
      #expect(try daemon.control(["wait", id]).succeeded)
      #expect(try daemon.control(["fetch", id, "--format", "tsv"]).output == expected)
    }
  }
}

// Tests that a mount hangs: nothing waits for it longer than it must, and it is used again when it answers.
import Base
import Foundation
import Glibc
import Platform
import Testing

extension EndToEndTests {
  @Suite(.serialized, .enabled(if: HDFSMount.obstacle == nil, "\(HDFSMount.obstacle ?? "")"))
  struct HangTests {
    /// Exchanges some fifty megabytes, in many files, which go with the query: it must last until they are seen.
    private static let sql = """
      SELECT count(*), sum(q), max(c) FROM (
        SELECT l_orderkey, l_partkey, sum(l_quantity) AS q, min(l_comment) AS c FROM lineitem GROUP BY 1, 2)
      """
    private static let schema = "sf0.5"
    private static let impatient = "waterbear.spool-call-timeout=2s\n"
    private static let hanging = "hang 1\n"

    /// What `waterbearctl status` says, which it must say at once.
    private func status(_ daemon: Daemon) throws -> String {
      let result = try daemon.control(["status"], within: .seconds(1))
      #expect(result.succeeded, "\(result.error)")
      return result.output
    }

    /// Files of attempts in a base directory below `path`.
    private func outputs(in path: String) -> [String] { files(below: path + "/spool").filter { $0.contains("/") } }

    @Test func `a directory that hangs in the middle of a query holds up neither it nor the daemon`() throws {
      let (mount, other) = (try HDFSMount(""), try TemporaryDirectory())
      // Many attempts, so that the hang strikes some that write and some that read.
      let daemon = try Daemon(
        config: Self.impatient + "fault-tolerant-execution-standard-split-size=512MB\n",
        spools: [other.path + "/spool", mount.path + "/spool"])
      // Whatever fails here must not leave a mount that hangs; what failed is what is told.
      defer { try? mount.configure("") }
      let expected = try daemon.rows(Self.sql, schema: Self.schema)
      let id = try daemon.submit([Self.sql, "--catalog", "tpch", "--schema", Self.schema])
      try daemon.wait(for: "the query to use the mount") { !outputs(in: mount.path).isEmpty }
      try mount.configure(Self.hanging)
      #expect(try daemon.show(id).state == "RUNNING")
      try daemon.wait(for: "the hang to be noticed") {
        try status(daemon).contains("\(mount.path)/spool: SET ASIDE")
      }
      // What the attempts that are stuck hold is granted to nobody else; unless the hang came after the last of them.
      try daemon.wait(for: "their memory to be known") {
        try !daemon.events("memory_stuck").isEmpty || daemon.show(id).state == "FINISHED"
      }
      // The coordinator is in calls that do not return; the next one starts although the mount hangs.
      let coordinator = try #require(
        ProcessTable.children(of: daemon.processID).first { $0.title.contains("coordinator") }).process
      kill(coordinator, SIGKILL)
      try daemon.wait(for: "the next coordinator") {
        try daemon.control(["status", "--quiet", "--timeout", "1s"]).succeeded
      }
      #expect(try status(daemon).contains("\(mount.path)/spool: SET ASIDE"))
      #expect(try daemon.control(["wait", id], within: .seconds(60)).succeeded)
      #expect(try daemon.control(["fetch", id, "--format", "tsv"], within: .seconds(60)).output == expected)
      // What begins now does not go there at all.
      let start = SystemClock.monotonic()
      #expect(try daemon.rows(Self.sql, schema: Self.schema) == expected)
      #expect(SystemClock.monotonic() - start < .seconds(10))
      _ = try status(daemon)

      try mount.configure("")
      try daemon.wait(for: "it to be used again") { try !status(daemon).contains("SET ASIDE") }
      #expect(try daemon.rows(Self.sql, schema: Self.schema) == expected)
      try daemon.wait(for: "everything to be deleted") {
        outputs(in: mount.path).isEmpty && outputs(in: other.path).isEmpty
      }
      #expect(mount.violations == [])
    }

    @Test func `a mount that hangs is dropped from the configuration, and what it holds is made again`() throws {
      let (mount, other) = (try HDFSMount(""), try TemporaryDirectory())
      let daemon = try Daemon(
        config: Self.impatient + "fault-tolerant-execution-standard-split-size=1MB\n", spools: [mount.path + "/spool"])
      // As above.
      defer { try? mount.configure("") }
      let expected = try daemon.rows(Self.sql, schema: Self.schema)
      let id = try daemon.submit([Self.sql, "--catalog", "tpch", "--schema", Self.schema])
      try daemon.wait(for: "some outputs") { try daemon.show(id).attempts.count { $0.selected } > 4 }
      try mount.configure(Self.hanging)
      daemon.kill()
      try daemon.change(spools: [other.path + "/spool"])
      try daemon.start()
      #expect(try daemon.control(["wait", id], within: .seconds(60)).succeeded)
      #expect(try daemon.control(["fetch", id, "--format", "tsv"], within: .seconds(60)).output == expected)
      #expect(try !daemon.events("outputs_missing").isEmpty)
      _ = try status(daemon)
      try mount.configure("")
      #expect(mount.violations == [])
    }

    @Test func `where the only directory hangs the daemon starts, and queries wait and then fail clearly`() throws {
      let mount = try HDFSMount("")
      let daemon = try Daemon(
        config: Self.impatient + "waterbear.max-spool-wait=3s\n", spools: [mount.path + "/spool"], starting: false)
      // As above.
      defer { try? mount.configure("") }
      try mount.configure(Self.hanging)
      try daemon.start()
      #expect(try status(daemon).contains("\(mount.path)/spool: SET ASIDE"))
      let failed = try daemon.control(["query", Self.sql, "--catalog", "tpch", "--schema", "tiny"])
      #expect(failed.end == .exited(1))
      for part in ["SPOOL_UNAVAILABLE", mount.path, "waterbear.max-spool-wait"] {
        #expect(failed.error.contains(part), "\(failed.error)")
      }
      try mount.configure("")
      try daemon.wait(for: "it to be used") { try !status(daemon).contains("SET ASIDE") }
      #expect(try !daemon.rows(Self.sql).isEmpty)
    }
  }
}

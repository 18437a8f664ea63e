// Tests that operations of a base directory fail, each with reasons of its own: the answers stay right, the others take
// its part, and it is used again when it works.
import Base
import Foundation
import Glibc
import Platform
import Testing

extension EndToEndTests {
  @Suite(.serialized, .enabled(if: HDFSMount.obstacle == nil, "\(HDFSMount.obstacle ?? "")"))
  struct DiskFaultTests {
    /// Exchanges some ten megabytes at scale 0.1.
    private static let sql = """
      SELECT count(*), sum(q), max(c) FROM (
        SELECT l_orderkey, l_partkey, sum(l_quantity) AS q, min(l_comment) AS c FROM lineitem GROUP BY 1, 2)
      """

    /// An operation of which every one fails, and why.
    struct Fault: CustomTestStringConvertible {
      var operation: String
      var number: Int32

      var configuration: String { "fail_\(operation) 1\nerror \(number)\n" }
      var testDescription: String { "\(operation): \(String(cString: strerror(number)))" }
    }

    static let faults = [
      Fault(operation: "create", number: EACCES), Fault(operation: "create", number: EROFS),
      Fault(operation: "write", number: EIO), Fault(operation: "write", number: ENOSPC),
      Fault(operation: "close", number: EIO), Fault(operation: "close", number: EDQUOT),
      Fault(operation: "rename", number: EIO), Fault(operation: "open", number: EACCES),
      Fault(operation: "read", number: EIO),
    ]

    @Test(arguments: faults)
    func `a directory in which operations fail is set aside until they work`(fault: Fault) throws {
      let (mount, other) = (try HDFSMount(""), try TemporaryDirectory())
      let daemon = try Daemon(spools: [mount.path + "/spool", other.path + "/spool"])
      let expected = try daemon.rows(Self.sql, schema: "sf0.1")
      try mount.configure(fault.configuration)
      let words = String(cString: strerror(fault.number))
      // A slow directory does not get files of every query.
      try daemon.wait(for: "it to be set aside") {
        #expect(try daemon.rows(Self.sql, schema: "sf0.1") == expected)
        return try daemon.events("spool_directory_set_aside").contains { $0.contains(mount.path) && $0.contains(words) }
      }
      #expect(try daemon.control(["status"]).output.contains("\(mount.path)/spool: SET ASIDE"))
      #expect(try daemon.events("spool_exhausted").isEmpty)
      try mount.configure("")
      try daemon.wait(for: "it to be used again") { try !daemon.control(["status"]).output.contains("SET ASIDE") }
      #expect(try daemon.rows(Self.sql, schema: "sf0.1") == expected)
      #expect(mount.violations == [])
    }

    @Test(arguments: [EIO, EACCES])
    func `where every directory fails a query waits and uses up no attempts`(number: Int32) throws {
      let mount = try HDFSMount("")
      let daemon = try Daemon(config: "task-retry-attempts-per-task=0\n", spools: [mount.path + "/spool"])
      let expected = try daemon.rows(Self.sql, schema: "sf0.1")
      try mount.configure("fail_create 1\nfail_write 1\nerror \(number)\n")
      let id = try daemon.submit([Self.sql, "--catalog", "tpch", "--schema", "sf0.1"])
      try daemon.wait(for: "the wait to begin") { try !daemon.events("spool_exhausted").isEmpty }
      SystemClock.sleep(.seconds(2))
      #expect(try daemon.show(id).state == "RUNNING")
      try mount.configure("")
      let waited = try daemon.control(["wait", id])
      #expect(waited.succeeded, "\(waited.error)")
      #expect(try daemon.control(["fetch", id, "--format", "tsv"]).output == expected)
    }
  }
}

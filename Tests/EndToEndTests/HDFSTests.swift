// Tests a spool on a file system that allows only what HDFS allows.
import Base
import Foundation
import Platform
import Testing

extension EndToEndTests {
  @Suite(.serialized, .enabled(if: HDFSMount.obstacle == nil, "\(HDFSMount.obstacle ?? "")"))
  struct HDFSTests {
    /// A join, a grouping and an order: exchanges by hash, by broadcast and gathered.
    private static let queries = [3, 9, 18]

    private func check(_ daemon: Daemon, schema: String, expected: [Int: String]) throws {
      for number in Self.queries {
        let result = try daemon.control(
          ["query", "--file", Benchmark.file(number)] + Daemon.options(schema: schema), within: .seconds(180))
        #expect(result.succeeded, "query \(number): \(result.error)")
        #expect(result.output == expected[number], "query \(number)")
      }
    }

    private func expected(schema: String) throws -> [Int: String] {
      let daemon = try Daemon()
      return try Dictionary(
        uniqueKeysWithValues: Self.queries.map { number in
          let result = try daemon.control(
            ["query", "--file", Benchmark.file(number)] + Daemon.options(schema: schema))
          try #require(result.succeeded, "\(result.error)")
          return (number, result.output)
        })
    }

    @Test func `queries break none of its rules, though lengths and listings are late`() throws {
      let expected = try expected(schema: "sf0.1")
      let mount = try HDFSMount("visible_ms 20\nstale_ms 300\n")
      let daemon = try Daemon(spools: [mount.path + "/spool"])
      try check(daemon, schema: "sf0.1", expected: expected)
      #expect(mount.violations == [])
      try daemon.expectEmptySpool()
    }

    @Test func `with latency, files are opened side by side`() throws {
      let expected = try expected(schema: "sf0.1")
      let mount = try HDFSMount("latency_ms 2\n")
      let daemon = try Daemon(spools: [mount.path + "/spool"])
      try check(daemon, schema: "sf0.1", expected: expected)
      #expect(mount.violations == [])
    }

    @Test func `failing operations and killed workers change no answer`() throws {
      let expected = try expected(schema: "sf0.1")
      let mount = try HDFSMount(
        "fail_write 41\nfail_close 31\nfail_rename 29\nfail_create 37\nfail_open 61\nfail_read 67\n")
      let other = try TemporaryDirectory()
      let daemon = try Daemon(spools: [mount.path + "/spool", other.path + "/spool"])
      let killer = try Killer(of: "worker", supervisor: daemon.processID, every: .milliseconds(700))
      defer { _ = killer.stop() }
      try check(daemon, schema: "sf0.1", expected: expected)
      #expect(mount.violations == [])
    }
  }
}

// Tests that tables in Parquet files that the control program wrote give the benchmark's answers, whatever is killed.
import Base
import Platform
import Testing

extension EndToEndTests {
  @Suite(.serialized) struct ParquetTests {
    private static let tables = [
      "customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier",
    ]

    @Test func `the 22 queries on Parquet files, also while a random worker is killed every 300 ms`() throws {
      let files = try TemporaryDirectory()
      try files.write("", to: "sf1/.schema")
      let daemon = try Daemon(catalogs: ["parquet": "connector.name=files\nfiles.base-directory=\(files.path)\n"])
      for table in Self.tables { try write(table, to: "\(files.path)/sf1/\(table).parquet", from: daemon) }
      try check(daemon)
      let killer = try Killer(of: "worker", supervisor: daemon.processID, every: .milliseconds(300))
      defer { _ = killer.stop() }
      var rounds = 0
      while rounds == 0 || killer.kills < 10 && rounds < 20 {
        try check(daemon)
        rounds += 1
      }
      #expect(killer.stop() >= 10)
      try daemon.expectEmptySpool()
    }

    /// Writes a generated table as a file.
    private func write(_ table: String, to path: String, from daemon: Daemon) throws {
      let sql = "SELECT * FROM tpch.sf1.\(table)"
      let result = try Command(
        "/bin/sh", ["-c", "exec \"$0\" query \"$1\" --format parquet >\"$2\"", Program.control, sql, path],
        environment: ["WATERBEAR_SOCKET": daemon.socket]
      ).finish()
      try #require(result.succeeded, "\(table): \(result.error)")
    }

    private func check(_ daemon: Daemon) throws {
      for number in Benchmark.numbers {
        let result = try daemon.control(
          [
            "query", "--file", Benchmark.file(number), "--catalog", "parquet", "--schema", "sf1", "--format", "tsv",
          ], within: .seconds(180))
        #expect(result.succeeded, "query \(number): \(result.error)")
        #expect(try Benchmark.difference(result.output, query: number, scale: "sf1") == nil, "query \(number)")
      }
    }
  }
}

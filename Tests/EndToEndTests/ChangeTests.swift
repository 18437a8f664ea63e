// Proves that no query gives wrong rows when its surroundings change while it runs: the files it reads, the clock, the
// daemon's own program.
import Base
import Foundation
import Glibc
import Platform
import Testing

extension EndToEndTests {
  @Suite(.serialized) struct ChangeTests {
    // MARK: Input files

    /// What befalls one of a table's files between planning and scan.
    private static let changes: [String: @Sendable (String) throws -> Void] = [
      "grows": { try FileHandle(forWritingTo: URL(filePath: $0)).append("901,x\n") },
      "is replaced": { try "k,s\n900,x\n".write(toFile: $0, atomically: true, encoding: .utf8) },
      "is deleted": { try FileManager.default.removeItem(atPath: $0) },
      "becomes a directory": {
        try FileManager.default.removeItem(atPath: $0)
        try FileManager.default.createDirectory(atPath: $0, withIntermediateDirectories: false)
      },
    ]

    @Test(arguments: changes.keys.sorted())
    func `a file that changes after planning fails its query by name`(_ change: String) throws {
      let harm = try #require(Self.changes[change])
      let lake = try TemporaryDirectory()
      for part in 0..<4 {
        let rows = (0..<10).map { "\(part * 10 + $0),s\($0)\n" }.joined()
        try lake.write("k,s\n" + rows, to: "s/t/part-\(part).csv")
      }
      let daemon = try Daemon(
        config: "retry-initial-delay=10ms\nretry-max-delay=50ms\n",
        catalogs: ["lake": "connector.name=files\nfiles.base-directory=\(lake.path)\n"])
      let sql = "SELECT count(*), sum(k) FROM lake.s.t"
      #expect(try daemon.rows(sql).hasSuffix("\n40\t780\n"))

      // Nothing is scanned while the workers are stopped.
      let workers = try daemon.workerList().map(\.pid)
      for worker in workers { kill(worker, SIGSTOP) }
      defer { for worker in workers { kill(worker, SIGCONT) } }
      let id = try daemon.submit([sql])
      try daemon.wait(for: "a plan") { try daemon.show(id).state == "RUNNING" }
      try harm(lake.path + "/s/t/part-2.csv")
      for worker in workers { kill(worker, SIGCONT) }

      let end = try daemon.control(["wait", id])
      #expect(!end.succeeded && end.error.contains("s/t/part-2.csv"), "\(end.error)")
      #expect(end.error.contains("[FILES_"), "\(end.error)")
      try daemon.expectEmptySpool()
    }

    // MARK: The clock

    /// A library that shows programs another time of day, as Debian's package libfaketime installs it.
    static let otherClock = ["x86_64-linux-gnu", "aarch64-linux-gnu"]
      .map { machine -> String in "/usr/lib/\(machine)/faketime/libfaketimeMT.so.1" }
      .first { (path: String) -> Bool in access(path, R_OK) == 0 }

    @Test(.enabled(if: otherClock != nil, "libfaketime is not installed"), arguments: ["+1h", "-1h"])
    func `a clock that jumps ends no query and changes no rows`(_ jump: String) throws {
      guard let library = Self.otherClock else { return }
      let directory = try TemporaryDirectory()
      try directory.write("+0\n", to: "clock")
      // The monotonic clock goes on, as it does when a machine's time is set.
      let daemon = try Daemon(
        config: "query.client.timeout=30s\nquery.max-run-time=10m\nquery.min-expire-age=10m\n"
          + "query.remote-task.max-error-duration=5s\n",
        environment: [
          "LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": directory.path + "/clock", "FAKETIME_CACHE_DURATION": "1",
          "DONT_FAKE_MONOTONIC": "1",
        ])
      let sql = """
        SELECT count(*), count(DISTINCT t), sum(l_quantity) FROM
          (SELECT now() AS t, l_quantity, l_comment FROM tpch.sf1.lineitem) WHERE l_comment NOT LIKE '%zz%zz%'
        """
      let expected = try daemon.rows(sql)
      #expect(expected.split(separator: "\n").last?.split(separator: "\t").dropFirst().first == "1")
      let kept = try daemon.submit(["SELECT 7 AS n"])
      let id = try daemon.submit([sql])
      try daemon.wait(for: "an attempt") { try !daemon.show(id).attempts.isEmpty }
      try directory.write(jump + "\n", to: "clock")
      // Each process looks at that file once a second, or later on a busy machine.
      try daemon.wait(for: "the clock to jump") { try Self.hasJumped(daemon) }
      SystemClock.sleep(.milliseconds(1500))
      #expect(try daemon.control(["wait", id]).succeeded)
      #expect(try daemon.control(["fetch", id, "--format", "tsv"]).output == expected)
      // What began after the jump ends after it too, and what ended before it is kept.
      #expect(try daemon.rows(sql) == expected)
      #expect(try daemon.control(["fetch", kept, "--format", "tsv"]).output == "n\n7\n")
      #expect(try daemon.show(id).retries == 0)
      for event in ["worker_silent", "worker_lost", "child_hung", "child_exited", "query_failed"] {
        #expect(try daemon.events(event).count == 0, "\(event)")
      }
      #expect(try Self.hasJumped(daemon), "the clock has not jumped; the test has lost its point")
      try daemon.expectEmptySpool()
    }

    /// Whether the coordinator's clock is an hour away from the machine's.
    private static func hasJumped(_ daemon: Daemon) throws -> Bool {
      let hour = try daemon.rows("SELECT date_diff('minute', TIMESTAMP '\(realTime())', now()) AS m")
      let minutes = Int(hour.split(separator: "\n").last ?? "") ?? 0
      return abs(abs(minutes) - 60) <= 2
    }

    /// The machine's time in UTC, as SQL writes it.
    private static func realTime() -> String {
      let text = SystemClock.utcText(microseconds: SystemClock.wallMicroseconds())
      return text.replacing("T", with: " ").replacing("Z", with: "")
    }

    // MARK: The program

    @Test func `a daemon that is stopped in order drains, and the next program goes on with its queries`() throws {
      let daemon = try Daemon()
      let id = try daemon.submit(["--file", Benchmark.file(9), "--catalog", "tpch", "--schema", "sf1"])
      let client = try daemon.startControl(["fetch", id, "--format", "tsv"])
      try daemon.wait(for: "some finished tasks") { try daemon.show(id).attempts.contains { $0.selected } }
      #expect(try daemon.stop() == .exited(0))
      // A drain lets attempts end; none of them was cut off.
      #expect(try daemon.events("daemon_drain_cut_short").isEmpty)
      #expect(client.end() == nil, "the client must wait for the daemon")

      let newer = try TemporaryDirectory()
      daemon.program = newer.path + "/waterbeard"
      try FileManager.default.copyItem(atPath: Program.daemon, toPath: daemon.program)
      try daemon.start()
      let result = try client.finish(within: .seconds(120))
      #expect(result.succeeded, "\(result.error)")
      #expect(try Benchmark.difference(result.output, query: 9, scale: "sf1") == nil)
      let recovered = try daemon.events("query_recovered").filter { $0.contains(id) }
      #expect(recovered.count == 1 && !recovered[0].contains("\"outputs\":0"), "\(recovered)")
      // What was done before the stop was not done again.
      #expect(try daemon.show(id).attempts.allSatisfy { $0.state == "FINISHED" || $0.state == "ABORTED" })
      try daemon.expectEmptySpool()
    }
  }
}

extension FileHandle {
  /// Adds a line to a file, in place.
  fileprivate func append(_ line: String) throws {
    try seekToEnd()
    try write(contentsOf: Data(line.utf8))
    try close()
  }
}

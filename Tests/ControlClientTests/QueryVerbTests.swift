// Proves `query` and its relatives against a fake daemon: results, failures, reconnects, limits of time.
import ArrowIPC
import Base
import Columnar
import Glibc
import Parquet
import Platform
import Synchronization
import TemporaryDirectories
import Testing
import Wire

@testable import ControlClient

struct QueryVerbTests {
  @Test func printsCSVAndReleasesTheResult() throws {
    let daemon = try FakeDaemon { try FakeQuery().reply(to: $0) }
    let run = try ControlRun.of(["query", "--socket", daemon.socketPath, "SELECT 1"])
    #expect(run.code == .done)
    #expect(run.output == "n,s\n1,one\n2,\n3,\"\"\n")
    #expect(run.error == "")
    #expect(daemon.requests == ["submit-query", "fetch-result", "fetch-result", "release-result"])
  }

  @Test(arguments: [OutputFormat.parquet, .csv])
  func theDaemonHearsWhetherNamesMustDiffer(format: OutputFormat) throws {
    let needs = Mutex<Bool?>(nil)
    let daemon = try FakeDaemon { frame in
      if frame.name == SubmitQuery.name {
        let request = try frame.message(SubmitQuery.self)
        needs.withLock { $0 = request.needsDistinctNames ?? false }
      }
      return try FakeQuery().reply(to: frame)
    }
    let run = try ControlRun.of(["query", "--socket", daemon.socketPath, "--format", format.rawValue, "SELECT 1"])
    #expect(run.code == .done && needs.withLock { $0 } == (format == .parquet))
  }

  /// A coordinator is stopped, killed for it, and followed by another, before the client has heard a word.
  @Test func aDaemonThatHangsBeforeItsHelloIsWaitedFor() throws {
    let home = TemporaryDirectory()
    let path = home.path + "/waterbear.sock"
    let stopped = Mutex<OwnedDescriptor?>(try FakeDaemon.listener(path))
    let next = Mutex<FakeDaemon?>(nil)
    try NamedThread.start("restart") {
      // Longer than a socket without a listener is looked at.
      SystemClock.sleep(.milliseconds(2300))
      stopped.withLock { $0 = nil }
      SystemClock.sleep(.milliseconds(300))
      // Should this fail, the client waits for ever, which the test sees.
      let daemon = try? FakeDaemon(at: path) { try FakeQuery().reply(to: $0) }
      next.withLock { $0 = daemon }
    }
    let run = try ControlRun.of(["query", "--socket", path, "--timeout", "60s", "SELECT 1"])
    #expect(run.code == .done, "\(run.error)")
    next.withLock { $0 = nil }
  }

  /// One has taken its place and ended at once: nobody is on the way.
  @Test func aDaemonThatHasEndedIsNotWaitedFor() throws {
    let home = TemporaryDirectory()
    let path = home.path + "/waterbear.sock"
    // The listener goes at once and leaves its socket.
    _ = try FakeDaemon.listener(path)
    let file = fopen(home.path + "/daemon.lock", "w")
    fputs("999999999\n", file)
    fclose(file)
    let start = SystemClock.monotonic()
    let run = try ControlRun.of(["status", "--wait", "--socket", path])
    #expect(run.code == .notRunning && run.error.contains("The daemon is not running"), "\(run.error)")
    #expect(SystemClock.monotonic() - start < .seconds(20))
  }

  @Test(arguments: [
    (OutputFormat.jsonl, "{\"n\":1,\"s\":\"one\"}\n{\"n\":2,\"s\":null}\n{\"n\":3,\"s\":\"\"}\n"),
    (.json, "[\n{\"n\":1,\"s\":\"one\"},\n{\"n\":2,\"s\":null},\n{\"n\":3,\"s\":\"\"}\n]\n"),
    (.tsv, "n\ts\n1\tone\n2\t\n3\t\"\"\n"),
    (.table, " n | s\n---+------\n 1 | one\n 2 | NULL\n 3 | \n(3 rows)\n"),
    (.markdown, "| n   | s    |\n| --: | ---- |\n|   1 | one  |\n|   2 | NULL |\n|   3 |      |\n"),
  ])
  func printsEveryFormat(format: OutputFormat, expected: String) throws {
    let daemon = try FakeDaemon { try FakeQuery().reply(to: $0) }
    let run = try ControlRun.of(["query", "--socket", daemon.socketPath, "--format", format.rawValue, "SELECT 1"])
    #expect(run.output == expected)
  }

  @Test(arguments: [
    (OutputFormat.table, 25, "CREATE TABLE: 25 rows\n"), (.markdown, 1, "CREATE TABLE: 1 row\n"),
    (.table, nil, "CREATE TABLE\n"), (.csv, 25, "rows\n25\n"), (.csv, nil, ""), (.jsonl, 0, "{\"rows\":0}\n"),
  ] as [(OutputFormat, Int64?, String)])
  func printsWhatAWriteDid(format: OutputFormat, rows: Int64?, expected: String) throws {
    var query = FakeQuery(columns: rows == nil ? [] : [("rows", .bigint)], pages: rows.map { [[[.integer($0)]]] } ?? [])
    query.updateType = "CREATE TABLE"
    let daemon = try FakeDaemon { [query] in try query.reply(to: $0) }
    let run = try ControlRun.of(["query", "--socket", daemon.socketPath, "--format", format.rawValue, "CREATE …"])
    #expect(run.code == .done && run.output == expected)
  }

  @Test func writesAnArrowStream() throws {
    let daemon = try FakeDaemon { try FakeQuery().reply(to: $0) }
    let run = try ControlRun.of(["query", "--socket", daemon.socketPath, "--format", "arrow", "SELECT 1"])
    #expect(run.code == .done)
    #expect(run.error == "")
    var expected: [UInt8] = []
    let writer = ArrowStreamWriter(columns: FakeQuery().columns.map { ArrowColumn($0.0, $0.1) }) {
      expected.append(contentsOf: $0)
    }
    try writer.begin()
    for page in FakeQuery().pages {
      try writer.append(TestBatch.make(page, types: FakeQuery().columns.map(\.1)))
    }
    try writer.finish()
    #expect(run.outputBytes == expected)
  }

  @Test func anEmptyResultIsAnArrowStreamWithItsSchema() throws {
    let daemon = try FakeDaemon { try FakeQuery(pages: []).reply(to: $0) }
    let run = try ControlRun.of(["query", "--socket", daemon.socketPath, "--format", "arrow", "SELECT 1"])
    #expect(run.code == .done)
    var expected: [UInt8] = []
    let writer = ArrowStreamWriter(columns: FakeQuery().columns.map { ArrowColumn($0.0, $0.1) }) {
      expected.append(contentsOf: $0)
    }
    try writer.begin()
    try writer.finish()
    #expect(run.outputBytes == expected)
  }

  @Test(arguments: [1, 0])
  func writesAParquetFile(pages: Int) throws {
    let daemon = try FakeDaemon { try FakeQuery(pages: Array(FakeQuery().pages.prefix(pages))).reply(to: $0) }
    let run = try ControlRun.of(["query", "--socket", daemon.socketPath, "--format", "parquet", "SELECT 1"])
    #expect(run.code == .done)
    #expect(run.error == "")
    var expected: [UInt8] = []
    var options = ParquetWriterOptions()
    options.compression = .zstd(level: 3)
    let writer = try ParquetWriter(columns: FakeQuery().columns.map { (name: $0.0, type: $0.1) }, options: options) {
      expected.append(contentsOf: $0)
    }
    for page in FakeQuery().pages.prefix(pages) {
      try writer.append(TestBatch.make(page, types: FakeQuery().columns.map(\.1)))
    }
    try writer.finish()
    #expect(run.outputBytes == expected)
  }

  @Test func parquetRefusesColumnsOfOneName() throws {
    let query = FakeQuery(columns: [("n", .bigint), ("n", .bigint)], pages: [])
    let daemon = try FakeDaemon { try query.reply(to: $0) }
    let run = try ControlRun.of(["query", "--socket", daemon.socketPath, "--format", "parquet", "SELECT 1"])
    #expect(run.code == .failed)
    #expect(run.error.contains("Give them names with AS"))
  }

  @Test(arguments: [
    ["query", "SELECT 1"], ["fetch", "q"], ["list"], ["show", "q"], ["workers"], ["status"], ["config"],
  ])
  func noTerminalGetsBinaryOutput(arguments: [String]) throws {
    let daemon = try FakeDaemon { try FakeQuery().reply(to: $0) }
    let run = try ControlRun.of(arguments + ["--socket", daemon.socketPath, "--format", "arrow"]) {
      $0.outputIsTerminal = true
    }
    #expect(run.code == .usage)
    #expect(run.output == "")
    #expect(run.error.contains("> result.arrow"))
    #expect(daemon.requests == [])
  }

  @Test func tableIsTheStandardOnATerminal() throws {
    let daemon = try FakeDaemon { try FakeQuery().reply(to: $0) }
    let run = try ControlRun.of(["query", "--socket", daemon.socketPath, "SELECT 1"]) { $0.outputIsTerminal = true }
    #expect(run.output.hasSuffix("(3 rows)\n"))
  }

  @Test func sendsWhatTheOptionsSay() throws {
    let seen = Mutex<SubmitQuery?>(nil)
    let daemon = try FakeDaemon { frame in
      if frame.name == SubmitQuery.name {
        let request = try frame.message(SubmitQuery.self)
        seen.withLock { $0 = request }
      }
      return try FakeQuery().reply(to: frame)
    }
    let arguments = [
      "query", "--socket", daemon.socketPath, "--catalog", "tpch", "--schema", "tiny", "--session", "a=1", "--session",
      "b=x=y", "-",
    ]
    let run = try ControlRun.of(arguments, input: "SELECT\n 1;\n")
    #expect(run.code == .done)
    let request = try #require(seen.withLock { $0 })
    #expect(request.sql == "SELECT\n 1;\n")
    #expect(request.catalog == "tpch")
    #expect(request.schema == "tiny")
    #expect(request.session == ["a": "1", "b": "x=y"])
  }

  @Test func readsSQLFromAFile() throws {
    let directory = TemporaryDirectory()
    let path = directory.path + "/q.sql"
    let file = try OwnedDescriptor.open(path, O_WRONLY | O_CREAT, mode: 0o600)
    try file.writeAll("SELECT 2".utf8)
    let daemon = try FakeDaemon { frame in
      if frame.name == SubmitQuery.name, try frame.message(SubmitQuery.self).sql != "SELECT 2" { return .silence }
      return try FakeQuery().reply(to: frame)
    }
    let arguments = ["query", "--socket", daemon.socketPath, "--timeout", "20s", "--file", path]
    #expect(try ControlRun.of(arguments).code == .done)
    #expect(try ControlRun.of(["query", "--file", path + ".no"]).code == .usage)
  }

  @Test func tellsWhyAQueryFailed() throws {
    let error = WaterbearError(
      .columnNotFound, "Column 'x' cannot be resolved", at: SourceLocation(line: 1, column: 8), causes: ["a", "b"],
      remedy: "name another")
    let daemon = try FakeDaemon { try FakeQuery(error: error).reply(to: $0) }
    let run = try ControlRun.of(["query", "--socket", daemon.socketPath, "SELECT x"])
    #expect(run.code == .failed)
    #expect(run.output == "")
    #expect(
      run.error == """
        Query \(FakeQuery.id) failed: line 1:8: Column 'x' cannot be resolved [COLUMN_NOT_FOUND]
          cause: a
            cause: b
          hint: name another

        """)
    #expect(!daemon.requests.contains("release-result"))
  }

  @Test func showsThePlaceOnATerminal() throws {
    let error = WaterbearError(.columnNotFound, "Column 'x' cannot be resolved", at: SourceLocation(line: 2, column: 3))
    let daemon = try FakeDaemon { try FakeQuery(error: error).reply(to: $0) }
    let run = try ControlRun.of(["query", "--socket", daemon.socketPath, "SELECT\n  x FROM t"]) {
      $0.errorIsTerminal = true
    }
    #expect(run.error.hasSuffix("[COLUMN_NOT_FOUND]\n    x FROM t\n    ^\n"))
  }

  @Test func explainCountsLinesAsTheUserDoes() throws {
    let sql = Mutex("")
    let error = WaterbearError(.columnNotFound, "Column 'x' cannot be resolved", at: SourceLocation(line: 2, column: 8))
    let daemon = try FakeDaemon { frame in
      if frame.name == SubmitQuery.name {
        let text = try frame.message(SubmitQuery.self).sql
        sql.withLock { $0 = text }
        return .refuse(error)
      }
      return .silence
    }
    let run = try ControlRun.of(["explain", "--socket", daemon.socketPath, "--type", "logical", "SELECT x"]) {
      $0.errorIsTerminal = true
    }
    #expect(sql.withLock { $0 } == "EXPLAIN (TYPE LOGICAL, FORMAT TEXT)\nSELECT x")
    #expect(
      run.error == "Query failed: line 1:8: Column 'x' cannot be resolved [COLUMN_NOT_FOUND]\n  SELECT x\n         ^\n")
  }

  @Test func explainPrintsThePlanAsItIs() throws {
    let query = FakeQuery(columns: [("Query Plan", .varcharUnbounded)], pages: [[[.text("Output\n  \"Scan\"\n")]]])
    let daemon = try FakeDaemon { try query.reply(to: $0) }
    let run = try ControlRun.of(["explain", "--socket", daemon.socketPath, "--format", "json", "SELECT 1"])
    #expect(run.output == "Output\n  \"Scan\"\n")
  }

  @Test func messagesCannotSteerTheTerminal() throws {
    let error = WaterbearError(.syntaxError, "mismatched input '\u{1b}[2J'")
    let daemon = try FakeDaemon { try FakeQuery(error: error).reply(to: $0) }
    let run = try ControlRun.of(["query", "--socket", daemon.socketPath, "SELECT \u{1b}[2J"])
    #expect(run.error == "Query \(FakeQuery.id) failed: mismatched input '\\u001b[2J' [SYNTAX_ERROR]\n")
  }

  /// A query whose first page takes some waiting, on one terminal for rows and messages.
  @Test(arguments: [OutputFormat.csv, .table])
  func progressGivesWayToRows(format: OutputFormat) throws {
    let asked = Mutex(0)
    let daemon = try FakeDaemon { frame in
      guard frame.name == FetchResult.name else { return try FakeQuery().reply(to: frame) }
      let stage = StageProgress(
        number: 0, state: "RUNNING", totalTasks: 2, runningTasks: 1, finishedTasks: 1, retries: 0, outputRows: 0,
        outputBytes: 0)
      let count = asked.withLock { count in
        count += 1
        return count
      }
      guard count <= 8 else { return try FakeQuery(stages: [stage]).reply(to: frame) }
      SystemClock.sleep(.milliseconds(100))
      let position = try frame.message(FetchResult.self).position
      let status = FakeQuery(stages: [stage]).status(.running)
      return .answer(ResultPage(status: status, columns: nil, next: position, isLast: false))
    }
    let run = try ControlRun.of(["query", "--socket", daemon.socketPath, "--format", format.rawValue, "SELECT 1"]) {
      $0.error = $0.output
      $0.outputIsTerminal = true
      $0.errorIsTerminal = true
    }
    #expect(run.output.contains("stage 0  RUNNING"), "progress was drawn")
    var terminal = VirtualTerminal(columns: 80)
    terminal.write(run.output)
    let rows = format == .csv
      ? ["n,s", "1,one", "2,", "3,\"\""] : [" n | s", "---+------", " 1 | one", " 2 | NULL", " 3 |", "(3 rows)"]
    #expect(terminal.screen == rows)
  }

  @Test func goesOnWhenTheDaemonComesBack() throws {
    let wentAway = Mutex(false)
    let daemon = try FakeDaemon { frame in
      if frame.name == FetchResult.name, try frame.message(FetchResult.self).position.page == 1,
        wentAway.withLock({ went in defer { went = true }; return !went })
      {
        return .goAway(milliseconds: 700)
      }
      return try FakeQuery().reply(to: frame)
    }
    let run = try ControlRun.of(["query", "--socket", daemon.socketPath, "SELECT 1"])
    #expect(run.code == .done)
    #expect(run.output == "n,s\n1,one\n2,\n3,\"\"\n")
    #expect(run.error == "the daemon is away; waiting for it …\nthe daemon is back\n")
  }

  @Test func submitsOnceOverABrokenConnection() throws {
    let nonces = Mutex<[String]>([])
    let daemon = try FakeDaemon { frame in
      if frame.name == SubmitQuery.name {
        let nonce = try frame.message(SubmitQuery.self).nonce
        let isFirst = nonces.withLock { all in
          all.append(nonce)
          return all.count == 1
        }
        if isFirst { return .goAway(milliseconds: 5) }
      }
      return try FakeQuery().reply(to: frame)
    }
    let run = try ControlRun.of(["submit", "--socket", daemon.socketPath, "SELECT 1"])
    #expect(run.output == "\(FakeQuery.id)\n")
    let sent = nonces.withLock { $0 }
    #expect(sent.count == 2)
    #expect(Set(sent).count == 1)
  }

  @Test func givesUpInTime() throws {
    let daemon = try FakeDaemon { frame in
      frame.name == FetchResult.name ? .silence : try FakeQuery().reply(to: frame)
    }
    let start = SystemClock.monotonic()
    let run = try ControlRun.of(["query", "--socket", daemon.socketPath, "--timeout", "150ms", "SELECT 1"])
    #expect(run.code == .timedOut)
    #expect(run.error.contains("No answer within 150ms"))
    #expect(run.error.contains("waterbearctl fetch \(FakeQuery.id)"))
    #expect(SystemClock.monotonic() - start < .seconds(20))
  }

  @Test func sayHowToStartTheDaemon() throws {
    let run = try ControlRun.of(["query", "--socket", "/nonexistent/run/waterbear.sock", "SELECT 1"])
    #expect(run.code == .notRunning)
    #expect(run.error.contains("waterbeard serve --etc-dir DIR --data-dir /nonexistent\n"))
    let standard = try ControlRun.of(["status"]) { $0.environment["WATERBEAR_SOCKET"] = "/nonexistent/x.sock" }
    #expect(standard.error.contains("systemctl start waterbear"))
    #expect(standard.error.contains("/nonexistent/x.sock"))
  }

  @Test func refusalHasItsOwnCode() throws {
    let daemon = try FakeDaemon { _ in .refuse(WaterbearError(.permissionDenied, "Query belongs to root")) }
    for arguments in [["fetch", "q"], ["query", "SELECT 1"], ["show", "q"], ["cancel", "q"], ["wait", "q"]] {
      let run = try ControlRun.of(arguments + ["--socket", daemon.socketPath])
      #expect(run.code == .refused, "\(arguments)")
      #expect(run.error.contains("Query belongs to root [PERMISSION_DENIED]"))
    }
  }

  @Test func waitTellsTheEnd() throws {
    let good = try FakeDaemon { try FakeQuery().reply(to: $0) }
    #expect(try ControlRun.of(["wait", "--socket", good.socketPath, FakeQuery.id.text]).code == .done)
    let error = WaterbearError(.divisionByZero, "Division by zero")
    let bad = try FakeDaemon { try FakeQuery(error: error).reply(to: $0) }
    let run = try ControlRun.of(["wait", "--socket", bad.socketPath, FakeQuery.id.text])
    #expect(run.code == .failed)
    #expect(run.error == "Query \(FakeQuery.id) failed: Division by zero [DIVISION_BY_ZERO]\n")
  }

  @Test func fetchReleasesUnlessAskedToKeep() throws {
    let daemon = try FakeDaemon { try FakeQuery().reply(to: $0) }
    let kept = try ControlRun.of(["fetch", "--keep", "--socket", daemon.socketPath, FakeQuery.id.text])
    #expect(kept.output == "n,s\n1,one\n2,\n3,\"\"\n")
    #expect(!daemon.requests.contains("release-result"))
    _ = try ControlRun.of(["fetch", "--socket", daemon.socketPath, FakeQuery.id.text])
    #expect(daemon.requests.last == "release-result")
  }

  @Test func keepsAResultThatCouldNotBeWritten() throws {
    let daemon = try FakeDaemon { try FakeQuery().reply(to: $0) }
    let full = try OwnedDescriptor.open("/dev/full", O_WRONLY)
    let run = try ControlRun.of(["query", "--socket", daemon.socketPath, "SELECT 1"]) { $0.output = full.number }
    #expect(run.code == .failed)
    #expect(run.error.contains("No space left on device"))
    #expect(run.error.contains("waterbearctl fetch"))
    #expect(!daemon.requests.contains("release-result"))
  }

  @Test func endsQuietlyWithoutAReader() throws {
    signal(SIGPIPE, SIG_IGN)
    let daemon = try FakeDaemon { try FakeQuery().reply(to: $0) }
    let pipe = try { let (read, write) = try OwnedDescriptor.pipe(); _ = read; return write }()
    let run = try ControlRun.of(["query", "--socket", daemon.socketPath, "SELECT 1"]) { $0.output = pipe.number }
    #expect(run.code == .outputClosed)
    #expect(run.error == "")
    #expect(daemon.requests.contains("cancel-query"))
    #expect(!daemon.requests.contains("release-result"))
  }

  @Test func anEmptyResultHasItsHeader() throws {
    let daemon = try FakeDaemon { try FakeQuery(pages: []).reply(to: $0) }
    let socket = ["--socket", daemon.socketPath]
    #expect(try ControlRun.of(["query", "SELECT 1"] + socket).output == "n,s\n")
    #expect(try ControlRun.of(["query", "SELECT 1", "--format", "json"] + socket).output == "[]\n")
    #expect(try ControlRun.of(["query", "SELECT 1", "--format", "jsonl"] + socket).output == "")
    let table = try ControlRun.of(["query", "SELECT 1", "--format", "table"] + socket).output
    #expect(table == " n | s\n---+---\n(0 rows)\n")
  }
}

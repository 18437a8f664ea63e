// Tests what users are told: errors of theirs at once and with a place, errors of the surroundings with a remedy.
import Base
import Foundation
import Glibc
import Platform
import Testing
import Wire

extension EndToEndTests {
  @Suite(.serialized) struct ErrorTests {
    @Test func `a user's error is not retried and names code, line and column`() throws {
      let daemon = try Daemon()
      let cases = [
        ("SELECT FROM", "SYNTAX_ERROR", "line 1:8: "),
        ("SELECT nope FROM nation", "COLUMN_NOT_FOUND", "line 1:8: Column 'nope' cannot be resolved"),
        ("SELECT *\nFROM nope", "TABLE_NOT_FOUND", "line 2:6: "),
        ("SELECT n_name + 1 FROM nation", "TYPE_MISMATCH", "line 1:15: "),
        ("SELECT 10 / (n_nationkey - n_nationkey) FROM nation", "DIVISION_BY_ZERO", "Division by zero"),
        ("SELECT cast(n_name AS bigint) FROM nation", "INVALID_CAST_ARGUMENT", "Cannot cast"),
      ]
      for (sql, code, message) in cases {
        let result = try daemon.control(["query", sql, "--catalog", "tpch", "--schema", "tiny"])
        #expect(result.end == .exited(1), "\(sql)")
        #expect(result.output == "", "\(sql)")
        #expect(result.error.contains("[\(code)]") && result.error.contains(message), "\(sql): \(result.error)")
      }
      #expect(try daemon.events("task_retried").isEmpty)
      try daemon.expectEmptySpool()
    }

    @Test func `without retries a query ends with the first worker that dies, and says so`() throws {
      let daemon = try Daemon()
      let id = try daemon.submit([
        "--file", Benchmark.file(18), "--catalog", "tpch", "--schema", "sf1", "--session", "retry_policy=NONE",
      ])
      try daemon.wait(for: "an attempt") { try daemon.show(id).attempts.contains { $0.state == "RUNNING" } }
      for worker in try daemon.workerList() { kill(worker.pid, SIGKILL) }
      let end = try daemon.control(["wait", id])
      #expect(end.end == .exited(1))
      #expect(end.error.contains("[REMOTE_HOST_GONE]") && end.error.contains("died while it ran"), "\(end.error)")
      #expect(try daemon.events("task_retried").isEmpty)
      try daemon.expectEmptySpool()
      #expect(try daemon.rows("SELECT 1 AS one") == "one\n1\n")
    }

    @Test func `a malformed frame closes its own connection and no other`() throws {
      let daemon = try Daemon()
      let waiting = try daemon.startControl(["query", "--file", Benchmark.file(1)] + Daemon.options(schema: "sf0.1"))
      let hello = try Frame(Hello(role: "client", pid: getpid())).encoded()
      let nonsense = Frame(name: "submit-query", id: 1, body: [0xa1, 0x61]).encoded()
      for bytes in [
        [UInt8](repeating: 0xff, count: 64), [1, 0, 0, 0, 7], Array("GET / HTTP/1.1\r\n\r\n".utf8),
        hello + [0xff, 0xff, 0xff, 0x7f], hello + [2, 0, 0, 0, 0, 0], nonsense,
      ] {
        let socket = try RawSocket(daemon.socket)
        try socket.send(bytes)
        let answer = try socket.readToEnd(within: .seconds(10))
        #expect(String(decoding: answer, as: UTF8.self).contains("MALFORMED_FRAME"), "\(bytes)")
      }
      let result = try waiting.finish()
      #expect(result.succeeded, "\(result.error)")
      try daemon.wait(for: "the log to say so") { try daemon.events("frame_rejected").count >= 6 }
      #expect(try daemon.events("process_failed").isEmpty)
    }

    @Test func `an unknown setting is named with its line and the nearest known one`() throws {
      let daemon = try Daemon(config: "task-retry-attempts-per-tsk=3\n", starting: false)
      try daemon.launch()
      let words = try daemon.words()
      #expect(words.contains("config.properties:2: ") && words.contains("task-retry-attempts-per-task"), "\(words)")
    }

    @Test func `a spool directory within a catalog's is refused at the start`() throws {
      let lake = try TemporaryDirectory()
      let daemon = try Daemon(
        spools: [lake.path + "/spool"],
        catalogs: ["lake": "connector.name=files\nfiles.base-directory=\(lake.path)\n"], starting: false)
      try daemon.launch()
      let words = try daemon.words()
      for part in ["\(lake.path)/spool lies in \(lake.path)", "catalog lake", "CONFIGURATION_INVALID"] {
        #expect(words.contains(part), "\(words)")
      }
      #expect(!FileManager.default.fileExists(atPath: lake.path + "/spool"))
    }

    @Test func `an unknown session property is refused`() throws {
      let daemon = try Daemon()
      let result = try daemon.control(["query", "SELECT 1", "--session", "retry_polcy=TASK"])
      #expect(result.end == .exited(1))
      #expect(
        result.error.contains("retry_polcy") && result.error.contains("INVALID_SESSION_PROPERTY"), "\(result.error)")
    }

    @Test func `a daemon that has no coordinator at present is not called dead`() throws {
      let daemon = try Daemon()
      let status = try daemon.control(["status", "--format", "tsv"]).output
      let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("coordinator pid\t") })
      let coordinator = try #require(pid_t(line.split(separator: "\t")[1]))
      // The next one refuses to start, every five seconds.
      try "nonsense=1\n".write(toFile: daemon.data + "/../etc/config.properties", atomically: false, encoding: .utf8)
      kill(coordinator, SIGKILL)
      try daemon.wait(for: "its successor's refusal") { try !daemon.events("child_restart_delayed").isEmpty }
      let told = try daemon.control(["status"])
      #expect(told.end == .exited(3))
      #expect(told.error.contains("The daemon runs (process \(daemon.processID)), but its coordinator does not"))
      #expect(!told.error.contains("start it with"), "\(told.error)")
    }

    @Test func `a damaged store is set aside and the daemon serves`() throws {
      let daemon = try Daemon()
      #expect(try daemon.rows("SELECT 1 AS one") == "one\n1\n")
      #expect(try daemon.stop() == .exited(0))
      let store = URL(filePath: daemon.data + "/store.sqlite")
      var bytes = try Data(contentsOf: store)
      bytes.replaceSubrange(0..<100, with: Data(repeating: 0x55, count: 100))
      try bytes.write(to: store)
      try daemon.start()
      #expect(try daemon.rows("SELECT 1 AS one") == "one\n1\n")
      #expect(try daemon.events("store_damaged").count == 1)
      let aside = files(below: daemon.data).filter { $0.hasPrefix("store.sqlite.damaged-") }
      #expect(try aside.contains { try Data(contentsOf: URL(filePath: daemon.data + "/" + $0)) == bytes })
    }

    @Test func `a data directory that cannot be used is one clear error`() throws {
      let directory = try TemporaryDirectory()
      try directory.write("", to: "etc/config.properties")
      try directory.write("precious\n", to: "data")
      let result = try Command(
        Program.daemon, ["serve", "--etc-dir", directory.path + "/etc", "--data-dir", directory.path + "/data"]
      ).finish(within: .seconds(20))
      #expect(result.end == .exited(78))
      #expect(result.error.contains(directory.path + "/data") && result.error.contains("--data-dir"))
      #expect(try String(contentsOfFile: directory.path + "/data", encoding: .utf8) == "precious\n")
    }

    @Test func `without a daemon the control program says how to start one`() throws {
      let result = try Command(Program.control, ["query", "SELECT 1", "--socket", "/nowhere/run/waterbear.sock"])
        .finish(within: .seconds(20))
      #expect(result.end == .exited(3))
      #expect(result.error.contains("waterbeard serve"))
    }

    @Test func `a second daemon in the same place is refused and the first goes on`() throws {
      let daemon = try Daemon()
      let second = try Command(
        Program.daemon,
        ["serve", "--etc-dir", daemon.data + "/../etc", "--data-dir", daemon.data]
      ).finish(within: .seconds(20))
      #expect(second.end == .exited(1))
      #expect(second.error.contains("already uses"))
      #expect(try daemon.rows("SELECT 1 AS one") == "one\n1\n")
    }
  }
}

/// A connection to the daemon that speaks no protocol.
private final class RawSocket {
  private let descriptor: OwnedDescriptor

  init(_ path: String) throws {
    let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard number >= 0 else { throw SystemCall.failure("cannot open a socket", errno) }
    descriptor = OwnedDescriptor(adopting: number)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard result == 0 else { throw SystemCall.failure("cannot connect to \(path)", errno) }
  }

  func send(_ bytes: [UInt8]) throws { try descriptor.writeAll(bytes) }

  /// What comes until the peer closes.
  func readToEnd(within limit: TimeSpan) throws -> [UInt8] {
    let deadline = SystemClock.monotonic() + limit
    var bytes: [UInt8] = []
    while SystemClock.monotonic() < deadline {
      var entry = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
      guard poll(&entry, 1, 100) > 0 else { continue }
      var buffer = [UInt8](repeating: 0, count: 4096)
      let count = recv(descriptor.number, &buffer, buffer.count, 0)
      // A reset ends the connection as well as a close.
      guard count > 0 else { return bytes }
      bytes += buffer[..<count]
    }
    throw WaterbearError(.exceededTimeLimit, "the daemon did not close the connection within \(limit)")
  }
}

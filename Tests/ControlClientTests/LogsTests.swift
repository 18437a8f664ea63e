// Proves how the log is read, filtered, shown and followed.
import Base
import Glibc
import Platform
import TemporaryDirectories
import Testing
import Wire

@testable import ControlClient

struct LogsTests {
  static let line =
    #"{"time":"2026-01-31T23:59:59.123Z","level":"WARN","event":"task_retried","role":"coordinator","pid":42,"#
    + #""query":"q1","stage":1,"task":2,"attempt":3,"error":"it \"broke\"\nbadly","retry":1,"#
    + #""list":["a","b"],"ok":true}"#

  private func parse(_ text: String) -> LogRecord? { LogRecord(Array(text.utf8)) }

  @Test func readsFieldsInOrder() throws {
    let record = try #require(parse(Self.line))
    #expect(record.fields.map(\.name).prefix(5) == ["time", "level", "event", "role", "pid"])
    #expect(record["error"] == "it \"broke\"\nbadly")
    #expect(record["list"] == #"["a","b"]"#)
    #expect(record["ok"] == "true")
    #expect(record.level == .warning)
    #expect(try #require(parse(#"{"a":"\u00e4\ud83d\udc4d\u0007"}"#))["a"] == "ä👍\u{7}")
    #expect(parse("{}")?.fields.isEmpty == true)
  }

  @Test(arguments: [
    "", "x", "{", #"{"a"}"#, #"{"a":}"#, #"{"a":1"#, #"{"a":"x}"#, #"{"a":1}}"#, #"{"a":"\u12"}"#, "[1]",
  ])
  func refusesWhatIsNoRecord(text: String) { #expect(parse(text) == nil) }

  @Test func showsARecordOnOneLine() throws {
    let record = try #require(parse(Self.line))
    #expect(
      LogText(usesColour: false).line(record)
        == #"2026-01-31T23:59:59.123Z WARN  coordinator[42] task_retried q1.1.2.3 error="it \"broke\"\nbadly" "#
        + #"retry=1 list=["a","b"] ok=true"#)
    #expect(LogText(usesColour: true).line(record).contains("\u{1b}[33mWARN \u{1b}[0m"))
    let hostile = try #require(parse(#"{"event":"\u001b[2J","x":"\u001b]0;"}"#))
    #expect(!LogText(usesColour: false).line(hostile).contains("\u{1b}"))
  }

  @Test func filters() {
    let record = parse(Self.line)
    #expect(LogFilter().wants(record))
    #expect(LogFilter().wants(nil))
    #expect(LogFilter(query: "q1", minimum: .warning).wants(record))
    #expect(!LogFilter(query: "q2").wants(record))
    #expect(!LogFilter(minimum: .error).wants(record))
    #expect(!LogFilter(minimum: .info).wants(nil))
  }

  private func write(_ path: String, _ text: String, flags: Int32 = O_TRUNC) throws {
    let file = try OwnedDescriptor.open(path, O_WRONLY | O_CREAT | flags, mode: 0o600)
    try file.writeAll(text.utf8)
  }

  private func tail(_ path: String, _ limit: Int?, isWanted: ([UInt8]) -> Bool = { _ in true }) throws -> [String] {
    try LogTail(path).lines(limit: limit, isWanted: isWanted).lines.map { String(decoding: $0, as: UTF8.self) }
  }

  @Test func findsTheLastLinesAcrossRotatedFiles() throws {
    let directory = TemporaryDirectory()
    let path = directory.path + "/log"
    try write(path + ".2", "a\nb\n")
    try write(path + ".1", "c\n")
    try write(path, "d\ne\nunfinished")
    #expect(try tail(path, 2) == ["d", "e"])
    #expect(try tail(path, 4) == ["b", "c", "d", "e"])
    #expect(try tail(path, nil) == ["a", "b", "c", "d", "e"])
    #expect(try tail(path, 0) == [])
    #expect(try tail(path, 2) { $0 != Array("d".utf8) } == ["c", "e"])
    #expect(try LogTail(path).lines(limit: 1) { _ in true }.file.position == 4)
  }

  @Test(arguments: [1, 99, 100, 101])
  func findsLinesLongerThanAChunk(limit: Int) throws {
    let directory = TemporaryDirectory()
    let path = directory.path + "/log"
    let lines = (0..<100).map { "\($0) " + String(repeating: "x", count: $0 % 10 == 0 ? 300_000 : 20_000) }
    try write(path, lines.joined(separator: "\n") + "\n")
    #expect(try tail(path, limit) == lines.suffix(limit))
  }

  @Test func followsAcrossRotationAndTruncation() throws {
    let directory = TemporaryDirectory()
    let path = directory.path + "/log"
    try write(path, "old\npart")
    let follower = LogFollower(path, from: try LogTail(path).lines(limit: 0) { _ in true }.file)
    func lines() throws -> [String] { try follower.newLines().map { String(decoding: $0, as: UTF8.self) } }
    #expect(try lines() == [])
    try write(path, "ial\nnext\n", flags: O_APPEND)
    #expect(try lines() == ["partial", "next"])
    rename(path, path + ".1")
    try write(path + ".1", "late\n", flags: O_APPEND)
    #expect(try lines() == ["late"])
    try write(path, "new\n", flags: O_APPEND)
    try write(path + ".1", "later\n", flags: O_APPEND)
    #expect(try lines() == ["later", "new"])
    try write(path, "x\n")
    #expect(try lines() == ["x"])
  }

  @Test func asksTheDaemonForThePath() throws {
    let directory = TemporaryDirectory()
    let path = directory.path + "/log"
    try write(path, Self.line + "\nbroken \u{7} line\n")
    let daemon = try FakeDaemon { _ in .answer(RecordVerbTests.status(log: path)) }
    let socket = ["--socket", daemon.socketPath]
    let text = try ControlRun.of(["logs"] + socket)
    #expect(text.output.hasPrefix("2026-01-31T23:59:59.123Z WARN  coordinator[42] task_retried q1.1.2.3"))
    #expect(text.output.hasSuffix("\nbroken \\u0007 line\n"))
    #expect(try ControlRun.of(["logs", "--format", "jsonl", "--level", "warn"] + socket).output == Self.line + "\n")
    #expect(try ControlRun.of(["logs", "--query", "other"] + socket).output == "")
    let followed = try ControlRun.of(["logs", "-f", "-n", "0", "--timeout", "300ms"] + socket)
    #expect(followed.code == .timedOut)
  }

  @Test func readsTheLogOfADaemonThatIsDown() throws {
    let directory = TemporaryDirectory()
    mkdir(directory.path + "/run", 0o700)
    mkdir(directory.path + "/log", 0o700)
    defer {
      unlink(directory.path + "/log/waterbear.jsonl")
      rmdir(directory.path + "/log")
      rmdir(directory.path + "/run")
    }
    let socket = ["--socket", directory.path + "/run/waterbear.sock"]
    #expect(try ControlRun.of(["logs"] + socket).code == .notRunning)
    try write(directory.path + "/log/waterbear.jsonl", Self.line + "\n")
    let run = try ControlRun.of(["logs", "--format", "jsonl"] + socket)
    #expect(run.code == .done)
    #expect(run.output == Self.line + "\n")
    #expect(run.error.hasPrefix("the daemon is not running; reading "))
    #expect(LogsVerb.usualLog(ofSocket: "/run/waterbear/waterbear.sock") == "/var/log/waterbear/waterbear.jsonl")
  }
}

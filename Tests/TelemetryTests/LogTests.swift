// Tests of the log: what a line holds, what is left out, how several writers and rotation get on.
import Base
import Foundation
import Logging
import Testing

@testable import Telemetry

/// Makes a directory, runs the body with the path of a log in it, and removes it.
func withLogPath<Result>(_ body: (String) throws -> Result) throws -> Result {
  let directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
  try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: directory) }  // A left-over directory fails no test.
  return try body(directory + "/waterbear.jsonl")
}

/// The lines of a log, each parsed as JSON.
func lines(_ path: String) throws -> [[String: Any]] {
  try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map {
    try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
  }
}

@Suite struct LogTests {
  let attempt = AttemptID(
    task: TaskID(stage: StageID(query: QueryID("20260101_000000_00001_abcde"), number: 2), partition: 7), number: 1)

  @Test func aLineHasItsParts() throws {
    try withLogPath { path in
      let log = Log(LogSink(file: try LogFile(path: path)), role: "worker 2")
      let error = WaterbearError(.remoteHostGone, "gone \"there\"\n", causes: ["a", "b"])
      let fields: LogFields = ["worker": 2, "ok": false, "x": .double(.nan)]
      log.write(.attemptFailed, about: .attempt(attempt), fields + .error(error))
      let line = try #require(try lines(path).first)
      #expect((line["time"] as? String)?.count == 24)
      #expect(line["level"] as? String == "WARN")
      #expect(line["event"] as? String == "attempt_failed")
      #expect(line["role"] as? String == "worker 2")
      #expect(line["pid"] as? Int == Int(getpid()))
      #expect(line["query"] as? String == attempt.task.stage.query.text)
      #expect(line["stage"] as? Int == 2 && line["task"] as? Int == 7 && line["attempt"] as? Int == 1)
      #expect(line["worker"] as? Int == 2 && line["ok"] as? Bool == false && line["x"] as? String == "nan")
      #expect(line["error_code"] as? String == "REMOTE_HOST_GONE")
      #expect(line["error_type"] as? String == "INTERNAL_ERROR")
      #expect(line["error"] as? String == "gone \"there\"\n")
      #expect(line["causes"] as? [String] == ["a", "b"])
    }
  }

  @Test func aLevelThatIsOffCostsNoFields() throws {
    try withLogPath { path in
      let sink = LogSink(file: try LogFile(path: path), level: .info)
      let log = Log(sink, role: "coordinator")
      var made = 0
      func fields() -> LogFields {
        made += 1
        return ["worker": 1]
      }
      log.write(.attemptStarted, about: .attempt(attempt), fields())
      #expect(made == 0 && !log.isEnabled(.debug))
      sink.level = .debug
      log.write(.attemptStarted, about: .attempt(attempt), fields())
      #expect(made == 1)
      #expect(sink.level == .debug)
      log.debug(.attemptFailed, about: .attempt(attempt))
      #expect(try lines(path).map { $0["level"] as? String } == ["DEBUG", "DEBUG"])
    }
  }

  @Test(arguments: ["\u{0}\u{1f}\u{7f}\t\r\n\\\"/", "é漢🐻", ""])
  func textsComeBackFromJSON(text: String) throws {
    try withLogPath { path in
      Log(LogSink(file: try LogFile(path: path)), role: text).write(.daemonReady, ["reason": .string(text)])
      let line = try #require(try lines(path).first)
      #expect(line["role"] as? String == text && line["reason"] as? String == text)
    }
  }

  @Test func aLongStringAndALongLineAreCut() throws {
    try withLogPath { path in
      let log = Log(LogSink(file: try LogFile(path: path)), role: "coordinator")
      // Three bytes per character, so that the limit falls into one.
      let long = String(repeating: "漢", count: 6000)
      log.write(.daemonReady, ["a": .string(long), "b": .string(long), "c": 1])
      let bytes = try #require(FileManager.default.contents(atPath: path))
      #expect(bytes.count <= LogLine.maxBytes)
      let line = try #require(try lines(path).first)
      #expect((line["a"] as? String)?.hasPrefix("漢漢漢") == true && (line["a"] as? String)?.hasSuffix("漢…") == true)
      #expect(line["b"] == nil && line["c"] as? Int == 1 && line["truncated"] as? Bool == true)
    }
  }

  @Test func writersInParallelNeverMixLines() throws {
    try withLogPath { path in
      // Each has its own descriptor, like a process.
      let logs = try (0..<4).map { Log(LogSink(file: try LogFile(path: path)), role: "worker \($0)") }
      DispatchQueue.concurrentPerform(iterations: 4) { index in
        let pad = String(repeating: "x", count: 3000)
        for number in 0..<250 {
          logs[index].write(.workerStarted, ["n": .int(number), "pad": .string(pad)])
        }
      }
      let all = try lines(path)
      #expect(all.count == 1000)
      for index in 0..<4 {
        let numbers = all.filter { $0["role"] as? String == "worker \(index)" }.compactMap { $0["n"] as? Int }
        #expect(numbers == Array(0..<250))
      }
    }
  }

  @Test func rotationKeepsSoManyAndOthersFollow() throws {
    try withLogPath { path in
      let supervisor = try LogFile(path: path)
      let other = try LogFile(path: path)
      let line = [UInt8](repeating: UInt8(ascii: "x"), count: 99) + [10]
      #expect(!supervisor.rotate(maxSize: 150, keep: 2))
      for round in 0..<4 {
        // Times two seconds apart, so that the other looks whether the file is still its own.
        other.append(line, wallMicroseconds: Int64(round) * 4_000_000)
        supervisor.append(line, wallMicroseconds: Int64(round) * 4_000_000 + 2_000_000)
        #expect(supervisor.rotate(maxSize: 150, keep: 2))
      }
      other.append(line, wallMicroseconds: 100_000_000)
      let directory = (path as NSString).deletingLastPathComponent
      let names = try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
      #expect(names == ["waterbear.jsonl", "waterbear.jsonl.1", "waterbear.jsonl.2"])
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count == 100)
      #expect(try Data(contentsOf: URL(fileURLWithPath: path + ".1")).count == 200)
    }
  }

  @Test func keepingNoneRemovesTheOld() throws {
    try withLogPath { path in
      let file = try LogFile(path: path)
      file.append([65, 10], wallMicroseconds: 0)
      #expect(file.rotate(maxSize: 1, keep: 0))
      #expect(!FileManager.default.fileExists(atPath: path + ".1"))
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)).isEmpty)
    }
  }

  @Test func linesThatCannotBeWrittenAreCounted() throws {
    // Every write to /dev/full fails as on a full disk.
    let file = try LogFile(path: "/dev/full")
    file.append([65, 10], wallMicroseconds: 0)
    file.append([65, 10], wallMicroseconds: 1)
    let dropped = try #require(file.takeDropped())
    #expect(dropped.lines == 2 && dropped.reason == "No space left on device")
    #expect(file.takeDropped() == nil)
  }

  @Test func anImpossiblePathIsNamed() {
    let error = #expect(throws: WaterbearError.self) { try LogFile(path: "/nonexistent/log") }
    #expect(error?.message == "The log /nonexistent/log cannot be written: No such file or directory")
  }

  @Test func wordsForStandardErrorHaveThePriority() {
    let line = LogLine(
      wallMicroseconds: 0, level: .warning, event: "worker_lost", role: "coordinator", processID: 1,
      subject: .stage(attempt.task.stage), fields: ["worker": 2, "reason": "a b"])
    let text = "coordinator: worker_lost 20260101_000000_00001_abcde.2 worker=2 reason=\"a b\"\n"
    #expect(String(decoding: line.words(withPriority: true), as: UTF8.self) == "<4>" + text)
    #expect(
      String(decoding: line.words(withPriority: false), as: UTF8.self) == "1970-01-01T00:00:00.000Z WARN " + text)
  }

  @Test func librariesWriteToTheSameLog() throws {
    try withLogPath { path in
      let log = Log(LogSink(file: try LogFile(path: path)), role: "coordinator")
      var logger = Logger(label: "nio") { LibraryLogHandler(label: $0, log: log) }
      logger[metadataKey: "channel"] = "7"
      logger.debug("not this")
      logger.error("that", metadata: ["b": "2"])
      let all = try lines(path)
      #expect(all.count == 1)
      #expect(all[0]["event"] as? String == "library_message" && all[0]["level"] as? String == "ERROR")
      #expect(all[0]["library"] as? String == "nio" && all[0]["message"] as? String == "that")
      #expect(all[0]["channel"] as? String == "7" && all[0]["b"] as? String == "2")
    }
  }
}

// Owns the way into the log: which lines are wanted and where they go.
import Base
import Glibc
import Platform
import Synchronization

/// Where a process's log lines go. One per process, shared by all its `Log` values.
public final class LogSink: Sendable {
  /// A copy of each line on standard error.
  public enum Copy: Sendable {
    case none
    /// Time, level and words, for a terminal.
    case plain
    /// Words with systemd's priority prefix; the journal adds the time.
    case journal

    /// `journal` where systemd connected standard error to it (it then sets JOURNAL_STREAM), else `plain`.
    public static func detected() -> Copy { getenv("JOURNAL_STREAM") == nil ? .plain : .journal }
  }

  private let file: LogFile?
  private let standardError: Copy
  private let threshold: Atomic<UInt8>

  /// `file` nil logs to standard error alone.
  public init(file: LogFile?, level: LogLevel = .info, standardError: Copy = .none) {
    self.file = file
    self.standardError = standardError
    threshold = Atomic(level.weight)
  }

  /// The least level that is written; may change while the process runs.
  public var level: LogLevel {
    get {
      let weight = threshold.load(ordering: .relaxed)
      return LogLevel.allCases.first { $0.weight == weight } ?? .info
    }
    set { threshold.store(newValue.weight, ordering: .relaxed) }
  }

  func isEnabled(_ level: LogLevel) -> Bool { level.weight >= threshold.load(ordering: .relaxed) }

  func write(_ line: LogLine) {
    if let file {
      if let dropped = file.takeDropped() {
        var notice = line
        (notice.level, notice.event, notice.subject) = (.warning, LogEvent.logLinesDropped.rawValue, nil)
        notice.fields = ["lines": .int(dropped.lines), "reason": .string(dropped.reason)]
        file.append(notice.json(), wallMicroseconds: line.wallMicroseconds)
      }
      file.append(line.json(), wallMicroseconds: line.wallMicroseconds)
    }
    if standardError != .none {
      StandardError.offer(line.words(withPriority: standardError == .journal))
    }
  }
}

/// Writes events. A small value; copy it freely.
public struct Log: Sendable {
  public let sink: LogSink
  /// The process's role in every line, such as `coordinator` or `worker 2`.
  public let role: String
  private let processID: Int32

  public init(_ sink: LogSink, role: String) {
    self.sink = sink
    self.role = role
    processID = getpid()
  }

  /// Whether events of this level are written; for work that only serves the log.
  public func isEnabled(_ level: LogLevel) -> Bool { sink.isEnabled(level) }

  /// Writes an event with its level. The fields are not even made where the level is off: one atomic load then.
  public func write(
    _ event: LogEvent, about subject: @autoclosure () -> LogSubject? = nil,
    _ fields: @autoclosure () -> LogFields = [:]
  ) {
    guard sink.isEnabled(event.level) else { return }
    write(event.rawValue, event.level, subject(), fields())
  }

  /// Writes an event as DEBUG, whatever its level: for a process that sees what another one reports with its level.
  public func debug(
    _ event: LogEvent, about subject: @autoclosure () -> LogSubject? = nil,
    _ fields: @autoclosure () -> LogFields = [:]
  ) {
    guard sink.isEnabled(.debug) else { return }
    write(event.rawValue, .debug, subject(), fields())
  }

  func write(_ event: String, _ level: LogLevel, _ subject: LogSubject?, _ fields: LogFields) {
    sink.write(
      LogLine(
        wallMicroseconds: SystemClock.wallMicroseconds(), level: level, event: event, role: role,
        processID: processID, subject: subject, fields: fields))
  }
}

// Owns the bridge from swift-log, which libraries write to, into this log.
import Base
import Logging

/// Sends what libraries log through swift-log to the process's log as `library_message`.
///
/// Once per process: `LoggingSystem.bootstrap { LibraryLogHandler(label: $0, log: log) }`.
public struct LibraryLogHandler: LogHandler {
  public var logLevel: Logger.Level
  public var metadata: Logger.Metadata = [:]
  private let label: String
  private let log: Log

  public init(label: String, log: Log) {
    self.label = label
    self.log = log
    logLevel =
      switch log.sink.level {
      case .debug: .debug
      case .info: .info
      case .warning: .warning
      case .error: .error
      }
  }

  /// Metadata of one key, as swift-log asks for it.
  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  /// Writes a library's message as an event of ours.
  public func log(event: Logging.LogEvent) {
    let level = Self.level(event.level)
    guard log.isEnabled(level) else { return }
    var fields: LogFields = ["library": .string(label), "message": .string(event.message.description)]
    let all = metadata.merging(event.metadata ?? [:]) { _, ownValue in ownValue }
    for (key, value) in all.sorted(by: { $0.key < $1.key }) { fields.add(key, .string(value.description)) }
    if let error = event.error { fields = fields + .error(error) }
    log.write(LogEvent.messageOfLibrary.rawValue, level, nil, fields)
  }

  private static func level(_ level: Logger.Level) -> LogLevel {
    switch level {
    case .trace, .debug: .debug
    case .info, .notice: .info
    case .warning: .warning
    case .error, .critical: .error
    }
  }
}

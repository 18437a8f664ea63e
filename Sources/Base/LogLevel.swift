// Owns the levels of the log, which settings name and the log writer compares.

/// How much a log line matters. The order is the order of weight.
public enum LogLevel: String, Codable, Sendable, CaseIterable, Comparable {
  case debug = "DEBUG"
  case info = "INFO"
  case warning = "WARN"
  case error = "ERROR"

  /// 0 for debug up to 3 for errors.
  @inlinable
  public var weight: UInt8 {
    switch self {
    case .debug: 0
    case .info: 1
    case .warning: 2
    case .error: 3
    }
  }

  @inlinable
  public static func < (left: LogLevel, right: LogLevel) -> Bool { left.weight < right.weight }
}

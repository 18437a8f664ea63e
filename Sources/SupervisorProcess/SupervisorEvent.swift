// Owns the words in which the supervisor reports what it does. Does not know where they are written.
import Base
import Platform

/// A line of the supervisor's log: a stable name and stable fields, listed in docs/events.md.
public struct SupervisorEvent: Sendable {
  public let level: LogLevel
  /// Such as `process_ended`.
  public let name: String
  /// In the order in which they are written.
  public let fields: [(key: String, value: String)]

  init(_ level: LogLevel, _ name: String, _ fields: [(key: String, value: String)] = []) {
    self.level = level
    self.name = name
    self.fields = fields
  }

  /// The event that tells of a decision of the pure core.
  init(_ report: Supervision.Report) {
    switch report {
    case .ready(let role, let after):
      self.init(.info, "process_ready", [("process", "\(role)"), ("after_ms", "\(after.milliseconds)")])
    case .ended(let role, let end, let age, let reason, let restartAfter):
      // An end that nobody starts again after is part of a drain; code 0 is then what was asked for.
      let isExpected = restartAfter == nil && end == .exited(ExitCode.done.rawValue)
      self.init(
        isExpected ? .info : .warning, "process_ended",
        [("process", "\(role)"), ("end", "\(end)"), ("age_ms", "\(age.milliseconds)")]
          + Self.optional("reason", reason) + Self.optional("restart_after_ms", restartAfter?.milliseconds))
    case .startFailed(let role, let reason, let restartAfter):
      self.init(
        .error, "process_start_failed",
        [("process", "\(role)"), ("reason", reason)]
          + Self.optional("restart_after_ms", restartAfter?.milliseconds))
    case .hung(let role, let silence):
      self.init(.warning, "process_hung", [("process", "\(role)"), ("silence_ms", "\(silence.milliseconds)")])
    case .draining(let atMost):
      self.init(.info, "daemon_draining", [("at_most_ms", "\(atMost.milliseconds)")])
    case .drainCutShort(let remaining, let onRequest):
      self.init(
        .warning, "drain_cut_short",
        [
          ("remaining", remaining.map(\.description).joined(separator: ", ")),
          ("because", onRequest ? "second request" : "time is up"),
        ])
    case .givingUp(let role, let reason):
      self.init(.error, "daemon_giving_up", [("process", "\(role)"), ("reason", reason)])
    }
  }

  private static func optional(_ key: String, _ value: (some CustomStringConvertible)?) -> [(key: String, value: String)] {
    value.map { [(key, $0.description)] } ?? []
  }
}

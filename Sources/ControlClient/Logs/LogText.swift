// Owns log lines as people read them, and which lines are wanted.
import Base

/// Which lines are shown.
struct LogFilter: Equatable {
  var query: String?
  var minimum = LogLevel.debug

  var wantsAll: Bool { query == nil && minimum == .debug }

  /// A line that is no record passes only where everything does.
  func wants(_ record: LogRecord?) -> Bool {
    guard let record else { return wantsAll }
    if let query, record["query"] != query { return false }
    return record.level.map { $0 >= minimum } ?? true
  }
}

/// The readable form: `time LEVEL role[pid] event query.stage.task.attempt key=value …`.
struct LogText {
  let usesColour: Bool

  private static let leading: Set<String> = [
    "time", "level", "event", "role", "pid", "query", "stage", "task", "attempt",
  ]

  func line(_ record: LogRecord) -> String {
    let level = record["level"] ?? ""
    let padded = level + String(repeating: " ", count: max(0, 5 - level.count))
    var text = " " + (record["role"] ?? "?") + (record["pid"].map { "[\($0)]" } ?? "")
    text += " " + (record["event"] ?? "?")
    let subject = ["query", "stage", "task", "attempt"].compactMap { record[$0] }
    if !subject.isEmpty { text += " " + subject.joined(separator: ".") }
    for field in record.fields where !Self.leading.contains(field.name) {
      text += " \(field.name)=" + (field.isString ? Self.quoted(field.text) : field.text)
    }
    let display = CellSyntax.display
    return display.spelled(record["time"] ?? "") + " " + coloured(display.spelled(padded), record.level)
      + display.spelled(text)
  }

  /// Text that would not read as one value is quoted.
  private static func quoted(_ text: String) -> String {
    let isPlain = !text.isEmpty && text.allSatisfy { !$0.isWhitespace && $0 != "\"" && $0 != "=" }
    if isPlain { return text }
    var quoted = "\""
    for character in text.unicodeScalars {
      switch character {
      case "\"", "\\": quoted += "\\\(character)"
      case "\n": quoted += "\\n"
      default: quoted.unicodeScalars.append(character)
      }
    }
    return quoted + "\""
  }

  private func coloured(_ text: String, _ level: LogLevel?) -> String {
    guard usesColour else { return text }
    switch level {
    case .error: return "\u{1b}[31m\(text)\u{1b}[0m"
    case .warning: return "\u{1b}[33m\(text)\u{1b}[0m"
    case .debug: return "\u{1b}[2m\(text)\u{1b}[0m"
    default: return text
    }
  }
}

// Owns the text of `docs/events.md`, made from the events, so that code and page cannot part.
import Base

/// Rendering of the list of events.
public enum EventsDocument {
  /// The whole of `docs/events.md`.
  public static var markdown: String {
    var text = """
      # Log events

      Made from `Sources/Telemetry/LogEvent.swift`; do not edit by hand.

      The log is `log/waterbear.jsonl` in the data directory, one JSON object per line, written by all processes of the
      daemon. Every line has `time` (UTC, ISO 8601 with milliseconds), `level` (`DEBUG`, `INFO`, `WARN`, `ERROR`),
      `event`, `role` (the process) and `pid`. A line about a query has `query`, and as far as it goes `stage`, `task`
      and `attempt`, which are the numbers in Trino's attempt name `query.stage.task.attempt`. Events and fields keep
      their names and meanings; new ones may come. Where two processes see the same, one has it with the level below and
      the other as `DEBUG`.

      A line longer than \(LogLine.maxBytes) bytes loses whole fields and says `"truncated":true`.

      | event | level | fields | meaning |
      |---|---|---|---|

      """
    for event in LogEvent.allCases {
      let description = event.description
      let fields = description.fields.map { "`\($0)`" }.joined(separator: ", ")
      text += "| `\(event.rawValue)` | \(description.level.rawValue) | \(fields) | \(description.meaning) |\n"
    }
    return text
  }
}

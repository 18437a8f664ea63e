// Owns the words and bars in which a query's progress is shown. Draws nothing.
import Base
import ClientAPI
import Wire

/// A query's progress as lines: one for the query, one for each stage.
enum ProgressText {
  /// - Parameter size: no line is wider than its columns less one, and there are fewer lines than rows; stages that
  ///   have ended give way first.
  static func lines(_ status: QueryStatus, size: TerminalSize) -> [String] {
    var head = "Query \(status.query) \(status.state.rawValue)"
    head += "  " + elapsed(status.elapsedMicroseconds)
    if status.retriedAttempts > 0 { head += "  \(status.retriedAttempts) retried" }
    let room = max(1, size.rows - 2)
    var stages = status.stages.sorted { $0.number < $1.number }
    var left = 0
    if stages.count > room - 1 {
      let open = stages.filter { $0.state == "RUNNING" || $0.state == "FAILED" }
      let kept = Array(open.prefix(max(0, room - 2)))
      left = stages.count - kept.count
      stages = kept
    }
    let digits = String(stages.map(\.number).max() ?? 0).count
    var lines = [head] + stages.map { line($0, digits: digits, columns: size.columns) }
    if left > 0, room > 1 { lines.append("  … and \(left) more stages") }
    return lines.map { String($0.prefix(max(1, size.columns - 1))) }
  }

  private static func line(_ stage: StageProgress, digits: Int, columns: Int) -> String {
    let number = String(stage.number)
    var text = "  stage " + String(repeating: " ", count: digits - number.count) + number
    let state = stage.state.prefix(8)
    text += "  " + state + String(repeating: " ", count: 8 - state.count)
    if columns >= 72 { text += "  " + bar(stage) }
    text += "  \(stage.finishedTasks)/\(stage.totalTasks) tasks"
    if stage.runningTasks > 0 { text += ", \(stage.runningTasks) running" }
    if stage.retries > 0 { text += ", \(stage.retries) retried" }
    if stage.outputRows > 0 { text += ", \(count(stage.outputRows)) rows" }
    if stage.outputBytes > 0 { text += ", \(DataSize(bytes: stage.outputBytes))" }
    return text
  }

  private static let barWidth = 20

  private static func bar(_ stage: StageProgress) -> String {
    let total = max(1, stage.totalTasks)
    let done = min(barWidth, stage.finishedTasks * barWidth / total)
    let active = min(barWidth, (stage.finishedTasks + stage.runningTasks) * barWidth / total)
    return "[" + String(repeating: "=", count: done) + String(repeating: ">", count: max(0, active - done))
      + String(repeating: " ", count: barWidth - max(done, active)) + "]"
  }

  /// Seconds with one decimal; from a minute on `m:ss`, from an hour on `h:mm:ss`.
  static func elapsed(_ microseconds: Int64) -> String {
    let seconds = max(0, microseconds) / 1_000_000
    func padded(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
    if seconds >= 3600 { return "\(seconds / 3600):\(padded(seconds / 60 % 60)):\(padded(seconds % 60))" }
    if seconds >= 60 { return "\(seconds / 60):\(padded(seconds % 60))" }
    return "\(seconds).\(max(0, microseconds) / 100_000 % 10)s"
  }

  /// A number in three digits or so: `950`, `1.2K`, `34M`.
  static func count(_ number: Int64) -> String {
    var value = Double(number)
    var unit = ""
    for next in ["K", "M", "B", "T"] where value >= 999.5 {
      value /= 1000
      unit = next
    }
    if unit.isEmpty { return "\(number)" }
    let tenths = Int64((value * 10).rounded())
    return value < 10 && tenths % 10 != 0 ? "\(tenths / 10).\(tenths % 10)\(unit)" : "\(Int64(value.rounded()))\(unit)"
  }
}

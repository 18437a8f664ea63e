// Owns how everything about one query is laid out: as sections for people, as one object for programs.
import Base
import Columnar
import Wire

/// A query's detail as text.
struct QueryReport {
  /// More attempts than these are not shown to people, except where there was a retry.
  static let shownAttempts = 200

  private let detail: QueryDetail
  /// In the order in which tasks and attempts are numbered.
  private let ordered: [AttemptDetail]

  init(_ detail: QueryDetail) {
    self.detail = detail
    ordered = detail.attempts.sorted { ($0.stage, $0.partition, $0.number) < ($1.stage, $1.partition, $1.number) }
  }

  // MARK: For people

  func writeSections(as format: OutputFormat, to output: OutputStream) throws {
    let status = detail.status
    var facts: [(String, String)] = [
      ("query", status.query.text), ("state", status.state.rawValue), ("user", detail.summary.user),
      ("created", ValueFormatter(.timestamp(precision: 3)).text(.integer(detail.summary.createdMicroseconds)) ?? ""),
      ("elapsed", ProgressText.elapsed(status.elapsedMicroseconds)), ("retry policy", detail.retryPolicy),
      ("retries", "\(status.retriedAttempts)"),
    ]
    if let error = status.error {
      facts.append(("error", "\(error) [\(error.code.rawValue)]"))
      for cause in error.causes { facts.append(("cause", cause)) }
      if let remedy = error.remedy { facts.append(("hint", remedy)) }
    } else if let code = detail.summary.errorCode {
      facts.append(("error", code))
    }
    let width = (facts.map(\.0.count).max() ?? 0) + 2
    for (name, value) in facts {
      if format == .markdown { output.append("- ") }
      output.append(name + String(repeating: " ", count: width - name.count))
      CellSyntax.display.append(value, to: output.buffer)
      output.append("\n")
    }
    output.append(format == .markdown ? "\n```sql\n" : "sql\n")
    for line in detail.summary.sql.split(whereSeparator: \.isNewline) {
      output.append(format == .markdown ? "" : "  ")
      CellSyntax.display.append(String(line), to: output.buffer)
      output.append("\n")
    }
    if format == .markdown { output.append("```\n") }
    let stages = self.stages
    if !stages.isEmpty {
      output.append("\nStages\n\n")
      try table(of: stages).write(to: format.writer(to: output))
    }
    writeDecisions(as: format, to: output)
    guard !ordered.isEmpty else { return }
    let isCut = ordered.count > Self.shownAttempts
    output.append(isCut ? "\nAttempts of tasks with retries (--format csv shows all)\n\n" : "\nAttempts\n\n")
    try attempts(ofAll: !isCut).write(to: format.writer(to: output))
    writeRetries(as: format, to: output)
  }

  private func writeDecisions(as format: OutputFormat, to output: OutputStream) {
    guard let decisions = detail.decisions, !decisions.isEmpty else { return }
    output.append("\nDecisions\n\n")
    for decision in decisions {
      output.append(format == .markdown ? "- " : "  ")
      CellSyntax.display.append("stage \(decision.stage) \(decision.kind): \(decision.reason)", to: output.buffer)
      output.append("\n")
    }
  }

  private func writeRetries(as format: OutputFormat, to output: OutputStream) {
    let retries = ordered.compactMap { attempt in retryReason(attempt).map { (attempt, $0) } }
    guard !retries.isEmpty else { return }
    output.append("\nRetries\n\n")
    for (attempt, reason) in retries.prefix(Self.shownAttempts) {
      output.append(format == .markdown ? "- " : "  ")
      CellSyntax.display.append("\(Self.name(attempt)): \(reason)", to: output.buffer)
      output.append("\n")
    }
    if retries.count > Self.shownAttempts { output.append("  … and \(retries.count - Self.shownAttempts) more\n") }
  }

  private var isLive: Bool { !detail.status.stages.isEmpty }

  /// A query that is over has no live stages. Its attempts tell about them, but not how each ended, nor its rows.
  private var stages: [StageProgress] {
    if isLive { return detail.status.stages.sorted { $0.number < $1.number } }
    var stages: [Int: [AttemptDetail]] = [:]
    for attempt in ordered { stages[attempt.stage, default: []].append(attempt) }
    return stages.sorted { $0.key < $1.key }.map { number, attempts in
      let tasks = Set(attempts.map(\.partition)).count
      let finished = Set(attempts.filter { $0.state == "FINISHED" }.map(\.partition)).count
      let running = attempts.count { $0.state == "RUNNING" }
      return StageProgress(
        number: number, state: "", totalTasks: tasks, runningTasks: running, finishedTasks: finished,
        retries: attempts.count - tasks, outputRows: 0, outputBytes: 0)
    }
  }

  private func table(of stages: [StageProgress]) -> RecordTable {
    let live = [OutputColumn("state", .varcharUnbounded), OutputColumn("rows", .bigint), OutputColumn("bytes", .bigint)]
    var table = RecordTable(
      ["stage", "tasks", "running", "finished", "retries"].map { OutputColumn($0, .integer) } + (isLive ? live : []))
    for stage in stages {
      let figures: [Value] =
        isLive ? [.text(stage.state), .number(stage.outputRows), .number(stage.outputBytes)] : []
      table.append(
        [
          .number(stage.number), .number(stage.totalTasks), .number(stage.runningTasks),
          .number(stage.finishedTasks), .number(stage.retries),
        ] + figures)
    }
    return table
  }

  /// The attempts; where not all, those of tasks that have several or one that failed.
  func attempts(ofAll: Bool) -> RecordTable {
    var table = RecordTable([
      OutputColumn("stage", .integer), OutputColumn("task", .integer), OutputColumn("attempt", .integer),
      OutputColumn("worker", .varcharUnbounded), OutputColumn("state", .varcharUnbounded),
      OutputColumn("selected", .boolean), OutputColumn("started", .timestamp(precision: 3)),
      OutputColumn("seconds", .decimal(precision: 18, scale: 3)), OutputColumn("error", .varcharUnbounded),
      OutputColumn("message", .varcharUnbounded),
    ])
    var counts: [[Int]: Int] = [:]
    if !ofAll { for attempt in ordered { counts[[attempt.stage, attempt.partition], default: 0] += 1 } }
    for attempt in ordered {
      let isCalm = counts[[attempt.stage, attempt.partition]] == 1 && attempt.errorCode == nil
      if !ofAll && isCalm { continue }
      let elapsed = attempt.endedMicroseconds.map { max(0, $0 - attempt.startedMicroseconds) / 1000 }
      table.append([
        .number(attempt.stage), .number(attempt.partition), .number(attempt.number), .text(attempt.worker),
        .text(attempt.state), .boolean(attempt.isSelected), .number(attempt.startedMicroseconds),
        elapsed.map { .number($0) } ?? .null, .optionalText(attempt.errorCode), .optionalText(attempt.errorMessage),
      ])
    }
    return table
  }

  // MARK: Why

  private static func name(_ attempt: AttemptDetail) -> String {
    "stage \(attempt.stage) task \(attempt.partition) attempt \(attempt.number)"
  }

  /// Why an attempt was made although its task had one before; nil for a task's first.
  func retryReason(_ attempt: AttemptDetail) -> String? {
    let earlier = ordered.last {
      $0.stage == attempt.stage && $0.partition == attempt.partition && $0.number < attempt.number
    }
    guard let earlier else { return nil }
    let name = "attempt \(earlier.number) on \(earlier.worker)"
    if let code = earlier.errorCode { return "\(name) failed: \(earlier.errorMessage ?? code) [\(code)]" }
    switch earlier.state {
    case "FINISHED": return "the output of \(name) was lost or had to be made again"
    case "ABORTED": return "\(name) was aborted"
    case "RUNNING": return "\(name) is slow; whichever finishes first counts"
    default: return "\(name) ended as \(earlier.state)"
    }
  }

  // MARK: For programs

  func writeJSON(to output: OutputStream) {
    let (summary, status) = (detail.summary, detail.status)
    var object = JSONObject(output)
    object.begin()
    object.field("query", status.query.text)
    object.field("state", status.state.rawValue)
    object.field("user", summary.user)
    object.field("sql", summary.sql)
    object.field("created_us", summary.createdMicroseconds)
    object.field("ended_us", summary.endedMicroseconds)
    object.field("elapsed_us", status.elapsedMicroseconds)
    object.field("retry_policy", detail.retryPolicy)
    object.field("retries", status.retriedAttempts)
    object.field("error_code", status.error?.code.rawValue ?? summary.errorCode)
    object.field("error_message", status.error?.description)
    object.field("causes", status.error?.causes ?? [])
    object.beginArray("stages")
    for stage in stages {
      object.begin()
      object.field("stage", stage.number)
      object.field("state", isLive ? stage.state : nil)
      object.field("tasks", stage.totalTasks)
      object.field("running", stage.runningTasks)
      object.field("finished", stage.finishedTasks)
      object.field("retries", stage.retries)
      object.field("rows", isLive ? stage.outputRows : nil)
      object.field("bytes", isLive ? stage.outputBytes : nil)
      object.end()
    }
    object.endArray()
    object.beginArray("decisions")
    for decision in detail.decisions ?? [] {
      object.begin()
      object.field("stage", decision.stage)
      object.field("decision", decision.kind)
      object.field("reason", decision.reason)
      object.field("made_us", decision.madeMicroseconds)
      object.end()
    }
    object.endArray()
    object.beginArray("attempts")
    for attempt in ordered {
      object.begin()
      object.field("stage", attempt.stage)
      object.field("task", attempt.partition)
      object.field("attempt", attempt.number)
      object.field("worker", attempt.worker)
      object.field("state", attempt.state)
      object.field("selected", attempt.isSelected)
      object.field("started_us", attempt.startedMicroseconds)
      object.field("ended_us", attempt.endedMicroseconds)
      object.field("error_code", attempt.errorCode)
      object.field("error_message", attempt.errorMessage)
      object.field("retry_reason", retryReason(attempt))
      object.end()
    }
    object.endArray()
    object.end()
    output.append("\n")
  }
}

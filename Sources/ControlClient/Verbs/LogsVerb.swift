// Owns `waterbearctl logs`: the daemon's log, its end or as it grows.
import ArgumentParser
import Base
import ClientAPI
import Glibc
import Platform
import Wire

struct LogsVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "logs", abstract: "Print the end of the daemon's log, and follow it.",
    discussion: """
      Where the daemon does not run, the log of its usual place is read. Rotated files count as far as they are \
      needed for -n.
      """)

  enum LogFormat: String, CaseIterable, ExpressibleByArgument { case text, jsonl }

  @Flag(name: [.customShort("f"), .long], help: "Go on printing what is added, across rotation.")
  var follow = false

  @Option(
    name: [.customShort("n", allowingJoined: true), .long],
    help: ArgumentHelp("How many lines; all for every one.", valueName: "lines"),
    transform: LogsVerb.lineCount)
  var lines: Int? = 50

  @Option(name: .long, help: ArgumentHelp("Only lines about this query.", valueName: "query"))
  var query: String?

  @Option(
    name: .long, help: ArgumentHelp("Only lines of this level or above: debug, info, warn, error.", valueName: "level"),
    transform: LogsVerb.level)
  var level = LogLevel.debug

  @Option(name: .long, help: ArgumentHelp("text, or jsonl for the lines as they are.", valueName: "format"))
  var format = LogFormat.text

  @Option(name: .long, help: ArgumentHelp("The log file, in place of the one the daemon names.", valueName: "path"))
  var logFile: String?

  @OptionGroup var connection: ConnectionOptions

  @Sendable static func lineCount(_ text: String) throws -> Int? {
    if text == "all" { return nil }
    guard let count = Int(text), count >= 0 else { throw ValidationError("'\(text)' is no number of lines.") }
    return count
  }

  @Sendable static func level(_ text: String) throws -> LogLevel {
    let name = text.uppercased()
    guard let level = LogLevel(rawValue: name == "WARNING" ? "WARN" : name) else {
      throw ValidationError("'\(text)' is no level: debug, info, warn or error.")
    }
    return level
  }

  func perform(_ console: Console) throws -> ControlExitCode {
    let deadline = connection.timeout.map { SystemClock.monotonic() + $0 }
    let path = try logPath(console)
    let filter = LogFilter(query: query, minimum: level)
    let text = LogText(usesColour: console.outputIsTerminal && console.allowsColour)
    let output = OutputStream(descriptor: console.output)
    let tail: (lines: [[UInt8]], file: OpenLog)
    do {
      tail = try LogTail(path).lines(limit: lines) { line in filter.wantsAll || filter.wants(LogRecord(line)) }
    } catch {
      guard access(path, R_OK) != 0, errno == EACCES else { throw error }
      throw WaterbearError(
        .permissionDenied, "No permission to read \(path)", remedy: "become a member of its group, or use sudo")
    }
    for line in tail.lines { try put(line, text, output) }
    try output.flush()
    guard follow else { return .done }
    let follower = LogFollower(path, from: tail.file)
    while true {
      for line in try follower.newLines() where filter.wantsAll || filter.wants(LogRecord(line)) {
        try put(line, text, output)
      }
      try output.flush()
      let left = deadline.map { $0 - SystemClock.monotonic() } ?? Self.pollInterval
      guard left > .zero else { throw ClientTimeout(allowed: connection.timeout ?? .zero) }
      try waitForChange(min(left, Self.pollInterval), console)
    }
  }

  /// How often a followed log is looked at: quick enough for a person, next to nothing for the machine.
  private static let pollInterval = TimeSpan.milliseconds(200)

  /// Waits, and notices meanwhile when the reader of a pipe goes away, so that `logs -f | head` ends without another
  /// line having to come.
  private func waitForChange(_ span: TimeSpan, _ console: Console) throws {
    var poller = pollfd(fd: console.output, events: 0, revents: 0)
    let result = poll(&poller, 1, Int32(clamping: max(1, span.milliseconds)))
    guard result > 0 else { return }
    if Int32(poller.revents) & POLLERR != 0 { throw OutputClosed() }
    // Anything else that poll reports at once must not become a busy loop.
    SystemClock.sleep(span)
  }

  private func put(_ line: [UInt8], _ text: LogText, _ output: OutputStream) throws {
    if format == .text, let record = LogRecord(line) {
      output.append(text.line(record))
    } else if format == .text {
      line.withUnsafeBufferPointer { CellSyntax.display.append($0, to: output.buffer) }
    } else {
      line.withUnsafeBufferPointer { output.buffer.append($0) }
    }
    output.append("\n")
    try output.flushIfLarge()
  }

  /// The file that was asked for, else the one the daemon names, else the one in its usual place.
  private func logPath(_ console: Console) throws -> String {
    if let logFile { return logFile }
    do {
      return try connection.client(console).call(AskStatus(), expecting: DaemonStatus.self).message.logPath
    } catch let error as DaemonUnavailable {
      let path = Self.usualLog(ofSocket: connection.socketPath(console))
      guard access(path, F_OK) == 0 else { throw error }
      console.tell("the daemon \(error.reason == .absent ? "is not running" : "does not answer"); reading \(path)\n")
      return path
    }
  }

  /// Where the daemon with this socket logs unless told otherwise: beside its run directory, or in /var/log.
  static func usualLog(ofSocket socket: String) -> String {
    if socket == ConnectionOptions.systemSocket { return "/var/log/waterbear/waterbear.jsonl" }
    let run = socket.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    return (run.isEmpty ? "." : run) + "/../log/waterbear.jsonl"
  }
}

// Owns `waterbearctl status`: whether the daemon runs, and how.
import ArgumentParser
import Base
import ClientAPI
import Columnar
import Platform
import Wire

struct StatusVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Say whether the daemon runs, and how.",
    discussion: """
      Exit code 0 if it runs, 3 if it does not; with --wait, 5 if no worker came in time. pid is the daemon's own \
      process, which SIGTERM ends in order; it starts a coordinator anew that ends.
      """)

  @Flag(name: [.long, .customShort("q")], help: "Print nothing; the exit code is the answer.")
  var quiet = false

  @Flag(name: .long, help: "Wait until it runs and has a worker, at most 30s or --timeout.")
  var wait = false

  @OptionGroup var output: FormatOptions
  @OptionGroup var connection: ConnectionOptions

  func perform(_ console: Console) throws -> ControlExitCode {
    if quiet {
      do {
        _ = try status(console)
        return .done
      } catch let error as DaemonUnavailable {
        return error.isPermission ? .refused : .notRunning
      } catch let error as WaterbearError {
        return ErrorReport.exitCode(for: error)
      } catch is ClientTimeout {
        return .timedOut
      }
    }
    let format = try output.format(console)
    let status = try status(console)
    let uptime = status.supervisorUptimeMicroseconds ?? status.uptimeMicroseconds
    var table = RecordTable([OutputColumn("name", .varcharUnbounded), OutputColumn("value", .varcharUnbounded)])
    let stream = OutputStream(descriptor: console.output)
    switch format {
    case .json, .jsonl:
      var object = JSONObject(stream)
      object.begin()
      object.field("state", "running")
      object.field("release", status.build)
      object.field("pid", status.supervisorPid ?? status.pid)
      object.field("uptime_seconds", uptime / 1_000_000)
      object.field("coordinator_pid", status.pid)
      object.field("coordinator_uptime_seconds", status.uptimeMicroseconds / 1_000_000)
      object.field("workers", status.workers)
      object.field("running_queries", status.runningQueries)
      object.field("socket", connection.socketPath(console))
      object.field("data_directory", status.dataDirectory)
      object.field("log", status.logPath)
      object.field("spool_directories", status.spoolDirectories)
      object.field(
        "spool_set_aside", (status.spool ?? []).filter(\.isSetAside).map { "\($0.directory): \($0.reason ?? "")" })
      object.end()
      stream.append("\n")
      try stream.flush()
    default:
      table.append([.text("state"), .text("running")])
      table.append([.text("release"), .text(status.build)])
      table.append([.text("pid"), .text("\(status.supervisorPid ?? status.pid)")])
      table.append([.text("uptime"), .text(ProgressText.elapsed(uptime))])
      table.append([.text("coordinator pid"), .text("\(status.pid)")])
      table.append([.text("coordinator uptime"), .text(ProgressText.elapsed(status.uptimeMicroseconds))])
      table.append([.text("workers"), .text("\(status.workers)")])
      table.append([.text("running queries"), .text("\(status.runningQueries)")])
      table.append([.text("socket"), .text(connection.socketPath(console))])
      table.append([.text("data directory"), .text(status.dataDirectory)])
      table.append([.text("log"), .text(status.logPath)])
      for line in Self.spoolLines(status) { table.append([.text("spool"), .text(line)]) }
      try table.print(as: format, to: stream)
    }
    return .done
  }

  /// Each directory with its state, its room and its pace.
  private static func spoolLines(_ status: DaemonStatus) -> [String] {
    guard let spool = status.spool else { return status.spoolDirectories }
    return spool.map { directory in
      if directory.isSetAside {
        let since = directory.sinceMicroseconds.map { " for \(ProgressText.elapsed($0))" } ?? ""
        return "\(directory.directory): SET ASIDE\(since): \(directory.reason ?? "")"
      }
      var line = directory.directory
      if let free = directory.freeBytes, let total = directory.totalBytes, total > 0 {
        line += ": \(DataSize(bytes: free)) of \(DataSize(bytes: total)) free"
        // What is older than some seconds should not pass for the state of now.
        if let age = directory.roomAgeMicroseconds, age > 15_000_000 { line += " \(ProgressText.elapsed(age)) ago" }
      }
      if let rate = directory.bytesPerSecond { line += ", takes \(DataSize(bytes: Int64(rate)))/s" }
      return line
    }
  }

  private func status(_ console: Console) throws -> DaemonStatus {
    guard wait else { return try connection.client(console).call(AskStatus(), expecting: DaemonStatus.self).message }
    let allowed = connection.timeout ?? .seconds(30)
    let deadline = SystemClock.monotonic() + allowed
    let socketPath = connection.socketPath(console)
    var end = DaemonEnd(socketPath: socketPath)
    var pause = TimeSpan.milliseconds(10)
    while true {
      let left = deadline - SystemClock.monotonic()
      guard left > .zero else { throw ClientTimeout(allowed: allowed) }
      do {
        let client = DaemonClient(socketPath: socketPath, timeout: left)
        let status = try client.call(AskStatus(), expecting: DaemonStatus.self).message
        if status.workers > 0 { return status }
      } catch let error as DaemonUnavailable {
        // One that never came is told with how to start it.
        guard !error.isPermission, SystemClock.monotonic() + pause < deadline else { throw error }
        if error.reason == .absent, end.isCertain() { throw error }
      }
      SystemClock.sleep(pause)
      pause = min(.milliseconds(200), TimeSpan(nanoseconds: pause.nanoseconds * 2))
    }
  }
}

/// Whether a daemon that somebody waits for has ended, rather than not come yet.
private struct DaemonEnd {
  private let lock: String
  private let start = SystemClock.wallMicroseconds()
  private var goneSince: MonotonicTime?

  init(socketPath: String) {
    let run = socketPath.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    lock = (run.isEmpty ? "." : run) + "/" + DaemonDirectories.daemonLockName
  }

  /// To be asked each time that there is none. One took the lock since the waiting began, or some seconds before, and
  /// for a second now nobody has had it.
  mutating func isCertain() -> Bool {
    guard let taken = LockFile.lastTaken(lock), taken > start - 5_000_000, LockFile.lastHolder(of: lock) == nil else {
      goneSince = nil
      return false
    }
    let now = SystemClock.monotonic()
    goneSince = goneSince ?? now
    return goneSince.map { now - $0 >= .seconds(1) } ?? false
  }
}

// Owns the options of `waterbeard serve`.
import ArgumentParser
import Glibc
import Platform
import SupervisorProcess

/// `waterbeard serve`
struct Serve: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run the daemon in the foreground until SIGTERM or Ctrl-C.",
    discussion: """
      SIGTERM and SIGINT drain: running tasks finish, queries that are not done go on at the next start. A second \
      one stops at once. SIGHUP reads the configuration again.

      Exit codes: 0 drained, 1 failed, 2 wrong call, 78 wrong configuration, 130 a drain was cut short.
      """)

  @Option(name: .long, help: ArgumentHelp("Configuration: config.properties, catalog/.", valueName: "dir"))
  var etcDir: String

  @Option(name: .long, help: ArgumentHelp("Everything that must survive a restart.", valueName: "dir"))
  var dataDir: String

  @Option(name: .long, help: ArgumentHelp("Sockets and locks (default: DATA-DIR/run).", valueName: "dir"))
  var runDir: String?

  @Option(name: .long, help: ArgumentHelp("Logs (default: DATA-DIR/log).", valueName: "dir"))
  var logDir: String?

  @Option(name: .long, help: ArgumentHelp("Worker processes, in place of waterbear.workers.", valueName: "n"))
  var workers: Int?

  func validate() throws {
    for (option, path) in [("etc-dir", etcDir), ("data-dir", dataDir), ("run-dir", runDir), ("log-dir", logDir)]
    where path == "" {
      throw ValidationError("--\(option) is empty")
    }
    if let workers, workers < 1 { throw ValidationError("--workers must be at least 1") }
  }

  func run() {
    let directories = DaemonDirectories(etc: etcDir, data: dataDir, run: runDir, log: logDir)
    Glibc.exit(SupervisorMain.run(directories: directories, workers: workers))
  }
}

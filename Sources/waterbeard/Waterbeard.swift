// Owns the command line of the daemon: its subcommands and the exit code of a wrong call. Holds no logic.
import ArgumentParser
import Base
import Glibc
import Platform

/// The daemon's program. One binary, four roles: what a person calls, the supervisor, coordinator and workers.
@main
struct Waterbeard: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "waterbeard",
    abstract: "A fault-tolerant SQL engine: Trino's fault-tolerant execution on one machine.",
    discussion: """
      waterbeard serve --etc-dir /etc/waterbear --data-dir /var/lib/waterbear

      Queries are sent with waterbearctl.
      """,
    version: Release.version,
    subcommands: [Serve.self, Version.self, CoordinatorRole.self, WorkerRole.self])

  /// Parses and runs. ArgumentParser exits with 64 where the call is wrong; this program, like waterbearctl, with 2.
  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      let code = exitCode(for: error)
      guard code == .validationFailure else { exit(withError: error) }
      // One line and a hint, not the help page.
      StandardError.write("waterbeard: \(message(for: error))\n  try: waterbeard --help\n")
      Glibc.exit(Platform.ExitCode.usage.rawValue)
    }
  }
}

/// `waterbeard version`
struct Version: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Print the version.")

  func run() { print("waterbeard \(Release.version)") }
}

// Owns the command line of waterbearctl: its verbs, and the way from an outcome to an exit code.
import ArgumentParser
import Base
import CPlatform
import Glibc

/// The program `waterbearctl`.
public enum Control {
  /// Parses the arguments (without the program's name), does what they ask and says how it went.
  public static func run(_ arguments: [String], console: Console) -> ControlExitCode {
    if console.ownsProcess {
      reserveStandardDescriptors()
      // A reader that goes away is seen as an error of write(2), which ends the program in order.
      _ = wb_ignore_signal(SIGPIPE)
      signal(SIGINT) { _ in _exit(ControlExitCode.interrupted.rawValue) }
    }
    do {
      var command = try ControlCommand.parseAsRoot(arguments)
      guard let verb = command as? any Verb else {
        // What is no verb is a question for help, which is thrown.
        try command.run()
        return .done
      }
      do {
        return try verb.perform(console)
      } catch let error where !(error is ValidationError) {
        return ErrorReport(console, socketPath: verb.connection.socketPath(console)).tell(error)
      }
    } catch {
      return tellUsage(error, arguments, console)
    }
  }

  /// Fills the places of standard descriptors that the starter left closed, so that no socket takes the place of
  /// standard output. What takes its place can only be read, so writing the answer still fails.
  private static func reserveStandardDescriptors() {
    while true {
      let number = open("/dev/null", O_RDONLY | O_CLOEXEC)
      guard number >= 0, number <= STDERR_FILENO else {
        if number >= 0 { close(number) }
        return
      }
    }
  }

  /// Help and version are answers; a wrong call is one line and a hint, not the whole help page.
  private static func tellUsage(_ error: any Error, _ arguments: [String], _ console: Console) -> ControlExitCode {
    guard ControlCommand.exitCode(for: error) == .success else {
      let verb = ControlCommand.configuration.subcommands.map { $0._commandName }.first { arguments.contains($0) }
      let help = (["waterbearctl"] + [verb].compactMap(\.self) + ["--help"]).joined(separator: " ")
      console.tell("waterbearctl: \(ControlCommand.message(for: error))\n  try: \(help)\n")
      return .usage
    }
    let text = ControlCommand.fullMessage(for: error) + "\n"
    if arguments.isEmpty {
      console.tell(text)
      return .usage
    }
    let output = OutputStream(descriptor: console.output)
    output.append(text)
    do {
      try output.flush()
      return .done
    } catch {
      return ErrorReport(console, socketPath: "").tell(error)
    }
  }
}

struct ControlCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "waterbearctl",
    abstract: "Runs SQL on the Waterbear daemon of this machine and looks after it.",
    discussion: """
      waterbearctl query "SELECT name FROM tpch.tiny.nation"

      The answer goes to standard output, everything else to standard error. Exit codes: 0 done, 1 the query failed, \
      2 wrong call, 3 the daemon is not running, 4 refused, 5 timed out, 130 interrupted; by SIGTERM 143, by SIGHUP 129.
      """,
    version: Release.version,
    subcommands: [
      QueryVerb.self, SubmitVerb.self, WaitVerb.self, FetchVerb.self, ListVerb.self, ShowVerb.self, CancelVerb.self,
      ExplainVerb.self, WorkersVerb.self, StatusVerb.self, LogsVerb.self, ConfigVerb.self,
    ])
}

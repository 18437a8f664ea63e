// Owns what people are told when something goes wrong, and the exit code that goes with it.
import ArgumentParser
import Base
import ClientAPI
import Glibc

/// A query came to a bad end, or could not be started.
struct QueryFailure: Error {
  /// Nil where it was refused before it had a name.
  var query: QueryID?
  var error: WaterbearError
  /// The SQL as the user wrote it, where it is known.
  var sql: String?
}

/// The program ended before the query did.
struct QueryLeft: Error {
  var query: QueryID
  var reason: any Error
}

/// A signal asked for the end, and all that follows from it has been done.
struct Interrupted: Error {
  var code: ControlExitCode
}

/// Tells errors on the console.
struct ErrorReport {
  private let console: Console
  private let socketPath: String

  init(_ console: Console, socketPath: String) {
    self.console = console
    self.socketPath = socketPath
  }

  /// Explains `error`; returns the exit code of a program that it ends.
  func tell(_ error: any Error) -> ControlExitCode {
    switch error {
    case is OutputClosed: return .outputClosed
    case let interrupted as Interrupted: return interrupted.code
    case let failure as QueryFailure: return tell(failure)
    case let left as QueryLeft: return tell(left)
    case let error as WaterbearError:
      tellLines(red("waterbearctl: "), error)
      return Self.exitCode(for: error)
    case let error as DaemonUnavailable: return tell(error)
    case is ClientTimeout:
      console.tell(red("waterbearctl: ") + "\(error)\n")
      return .timedOut
    default:
      console.tell(red("waterbearctl: ") + "\(error)\n")
      return .failed
    }
  }

  static func exitCode(for error: WaterbearError) -> ControlExitCode {
    error.code == .permissionDenied ? .refused : .failed
  }

  private func tell(_ failure: QueryFailure) -> ControlExitCode {
    let error = failure.error
    let name = failure.query.map { "Query \($0) failed: " } ?? "Query failed: "
    var place = ""
    if console.errorIsTerminal, let sql = failure.sql, let location = error.location {
      place = SourceExcerpt(sql, at: location, columns: console.size().columns - 2).lines
        .map { "  \($0)\n" }.joined()
    }
    tellLines(red(name), error, place: place)
    return Self.exitCode(for: error)
  }

  private func tellLines(_ name: String, _ error: WaterbearError, place: String = "") {
    // Messages may quote SQL or data, which must not steer the terminal.
    let display = CellSyntax.display
    var text = name + display.spelled(error.description) + " [\(error.code.rawValue)]\n" + place
    for (depth, cause) in error.causes.enumerated() {
      text += String(repeating: "  ", count: depth + 1) + "cause: \(display.spelled(cause))\n"
    }
    if let remedy = error.remedy { text += "  hint: \(display.spelled(remedy))\n" }
    console.tell(text)
  }

  private func tell(_ left: QueryLeft) -> ControlExitCode {
    if left.reason is OutputClosed { return .outputClosed }
    let code = tell(left.reason)
    console.tell(
      "  hint: query \(left.query) was accepted; get its result with: waterbearctl fetch \(left.query)\n")
    return code
  }

  private func tell(_ error: DaemonUnavailable) -> ControlExitCode {
    var text = red("waterbearctl: ") + "\(error)\n"
    switch error.reason {
    case .permission:
      console.tell(text + "  hint: become a member of the socket's group, or use sudo\n")
      return .refused
    case .noCoordinator, .silent:
      console.tell(text + "  hint: it is started again by itself; see why with: waterbearctl logs\n")
      return .notRunning
    case .absent: break
    }
    // A daemon started by hand has its socket in DATA-DIR/run.
    let suffix = "/run/waterbear.sock"
    if socketPath == ConnectionOptions.systemSocket {
      text += "  start it with: systemctl start waterbear\n"
      text += "  or: waterbeard serve --etc-dir DIR --data-dir DIR, and name DIR\(suffix) with --socket\n"
    } else if socketPath.hasSuffix(suffix) {
      text += "  start it with: waterbeard serve --etc-dir DIR --data-dir \(socketPath.dropLast(suffix.count))\n"
    } else {
      text += "  start it with: waterbeard serve --etc-dir DIR --data-dir DIR, or: systemctl start waterbear\n"
    }
    console.tell(text)
    return .notRunning
  }

  private func red(_ text: String) -> String {
    console.errorIsTerminal && console.allowsColour ? "\u{1b}[31m\(text)\u{1b}[0m" : text
  }
}

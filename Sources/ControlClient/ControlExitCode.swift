// Owns the exit codes of waterbearctl, which scripts rely on.
import Glibc

/// How a call of waterbearctl ended.
public enum ControlExitCode: Int32, Sendable, CaseIterable {
  case done = 0
  /// The query failed, or the answer could not be had or written.
  case failed = 1
  /// The command line was wrong.
  case usage = 2
  /// The daemon is not running.
  case notRunning = 3
  /// The daemon or the file system refused this user.
  case refused = 4
  /// The time given with `--timeout` was over.
  case timedOut = 5
  /// SIGHUP, as a terminal sends that is closed. This and the next are 128 and the signal, as shells say it.
  case hungUp = 129
  /// SIGINT.
  case interrupted = 130
  /// The reader of the output went away: 128 + SIGPIPE, what a program killed by that signal gives.
  case outputClosed = 141
  /// SIGTERM.
  case terminated = 143

  /// The code of a program that `signal`, one of the three that ask for an end, has ended.
  init(signal: Int32) {
    switch signal {
    case SIGHUP: self = .hungUp
    case SIGTERM: self = .terminated
    default: self = .interrupted
    }
  }
}

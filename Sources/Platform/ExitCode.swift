// Owns the exit codes of the daemon's processes; systemd/waterbear.service names the ones after which a restart is
// pointless.

/// How a process of the daemon ended, told to whoever waits for it.
public enum ExitCode: Int32, Sendable, CaseIterable {
  /// All work was finished or left resumable.
  case done = 0
  /// Something failed that may go better next time.
  case failed = 1
  /// The command line was wrong.
  case usage = 2
  /// The configuration is wrong: starting again gives the same end until a person mends it. 78 is EX_CONFIG of
  /// sysexits.h, which systemd shows as CONFIG.
  case configuration = 78
  /// A second signal cut a drain short.
  case interrupted = 130
}

// Owns what coordinator and workers make alike from the settings: the log's sink and the spool's directories.

import Base
import Exchange
import Platform
import Settings
import Telemetry

/// What coordinator and worker make from the settings in the same way.
public enum Wiring {
  /// The process's log, as the settings want it.
  public static func log(_ settings: Settings, _ directories: DaemonDirectories, role: String) throws -> Log {
    Log(LogSink(file: try LogFile(path: directories.eventLog), level: settings[.logLevel]), role: role)
  }

  /// The base directories of `exchange.base-directories`. `owner` names the data directory in their markers; only who
  /// prepares or sweeps the directories needs it.
  public static func spool(_ settings: Settings, owner: String, log: Log) throws -> SpoolDirectories {
    try SpoolDirectories(
      paths: settings[.exchangeBaseDirectories], owner: owner, now: { SystemClock.monotonic() },
      report: { event in
        switch event {
        case .setAside(let directory, let reason, let duration):
          log.write(
            .spoolDirectorySetAside,
            ["directory": .string(directory), "reason": .string(reason), "seconds": .double(duration.seconds)])
        case .usedAgain(let directory): log.write(.spoolDirectoryRestored, ["directory": .string(directory)])
        }
      })
  }
}

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

  /// How often a process says that it lives: every second, and so often that three of the words may come late before
  /// the most impatient listener takes the process for dead.
  public static func signsOfLife(_ settings: Settings) -> TimeSpan {
    let patience = min(settings[.remoteTaskMaxErrorDuration], settings[.hangTimeout])
    return min(.seconds(1), TimeSpan(nanoseconds: patience.nanoseconds / 4))
  }

  /// What the spool's directories must not be, or lie near to. `tables`: directories of catalogs, with their names.
  public static func neighbours(
    of directories: DaemonDirectories, tables: [(catalog: String, path: String)]
  ) -> [SpoolNeighbour] {
    let own = [
      (directories.data, "the data directory"), (directories.run, "the run directory"),
      (directories.log, "the log directory"), (directories.etc, "the configuration directory"),
    ]
    return own.map { SpoolNeighbour(path: $0.0, name: $0.1, distance: .different) }
      + tables.map { catalog, path in
        SpoolNeighbour(path: path, name: "the directory of the catalog \(catalog)", distance: .apart)
      }
  }

  /// The base directories of `exchange.base-directories`. `owner` names the data directory in their markers; only who
  /// prepares or sweeps the directories needs it, and `marks`. Those that fail are put into `faults`.
  public static func spool(
    _ settings: Settings, owner: String, marks: SpoolMarks? = nil, faults: SpoolFaults
  ) throws -> SpoolDirectories {
    let memory = settings[.spoolMemoryDirectory]
    return try SpoolDirectories(
      paths: settings[.exchangeBaseDirectories].map(\.path), memoryPath: memory == "none" ? nil : memory,
      memoryBytesMax: settings[.spoolMemorySize].bytes, owner: owner, marks: marks,
      parallelism: settings[.exchangeFileListingParallelism], callLimit: settings[.spoolCallTimeout],
      now: { SystemClock.monotonic() },
      report: { event in
        // That one works again is for the coordinator to find out, for all processes at once.
        if case .setAside(let fault, _) = event { faults.add(fault) }
      })
  }
}

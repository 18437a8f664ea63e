// Owns what coordinator and workers make alike from the settings: the log's sink and the spool's directories.

import Base
import Exchange
import Platform
import Settings
import Telemetry

/// Where exchanged data is kept, and how its directories are used.
public struct SpoolPolicy: Sendable {
  /// `exchange.base-directories`.
  public let paths: [String]
  /// `waterbear.spool-memory-directory`; nil for none.
  public let memoryPath: String?
  /// `waterbear.spool-memory-size`, in bytes.
  public let memoryBytesMax: Int64
  /// `exchange.file-listing-parallelism`.
  public let parallelism: Int
  /// `waterbear.spool-call-timeout`.
  public let callLimit: TimeSpan

  public init(_ settings: Settings) {
    paths = settings[.exchangeBaseDirectories].map(\.path)
    let memory = settings[.spoolMemoryDirectory]
    memoryPath = memory == "none" ? nil : memory
    memoryBytesMax = settings[.spoolMemorySize].bytes
    parallelism = min(1000, settings[.exchangeFileListingParallelism])
    callLimit = settings[.spoolCallTimeout]
  }
}

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
    let policy = SpoolPolicy(settings)
    return try SpoolDirectories(
      paths: policy.paths, memoryPath: policy.memoryPath, memoryBytesMax: policy.memoryBytesMax, owner: owner,
      marks: marks, parallelism: policy.parallelism, callLimit: policy.callLimit, now: { SystemClock.monotonic() },
      report: { event in
        // That one works again is for the coordinator to find out, for all processes at once.
        if case .setAside(let fault, _) = event { faults.add(fault) }
      })
  }
}

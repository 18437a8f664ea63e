// Owns the start of `waterbeard serve`: settings, directories and log, then the supervisor. Must not know the command
// line's syntax.
import Base
import Platform
import Settings
import Synchronization
import Telemetry

/// The supervisor's entry point.
public enum SupervisorMain {
  /// Runs the daemon in the foreground until it has drained; the result is the process's exit code. Errors are told on
  /// standard error and, as far as there is one, in the log. `workers` wins over the configuration file.
  public static func run(directories: DaemonDirectories, workers: Int? = nil) -> Int32 {
    do {
      let source = SettingsSource(directories: directories, workers: workers)
      let settings = try source.load()
      // The log lies in a directory that this makes.
      ProcessLimits.protectNewFiles()
      try directories.prepare()
      let daemon = ReloadableDaemon(source: source, settings: settings, file: try LogFile(path: directories.eventLog))
      return daemon.run().rawValue
    } catch {
      return tell(error).rawValue
    }
  }

  /// Tells a person why there is no daemon, and picks the exit code: wrong settings will be as wrong next time.
  static func tell(_ error: any Error) -> ExitCode {
    let known = WaterbearError.wrapping(error)
    var text = "waterbeard: \(known)\n"
    for cause in known.causes { text += "  because: \(cause)\n" }
    if let remedy = known.remedy { text += "  \(remedy)\n" }
    StandardError.write(text)
    return known.code == .configurationInvalid ? .configuration : .failed
  }
}

/// Where settings are read from, now and at each reload.
struct SettingsSource: Sendable {
  let directories: DaemonDirectories
  let workers: Int?

  func load() throws -> Settings {
    try Settings.load(
      directory: directories.etc, environment: .current(dataDirectory: directories.data),
      overrides: workers.map { [SettingKey<Int>.workers.name: String($0)] } ?? [:])
  }
}

extension SupervisionPolicy {
  init(_ settings: Settings) {
    self.init(
      workerCount: settings[.workers], drainTime: settings[.drainTimeout], hangTime: settings[.hangTimeout],
      startTime: settings[.startTimeout])
  }
}

/// What the settings say about the log.
struct LogPolicy: Sendable {
  let level: LogLevel
  /// The size in bytes at which a new file is begun, and how many old ones are kept.
  let fileBytesMax: Int64
  let filesKept: Int

  init(_ settings: Settings) {
    level = settings[.logLevel]
    fileBytesMax = settings[.logMaxSize].bytes
    filesKept = settings[.logMaxHistory]
  }
}

/// The daemon with what changes at SIGHUP: the log's level and its rotation. Other settings of the supervisor count
/// from the next start; coordinator and workers read theirs themselves.
private final class ReloadableDaemon: Sendable {
  private let source: SettingsSource
  private let settings: Mutex<Settings>
  private let file: LogFile
  private let log: Log

  init(source: SettingsSource, settings: Settings, file: LogFile) {
    self.source = source
    self.settings = Mutex(settings)
    self.file = file
    log = Log(
      LogSink(file: file, level: LogPolicy(settings).level, standardError: .detected()), role: "supervisor")
  }

  func run() -> ExitCode {
    let policy = settings.withLock { SupervisionPolicy($0) }
    do {
      return try Supervisor.run(
        SupervisorConfiguration(
          directories: source.directories, policy: policy, log: log, reload: { self.reload() },
          maintain: { self.rotateLog() }))
    } catch {
      // Where another daemon holds the place, the log is that daemon's.
      if WaterbearError.wrapping(error).code != .alreadyExists { log.write(.processFailed, .error(error)) }
      return SupervisorMain.tell(error)
    }
  }

  /// Wrong settings are reported and leave everything as it was.
  private func reload() {
    do {
      let fresh = try source.load()
      let before = settings.withLock { settings in
        defer { settings = fresh }
        return settings
      }
      log.sink.level = LogPolicy(fresh).level
      let changed = zip(before.rows, fresh.rows).filter { $0.value != $1.value }.map(\.0.setting.name)
      log.write(.settingsReloaded, ["changed": .strings(changed)])
    } catch {
      log.write(.settingsRefused, .error(error))
    }
  }

  private func rotateLog() {
    let policy = settings.withLock { LogPolicy($0) }
    _ = file.rotate(maxSize: policy.fileBytesMax, keep: policy.filesKept)
  }
}

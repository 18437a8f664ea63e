// Owns what every child process of the daemon does alike: its beginning, its end, and taking over new settings.

import Base
import Glibc
import Platform
import Settings
import Telemetry

/// A coordinator or worker process.
public enum DaemonProcess {
  /// Enters the process named by `context` and runs `body` in it. Returns the exit code: what goes wrong is told to the
  /// supervisor, which logs it. On the main thread, before any other thread exists.
  public static func run(
    _ context: ProcessContext, _ body: (SupervisorLink, SignalDescriptor) throws -> Void
  ) -> Int32 {
    CrashPoint.enter(role: context.role.subcommand)
    let link: SupervisorLink
    let signals: SignalDescriptor
    do {
      signals = try SignalDescriptor([SIGTERM, SIGHUP])
      link = try context.enter()
    } catch {
      // Without the link there is nobody to tell but whoever reads our standard error.
      StandardError.write("waterbeard: \(WaterbearError.wrapping(error))\n")
      return Platform.ExitCode.failed.rawValue
    }
    do {
      try body(link, signals)
      return Platform.ExitCode.done.rawValue
    } catch {
      let error = WaterbearError.wrapping(error)
      link.reportFailure(error)
      let isHopeless = error.code == .configurationInvalid || error.code == .exchangeManagerNotConfigured
      return (isHopeless ? Platform.ExitCode.configuration : .failed).rawValue
    }
  }

  /// The settings as the files and the command line say now.
  public static func settings(_ context: ProcessContext) throws -> Settings {
    try Settings.load(
      directory: context.directories.etc, environment: .current(dataDirectory: context.directories.data),
      overrides: context.settingOverrides)
  }

  /// Reads the settings again and takes over those that may change while running. Wrong ones change nothing.
  public static func reload(_ context: ProcessContext, log: Log) {
    do {
      let fresh = try settings(context)
      log.sink.level = fresh[.logLevel]
      log.write(.settingsReloaded, ["log_level": .string("\(fresh[.logLevel])")])
    } catch {
      log.write(.settingsRefused, .error(error))
    }
  }
}

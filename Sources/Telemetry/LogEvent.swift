// Owns the names of all log events with their levels, fields and meanings. They are stable: tools match on them.
// `docs/events.md` is made from here; a test compares.
import Base

/// Something worth a log line.
public enum LogEvent: String, Sendable, CaseIterable {
  // The daemon and its processes.
  case daemonStarted = "daemon_started"
  case daemonReady = "daemon_ready"
  case daemonStopping = "daemon_stopping"
  case daemonStopped = "daemon_stopped"
  case daemonDrainCutShort = "daemon_drain_cut_short"
  case childStarted = "child_started"
  case childReady = "child_ready"
  case childExited = "child_exited"
  case childStopped = "child_stopped"
  case childRestartDelayed = "child_restart_delayed"
  case childHung = "child_hung"
  case childLingers = "child_lingers"
  case childStartFailed = "child_start_failed"
  case incarnationNotStored = "incarnation_not_stored"
  case settingsReloaded = "settings_reloaded"
  case settingsRefused = "settings_refused"
  case processFailed = "process_failed"

  // The coordinator and its workers.
  case coordinatorStarted = "coordinator_started"
  case coordinatorRecovered = "coordinator_recovered"
  case workerStarted = "worker_started"
  case workerRegistered = "worker_registered"
  case workerLost = "worker_lost"
  case workerSilent = "worker_silent"
  case coordinatorLost = "coordinator_lost"

  // Queries.
  case querySubmitted = "query_submitted"
  case queryRecovered = "query_recovered"
  case queryRetried = "query_retried"
  case queryFinished = "query_finished"
  case queryFailed = "query_failed"
  case queryCancelled = "query_cancelled"
  case queryExpired = "query_expired"
  case commitStarted = "commit_started"
  case commitFailed = "commit_failed"
  case writeNotCleaned = "write_not_cleaned"

  // Stages, tasks and attempts.
  case stageStarted = "stage_started"
  case stageFinished = "stage_finished"
  case planAdapted = "plan_adapted"
  case attemptStarted = "attempt_started"
  case attemptFinished = "attempt_finished"
  case attemptFailed = "attempt_failed"
  case attemptAborted = "attempt_aborted"
  case taskRetried = "task_retried"
  case taskDivided = "task_divided"
  case memoryShort = "memory_short"
  case threadNotReplaced = "thread_not_replaced"
  case memoryStuck = "memory_stuck"
  case taskDuplicated = "task_duplicated"

  // Spool and store.
  case outputSelected = "output_selected"
  case outputLost = "output_lost"
  case outputUnread = "output_unread"
  case outputsMissing = "outputs_missing"
  case outputRecomputed = "output_recomputed"
  case spoolDirectorySetAside = "spool_directory_set_aside"
  case spoolExhausted = "spool_exhausted"
  case spoolDirectoryRestored = "spool_directory_restored"
  case spoolSwept = "spool_swept"
  case spoolNotSwept = "spool_not_swept"
  case storeDamaged = "store_damaged"

  // Clients and sockets.
  case clientConnected = "client_connected"
  case clientDisconnected = "client_disconnected"
  case frameRejected = "frame_rejected"

  // The log itself.
  case logLinesDropped = "log_lines_dropped"
  case messageOfLibrary = "library_message"
}

/// What is documented about an event.
public struct LogEventDescription: Sendable {
  public let level: LogLevel
  /// Names of the fields besides those of the event's subject.
  public let fields: [String]
  public let meaning: String

  init(_ level: LogLevel, _ fields: [String], _ meaning: String) {
    self.level = level
    self.fields = fields
    self.meaning = meaning
  }
}

extension LogEvent {
  /// The level with which the event is logged.
  @inlinable
  public var level: LogLevel {
    switch self {
    case .attemptStarted, .attemptFinished, .attemptAborted, .outputSelected, .clientConnected,
      .clientDisconnected, .messageOfLibrary:
      .debug
    case .daemonDrainCutShort, .childExited, .childRestartDelayed, .childHung, .childLingers, .incarnationNotStored,
      .workerLost, .workerSilent, .queryRetried, .commitFailed, .writeNotCleaned, .attemptFailed, .taskRetried,
      .taskDivided, .memoryShort, .threadNotReplaced, .memoryStuck, .outputLost, .outputUnread, .outputsMissing,
      .outputRecomputed, .spoolDirectorySetAside, .spoolExhausted, .spoolNotSwept, .frameRejected, .logLinesDropped:
      .warning
    case .storeDamaged, .settingsRefused, .processFailed, .childStartFailed: .error
    default: .info
    }
  }

  /// The fields of errors, which several events share.
  static let errorFields = ["error_code", "error_type", "error", "causes"]

  /// Level, fields and meaning; exhaustive, so that a new event cannot be left undescribed.
  public var description: LogEventDescription {
    let (fields, meaning) = fieldsAndMeaning
    return LogEventDescription(level, fields, meaning)
  }

  private var fieldsAndMeaning: ([String], String) {
    switch self {
    case .daemonStarted, .daemonReady, .daemonStopping, .daemonDrainCutShort, .daemonStopped, .childStarted,
      .childReady, .childExited, .childStopped, .childRestartDelayed, .childHung, .childLingers, .childStartFailed,
      .incarnationNotStored, .settingsReloaded, .settingsRefused, .processFailed:
      daemonDescription
    case .coordinatorStarted, .coordinatorRecovered, .workerStarted, .workerRegistered, .workerLost,
      .workerSilent, .coordinatorLost, .memoryShort, .memoryStuck, .threadNotReplaced:
      clusterDescription
    case .querySubmitted, .queryRecovered, .queryRetried, .queryFinished, .queryFailed, .queryCancelled,
      .queryExpired, .commitStarted, .commitFailed, .writeNotCleaned:
      queryDescription
    case .stageStarted, .stageFinished, .planAdapted, .attemptStarted, .attemptFinished, .attemptFailed,
      .attemptAborted, .taskRetried, .taskDivided, .taskDuplicated:
      taskDescription
    default: storageDescription
    }
  }
}

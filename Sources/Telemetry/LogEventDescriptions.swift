// Owns the fields and meanings of the log events, topic by topic. Their names and levels are in LogEvent.swift.

extension LogEvent {
  var daemonDescription: ([String], String) {
    switch self {
    case .daemonStarted: (["version", "etc_directory", "data_directory"], "The supervisor began to start the daemon.")
    case .daemonReady:
      (["milliseconds", "socket"], "The coordinator serves clients and at least one worker is connected to it.")
    case .daemonStopping:
      (["reason", "at_most_milliseconds"], "The daemon stops: no new queries, processes are ended in order.")
    case .daemonDrainCutShort: (["reason", "children"], "These processes had not ended in time and are killed.")
    case .daemonStopped: (["exit_code"], "All processes have ended; the last line of a run.")
    case .childStarted: (["child", "child_pid", "incarnation"], "The supervisor started a process.")
    case .childReady: (["child", "child_pid", "milliseconds"], "A process does its work, so long after its start.")
    case .childExited:
      (
        ["child", "child_pid", "exit_code", "signal", "milliseconds", "reason"],
        "A process of the daemon ended unasked after so long; it said why, if it could."
      )
    case .childStopped:
      (["child", "child_pid", "exit_code", "signal", "milliseconds"], "A process ended while the daemon stops.")
    case .childRestartDelayed:
      (["child", "delay_milliseconds"], "A process died before it was ready or soon after; the next start waits.")
    case .childHung:
      (["child", "child_pid", "silent_milliseconds"], "A process gave no sign of life for too long and is killed.")
    case .childLingers:
      (
        ["child", "child_pid", "milliseconds"],
        "A killed process does not end: the kernel waits for a disk or mount that hangs, and its successor for it."
      )
    case .childStartFailed: (["child", "reason"], "The system refused to start a process; it is tried again.")
    case .incarnationNotStored:
      (["reason"], "The counter of process starts was not stored; the clock takes its place.")
    case .settingsReloaded: (["changed", "log_level"], "The settings were read again; these have new values.")
    case .settingsRefused: (Self.errorFields, "The settings are wrong; the daemon does not start or keeps the old.")
    case .processFailed: (Self.errorFields, "A process cannot go on and exits; the supervisor starts it again.")
    default: Self.notDescribed(self)
    }
  }

  var clusterDescription: ([String], String) {
    switch self {
    case .coordinatorStarted: (["incarnation", "socket"], "A coordinator process listens.")
    case .coordinatorRecovered: (["queries"], "A coordinator restored its queries from the task store.")
    case .workerStarted: (["incarnation", "threads", "memory_bytes"], "A worker process began.")
    case .workerRegistered:
      (
        ["worker", "incarnation", "worker_pid", "threads", "running"],
        "A worker is connected; so many attempts run on it."
      )
    case .workerLost:
      (["worker", "incarnation", "attempts", "lacked_memory"], "A worker is gone, and these attempts with it.")
    case .memoryShort:
      (
        ["available_bytes", "reserve_bytes", "resident_bytes", "held_bytes"],
        "The machine runs short of memory: a task is ended, if more than one runs."
      )
    case .memoryStuck:
      (
        ["worker", "stuck_bytes"],
        "So much of a worker's memory is held by attempts that were given up in calls on a disk that do not return."
      )
    case .threadNotReplaced:
      (
        ["directory", "reason"],
        "A thread is stuck in a call on a spool directory, and no other could be started: its place is free when it is."
      )
    case .workerSilent:
      (["worker", "reason"], "A worker is alive but did not answer; it is killed.")
    case .coordinatorLost:
      (
        ["running"],
        "A worker lost its coordinator; it keeps working and connects again. So it does when the daemon stops."
      )
    default: Self.notDescribed(self)
    }
  }

  var queryDescription: ([String], String) {
    switch self {
    case .querySubmitted: (["user", "retry_policy", "stages", "sql_bytes"], "A query is durable and will be answered.")
    case .queryRecovered: (["state", "tasks", "outputs"], "A query goes on after a restart of the coordinator.")
    case .queryRetried:
      (["retry"], "The whole query runs again under retry-policy=QUERY, for the nth time.")
    case .queryFinished:
      (["milliseconds", "rows", "tasks", "retries"], "A query has its whole result.")
    case .queryFailed: (["milliseconds", "retries"] + Self.errorFields, "A query ended with an error.")
    case .queryCancelled: (["milliseconds", "retries"] + Self.errorFields, "A query was cancelled.")
    case .queryExpired: (["kept_seconds"], "A finished query's result was removed.")
    case .commitStarted:
      (["rows", "outputs"], "All tasks of a write are done, and what they wrote is being made visible.")
    case .commitFailed: (Self.errorFields, "A commit failed; unless it was refused, it is tried again.")
    case .writeNotCleaned:
      (Self.errorFields, "What a write has left could not be removed; it is tried again with growing delays.")
    default: Self.notDescribed(self)
    }
  }

  var taskDescription: ([String], String) {
    switch self {
    case .stageStarted: (["tasks"], "Tasks of a stage may run; there may be more later.")
    case .stageFinished:
      (["tasks", "retries", "rows", "bytes"], "Every task of a stage has its output.")
    case .planAdapted:
      (["decision", "reason"], "What finished stages left makes a stage do something else, or nothing.")
    case .attemptStarted: (["worker", "memory_bytes"], "A worker was given an attempt.")
    case .attemptFinished:
      (["worker", "rows", "bytes", "cpu_milliseconds", "peak_memory_bytes"], "An attempt committed its output.")
    case .attemptFailed: (["worker"] + Self.errorFields, "An attempt failed.")
    case .attemptAborted: (["reason"], "An attempt was given up, as its output is not needed.")
    case .taskRetried: (["worker"], "A task runs again with a new attempt.")
    case .taskDivided:
      (["shares", "splits"], "A task too big for any worker reads only a part from now on; new tasks read the rest.")
    case .taskDuplicated: (["worker"], "A task far slower than its siblings got a second attempt.")
    default: Self.notDescribed(self)
    }
  }

  var storageDescription: ([String], String) {
    switch self {
    case .outputSelected: (["rows", "bytes"], "An attempt's output is the one that counts.")
    case .outputLost: (Self.errorFields, "A selected output is gone or damaged.")
    case .outputUnread:
      (
        Self.errorFields,
        "The coordinator could not read an output, which says nothing against it, and tries again."
      )
    case .outputsMissing:
      (
        ["directory", "outputs"],
        "So many selected outputs of a spool directory are gone, cut short or cannot be opened."
      )
    case .outputRecomputed: (Self.errorFields, "The task of a lost output runs again.")
    case .spoolDirectorySetAside:
      (
        ["directory", "reason", "full", "worker"],
        "A spool directory failed or is full; it gets no new files and is tried until it works again."
      )
    case .spoolExhausted:
      (["directories"], "Every spool directory is set aside: tasks wait, for waterbear.max-spool-wait at most.")
    case .spoolDirectoryRestored: (["directory"], "A spool directory that was set aside works again.")
    case .spoolSwept: (["directory", "files"], "Left-overs of crashes and lost workers were removed from the spool.")
    case .spoolNotSwept: (["reason"], "Something in the spool could not be removed; it is tried again later.")
    case .storeDamaged: (["reason"], "The task store was damaged and set aside; a new one was begun.")
    case .clientConnected: (["client_pid", "user"], "A client connected.")
    case .clientDisconnected: (["client_pid"], "A client's connection ended.")
    case .frameRejected:
      (["peer", "message"] + Self.errorFields, "A malformed frame closed its connection, or a message was not known.")
    case .logLinesDropped: (["lines", "reason"], "Lines could not be written to the log.")
    case .messageOfLibrary: (["library", "message"], "A message of a library; shown with the library's own level.")
    default: Self.notDescribed(self)
    }
  }

  /// Reached only when a topic's list in `LogEvent.swift` and its function here differ; the tests ask for every event.
  private static func notDescribed(_ event: LogEvent) -> Never {
    preconditionFailure("\(event.rawValue) has no description")
  }
}

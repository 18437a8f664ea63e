// Owns the supervisor process: it turns signals, ends of children and deadlines into events for `Supervision` and
// performs the actions that come back. Single thread, one poll(2). Must not know SQL, queries or the store.
import Base
import Glibc
import Platform
import Telemetry

/// What a supervisor is started with.
public struct SupervisorConfiguration: Sendable {
  public var directories: DaemonDirectories
  public var policy: SupervisionPolicy
  /// The environment for children, and where the service manager is found.
  public var environment: [String: String]
  public var log: Log
  /// Called at SIGHUP, to read again what the supervisor itself can change while it runs.
  public var reload: @Sendable () -> Void
  /// Called every ten seconds, to rotate the log.
  public var maintain: @Sendable () -> Void

  public init(
    directories: DaemonDirectories, policy: SupervisionPolicy, log: Log,
    environment: [String: String] = ProcessEnvironment.current, reload: @escaping @Sendable () -> Void = {},
    maintain: @escaping @Sendable () -> Void = {}
  ) {
    self.directories = directories
    self.policy = policy
    self.environment = environment
    self.log = log
    self.reload = reload
    self.maintain = maintain
  }
}

/// The first and smallest process of the daemon. It outlives all others.
public final class Supervisor {
  private let configuration: SupervisorConfiguration
  private let program: PinnedExecutable
  private let signals: SignalDescriptor
  private let childEnvironment: [String: String]
  /// Held as long as this object lives.
  private let locks: [LockFile]

  private var supervision: Supervision
  private var incarnations: IncarnationSource
  private var children: [ProcessRole: RunningChild] = [:]
  /// How the last process in each place ended, for its successor.
  private var predecessors: [ProcessRole: PredecessorEnd] = [:]
  private var memoryKills = OutOfMemoryKills()
  private var lastProcessIDs: [ProcessRole: Int32] = [:]
  private var notices: ServiceNotices
  private let startedAt = SystemClock.monotonic()
  private var nextWatchdog: MonotonicTime?
  private var nextMaintenance: MonotonicTime
  private static let maintenanceInterval = TimeSpan.seconds(10)
  private var outcome: (code: ExitCode, reason: String?)?

  /// Runs the daemon until it has drained, and returns how it ended. Blocks the calling thread, which must be the main
  /// thread and, so far, the only one.
  ///
  /// Throws where the daemon cannot start: a directory that cannot be used, another daemon in the same place, and a
  /// child that finds the configuration wrong. CONFIGURATION_INVALID means that a restart is pointless.
  public static func run(_ configuration: SupervisorConfiguration) throws -> ExitCode {
    try InheritedDescriptors.seal()
    ProcessLimits.protectNewFiles()
    ProcessLimits.raiseOpenFiles()
    ProcessLimits.ignoreWriteSignals()
    let supervisor = try Supervisor(configuration)
    return try supervisor.loop()
  }

  private init(_ configuration: SupervisorConfiguration) throws {
    self.configuration = configuration
    let directories = configuration.directories
    // Before anything is made or taken: from here on a request to stop is not lost.
    signals = try SignalDescriptor([SIGTERM, SIGINT, SIGHUP])
    program = try PinnedExecutable()
    try directories.prepare()
    locks = [
      try Self.lock(directories.dataLock, place: "data directory \(directories.data)"),
      try Self.lock(directories.daemonLock, place: "run directory \(directories.run)"),
    ]
    notices = ServiceNotices(ServiceNotifier(environment: configuration.environment))
    childEnvironment = Self.childEnvironment(configuration.environment)
    nextMaintenance = startedAt
    supervision = Supervision(policy: configuration.policy)
    incarnations = IncarnationSource(
      path: directories.incarnation, wallMicroseconds: SystemClock.wallMicroseconds())
  }

  /// What a child finds in its environment: ours, without what is meant for the supervisor alone.
  ///
  /// A child that traps leaves a backtrace, unless SWIFT_BACKTRACE says otherwise, but of the guilty thread only and
  /// without registers: those come with the memory they point to, which may hold keys and rows, and take a second.
  private static func childEnvironment(_ own: [String: String]) -> [String: String] {
    var environment = own.filter { !ServiceNotifier.privateVariables.contains($0.key) }
    if environment["SWIFT_BACKTRACE"] == nil {
      environment["SWIFT_BACKTRACE"] = "threads=crashed,registers=none,images=none,interactive=no,color=no"
    }
    return environment
  }

  /// A killed daemon's lock is free once the kernel has taken it apart, which may take a moment.
  private static func lock(_ path: String, place: String) throws -> LockFile {
    switch try LockFile.acquire(path, patience: .milliseconds(500)) {
    case .acquired(let lock): return lock
    case .held(let holder):
      let who = holder.map { "process \($0)" } ?? "another process"
      throw WaterbearError(
        .alreadyExists, "a daemon (\(who)) already uses the \(place)",
        remedy: "use it through waterbearctl, stop it first, or start this one with other directories")
    }
  }

  private func loop() throws -> ExitCode {
    configuration.log.write(
      .daemonStarted,
      [
        "version": .string(Release.version), "etc_directory": .string(configuration.directories.etc),
        "data_directory": .string(configuration.directories.data),
      ])
    nextWatchdog = notices.watchdogInterval.map { SystemClock.monotonic() + $0 }
    handle(.begin)
    if let problem = incarnations.problem {
      configuration.log.write(.incarnationNotStored, ["reason": .string(problem)])
    }
    while outcome == nil {
      waitForSomething()
      takeMessages()
      takeEnds()
      takeSignals()
      takeTime()
      announceStatus()
      notices.flush()
    }
    return try finish()
  }

  private func finish() throws -> ExitCode {
    guard let outcome else { preconditionFailure("the loop ends with an outcome") }
    configuration.log.write(.daemonStopped, ["exit_code": .int(outcome.code.rawValue)])
    if let reason = outcome.reason { throw WaterbearError(.configurationInvalid, reason) }
    return outcome.code
  }

  /// Sleeps until a signal, an end, a message, or the next deadline.
  private func waitForSomething() {
    var entries = [pollfd(fd: signals.pollDescriptor, events: Int16(POLLIN), revents: 0)]
    for child in children.values {
      entries.append(pollfd(fd: child.endDescriptor, events: Int16(POLLIN), revents: 0))
      entries.append(pollfd(fd: child.linkDescriptor, events: Int16(POLLIN), revents: 0))
    }
    let now = SystemClock.monotonic()
    let retry = notices.isWaiting ? now + ServiceNotices.retryInterval : nil
    let deadline = [supervision.nextDeadline, nextWatchdog, retry].compactMap { $0 }.reduce(nextMaintenance, min)
    // Rounded up, so that the deadline has passed when the call returns.
    let timeout = Int32(clamping: max(0, ((deadline - now).nanoseconds + 999_999) / 1_000_000))
    // A failure (EINTR, or ENOMEM for a moment) leaves nothing reported; the loop looks at everything anyway.
    _ = poll(&entries, nfds_t(entries.count), timeout)
  }

  /// Words come before ends, so that a child's last words are known when its end is handled, and before deadlines,
  /// so that a supervisor that was stopped for a while does not take its children for hung.
  private func takeMessages() {
    for child in children.values { takeMessages(of: child) }
  }

  private func takeMessages(of child: RunningChild) {
    for message in child.messages() {
      switch message {
      case .ready: handle(.ready(child.role))
      case .alive: handle(.alive(child.role))
      case .failed(let reason): handle(.failed(child.role, reason: reason))
      }
    }
  }

  private func takeEnds() {
    for child in children.values {
      guard let end = child.reap() else { continue }
      takeMessages(of: child)
      children[child.role] = nil
      let lackedMemory = end == .killed(signal: SIGKILL) && memoryKills.explainsAKill()
      predecessors[child.role] = PredecessorEnd(
        incarnation: child.incarnation, end: end, lackedMemory: lackedMemory)
      handle(.ended(child.role, end))
    }
  }

  private func takeSignals() {
    while let signal = signals.next() {
      if signal == SIGHUP {
        reload()
      } else {
        if !supervision.isDraining {
          // With room for the kill that ends a drain; without it systemd's TimeoutStopSec= would count.
          let limit = configuration.policy.drainTime.nanoseconds / 1000 + 10_000_000
          notices.say("STOPPING=1", "EXTEND_TIMEOUT_USEC=\(limit)")
        }
        handle(.drain)
      }
    }
  }

  private func takeTime() {
    let now = SystemClock.monotonic()
    if let deadline = supervision.nextDeadline, now >= deadline { handle(.tick) }
    if let due = nextWatchdog, now >= due, let interval = notices.watchdogInterval {
      notices.alive()
      nextWatchdog = now + interval
    }
    if now >= nextMaintenance {
      configuration.maintain()
      nextMaintenance = now + Self.maintenanceInterval
    }
  }

  private func reload() {
    // sd_notify(3) wants the monotonic time with RELOADING=1, in microseconds.
    notices.say("RELOADING=1", "MONOTONIC_USEC=\(SystemClock.monotonic().nanoseconds / 1000)")
    configuration.reload()
    handle(.reload)
    notices.say("READY=1")
  }

  private func handle(_ event: Supervision.Event) {
    for action in supervision.handle(event, now: SystemClock.monotonic()) { perform(action) }
  }

  private func perform(_ action: Supervision.Action) {
    switch action {
    case .start(let role): start(role)
    case .signal(let role, .drain): children[role]?.send(SIGTERM)
    case .signal(let role, .reload): children[role]?.send(SIGHUP)
    case .signal(let role, .kill): children[role]?.send(SIGKILL)
    case .report(let report): configuration.log.write(report, processID: processID(in: report))
    case .announceReady: announceReady()
    case .finish(let code, let reason): outcome = (code, reason)
    }
  }

  /// The process a report is about, which may have ended already.
  private func processID(in report: Supervision.Report) -> Int32? {
    switch report {
    case .ready(let role, _), .ended(let role, _, _, _, _), .hung(let role, _), .lingers(let role, _):
      lastProcessIDs[role]
    case .startFailed, .draining, .drainCutShort: nil
    }
  }

  private func start(_ role: ProcessRole) {
    do {
      let child = try RunningChild(
        role, of: program, directories: configuration.directories, workerCount: configuration.policy.workerCount,
        incarnation: incarnations.next(), supervisor: getpid(), environment: childEnvironment,
        predecessor: predecessors[role])
      children[role] = child
      lastProcessIDs[role] = child.processID
      configuration.log.write(
        .childStarted,
        [
          "child": .string(role.description), "child_pid": .int(child.processID),
          "incarnation": .int(child.incarnation),
        ])
    } catch {
      handle(.startFailed(role, reason: "\(error)"))
    }
  }

  private func announceReady() {
    notices.say("READY=1")
    let age = SystemClock.monotonic() - startedAt
    configuration.log.write(
      .daemonReady,
      ["milliseconds": .int(age.milliseconds), "socket": .string(configuration.directories.clientSocket)])
    if StandardError.isTerminal {
      StandardError.write(
        "waterbeard: ready at \(configuration.directories.clientSocket); Ctrl-C drains, twice stops at once\n")
    }
  }

  /// One line for `systemctl status`.
  private func announceStatus() {
    let status =
      supervision.isDraining
      ? "draining, \(children.count) processes left"
      : "coordinator \(supervision.isCoordinatorReady ? "ready" : "starting"), "
        + "\(supervision.readyWorkers) of \(configuration.policy.workerCount) workers ready"
    notices.say(status: status)
  }
}

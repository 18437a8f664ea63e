// Owns a worker's state and its conversation with the coordinator. Attempts go on while there is no coordinator; what
// they reported is kept until one has acknowledged it.

import Base
import Exchange
import Execution
import Glibc
import Platform
import Sockets
import Synchronization
import Telemetry
import Wire

/// One worker process at work.
///
///     connecting ──hello, registration──▶ registered ──connection lost──▶ connecting
///          └───────────── drained and nothing to report ─────────────▶ ended
final class Worker: Sendable {
  /// After so long without an attempt the worker gives back the memory that it does not need.
  static let idleInterval = TimeSpan.seconds(3)

  private struct State {
    var socket: FrameSocket?
    var stages: [StageID: StageDefinition] = [:]
    var running: [AttemptID: AttemptControl] = [:]
    /// Given up, as they are in calls on a spool directory that do not return: they hold what they held.
    var stuck: [AttemptID: AttemptControl] = [:]
    var reports: [AttemptID: ReportAttempt] = [:]
    /// Whose reports were acknowledged last.
    var done = LastAttempts()
    /// Failures of base directories that no coordinator has heard of yet.
    var spoolFaults: [SpoolFault] = []
    var isDraining = false
    /// The coordinator on this connection has been told so.
    var hasToldDraining = false

    var isIdle: Bool { running.isEmpty && reports.isEmpty }
    /// What attempts hold that have ended for the coordinator and hang here.
    var stuckBytes: Int64 { stuck.values.reduce(0) { $0 + $1.memory.reservedBytes } }
  }

  private let id: WorkerID
  private let predecessorCrash: PredecessorCrash?
  private let slots: Int
  private let memoryBytes: Int64
  /// How often it says that it lives, to the coordinator and to the supervisor.
  private let heartbeatInterval: TimeSpan
  private let socketPath: String
  private let pool: SlotPool
  private let link: SupervisorLink
  private let log: Log
  private let builds: SharedBuilds
  private let spool: SpoolDirectories
  private let releaseMemory: @Sendable () -> Void
  private let state = Mutex(State())

  init(
    id: WorkerID, predecessorCrash: PredecessorCrash?, slots: Int, memoryBytes: Int64,
    heartbeatInterval: TimeSpan, socketPath: String, pool: SlotPool, link: SupervisorLink, log: Log,
    builds: SharedBuilds, spool: SpoolDirectories, releaseMemory: @escaping @Sendable () -> Void
  ) {
    self.builds = builds
    self.spool = spool
    self.releaseMemory = releaseMemory
    self.id = id
    self.predecessorCrash = predecessorCrash
    self.slots = slots
    self.memoryBytes = memoryBytes
    self.heartbeatInterval = heartbeatInterval
    self.socketPath = socketPath
    self.pool = pool
    self.link = link
    self.log = log
  }

  /// Serves coordinators until the worker has been drained.
  func run() throws {
    var isFirst = true
    while true {
      guard let socket = try connect() else { return }
      do {
        try register(on: socket)
        if isFirst { link.reportReady() }
        isFirst = false
        try serve(socket)
      } catch is ConnectionLost {
        // The coordinator died or was replaced; the next connection tells it everything again.
      }
      let (ended, running) = state.withLock { state in
        state.socket = nil
        return (state.isDraining && state.running.isEmpty, state.running.count)
      }
      if ended { return }
      log.write(.coordinatorLost, ["running": .int(running)])
    }
  }

  /// Takes no further attempts; `run` returns when the running ones have ended and are acknowledged.
  func drain() {
    let socket = state.withLock { state in
      state.isDraining = true
      return state.socket
    }
    // A lost connection is noticed by the receiving thread, and registration says it again.
    if let socket { try? tellDraining(on: socket) }
    if state.withLock({ $0.isIdle }) { socket?.shutDown() }
  }

  /// Says that no further attempts are wanted, once. Where there is no room for it now, the next heartbeat brings it.
  private func tellDraining(on socket: FrameSocket) throws {
    guard state.withLock({ $0.isDraining && !$0.hasToldDraining }), try socket.sendIfRoom(DrainWorker()) else { return }
    state.withLock { $0.hasToldDraining = true }
  }

  /// Waits for a coordinator; nil when there is nothing left to wait for. A coordinator that restarts is back within
  /// tens of milliseconds, so the first tries follow each other closely.
  private func connect() throws -> FrameSocket? {
    var pause = TimeSpan.milliseconds(2)
    while true {
      do {
        let socket = try FrameSocket(connectingTo: socketPath)
        // However long it takes: one that is stopped may go on, and one that ends closes the connection.
        _ = try socket.greet(role: "worker", timeout: heartbeatInterval) { [self] in
          showLife()
          return !isDone
        }
        return socket
      } catch is PeerUnreachable {
      } catch is ConnectionLost {
      }
      if isDone { return nil }
      showLife()
      SystemClock.sleep(pause)
      pause = min(.milliseconds(100), TimeSpan(nanoseconds: pause.nanoseconds * 2))
    }
  }

  /// Whether nothing is left to wait for a coordinator with.
  private var isDone: Bool { state.withLock { $0.isDraining && $0.running.isEmpty } }

  /// What is done every second or more often, with a coordinator or without.
  private func showLife() {
    link.reportAlive()
    watchSpool()
  }

  /// Tells the coordinator what is held here. Under the lock, so that no report overtakes the registration.
  private func register(on socket: FrameSocket) throws {
    try state.withLock { state in
      forgetStages(&state)
      let held = Array(state.running.keys) + Array(state.reports.keys)
      try socket.send(
        RegisterWorker(
          worker: id, slots: slots, memoryBytes: memoryBytes, running: held.sorted(),
          predecessorCrash: predecessorCrash, stuckBytes: state.stuckBytes))
      // First, as they say whose fault it is that attempts have failed.
      for fault in state.spoolFaults { try socket.send(SpoolFaultReport(fault)) }
      for report in state.reports.values { try socket.send(report) }
      state.spoolFaults = []
      if state.isDraining { try socket.send(DrainWorker()) }
      state.hasToldDraining = state.isDraining
      state.socket = socket
    }
  }

  /// Every coordinator defines stages anew on its connection. Those of the last one would never be forgotten if their
  /// query ended while it was away, and with them its key. Attempts under way hold their own.
  private func forgetStages(_ state: inout State) {
    let held = Set(state.running.keys.map(\.task.stage.query))
    for query in Set(state.stages.keys.map(\.query)).subtracting(held) {
      builds.forget(scopesStartingWith: "\(query).")
    }
    state.stages = [:]
  }

  private func serve(_ socket: FrameSocket) throws {
    var nextHeartbeat = SystemClock.monotonic()
    // Nil once memory was given back, until the next attempt.
    var lastWork: MonotonicTime? = nextHeartbeat
    while true {
      let now = SystemClock.monotonic()
      if state.withLock({ !$0.running.isEmpty }) {
        lastWork = now
      } else if let last = lastWork, now - last > Self.idleInterval {
        lastWork = nil
        releaseMemory()
      }
      if now >= nextHeartbeat {
        // Not heard by a coordinator that is stopped, which has enough of them to read when it goes on.
        _ = try socket.sendIfRoom(heartbeat())
        try tellDraining(on: socket)
        showLife()
        nextHeartbeat = now + heartbeatInterval
      }
      if let frame = try socket.receive(timeout: nextHeartbeat - now) { try handle(frame, on: socket) }
    }
  }

  private func heartbeat() -> Heartbeat {
    let (held, stuck) = state.withLock { state in
      (state.running.map { HeldMemory(attempt: $0.key, bytes: $0.value.memory.reservedBytes) },
        state.stuckBytes)
    }
    return Heartbeat(
      residentBytes: ProcessUsage.residentBytes(), spoolRates: spool.rates, held: held, stuckBytes: stuck)
  }

  private func handle(_ frame: Frame, on socket: FrameSocket) throws {
    switch frame.name {
    case DefineStage.name:
      let definition = try StageDefinition(frame.message(DefineStage.self))
      state.withLock { $0.stages[definition.stage] = definition }
    case StartAttempt.name: try start(frame.message(StartAttempt.self), on: socket)
    case AbortAttempt.name: try abort(frame.message(AbortAttempt.self).attempt, on: socket)
    case AcknowledgeReport.name: acknowledge(try frame.message(AcknowledgeReport.self).attempt)
    case ForgetQuery.name: forget(try frame.message(ForgetQuery.self).query)
    case SpoolStates.name:
      let states = try frame.message(SpoolStates.self)
      spool.hold(Set(states.setAside), silent: Set(states.silent ?? states.setAside))
    case Refusal.name: throw try frame.message(Refusal.self).error
    default:
      // A newer coordinator may say things that this release does not know; nothing depends on them.
      log.write(.frameRejected, ["message": .string(frame.name)])
    }
  }

  private func start(_ order: StartAttempt, on socket: FrameSocket) throws {
    let control = AttemptControl(order.attempt, memory: MemoryContext(limit: order.memoryBytes))
    let known: (stage: StageDefinition?, report: ReportAttempt?, isNew: Bool) = state.withLock { state in
      if let report = state.reports[order.attempt] { return (nil, report, false) }
      // The same order may come twice, and late. No number of an attempt is given twice.
      guard state.running[order.attempt] == nil, !state.done.contains(order.attempt) else { return (nil, nil, false) }
      let stage = state.stages[order.attempt.task.stage]
      if stage != nil { state.running[order.attempt] = control }
      return (stage, nil, true)
    }
    if let report = known.report { try socket.send(report) }
    guard known.isNew else { return }
    guard let stage = known.stage else {
      let error = WaterbearError(.genericInternalError, "Stage \(order.attempt.task.stage) was not defined here")
      return finish(ReportAttempt(attempt: order.attempt, error: error))
    }
    pool.submit { [self] runner in
      control.begin()
      let report = runner.run(order, stage: stage, control: control)
      return { [self] in finish(report, of: control, isBack: true) }
    }
  }

  /// Every abort is answered by a report: by the attempt's own when it stops, else by one made here.
  private func abort(_ attempt: AttemptID, on socket: FrameSocket) throws {
    let report: ReportAttempt? = state.withLock { state in
      if let control = state.running[attempt] {
        control.stop()
        return nil
      }
      return state.reports[attempt]
        ?? ReportAttempt(attempt: attempt, error: WaterbearError(.abandonedTask, "The attempt is not held here"))
    }
    if let report { try socket.send(report) }
  }

  private func acknowledge(_ attempt: AttemptID) {
    let socket = state.withLock { state -> FrameSocket? in
      if state.reports.removeValue(forKey: attempt) != nil { state.done.add(attempt) }
      return state.isDraining && state.isIdle ? state.socket : nil
    }
    socket?.shutDown()
  }

  private func forget(_ query: QueryID) {
    builds.forget(scopesStartingWith: "\(query).")
    state.withLock { state in
      state.stages = state.stages.filter { $0.key.query != query }
      for (attempt, control) in state.running where attempt.task.stage.query == query { control.stop() }
    }
  }

  /// Tells the coordinator that a base directory failed, now or when there is one. From any thread.
  func report(_ fault: SpoolFault) {
    do {
      if let socket = state.withLock({ $0.socket }) { return try socket.send(SpoolFaultReport(fault)) }
    } catch {
      // The receiving thread notices, too.
    }
    // For the next coordinator. The directories are few, so a short memory holds all that matters.
    state.withLock { if $0.spoolFaults.count < 64 { $0.spoolFaults.append(fault) } }
  }

  /// Ends the attempts that are in calls on a spool directory which do not return: they have failed, their slots go to
  /// other threads, and what they do should they ever come back counts for nothing.
  private func watchSpool() {
    let silences = spool.takeSilences()
    let hangs = state.withLock { state in
      silences.compactMap { silence in
        state.running.values.first { $0.isIn(silence) }.map { control in
          state.stuck[control.attempt] = control
          return (silence, control)
        }
      }
    }
    // What they hold must be known before they are known to have failed: it is granted to whoever is next.
    if !hangs.isEmpty { try? state.withLock({ $0.socket })?.send(heartbeat()) }  // Registration says it again.
    for (silence, control) in hangs {
      control.stop()
      var report = ReportAttempt(attempt: control.attempt, error: silence.error)
      report.lostInput = silence.output
      if silence.output == nil { report.refusedBy = silence.directory }
      report.peakMemoryBytes = control.memory.peakBytes
      finish(report, of: control)
      do {
        try pool.replace(silence.thread, stuckSince: silence.since)
      } catch {
        log.write(.threadNotReplaced, ["directory": .string(silence.directory), "reason": .string("\(error)")])
      }
    }
  }

  /// Keeps the report and sends it if somebody listens. Nothing happens where the attempt was ended already, but that
  /// one which `isBack` from a call that hung holds nothing any more.
  private func finish(_ report: ReportAttempt, of control: AttemptControl? = nil, isBack: Bool = false) {
    let socket = state.withLock { state -> FrameSocket? in
      if isBack { state.stuck[report.attempt] = nil }
      if let control, state.running[report.attempt] !== control { return nil }
      state.running[report.attempt] = nil
      state.reports[report.attempt] = report
      return state.socket
    }
    // A lost connection is noticed by the receiving thread; the report is sent again after the next registration.
    try? socket?.send(report)
    CrashPoint.reach("attempt.reported")
  }
}

/// The attempts that were added last, up to a number.
struct LastAttempts {
  private static let most = 1024
  private var known: Set<AttemptID> = []
  /// A ring, once it is full.
  private var order: [AttemptID] = []
  private var oldest = 0

  func contains(_ attempt: AttemptID) -> Bool { known.contains(attempt) }

  mutating func add(_ attempt: AttemptID) {
    guard known.insert(attempt).inserted else { return }
    guard order.count == Self.most else { return order.append(attempt) }
    known.remove(order[oldest])
    order[oldest] = attempt
    oldest = (oldest + 1) % Self.most
  }
}

extension SpoolFaultReport {
  init(_ fault: SpoolFault) {
    self.init(
      directory: fault.directory, reason: fault.reason, isFull: fault.isFull, fileBytes: fault.fileBytes,
      isSilent: fault.isSilent, isOverdue: fault.isOverdue, callBeganNanoseconds: fault.callBegan?.nanoseconds)
  }
}

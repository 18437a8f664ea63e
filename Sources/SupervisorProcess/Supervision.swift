// Owns the decisions of the supervisor: when to start, restart, drain and give up. A pure core: no I/O, no clock.
// Must not know how a process is started or what it computes.
import Base
import Platform

/// The daemon's processes as the supervisor sees them.
///
///                       ready                       drain
///     ┌─▶ starting ───────────────▶ ready ───────────────────────▶ stopping ──┐
///     │       │                       │                                       │
///     │       └───────── exit ────────┤                                       │ exit
///     │  delay over                   ▼                                       ▼
///     └──────────────────────── backing off ───────── drain ──────────────▶ gone
///
/// A drain is ordered: the coordinator first, since it takes the workers' last reports; when it is gone, the workers.
/// When the time is up, or a second request comes, whatever is left is killed. That loses no query: store and spool
/// are enough to go on.
public struct Supervision: Sendable {
  /// What happens to the daemon.
  public enum Event: Hashable, Sendable {
    /// The first event: start everything.
    case begin
    /// A child says it does its work.
    case ready(ProcessRole)
    /// A child says it lives.
    case alive(ProcessRole)
    /// A child says why it is about to exit.
    case failed(ProcessRole, reason: String)
    /// A child has ended, and was waited for.
    case ended(ProcessRole, ProcessEnd)
    /// A child could not even be started.
    case startFailed(ProcessRole, reason: String)
    /// SIGTERM or SIGINT: finish and stop; the second time, stop at once.
    case drain
    /// SIGHUP: read the configuration again.
    case reload
    /// `nextDeadline` has come.
    case tick
  }

  /// What the shell is to do, in this order.
  public enum Action: Hashable, Sendable {
    case start(ProcessRole)
    case signal(ProcessRole, Signal)
    /// The coordinator and a worker are ready for the first time.
    case announceReady
    case report(Report)
    /// Everything has ended. Nothing follows.
    case finish(ExitCode, reason: String?)
  }

  /// What can be asked of a child.
  public enum Signal: Hashable, Sendable { case drain, reload, kill }

  /// What is worth a line in the log.
  public enum Report: Hashable, Sendable {
    case ready(ProcessRole, after: TimeSpan)
    case ended(ProcessRole, ProcessEnd, age: TimeSpan, reason: String?, restartAfter: TimeSpan?)
    case startFailed(ProcessRole, reason: String, restartAfter: TimeSpan?)
    case hung(ProcessRole, silence: TimeSpan)
    /// The kernel does not let go of a killed child, so that nothing can follow it.
    case lingers(ProcessRole, since: TimeSpan)
    case draining(atMost: TimeSpan, reason: String)
    case drainCutShort(remaining: [ProcessRole], onRequest: Bool)
  }

  private enum State: Hashable {
    case starting
    case ready
    case backingOff(until: MonotonicTime)
    case stopping
    case gone
  }

  private struct Child {
    var state = State.gone
    var startedAt = MonotonicTime(nanoseconds: 0)
    /// When it last said that it lives; nil where it never did.
    var aliveAt: MonotonicTime?
    /// When it was killed by the supervisor; it owes no further sign of life, but its end.
    var killedAt: MonotonicTime?
    /// That its end does not come was reported.
    var isKnownToLinger = false
    var soonDeaths = 0
    /// A reload came while it was starting: it may have read the old configuration.
    var owesReload = false
    /// Its last words.
    var reason: String?
  }

  private enum Phase {
    case running
    case draining(until: MonotonicTime, ExitCode, reason: String?)
    case killing(ExitCode, reason: String?)
    case finished
  }

  private let policy: SupervisionPolicy
  /// Coordinator first, then the workers in order.
  public let roles: [ProcessRole]
  private var children: [ProcessRole: Child]
  private var phase = Phase.running
  private var isAnnounced = false

  public init(policy: SupervisionPolicy) {
    self.policy = policy
    roles = [.coordinator] + (1...policy.workerCount).map { .worker($0) }
    children = Dictionary(uniqueKeysWithValues: roles.map { ($0, Child()) })
  }

  /// When to send `tick` unless something else happens first; nil where nothing is due.
  public var nextDeadline: MonotonicTime? {
    var deadlines = children.values.compactMap { child -> MonotonicTime? in
      if case .backingOff(let until) = child.state { return until }
      return hangDeadline(child) ?? lingerDeadline(child)
    }
    if case .draining(let until, _, _) = phase { deadlines.append(until) }
    return deadlines.min()
  }

  /// How many workers do their work now.
  public var readyWorkers: Int { roles.dropFirst().count { children[$0]!.state == .ready } }
  /// Whether the coordinator does its work now.
  public var isCoordinatorReady: Bool { children[.coordinator]!.state == .ready }
  /// Whether the daemon is on its way out.
  public var isDraining: Bool { if case .running = phase { false } else { true } }

  /// Takes in one event and says what follows from it.
  public mutating func handle(_ event: Event, now: MonotonicTime) -> [Action] {
    if case .finished = phase { return [] }
    switch event {
    case .begin:
      return roles.flatMap { start($0, now: now) }
    case .ready(let role):
      return becameReady(role, now: now)
    case .alive(let role):
      children[role]!.aliveAt = now
      return []
    case .failed(let role, let reason):
      children[role]!.reason = reason
      return []
    case .ended(let role, let end):
      return ended(role, end, now: now)
    case .startFailed(let role, let reason):
      children[role]!.soonDeaths += 1
      let delay = policy.delay(soonDeaths: children[role]!.soonDeaths, killed: false)
      let restart = isDraining ? nil : delay
      children[role]!.state = restart.map { .backingOff(until: now + $0) } ?? .gone
      return [.report(.startFailed(role, reason: reason, restartAfter: restart))] + continueDrain()
    case .drain:
      return isDraining ? killRest(onRequest: true, now: now) : beginDrain(.done, reason: nil, now: now)
    case .reload:
      return isDraining ? [] : reload()
    case .tick:
      return tick(now: now)
    }
  }

  private mutating func start(_ role: ProcessRole, now: MonotonicTime) -> [Action] {
    children[role]!.state = .starting
    children[role]!.startedAt = now
    children[role]!.aliveAt = nil
    children[role]!.killedAt = nil
    children[role]!.isKnownToLinger = false
    children[role]!.owesReload = false
    children[role]!.reason = nil
    return [.start(role)]
  }

  private mutating func becameReady(_ role: ProcessRole, now: MonotonicTime) -> [Action] {
    // A child that is asked to stop while it starts may still say that it is ready.
    guard case .starting = children[role]!.state else { return [] }
    children[role]!.state = .ready
    // A sign of life as any: one that stops right after it is found out, too.
    children[role]!.aliveAt = now
    var actions: [Action] = [.report(.ready(role, after: now - children[role]!.startedAt))]
    if children[role]!.owesReload {
      children[role]!.owesReload = false
      actions.append(.signal(role, .reload))
    }
    if !isAnnounced && isCoordinatorReady && readyWorkers > 0 {
      isAnnounced = true
      actions.append(.announceReady)
    }
    return actions
  }

  private mutating func ended(_ role: ProcessRole, _ end: ProcessEnd, now: MonotonicTime) -> [Action] {
    let child = children[role]!
    let age = now - child.startedAt
    func report(_ restartAfter: TimeSpan?) -> Action {
      .report(.ended(role, end, age: age, reason: child.reason, restartAfter: restartAfter))
    }
    if isDraining {
      children[role]!.state = .gone
      return [report(nil)] + continueDrain()
    }
    if end == .exited(ExitCode.configuration.rawValue) {
      return configurationRefused(role, report: report, now: now)
    }
    let wasReady = child.state == .ready
    let wasKilled = end == .killed(signal: Self.killSignal)
    if !wasReady || (age < policy.soon && !wasKilled) {
      children[role]!.soonDeaths += 1
    } else if age >= policy.soon {
      children[role]!.soonDeaths = 0
    }
    // A ready child killed from outside starts again at once, however young it was: it has shown that it can start.
    let delay: TimeSpan =
      wasReady && wasKilled
      ? .zero : policy.delay(soonDeaths: children[role]!.soonDeaths, killed: wasKilled)
    if delay == .zero { return [report(.zero)] + start(role, now: now) }
    children[role]!.state = .backingOff(until: now + delay)
    return [report(delay)]
  }

  /// SIGKILL of signal(7), spelled out so that this file needs no C library.
  private static let killSignal: Int32 = 9

  /// A child that finds the configuration wrong ends the daemon while it starts up: a person is waiting for the answer.
  /// Later on, when accepted queries exist, it is started again with the longest delay until the file is mended.
  private mutating func configurationRefused(
    _ role: ProcessRole, report: (TimeSpan?) -> Action, now: MonotonicTime
  ) -> [Action] {
    let reason = children[role]!.reason ?? "the \(role) found the configuration wrong"
    guard isAnnounced else {
      children[role]!.state = .gone
      return [report(nil)] + beginDrain(.configuration, reason: reason, now: now)
    }
    children[role]!.state = .backingOff(until: now + policy.delayMax)
    return [report(policy.delayMax)]
  }

  private mutating func reload() -> [Action] {
    var actions: [Action] = []
    for role in roles {
      switch children[role]!.state {
      case .ready: actions.append(.signal(role, .reload))
      // SIGHUP would end a child that has not set itself up yet.
      case .starting: children[role]!.owesReload = true
      case .backingOff, .stopping, .gone: break
      }
    }
    return actions
  }

  private mutating func tick(now: MonotonicTime) -> [Action] {
    if case .draining(let until, _, _) = phase, now >= until { return killRest(onRequest: false, now: now) }
    var actions: [Action] = []
    for role in roles {
      let child = children[role]!
      if case .backingOff(let until) = child.state, now >= until {
        actions += start(role, now: now)
      } else if let deadline = hangDeadline(child), now >= deadline {
        // Its end arrives as an event of its own.
        children[role]!.killedAt = now
        actions += [.report(.hung(role, silence: now - (child.aliveAt ?? child.startedAt))), .signal(role, .kill)]
      } else if let deadline = lingerDeadline(child), let killedAt = child.killedAt, now >= deadline {
        children[role]!.isKnownToLinger = true
        actions.append(.report(.lingers(role, since: now - killedAt)))
      }
    }
    return actions
  }

  /// When it is worth a word that a killed child has not ended: it waits in the kernel for something that hangs.
  private func lingerDeadline(_ child: Child) -> MonotonicTime? {
    guard !child.isKnownToLinger else { return nil }
    switch child.state {
    case .starting, .ready, .stopping: return child.killedAt.map { $0 + policy.lingerTime }
    case .backingOff, .gone: return nil
    }
  }

  /// When a child counts as hung. One that starts has more time, from each sign of life that it gives; one that stops
  /// and never gave any has that of the drain only.
  private func hangDeadline(_ child: Child) -> MonotonicTime? {
    guard child.killedAt == nil else { return nil }
    switch child.state {
    case .starting: return (child.aliveAt ?? child.startedAt) + policy.startTime
    case .ready, .stopping: return child.aliveAt.map { $0 + policy.hangTime }
    case .backingOff, .gone: return nil
    }
  }

  private mutating func beginDrain(_ code: ExitCode, reason: String?, now: MonotonicTime) -> [Action] {
    phase = .draining(until: now + policy.drainTime, code, reason: reason)
    for role in roles {
      if case .backingOff = children[role]!.state { children[role]!.state = .gone }
    }
    return [.report(.draining(atMost: policy.drainTime, reason: reason ?? "on request"))] + continueDrain()
  }

  /// The next step of a drain: the coordinator, then the workers, then the end. Does nothing outside of a drain.
  private mutating func continueDrain() -> [Action] {
    let code: ExitCode
    let reason: String?
    switch phase {
    case .running, .finished: return []
    case .draining(_, let wanted, let why), .killing(let wanted, let why): (code, reason) = (wanted, why)
    }
    let left = roles.filter { children[$0]!.state != .gone }
    if left.isEmpty {
      phase = .finished
      return [.finish(code, reason: reason)]
    }
    let next = left.first == .coordinator ? [.coordinator] : left
    return next.filter { children[$0]!.state != .stopping }.map { role in
      children[role]!.state = .stopping
      return .signal(role, .drain)
    }
  }

  private mutating func killRest(onRequest: Bool, now: MonotonicTime) -> [Action] {
    guard case .draining(_, let code, let reason) = phase else { return [] }
    phase = .killing(onRequest && code == .done ? .interrupted : code, reason: reason)
    let left = roles.filter { children[$0]!.state != .gone }
    for role in left {
      children[role]!.state = .stopping
      if children[role]!.killedAt == nil { children[role]!.killedAt = now }
    }
    return [.report(.drainCutShort(remaining: left, onRequest: onRequest))] + left.map { .signal($0, .kill) }
  }
}

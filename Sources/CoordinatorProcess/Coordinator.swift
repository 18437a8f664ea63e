// Owns the coordinator's state and its turn: events in, one store transaction, then effects. All of it happens on one
// event loop; the files beside this one hold the parts by topic.

import Base
import ConnectorAPI
import Dispatch
import Exchange
import Glibc
import NIOCore
import NIOPosix
import Platform
import Scheduling
import Sealing
import Settings
import TaskStore
import Telemetry
import Transport
import Wire

/// Plans queries, schedules their tasks, keeps the store and serves clients.
///
/// A turn, which every event starts:
///
///     events ──scheduler──▶ records ──one transaction──▶ store
///                     └──▶ effects ──once that is durable──▶ workers, spool, clients
///
/// Unchecked Sendable: every stored property is touched on `loop` only, except the constants.
final class Coordinator: @unchecked Sendable {
  let loop: any EventLoop
  /// For what the store does slowly, so that the loop never waits for a disk. Nothing that touches a spool directory
  /// is done there: see `ask`.
  let storeThreads: NIOThreadPool
  let settings: Settings
  let policy: CoordinatorPolicy
  let directories: DaemonDirectories
  let spool: SpoolDirectories
  let store: TaskStore
  let planner: QueryPlanner
  let catalogs: Catalogs
  let commits: TableCommits
  let log: Log
  let link: SupervisorLink
  /// Five letters that tell this data directory's queries from those of others.
  let instanceName: String
  let started = SystemClock.monotonic()

  var scheduler: Scheduler
  let advisor = PlanAdvisor()
  var queries: [QueryID: LiveQuery] = [:]
  /// Queries that are being planned, with those who wait for their id.
  var planning: [QueryID: PlanningQuery] = [:]
  var workers: [WorkerID: WorkerSession] = [:]
  /// Writes whose query is over, until no attempt can leave anything of them.
  var writes: [QueryID: EndedWrite] = [:]
  /// Numbers of workers that may live, and of which this coordinator has not heard yet what they run.
  var unheardWorkers: Set<Int> = []
  /// A sweep has left files for those.
  var keepsForUnheard = false
  /// Workers that ran attempts when the last coordinator died and have not been heard of since.
  var restoredWorkers: Set<WorkerID> = []
  /// Which of the spool's directories are of no use now.
  var spoolWatch: SpoolWatch
  var isTryingSpool = false
  /// What all workers know of that.
  var toldSpoolStates: SpoolStates?
  /// When the outputs in a directory were last looked for.
  var spoolSearches: [String: SpoolSearch] = [:]
  /// The first sweep of every directory.
  let firstSweeps = DispatchGroup()
  var isDraining = false
  /// Called once when a drain is complete.
  var onDrained: (() -> Void)?

  private var events: [SchedulerEvent] = []
  /// Changes that belong to the coming turn although no scheduler record tells of them, such as a new query.
  private var changes: [StoreChange] = []
  private var afterTurn: [() -> Void] = []
  private var isTurnScheduled = false
  private var timer: Scheduled<Void>?
  var hasUnflushedChanges = false
  var spoolRounds = 0
  /// Directories with spool files that are to be deleted later.
  var sweeps: [String: SpoolSweeps] = [:]
  /// No task is ended for the machine's memory before.
  var nextShortage = SystemClock.monotonic()
  let results: ResultReaders

  init(
    loop: any EventLoop, storeThreads: NIOThreadPool, settings: Settings, directories: DaemonDirectories,
    spool: SpoolDirectories, store: TaskStore, planner: QueryPlanner, catalogs: Catalogs,
    commits: TableCommits, log: Log, link: SupervisorLink, instanceName: String
  ) {
    self.instanceName = instanceName
    self.loop = loop
    self.storeThreads = storeThreads
    self.settings = settings
    policy = CoordinatorPolicy(settings)
    self.directories = directories
    self.spool = spool
    self.store = store
    self.planner = planner
    self.catalogs = catalogs
    self.commits = commits
    self.log = log
    self.link = link
    results = ResultReaders(spool)
    spoolWatch = SpoolWatch(callLimit: spool.callLimit)
    scheduler = Scheduler(settings: SchedulerSettings(settings), advisor: advisor)
  }

  var uptimeMicroseconds: Int64 { (SystemClock.monotonic() - started).nanoseconds / 1000 }

  /// Queues an event for the scheduler. `changes` join its transaction; `then` runs after the effects.
  func enqueue(_ event: SchedulerEvent, with changes: [StoreChange] = [], then: (() -> Void)? = nil) {
    loop.preconditionInEventLoop()
    events.append(event)
    self.changes += changes
    if let then { afterTurn.append(then) }
    guard !isTurnScheduled else { return }
    isTurnScheduled = true
    // Behind what is already waiting on the loop, so that events that came together share a transaction.
    loop.execute { self.turn() }
  }

  /// Runs `action` after the effects of the coming turn.
  func afterThisTurn(_ action: @escaping () -> Void) { afterTurn.append(action) }

  private func turn() {
    isTurnScheduled = false
    // What is enqueued from here on is for the next turn, and so is what is to follow it.
    let followers = afterTurn
    afterTurn.removeAll()
    let turn = scheduler.handle(events, now: SystemClock.monotonic())
    events.removeAll()
    for record in turn.records {
      noteProgress(record)
      changes += storeChanges(of: record)
    }
    changes += turn.records.compactMap(releaseAfter)
    persist()
    for effect in turn.effects { perform(effect) }
    for follower in followers { follower() }
  }

  /// Writes the turn's changes. The scheduler has moved on in memory, so a store that refuses leaves only one way:
  /// end here, and let the next coordinator go on from what the store holds.
  private func persist() {
    guard !changes.isEmpty else { return }
    do {
      try store.apply(changes)
    } catch {
      fail(WaterbearError.wrapping(error))
    }
    changes.removeAll(keepingCapacity: true)
    hasUnflushedChanges = true
  }

  /// Ends the process: the supervisor starts another, which recovers.
  func fail(_ error: WaterbearError) -> Never {
    log.write(.processFailed, .error(error))
    link.reportFailure(error)
    Glibc.exit(Platform.ExitCode.failed.rawValue)
  }

  private func perform(_ effect: SchedulerEffect) {
    switch effect {
    case .startAttempt(let start): startAttempt(start)
    case .abortAttempt(let attempt, let worker): send(AbortAttempt(attempt: attempt), to: worker)
    case .killWorker(let worker, let reason): kill(worker, reason: reason)
    case .workerDrained(let worker): noteDrained(worker)
    case .deleteOutput(let attempt): deleteOutput(of: attempt)
    case .deleteStageOutputs(let stage): deleteReleasedOutputs(of: stage)
    case .deleteQueryOutputs(let query): release(query)
    case .resultReady(let attempt): addResult(attempt)
    case .allResults(let query, let taskCount): completeResult(of: query, taskCount: taskCount)
    case .collectOutputs(let query, let attempts): collectOutputs(of: query, attempts)
    case .commit(let query): commit(query)
    case .queryFailed(let query, let error): noteFailure(of: query, error)
    case .setTimer(let time): setTimer(time)
    }
  }

  private func setTimer(_ time: MonotonicTime) {
    timer?.cancel()
    let delay = max(0, (time - SystemClock.monotonic()).nanoseconds)
    timer = loop.scheduleTask(in: .nanoseconds(delay)) { self.enqueue(.timer) }
  }
}

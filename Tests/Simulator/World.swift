// Owns a simulated world: its clock, its events, and what they do.
import Base
import Scheduling

/// One coordinator, some workers, a spool, a store and clients, all simulated, under a plan of faults.
final class World {
  let seed: UInt64
  let faults: FaultPlan
  let shape: WorldShape?
  let settings: SchedulerSettings
  var random: RandomSource
  var now = MonotonicTime(nanoseconds: 0)
  var queue = EventQueue()
  var store = ModelStore()
  var spool = ModelSpool()
  var checks = WorldChecks()

  let queries: [ModelQuery]
  /// The living or last process in each worker place.
  var workers: [ModelWorker] = []
  let workerMemory: Int64
  var connections: [Connection] = []

  /// Nil while the coordinator is down.
  var scheduler: Scheduler?
  var advisor = ModelAdvisor()
  /// Counts the coordinator's lives.
  var life = 0
  var pausedUntil = MonotonicTime(nanoseconds: 0)
  /// The coordinator's connection to each worker.
  var coordinatorConnections: [WorkerID: Int] = [:]
  /// Events for the coordinator's next turn, and what follows each once its turn is done.
  var inbox: [(event: SchedulerEvent, then: () -> Void)] = []
  /// How long events wait at most for others to share their turn, in milliseconds.
  let turnDelay: Int
  var timerGeneration = 0
  /// Boundaries between actions of the coordinator passed so far.
  var boundary = 0
  /// No more faults.
  var isCalm = false
  /// When the world stops; known once all queries have ended, and later after each crash from then on.
  var end: MonotonicTime?
  var isVerbose = false
  /// What the coordinator has read of root stages for the commit; gone with it.
  var collected: [QueryID: UInt64] = [:]
  /// Commits that this life of the coordinator has asked for, and that have not failed.
  var asked: Set<QueryID> = []
  /// When each query was submitted; known to all lives of the coordinator.
  var submitted: [QueryID: MonotonicTime] = [:]
  /// What readers of tables see, by the query that wrote it.
  var committed: [QueryID: UInt64] = [:]
  var commitFailures: [QueryID: Int] = [:]
  /// Losses of power so far.
  var era = 0
  var unsynced = UnsyncedStates()
  /// Until then power is lost once more, although all queries have ended.
  var quietUntil: MonotonicTime?
  /// No spool directory takes a file before this time.
  var spoolFullUntil = MonotonicTime(nanoseconds: 0)
  /// The smaller spool directory is set aside before this time.
  var smallFullUntil = MonotonicTime(nanoseconds: 0)

  /// A stream socket between a worker and the coordinator: keeps the order each way, and breaks as a whole.
  struct Connection {
    var worker: ModelWorker
    var era: Int
    var isOpen = true
    var lastToWorker = MonotonicTime(nanoseconds: 0)
    var lastToCoordinator = MonotonicTime(nanoseconds: 0)
  }

  init(
    seed: UInt64, faults: FaultPlan?, kinds: Set<FaultKind>? = nil, shape: WorldShape? = nil,
    settings: SchedulerSettings
  ) {
    self.seed = seed
    self.shape = shape
    random = RandomSource(seed: seed)
    let drawn = FaultPlan.random(&random)
    self.faults = (faults ?? drawn).keeping(kinds ?? Set(FaultKind.allCases))
    var settings = settings
    settings.spoolWait = self.faults.spoolWait
    self.settings = settings
    workerMemory = Int64(random.pick([20, 30, 60])) * ModelQuery.megabyte
    var queries: [ModelQuery] = []
    for number in 0..<(shape == nil ? random.pick([1, 1, 1, 2, 3]) : 1) {
      queries.append(
        ModelQuery(
          number: number, faults: self.faults, shape: shape, biggestWorker: workerMemory, random: &random))
    }
    self.queries = queries
    if let shape { checks.eventsMax = shape.eventsMax }
    turnDelay = random.pick([0, 0, 3, 30])
    let slots = random.within(1...2)
    for number in 0..<(shape?.workers ?? random.within(1...3)) {
      workers.append(ModelWorker(id: WorkerID(number: number, incarnation: 0), slots: slots, memory: workerMemory))
    }
  }

  var faultsAreOn: Bool { !isCalm && now < faults.until }

  /// No task is known to need more than any other, so none waits for memory while others run.
  var hasMemoryForAll: Bool { faults.bigTask == 0 && faults.attemptIsKilledForMemory == 0 }
  var slotCount: Int { workers.reduce(0) { $0 + $1.slots } }

  func after(_ milliseconds: ClosedRange<Int>) -> MonotonicTime {
    // Odd nanoseconds, so that events rarely meet at one time by the shape of the numbers.
    let span = Int64(random.within(milliseconds)) * 1_000_000 + Int64(random.below(1_000_000))
    return MonotonicTime(nanoseconds: now.nanoseconds + span)
  }

  /// Runs the world to its end: all queries ended, all faults over, all messages delivered.
  func run() {
    queue.add(now, .restartCoordinator)
    for worker in workers { queue.add(after(0...20), .connect(worker)) }
    for index in queries.indices {
      queue.add(after(0...600), .submit(index))
      if random.chance(faults.cancel) { queue.add(after(0...2000), .cancel(index)) }
    }
    for fault in Fault.allCases { schedule(fault) }
    queue.add(faults.until, .calm)
    // Three queries whose tasks are divided into hundreds may share one slot.
    let deadline = faults.until + (shape?.patience ?? .seconds(120))
    while checks.violation == nil, let (time, event) = queue.next() {
      now = time
      checks.count(event, at: time)
      handle(event)
      if let broken = store.violation { checks.fail(broken) }
      if let end {
        if now >= end { break }
      } else if store.queries.count == queries.count, store.live.isEmpty {
        if cutsPowerAtEnd() { continue }
        isCalm = true
        end = now + .seconds(4)
      } else if now > deadline {
        checks.fail("no end: \(store.live) are still live \(now.nanoseconds / 1_000_000) ms after the start")
      }
    }
    if checks.violation == nil { checkEnd() }
  }

  private func handle(_ event: WorldEvent) {
    switch event {
    case .submit(let index): submit(index)
    case .discoverSplits(let index, let stage, let life): discoverSplits(index, stage, life)
    case .cancel(let index): cancel(index)
    case .serve(let id, let life): serve(id, life)
    case .collect(let id, let attempts, let life): collect(id, attempts, life)
    case .commit(let id, let life): commit(id, life)
    case .commitDone(let id, let error, let life):
      guard life == self.life else { return }
      if error != nil { asked.remove(id) }
      deliver(event, .commitEnded(id, error))
    case .toCoordinator(let connection, let message): deliverToCoordinator(connection, message)
    case .lateReport(let message, let era): if era == self.era { deliver(event, message) }
    case .toWorker(let connection, let message): deliverToWorker(connection, message)
    case .connect(let worker): connect(worker)
    case .heartbeat(let worker): heartbeat(worker)
    case .readInputs(let worker, let attempt): readInputs(worker, attempt)
    case .endAttempt(let worker, let attempt): endAttempt(worker, attempt)
    case .spawn(let number): spawn(number)
    case .kill(let id):
      if workers[id.number].id == id { die(workers[id.number], WaterbearError(.remoteHostGone, "killed")) }
    case .reportDeath(let id, let error, let era):
      guard era == self.era else { return }
      deliver(event, .workerLost(id, error, lackedMemory: id.incarnation % 3 == 1))
    case .restartCoordinator: restartCoordinator()
    case .turn(let life): if life == self.life { turn() }
    case .timer(let generation): if generation == timerGeneration { deliver(event, .timer) }
    case .spoolRecovers: if spoolFullUntil <= now { deliver(event, .spoolChanged(spoolState)) }
    case .fault(let fault): strike(fault)
    case .calm: calm()
    }
  }

  func say(_ text: @autoclosure () -> String) {
    if isVerbose { print("\(now.nanoseconds / 1000) us: \(text())") }
  }

  // MARK: Faults

  private func schedule(_ fault: Fault) {
    let mean: TimeSpan? =
      switch fault {
      case .workerDeath: faults.workerDeathEvery
      case .workerHang: faults.workerHangEvery
      case .connectionLoss: faults.connectionLossEvery
      case .spoolLoss: faults.spoolLossEvery
      case .drain: faults.drainEvery
      case .memoryShort: faults.memoryShortEvery
      case .spoolFull: faults.spoolFullEvery
      case .powerCut: faults.powerCutEvery
      }
    guard let mean, faultsAreOn else { return }
    queue.add(after(1...max(1, Int(mean.milliseconds) * 2)), .fault(fault))
  }

  private func strike(_ fault: Fault) {
    guard faultsAreOn else { return }
    let worker = random.pick(workers)
    switch fault {
    case .workerDeath:
      if !worker.isDead { die(worker, WaterbearError(.remoteHostGone, "killed from outside")) }
    case .workerHang:
      say("\(worker.id) hangs")
      worker.hungUntil = after(50...3000)
    case .connectionLoss:
      if let connection = worker.connection { close(connection) }
    case .spoolLoss:
      spool.harm(&random)
    case .memoryShort:
      guard scheduler != nil, pausedUntil <= now else { break }
      var held: [AttemptID: Int64] = [:]
      for attempt in worker.executing.keys.sorted() {
        held[attempt] = worker.executing[attempt]!.start.memory / Int64(random.within(1...4))
      }
      tell(.memoryShort(random.chance(0.5) ? .biggest : .leastWaste, held: held))
    case .spoolFull:
      fillSpool()
    case .powerCut:
      cutPower()
    case .drain:
      if !worker.isDead { tell(.workerDraining(worker.id)) }
    }
    schedule(fault)
  }

  /// The spool directories as they are.
  var spoolState: SpoolState {
    if spoolFullUntil > now {
      return SpoolState(inUse: [], problem: WaterbearError(.spoolUnavailable, "both directories are full"))
    }
    return SpoolState(inUse: smallFullUntil > now ? ["large"] : ["large", "small"])
  }

  /// No directory takes files for a while. Sometimes those of one are gone with it, and the coordinator looks which.
  private func fillSpool() {
    say("no spool directory takes files")
    spoolFullUntil = after(50...2000)
    queue.add(spoolFullUntil, .spoolRecovers)
    guard scheduler != nil, pausedUntil <= now, random.chance(0.3) else { return }
    let lost = spool.loseDirectory(number: random.below(3), of: 3)
    let withDirectory = random.chance(0.7)
    tell(
      .outputsMissing(
        lost, WaterbearError(.exchangeDataUnrecoverable, "a directory is gone"), withDirectory: withDirectory))
  }

  /// Ends the time of faults: whoever is gone comes back.
  private func calm() {
    isCalm = true
    for worker in workers where worker.isDead { spawn(worker.id.number) }
  }
}

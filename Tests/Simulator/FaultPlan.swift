// Owns which faults a simulated world suffers. Each seed draws its own mixture, so that rare pairs meet.
import Base

/// Probabilities and times of the faults of one world. All faults end at `until`; what is left must then get done.
public struct FaultPlan: Hashable, Sendable {
  /// Faults happen before this time only.
  public var until = MonotonicTime(nanoseconds: 4_000_000_000)
  /// At each boundary between two actions of the coordinator.
  public var coordinatorCrash = 0.0
  /// The coordinator crashes at these boundaries, counted from the start of the world.
  public var coordinatorCrashesAt: Set<Int> = []
  /// The coordinator is stopped for a while, at any event.
  public var coordinatorPause = 0.0
  /// Mean time between deaths of a worker; nil for none. The same for the four below.
  public var workerDeathEvery: TimeSpan?
  public var workerHangEvery: TimeSpan?
  public var connectionLossEvery: TimeSpan?
  public var spoolLossEvery: TimeSpan?
  public var drainEvery: TimeSpan?
  /// Mean time between shortages of memory on the machine.
  public var memoryShortEvery: TimeSpan?
  /// Mean time between losses of power.
  public var powerCutEvery: TimeSpan?
  /// Mean time between times in which no spool directory takes a file.
  public var spoolFullEvery: TimeSpan?
  /// That the smaller of two spool directories runs full under an attempt's output.
  public var smallSpool = 0.0
  /// How long tasks wait for the spool.
  public var spoolWait = TimeSpan.seconds(300)
  /// That the supervisor's word of a worker's death never arrives.
  public var deathUnreported = 0.0
  /// That a dead worker comes back at all.
  public var workerReturns = 1.0
  /// That a report is sent twice.
  public var duplicateReport = 0.0
  /// That a message of a broken connection is still delivered, late.
  public var staleDelivery = 0.0
  /// That an attempt fails: INTERNAL_ERROR, EXTERNAL, worker crashed, killed for memory.
  public var internalFailure = 0.0
  public var externalFailure = 0.0
  public var attemptCrashesWorker = 0.0
  public var attemptIsKilledForMemory = 0.0
  /// That an attempt takes very long.
  public var slowAttempt = 0.0
  /// At each heartbeat: that memory of the worker is held by what has ended, more or less than before.
  public var stuckMemory = 0.0
  /// That a lost output went with its directory.
  public var lossWithDirectory = 0.0
  /// That a task needs more memory than estimated.
  public var bigTask = 0.0
  /// That a query has a split or task that fails with USER_ERROR, or kills its worker, whenever it runs.
  public var userError = 0.0
  public var poison = 0.0
  /// That the client cancels, at a random time.
  public var cancel = 0.0
  /// That a stage's tasks give other rows each time.
  public var nondeterministicStage = 0.0

  public init() {}

  /// No faults at all.
  public static var none: FaultPlan { FaultPlan() }

  /// A random mixture.
  public static func random(_ random: inout RandomSource) -> FaultPlan {
    var plan = FaultPlan()
    func sometimes(_ probability: Double, _ most: Double) -> Double {
      random.chance(probability) ? most * Double(random.within(1...100)) / 100 : 0
    }
    func every(_ probability: Double, _ range: ClosedRange<Int>) -> TimeSpan? {
      random.chance(probability) ? .milliseconds(Int64(random.within(range))) : nil
    }
    plan.until = MonotonicTime(nanoseconds: Int64(random.within(500...5000)) * 1_000_000)
    plan.coordinatorCrash = sometimes(0.5, 0.03)
    plan.coordinatorPause = sometimes(0.1, 0.01)
    plan.workerDeathEvery = every(0.5, 150...2000)
    plan.workerHangEvery = every(0.2, 500...3000)
    plan.connectionLossEvery = every(0.3, 200...2000)
    plan.spoolLossEvery = every(0.35, 30...1000)
    plan.drainEvery = every(0.1, 1000...4000)
    plan.deathUnreported = sometimes(0.3, 0.5)
    plan.workerReturns = random.chance(0.1) ? 0.7 : 1
    plan.duplicateReport = sometimes(0.4, 0.4)
    plan.staleDelivery = sometimes(0.6, 1)
    plan.internalFailure = sometimes(0.4, 0.3)
    plan.externalFailure = sometimes(0.3, 0.3)
    plan.attemptCrashesWorker = sometimes(0.2, 0.1)
    plan.attemptIsKilledForMemory = sometimes(0.2, 0.1)
    plan.slowAttempt = sometimes(0.2, 0.2)
    plan.bigTask = sometimes(0.3, 0.5)
    plan.userError = sometimes(0.15, 0.5)
    plan.poison = sometimes(0.1, 0.3)
    plan.cancel = sometimes(0.2, 0.5)
    plan.nondeterministicStage = sometimes(0.2, 0.5)
    plan.memoryShortEvery = every(0.25, 300...2000)
    // From a copy, so that the other draws of a seed stay what they are.
    var copy = random
    if copy.chance(0.2) {
      plan.spoolFullEvery = .milliseconds(Int64(copy.within(300...3000)))
      if copy.chance(0.4) { plan.spoolWait = .milliseconds(Int64(copy.within(200...4000))) }
    }
    if copy.chance(0.15) { plan.stuckMemory = 0.4 }
    if copy.chance(0.3) { plan.lossWithDirectory = 0.5 }
    if plan.spoolFullEvery != nil, copy.chance(0.5) { plan.smallSpool = Double(copy.within(1...100)) / 100 }
    if copy.chance(0.12) { plan.powerCutEvery = .milliseconds(Int64(copy.within(200...2500))) }
    return plan
  }
}

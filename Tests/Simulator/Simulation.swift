// Owns the door to the simulator: one seed in, one report out.
import Base
import Scheduling

/// What became of a simulated world.
public struct SimulationReport: Hashable, Sendable {
  public var seed: UInt64
  /// The first rule that was broken; nil where all were kept.
  public var violation: String?
  /// The same for the same seed, settings and faults.
  public var traceHash: UInt64
  public var events: Int
  public var attempts: Int
  public var coordinatorCrashes: Int
  public var powerCuts: Int
  /// Boundaries between two actions of the coordinator that were passed.
  public var boundaries: Int
  /// Stages of finished queries that were skipped.
  public var skippedStages: Int
  /// Changes of plans.
  public var planChanges: Int
  public var finished = 0
  /// Queries that failed, by error name.
  public var failed: [String: Int] = [:]
}

/// Runs the scheduler in a simulated world: every message, death and crash is drawn from the seed.
public enum Simulation {
  /// Runs the world of this seed to its end.
  ///
  /// `faults` replaces the mixture the seed draws, of which only `kinds` are kept; the queries and workers stay those
  /// of the seed unless `shape` is given. `verbose` prints all that happens.
  public static func run(
    seed: UInt64, faults: FaultPlan? = nil, kinds: Set<FaultKind>? = nil, shape: WorldShape? = nil,
    plantedBug: PlantedBug? = nil, verbose: Bool = false
  ) -> SimulationReport {
    let settings = SchedulerSettings(workerTimeout: .seconds(2), plantedBug: plantedBug)
    let world = World(seed: seed, faults: faults, kinds: kinds, shape: shape, settings: settings)
    world.isVerbose = verbose
    world.run()
    var report = SimulationReport(
      seed: seed, violation: world.checks.violation, traceHash: world.checks.traceHash, events: world.checks.events,
      attempts: world.checks.attempts, coordinatorCrashes: world.checks.coordinatorCrashes,
      powerCuts: world.checks.powerCuts,
      boundaries: world.boundary, skippedStages: world.checks.skippedStages, planChanges: world.checks.planChanges)
    for query in world.store.queries.values {
      switch query.outcome {
      case .finished?: report.finished += 1
      case .failed(let error)?: report.failed[error.code.rawValue, default: 0] += 1
      case nil: break
      }
    }
    return report
  }
}

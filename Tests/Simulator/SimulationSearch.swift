// Owns the search through many seeds on all cores, and what is reported of it.
import Dispatch
import Scheduling
import Synchronization

/// What became of many simulated worlds.
public struct SimulationSummary: Sendable {
  public var worlds = 0
  public var finished = 0
  /// Queries that failed, by error name.
  public var failed: [String: Int] = [:]
  public var attempts = 0
  public var coordinatorCrashes = 0
  public var powerCuts = 0
  public var skippedStages = 0
  public var planChanges = 0
  /// The world with the lowest seed among those found that broke a rule.
  public var violation: SimulationReport?

  public var failedCount: Int { failed.values.reduce(0, +) }

  mutating func add(_ report: SimulationReport) {
    worlds += 1
    finished += report.finished
    failed.merge(report.failed, uniquingKeysWith: +)
    attempts += report.attempts
    coordinatorCrashes += report.coordinatorCrashes
    powerCuts += report.powerCuts
    skippedStages += report.skippedStages
    planChanges += report.planChanges
    if report.violation != nil, report.seed < violation?.seed ?? .max { violation = report }
  }
}

extension SimulationSummary: CustomStringConvertible {
  public var description: String {
    let failures = failed.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    return "\(worlds) worlds: \(finished) queries finished, \(failedCount) failed as they should"
      + (failures.isEmpty ? "" : " (\(failures))")
      + "; \(attempts) attempts, \(coordinatorCrashes) crashes of the coordinator, \(powerCuts) losses of power, "
      + "\(skippedStages) stages skipped, "
      + "\(planChanges) changes of plans"
  }
}

extension Simulation {
  /// Runs the worlds of `seeds` on `threads` threads, in the order of their seeds, until one breaks a rule or
  /// `isOver` says so. `run` makes the report of a seed.
  public static func search(
    _ seeds: ClosedRange<UInt64>, threads: Int, isOver: @escaping @Sendable () -> Bool = { false },
    run: @escaping @Sendable (UInt64) -> SimulationReport
  ) -> SimulationSummary {
    let state = Mutex((next: seeds.lowerBound, isDone: false, summary: SimulationSummary()))
    DispatchQueue.concurrentPerform(iterations: max(1, threads)) { _ in
      while !isOver() {
        let seed: UInt64? = state.withLock { state in
          guard !state.isDone, state.summary.violation == nil else { return nil }
          let seed = state.next
          if seed == seeds.upperBound { state.isDone = true } else { state.next += 1 }
          return seed
        }
        guard let seed else { return }
        let report = run(seed)
        state.withLock { $0.summary.add(report) }
      }
    }
    return state.withLock { $0.summary }
  }
}

// Owns the proof that the scheduler keeps its rules in simulated worlds full of faults.
// WATERBEAR_SEEDS=n runs n seeds instead; WATERBEAR_SEED=s runs that one and prints all that happens in it.
import Base
import Foundation
import Scheduling
import Simulator
import Testing

@Suite struct SimulationTests {
  private static func number(_ name: String) -> UInt64? {
    ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
  }

  private static func replay(_ report: SimulationReport) -> Comment {
    """
    seed \(report.seed): \(report.violation ?? "no violation")
    replay: WATERBEAR_SEED=\(report.seed) swift test --filter SimulationTests/rulesHoldUnderFaults
    """
  }

  @Test func rulesHoldUnderFaults() {
    if let seed = Self.number("WATERBEAR_SEED") {
      let report = Simulation.run(seed: seed, verbose: true)
      print(report)
      #expect(report.violation == nil, Self.replay(report))
      return
    }
    let seeds = 1...(Self.number("WATERBEAR_SEEDS") ?? 10_000)
    var finished = 0
    var failed: [String: Int] = [:]
    var attempts = 0
    var crashes = 0
    for seed in seeds {
      let report = Simulation.run(seed: seed)
      finished += report.finished
      failed.merge(report.failed, uniquingKeysWith: +)
      attempts += report.attempts
      crashes += report.coordinatorCrashes
      #expect(report.violation == nil, Self.replay(report))
      if report.violation != nil { return }
    }
    let failures = failed.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    print(
      "simulated seeds \(seeds): \(finished) queries finished, failed: \(failures); \(attempts) attempts, "
        + "\(crashes) crashes of the coordinator")
    // Most queries get through; a world in which nothing works would prove nothing.
    #expect(finished > failed.values.reduce(0, +) * 3)
    #expect(crashes > seeds.count / 10)
  }

  @Test func queriesFinishWithoutFaults() {
    for seed in UInt64(1)...300 {
      let report = Simulation.run(seed: seed, faults: FaultPlan.none)
      #expect(report.violation == nil, Self.replay(report))
      #expect(report.failed.isEmpty, Self.replay(report))
      #expect(report.finished > 0)
    }
  }

  @Test func crashOfTheCoordinatorAtEveryBoundaryCostsNothing() {
    var runs = 0
    for seed in UInt64(1)...12 {
      let boundaries = Simulation.run(seed: seed, faults: FaultPlan.none).boundaries
      for boundary in 1...boundaries {
        var faults = FaultPlan.none
        // The second crash meets a coordinator that has just restored itself.
        faults.coordinatorCrashesAt = seed % 2 == 0 ? [boundary] : [boundary, boundary + 3]
        let report = Simulation.run(seed: seed, faults: faults)
        runs += 1
        #expect(report.violation == nil, "boundary \(boundary), \(Self.replay(report))")
        #expect(report.failed.isEmpty, "boundary \(boundary), \(Self.replay(report))")
        #expect(report.coordinatorCrashes >= 1)
      }
    }
    #expect(runs > 500)
  }

  @Test func sameSeedGivesTheSameRun() {
    var hashes: Set<UInt64> = []
    for seed in UInt64(1)...200 {
      let first = Simulation.run(seed: seed)
      #expect(first == Simulation.run(seed: seed))
      hashes.insert(first.traceHash)
    }
    #expect(hashes.count == 200)
  }

  @Test(arguments: [
    (PlantedBug.selectsDuplicateReport, UInt64(1_000)), (.acceptsDeletedOutput, 5_000),
    (.reusesAttemptNumbers, 200), (.forgetsLostProducer, 500),
  ])
  func plantedBugIsFound(bug: PlantedBug, within seeds: UInt64) {
    for seed in 1...seeds {
      if let violation = Simulation.run(seed: seed, plantedBug: bug).violation {
        print("planted bug \(bug) found at seed \(seed): \(violation)")
        return
      }
    }
    Issue.record("\(bug) was not found in \(seeds) seeds")
  }
}

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
    let count = Self.number("WATERBEAR_SEEDS") ?? 100_000
    searchWorlds(1...count)
    // And some that nobody has seen before: what is found there is replayed by its seed alone.
    let first = UInt64.random(in: 1_000_000...UInt64(1 << 53))
    searchWorlds(first...first + count / 5)
  }

  private func searchWorlds(_ seeds: ClosedRange<UInt64>) {
    let summary = Simulation.search(seeds, threads: ProcessInfo.processInfo.activeProcessorCount) { seed in
      Simulation.run(seed: seed)
    }
    print("simulated from \(seeds.lowerBound) on: \(summary)")
    if let broken = summary.violation { Issue.record(Self.replay(broken)) }
    // Most queries get through; a world in which nothing works would prove nothing.
    #expect(summary.finished > summary.failedCount * 3)
    #expect(summary.coordinatorCrashes > summary.worlds / 10)
    #expect(summary.skippedStages > summary.worlds / 10)
    #expect(summary.planChanges > summary.worlds / 10)
  }

  @Test func faultsCanBeLeftOut() {
    for seed in UInt64(1)...500 {
      var random = RandomSource(seed: seed)
      let drawn = FaultPlan.random(&random)
      var none = FaultPlan.none
      none.until = drawn.until
      #expect(drawn.keeping([]) == none)
      #expect(drawn.keeping(Set(FaultKind.allCases)) == drawn)
      let report = Simulation.run(seed: seed, kinds: [])
      #expect(report.violation == nil && report.failed.isEmpty, Self.replay(report))
    }
  }

  /// The store goes back by up to a second, all workers die, and files are torn, or are newer than the store.
  @Test func aLossOfPowerLosesNoRowsAndNoCommit() {
    var faults = FaultPlan.none
    faults.powerCutEvery = .milliseconds(300)
    faults.until = MonotonicTime(nanoseconds: 3_000_000_000)
    let (plan, threads) = (faults, ProcessInfo.processInfo.activeProcessorCount)
    let summary = Simulation.search(1...10_000, threads: threads) { Simulation.run(seed: $0, faults: plan) }
    print("without power: \(summary)")
    if let broken = summary.violation { Issue.record(Self.replay(broken)) }
    #expect(summary.powerCuts > summary.worlds)
    #expect(summary.finished > summary.failedCount * 3)
  }

  @Test func bigWorldKeepsTheRules() {
    let kinds = Set(FaultKind.allCases).subtracting([.userError, .poison, .cancel])
    var finished = 0
    for seed in UInt64(1)...6 {
      let report = Simulation.run(seed: seed, kinds: kinds, shape: WorldShape(workers: 50, tasks: 3000))
      #expect(report.violation == nil, Self.replay(report))
      #expect(report.attempts > 3000 || report.finished == 0, Self.replay(report))
      finished += report.finished
    }
    #expect(finished > 1)
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

  @Test(arguments: PlantedBug.allCases)
  func plantedBugIsFound(bug: PlantedBug) throws {
    let summary = Simulation.search(1...20_000, threads: ProcessInfo.processInfo.activeProcessorCount) { seed in
      Simulation.run(seed: seed, plantedBug: bug)
    }
    let found = try #require(summary.violation, "\(bug) was not found in \(summary.worlds) worlds")
    print("planted bug \(bug) found at seed \(found.seed): \(found.violation ?? "")")
  }

  /// Outputs that were empty are lost and have rows when they are made again.
  @Test func skippedStagesRunAfterAll() {
    var faults = FaultPlan.none
    faults.spoolLossEvery = .milliseconds(15)
    faults.nondeterministicStage = 0.7
    let (plan, threads) = (faults, ProcessInfo.processInfo.activeProcessorCount)
    let summary = Simulation.search(1...5_000, threads: threads) { Simulation.run(seed: $0, faults: plan) }
    if let broken = summary.violation { Issue.record(Self.replay(broken)) }
    #expect(summary.skippedStages > 0)
  }
}

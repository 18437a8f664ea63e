// Owns the command line of tools/simulate: which worlds are run, for how long, and what is printed of them.
import ArgumentParser
import Foundation
import Scheduling
import Simulator

/// Runs the scheduler in simulated worlds.
@main struct SimulateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate",
    abstract: "Runs the scheduler in simulated worlds full of faults and checks that it keeps its rules.",
    discussion: """
      Each seed is a world: queries, workers, and a mixture of deaths, losses, delays and restarts. After each turn \
      checkers look at it: each split and partition is read exactly once, no task is lost, no attempt number comes \
      twice, memory, slots and retries stay within their limits, queries take turns, all ends once faults stop, and \
      nothing is left behind. Without --seed, worlds are run until --minutes or --seeds are over, or a rule is broken; \
      the broken world's seed is printed and replays exactly.
      """)

  @Option(help: "Run this world only and print all that happens in it.")
  var seed: UInt64?
  @Option(help: "The first seed of a search.")
  var from: UInt64 = 1
  @Option(help: "How many worlds to run. Default: as many as --minutes allows, or 100000.")
  var seeds: UInt64?
  @Option(help: "How long to search.")
  var minutes: Double?
  @Option(help: "Threads. Default: one for each core.")
  var threads: Int?
  @Option(help: "Workers of a world. Default: one to three.")
  var workers: Int?
  @Option(help: "Tasks of a world's one query. Default: a few queries of a few tasks.")
  var tasks: Int?
  @Option(help: ArgumentHelp("'all', 'none', or some with commas between them: \(Self.names(FaultKind.self))."))
  var faults = "all"
  @Option(help: ArgumentHelp("Switch on a bug that the search should find: \(Self.names(PlantedBug.self))."))
  var bug: String?
  @Flag(help: "Switch on each planted bug in turn and say at which seed it is found.")
  var plantedBugs = false
  @Flag(help: "Measure the scheduler alone: processor time for each task, up to --tasks on up to --workers.")
  var cost = false

  private static func names<Choice: CaseIterable & RawRepresentable<String>>(_: Choice.Type) -> String {
    Choice.allCases.map(\.rawValue).joined(separator: ", ")
  }

  func run() throws {
    if cost { return try measureCost() }
    if plantedBugs { return try findPlantedBugs() }
    let worlds = try self.worlds(bug: bug.map(named))
    if let seed {
      let report = worlds(seed, true)
      print(report.text)
      if report.violation != nil { throw ExitCode.failure }
      return
    }
    let summary = search(worlds)
    print(summary)
    if let broken = summary.violation {
      print("\nbroken: \(broken.violation ?? "")\nreplay: \(replay(broken.seed))")
      throw ExitCode.failure
    }
  }

  private func search(_ worlds: @escaping @Sendable (UInt64, Bool) -> SimulationReport) -> SimulationSummary {
    let end = minutes.map { Date(timeIntervalSinceNow: $0 * 60) }
    let count = seeds ?? (minutes == nil ? 100_000 : UInt64(Int64.max))
    return Simulation.search(
      from...(from + max(1, count) - 1), threads: threads ?? ProcessInfo.processInfo.activeProcessorCount,
      isOver: { end.map { $0 <= Date() } ?? false }, run: { worlds($0, false) })
  }

  /// What runs the world of a seed, verbosely or not.
  private func worlds(bug: PlantedBug?) throws -> @Sendable (UInt64, Bool) -> SimulationReport {
    let kinds = try chosenFaults()
    let isBig = workers != nil || tasks != nil
    let shape = isBig ? WorldShape(workers: workers ?? 3, tasks: tasks ?? 100) : nil
    return { Simulation.run(seed: $0, kinds: kinds, shape: shape, plantedBug: bug, verbose: $1) }
  }

  private func chosenFaults() throws -> Set<FaultKind> {
    switch faults {
    case "all": return Set(FaultKind.allCases)
    case "none": return []
    default:
      return Set(
        try faults.split(separator: ",").map { name in
          guard let kind = FaultKind(rawValue: String(name)) else {
            throw ValidationError("There is no fault '\(name)'; see --help.")
          }
          return kind
        })
    }
  }

  private func named(_ bug: String) throws -> PlantedBug {
    guard let known = PlantedBug(rawValue: bug) else {
      throw ValidationError("There is no planted bug '\(bug)'; see --help.")
    }
    return known
  }

  private func replay(_ seed: UInt64) -> String {
    var words = ["tools/simulate", "--seed", String(seed)]
    if let workers { words += ["--workers", String(workers)] }
    if let tasks { words += ["--tasks", String(tasks)] }
    if faults != "all" { words += ["--faults", faults] }
    if let bug { words += ["--bug", bug] }
    return words.joined(separator: " ")
  }

  private func findPlantedBugs() throws {
    var missed = false
    for bug in PlantedBug.allCases {
      let summary = search(try worlds(bug: bug))
      if let found = summary.violation {
        print("\(bug.rawValue): found at seed \(found.seed): \(found.violation ?? "")")
      } else {
        print("\(bug.rawValue): NOT FOUND in \(summary.worlds) worlds")
        missed = true
      }
    }
    if missed { throw ExitCode.failure }
  }

  private func measureCost() throws {
    let (most, workers) = (tasks ?? 1_000_000, workers ?? 10_000)
    print("     tasks   workers   microseconds a task   with failures")
    // The first run pays for pages the allocator has not seen yet.
    _ = SchedulingCost.measure(tasks: 1000, workers: 10)
    for divisor in [1000, 100, 10, 1] where most / divisor > 0 {
      let costs = [false, true].map {
        SchedulingCost.measure(tasks: most / divisor, workers: max(1, workers / divisor), isDisturbed: $0)
      }
      guard costs.allSatisfy({ $0.finished == $0.tasks + 1 }) else { throw ExitCode.failure }
      let micros = costs.map { String(format: "%.2f", $0.secondsPerTask * 1e6) }
      print(pad(costs[0].tasks, 10) + pad(costs[0].workers, 10) + pad(micros[0], 22) + pad(micros[1], 16))
    }
  }

  private func pad(_ value: some CustomStringConvertible, _ width: Int) -> String {
    let text = value.description
    return String(repeating: " ", count: max(0, width - text.count)) + text
  }
}

extension SimulationReport {
  /// For people.
  var text: String {
    let failures = failed.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    return "seed \(seed): \(violation ?? "no rule broken"); \(events) events, \(attempts) attempts, "
      + "\(coordinatorCrashes) crashes of the coordinator, \(finished) queries finished"
      + (failures.isEmpty ? "" : ", failed: \(failures)")
  }
}

// Owns the order in which a local query's fragments run, how each is cut into tasks, and what a task reads.

import Base
import Columnar
import ConnectorAPI
import Execution
import Planning

/// The run of one plan. Holds every fragment's output until the end.
final class FragmentRuns {
  private let catalogs: Catalogs
  private let options: LocalRunner.Options
  /// By fragment: the pages of its tasks, in the order of tasks and partitions.
  private var outputs: [Int: [TaskOutput]] = [:]

  init(catalogs: Catalogs, options: LocalRunner.Options) {
    self.catalogs = catalogs
    self.options = options
  }

  func rows(of plan: FragmentedPlan) throws -> [[Value]] {
    if let adaptive = options.adaptive {
      try run(AdaptivePlan(plan.fragments, options: adaptive))
    } else {
      // Inputs have higher numbers than their consumers.
      for fragment in plan.fragments.reversed() { try run(fragment) }
    }
    let types = plan.fragments[0].outputSymbols.map(\.type)
    return try (outputs[0] ?? []).flatMap { try $0.batches(of: nil, types: types).flatMap(\.rowValues) }
  }

  private func run(_ fragment: PlanFragment) throws {
    outputs[fragment.number] = try tasks(of: fragment).enumerated().map { number, task in
      try run(fragment, task, number: number)
    }
  }

  /// Runs what has its inputs, those last that most others wait for, and looks at the plan again after each.
  private func run(_ plan: AdaptivePlan) throws {
    var plan = plan
    var figures = plan.fragments.map { _ in FragmentFigures() }
    while !figures[0].isComplete && !figures[0].isSkipped {
      let next = plan.fragments.indices.last { number in
        !figures[number].isComplete && !figures[number].isSkipped
          && plan.fragments[number].inputs.allSatisfy { outputs[$0.fragment] != nil }
      }
      guard let next else { preconditionFailure("no fragment can run") }
      try run(plan.fragments[next])
      figures[next].isComplete = true
      figures[next].isFixed = true
      figures[next].rows = outputs[next]?.reduce(0) { $0 + Int64($1.rows) } ?? 0
      figures[next].bytes = outputs[next]?.reduce(0) { $0 + Int64($1.bytes) } ?? 0
      figures[next].isEmpty = figures[next].rows == 0
      if let revision = plan.revise(figures, ended: next) {
        for decision in revision.decisions { options.onDecision?("\(decision.kind) \(decision.reason)") }
        while figures.count < plan.fragments.count { figures.append(FragmentFigures()) }
      }
      for (number, reason) in plan.idle(figures) where !figures[number].isComplete && !figures[number].isSkipped {
        figures[number].isSkipped = true
        outputs[number] = []
        options.onDecision?("skipped \(reason)")
      }
    }
  }

  /// What makes one task of a fragment different from another.
  private struct Task {
    var splits: [Int: [Split]] = [:]
    /// The partitions to read of partitioned inputs; nil for all.
    var partitions: Range<Int>?
    var shares: [RowShare] = []
  }

  private func tasks(of fragment: PlanFragment) throws -> [Task] {
    let whole = try wholeTasks(of: fragment)
    guard options.sharesPerTask > 1, fragment.kind != .single else { return whole }
    // Along every axis there is, as if each had been too much for the memory.
    var axes: [Int?] = []
    let partitioned = fragment.inputs.filter { $0.mode == .partitioned }
    if !partitioned.isEmpty, partitioned.allSatisfy(fragment.isDivisible) { axes.append(nil) }
    axes += fragment.inputs.filter { $0.mode == .broadcast && fragment.isDivisible(by: $0) }.map(\.fragment)
    return axes.reduce(whole) { tasks, axis in
      tasks.flatMap { task in
        (0..<options.sharesPerTask).map { index in
          var part = task
          part.shares.append(RowShare(build: axis, index: index, count: options.sharesPerTask))
          return part
        }
      }
    }
  }

  private func wholeTasks(of fragment: PlanFragment) throws -> [Task] {
    switch fragment.kind {
    case .single: return [Task()]
    case .hash:
      let inputs = fragment.inputs.filter { $0.mode == .partitioned }.flatMap { outputs[$0.fragment] ?? [] }
      let count = inputs.map(\.partitionCount).max() ?? options.partitionCount
      return stride(from: 0, to: count, by: options.partitionsPerTask).map { start in
        Task(partitions: start..<min(start + options.partitionsPerTask, count))
      }
    case .source:
      let splits = try splits(of: fragment.root)
      return stride(from: 0, to: splits.count, by: options.splitsPerTask).map { start in
        let packed = splits[start..<min(start + options.splitsPerTask, splits.count)]
        return Task(splits: Dictionary(grouping: packed, by: \.scan).mapValues { $0.map(\.split) })
      }
    }
  }

  private func splits(of node: PlanNode) throws -> [(scan: Int, split: Split)] {
    guard case .tableScan(let scan) = node else { return try node.sources.flatMap(splits) }
    let connector = try catalogs.connector(scan.table.catalog)
    return try connector.splits(of: scan.table, columns: scan.columns.map(\.column), constraint: scan.constraint)
      .map { (scan.id, $0) }
  }

  private func run(_ fragment: PlanFragment, _ task: Task, number: Int) throws -> TaskOutput {
    let fragment = try BinaryDecoder.decode(PlanFragment.self, from: BinaryEncoder.encode(fragment))
    var types = Self.remoteTypes(of: fragment.root)
    for source in fragment.keySources { types[source.fragment] = source.columns.map(\.type) }
    let modes = Dictionary(uniqueKeysWithValues: fragment.inputs.map { ($0.fragment, $0.mode) })
    let outputs = outputs
    var context = TaskContext(
      catalogs: catalogs, splits: task.splits,
      openRemoteSource: { number in
        guard let mode = modes[number], let types = types[number], let tasks = outputs[number] else {
          preconditionFailure("fragment \(fragment.number) reads fragment \(number), which is no input of it")
        }
        let partitions = mode == .partitioned ? task.partitions : nil
        return BatchSource(try tasks.flatMap { try $0.batches(of: partitions, types: types) })
      },
      memory: MemoryContext(limit: options.taskMemory), seed: UInt64(fragment.number) << 32 | UInt64(number))
    context.openSortedSources = { number in
      guard let types = types[number], let tasks = outputs[number] else {
        preconditionFailure("fragment \(fragment.number) reads fragment \(number), which is no input of it")
      }
      return try tasks.map { BatchSource(try $0.batches(of: nil, types: types)) }
    }
    let stage = StageID(query: QueryID("local"), number: fragment.number)
    context.attempt = AttemptID(task: TaskID(stage: stage, partition: number), number: 0)
    context.taskNumber = number
    context.shares = task.shares
    let output = TaskOutput(partitionCount: fragment.output.partitionCount)
    _ = try TaskExecutor(fragment: fragment, context: context).run(into: output)
    return output
  }

  private static func remoteTypes(of node: PlanNode) -> [Int: [DataType]] {
    if case .remoteSource(let source) = node {
      let types = source.outputs.map(\.type)
      return Dictionary(uniqueKeysWithValues: source.fragments.map { ($0, types) })
    }
    return node.sources.reduce(into: [:]) { found, child in
      found.merge(remoteTypes(of: child)) { first, _ in first }
    }
  }
}

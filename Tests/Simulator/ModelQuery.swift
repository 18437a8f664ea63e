// Owns a random query and what its tasks compute, in numbers that stand for sets of rows.
import Base
import Scheduling

/// A query of the simulated world.
///
/// The rows of one output partition are one 64-bit number: the wrapping sum of its rows' hashes. A reader's output is
/// a function of those sums that does not depend on how splits and partitions were packed into tasks, so that the
/// whole result is known beforehand, and any row lost, doubled or mixed up changes it.
public struct ModelQuery: Sendable {
  public let description: QueryDescription
  let seed: UInt64
  /// The weights of each stage's splits; none except in source stages.
  let splits: [[Int64]]
  /// Tasks of these stages give other rows each time.
  let nondeterministicStages: Set<Int>
  /// Tasks that fail with USER_ERROR whenever they run: by stage, the split or partition.
  let userError: (stage: Int, item: Int)?
  /// Tasks that kill their worker whenever they run.
  let poison: (stage: Int, item: Int)?
  /// Of tasks that need more memory than estimated, a bit each.
  let bigTasks: Double
  let memory: Int64
  /// What of the plan may change.
  let plan: ModelPlan
  let biggestWorker: Int64

  var id: QueryID { description.id }

  static let megabyte: Int64 = 1 << 20

  init(
    number: Int, faults: FaultPlan, shape: WorldShape? = nil, biggestWorker: Int64, random: inout RandomSource
  ) {
    seed = random.next()
    let drawn = random.within(1...5)
    // Every fifth query joins two stages of which one waits for a third.
    let isJoin = seed % 5 == 2
    let count = isJoin ? 5 : drawn
    var stages: [StageDescription] = []
    var splits: [[Int64]] = []
    var nondeterministic: Set<Int> = []
    // Stage numbers grow upstream. Each stage but the root is read by at least one with a lower number.
    var readers = [[(stage: Int, mode: StageInput.Mode)]](repeating: [], count: count)
    var kinds: [StageDescription.Kind] = []
    for stage in 0..<count {
      let mayRead = stage < count - 1
      let roll = random.below(10)
      kinds.append(!mayRead ? (roll < 9 ? .source : .single) : roll < 3 ? .source : roll < 7 ? .hash : .single)
    }
    var hasPartitioned = [Bool](repeating: false, count: count)
    for stage in stride(from: 1, to: count, by: 1) {
      let edges = random.chance(0.15) ? 2 : 1
      for _ in 0..<edges {
        let reader = random.below(stage)
        if readers[stage].contains(where: { $0.stage == reader }) { continue }
        let mode: StageInput.Mode
        switch kinds[reader] {
        case .source: mode = .broadcast
        case .single: mode = random.chance(0.8) ? .gathered : .broadcast
        case .hash: mode = !hasPartitioned[reader] || random.chance(0.7) ? .partitioned : .broadcast
        }
        if mode == .partitioned { hasPartitioned[reader] = true }
        readers[stage].append((reader, mode))
      }
    }
    if isJoin {
      (kinds, readers) = Self.joinShape(random.pick([.single, .hash, .source]), waitsFor: random.within(3...4))
      hasPartitioned = kinds.map { $0 == .hash }
    }
    let partitions = random.pick([1, 2, 3, 4, 7])
    for stage in 0..<count {
      // A hash stage that nobody gave partitions to is one that reads everything.
      if kinds[stage] == .hash, !hasPartitioned[stage] { kinds[stage] = .single }
      var inputs: [StageInput] = []
      for other in (stage + 1)..<max(stage + 1, count) {
        for edge in readers[other] where edge.stage == stage {
          let mode: StageInput.Mode = kinds[stage] == .single && edge.mode == .partitioned ? .gathered : edge.mode
          // Not drawn, so that the other draws of a seed stay what they are.
          let isDivisible = mode != .gathered && RandomSource.mix(seed, UInt64(other)) % 4 != 0
          inputs.append(StageInput(stage: other, mode: mode, isDivisible: isDivisible))
        }
      }
      stages.append(
        StageDescription(
          number: stage, kind: kinds[stage], inputs: inputs, outputPartitionCount: stage == 0 ? 1 : partitions,
          memoryEstimate: 0))
      let splitCount = kinds[stage] == .source ? random.pick([0, 1, 2, 3, 5, 8]) : 0
      splits.append((0..<splitCount).map { _ in Int64(random.within(1...8)) * Self.megabyte })
      if random.chance(faults.nondeterministicStage) { nondeterministic.insert(stage) }
    }
    if let shape { (stages, splits, nondeterministic) = (shape.stages, shape.splits, []) }
    let policy: RetryPolicy = random.chance(0.15) ? .query : random.chance(0.08) ? .none : .task
    memory = 10 * Self.megabyte
    var description = QueryDescription(
      id: QueryID("q\(number)"), retryPolicy: policy,
      limits: RetryLimits(
        initialDelay: .milliseconds(100), maxDelay: .milliseconds(800), taskWorkerLosses: random.pick([3, 32])),
      sizing: TaskSizing(
        compute: .init(
          minimum: Int64(random.pick([1, 6, 12])) * Self.megabyte, maximum: 20 * Self.megabyte,
          growthPeriod: random.within(1...3), growthFactor: 1.5),
        maxSplitsPerTask: shape == nil ? random.within(1...4) : 1,
        hashTaskTargetSize: Int64(random.pick([1, 5, 1000])) * Self.megabyte, hashTasksPerSlot: 1,
        taskMinimumSize: Self.megabyte),
      memory: MemoryPolicy(taskMemory: memory),
      stragglers: StragglerPolicy(
        isEnabled: random.chance(0.5), slowness: 2, minimumRunTime: .milliseconds(Int64(random.within(20...300)))),
      // Not drawn, so that the other draws of a seed stay what they are.
      completion: seed % 3 == 0 ? .commit : nil,
      stages: stages)
    // Not drawn either.
    if seed % 4 > 0 {
      description.sizing.tasksWaitingForNodeMax = [1, 2, 50][Int(seed % 4) - 1]
      description.sizing.tasksWaitingForExecutionMax = [2, 1, 10][Int(seed % 4) - 1]
    }
    // Where users may cancel, they may have set a limit as well.
    if seed % 5 < 2, faults.cancel > 0 {
      let long = TimeSpan.seconds(8_640_000)
      let run = TimeSpan.milliseconds(500 + Int64((seed >> 4) % 4000))
      description.timeLimits = TimeLimits(run: run, execution: long, queued: long)
    }
    self.description = description
    self.splits = splits
    nondeterministicStages = nondeterministic
    let victim = random.below(stages.count)
    let item = random.below(stages[victim].kind == .source ? max(1, splits[victim].count) : partitions)
    userError = random.chance(faults.userError) ? (victim, item) : nil
    poison = userError == nil && random.chance(faults.poison) ? (victim, item) : nil
    bigTasks = faults.bigTask
    self.biggestWorker = biggestWorker
    let marks = [userError?.stage, poison?.stage]
    plan = ModelPlan(stages, seed: seed, isFixed: shape != nil || seed % 3 == 1, noisy: nondeterministic) { fold in
      !nondeterministic.contains(fold.join) && !marks.contains(fold.join)
    }
  }

  /// Stage 1 joins stages 2 and 3 by partition; stage 2 cannot start before the stage it waits for.
  private static func joinShape(
    _ root: StageDescription.Kind, waitsFor: Int
  ) -> ([StageDescription.Kind], [[(stage: Int, mode: StageInput.Mode)]]) {
    let mode: StageInput.Mode = root == .single ? .gathered : root == .hash ? .partitioned : .broadcast
    var readers: [[(stage: Int, mode: StageInput.Mode)]] = [
      [], [(0, mode)], [(1, .partitioned)], [(1, .partitioned)], [(0, root == .single ? .gathered : .broadcast)],
    ]
    readers[waitsFor].append((2, .broadcast))
    return ([root, .hash, .source, .source, .source], readers)
  }

  /// Whether the task's input holds the item.
  func touches(_ task: TaskID, _ input: TaskInput, _ mark: (stage: Int, item: Int)?) -> Bool {
    guard let mark, mark.stage == task.stage.number else { return false }
    switch description.stages[mark.stage].kind {
    case .source: return input.splits.contains(mark.item)
    case .hash:
      return input.exchanges.contains { $0.mode == .partitioned && $0.partitions.contains(mark.item) }
    case .single: return true
    }
  }

  /// The bytes an attempt of a task with this input needs: of a part what is its share. Never more than the biggest
  /// worker has, unless the task can be divided.
  func memoryNeeded(_ stage: Int, _ input: TaskInput) -> Int64 {
    guard stage < description.stages.count else { return memory / 5 }
    let items = items(of: stage, input)
    let needed = items.reduce(Int64(0)) { $0 + memoryNeeded(stage, item: $1) / Int64(items.count) }
    let share = needed / Int64(input.shares.reduce(1) { $0 * $1.count })
    return isDivisible(stage, input) ? share : min(biggestWorker, share)
  }

  /// Some items need several times what a worker has.
  private func memoryNeeded(_ stage: Int, item: Int) -> Int64 {
    let partitioned = description.stages[stage].inputs.first { $0.mode == .partitioned }
    // Partitions beyond those planned have no rows.
    if let partitioned, item >= description.stages[partitioned.stage].outputPartitionCount { return memory / 5 }
    let roll = RandomSource.mix(seed ^ 0xABCD, UInt64(stage * 1000 + item))
    if Double(roll % 1000) / 1000 >= bigTasks { return memory * Int64(20 + roll % 80) / 100 }
    return memory * Int64(1 + roll / 1000 % 12) * (roll / 12000 % 4 == 0 ? 4 : 1)
  }

  private func isDivisible(_ stage: Int, _ input: TaskInput) -> Bool {
    if description.stages[stage].kind == .single { return false }
    let edges = description.stages[stage].inputs
    let partitioned = edges.filter { $0.mode == .partitioned }
    return input.splits.count > 1 || edges.contains { $0.mode == .broadcast && $0.isDivisible == true }
      || (!partitioned.isEmpty && partitioned.allSatisfy { $0.isDivisible == true })
  }

  /// Splits or partitions of a task.
  private func items(of stage: Int, _ input: TaskInput) -> [Int] {
    switch description.stages[stage].kind {
    case .source: Array(input.splits)
    case .single: [0]
    case .hash: input.exchanges.first { $0.mode == .partitioned }?.partitions ?? []
    }
  }

  /// What is written of a share is that part of what is written of the whole: the factors of all shares of one count
  /// add up to 1.
  private static func factor(_ share: TaskShare) -> UInt64 {
    let atoms = 1 << 10
    let salt: UInt64 = if case .build(let stage) = share.axis { UInt64(stage) &+ 77 } else { 7 }
    let length = atoms / share.count
    let range = share.index * length..<(share.index + 1) * length
    let upTo = range.upperBound == atoms ? range.lowerBound : range.upperBound
    let sum = (0..<upTo).reduce(into: (before: UInt64(0), within: UInt64(0))) { sums, atom in
      let weight = RandomSource.mix(salt, UInt64(atom))
      if atom < range.lowerBound { sums.before &+= weight } else { sums.within &+= weight }
    }
    return upTo == range.upperBound ? sum.within : 1 &- sum.before
  }

  /// What an attempt writes: one number for each output partition; 0 where it has no rows. `current` is the query as
  /// its plan is by now.
  ///
  /// `sum(input, partition)` gives the sum over all producers of the stage's nth input; `noise` differs from attempt
  /// to attempt.
  func output(
    of stage: Int, as current: QueryDescription, input: TaskInput, noise: UInt64,
    sum: (_ input: Int, _ partition: Int) -> UInt64
  ) -> [UInt64] {
    if stage >= description.stages.count {
      // Added to hand on what it reads.
      return (0..<current.stages[stage].outputPartitionCount).map { sum(0, $0) }
    }
    var input = input
    for (index, exchange) in input.exchanges.enumerated() {
      // Where there are more partitions than planned, the others have no rows.
      let origin = plan.origin(of: exchange.stage.number, in: current)
      let planned = description.stages[origin].outputPartitionCount
      input.exchanges[index].partitions = exchange.partitions.filter { $0 < planned }
    }
    let rows = rows(of: stage, as: current, input: input, noise: noise, sum: sum)
    return rows + Array(repeating: 0, count: current.stages[stage].outputPartitionCount - rows.count)
  }

  private func rows(
    of stage: Int, as current: QueryDescription, input: TaskInput, noise: UInt64,
    sum: (_ input: Int, _ partition: Int) -> UInt64
  ) -> [UInt64] {
    if plan.isFolded(stage, in: current) {
      var own = input
      own.exchanges.removeLast()
      let rows = output(of: stage, input: own, noise: noise, sum: sum)
      let build = input.exchanges.count - 1
      return (0..<description.stages[stage].outputPartitionCount).map { partition in
        rows.indices.reduce(0) { $0 &+ rows[$1] &* ModelPlan.factor(sum(build, $1), $1, partition) }
      }
    }
    if plan.fold?.join == stage {
      let partitions = input.exchanges[0].partitions
      let share = input.shares.reduce(UInt64(1)) { $0 &* Self.factor($1) }
      return (0..<description.stages[stage].outputPartitionCount).map { partition in
        share &* partitions.reduce(0) { $0 &+ sum(0, $1) &* ModelPlan.factor(sum(1, $1), $1, partition) }
      }
    }
    return output(of: stage, input: input, noise: noise, sum: sum)
  }

  private func output(
    of stage: Int, input: TaskInput, noise: UInt64, sum: (_ input: Int, _ partition: Int) -> UInt64
  ) -> [UInt64] {
    let isNoisy = nondeterministicStages.contains(stage)
    let inner = plan.innerInputs[stage]
    let description = description.stages[stage]
    let nothing = [UInt64](repeating: 0, count: description.outputPartitionCount)
    if plan.barren.contains(stage), !isNoisy || noise % 2 != 0 { return nothing }
    for (index, exchange) in input.exchanges.enumerated() where exchange.mode != .partitioned && inner.contains(index) {
      if exchange.partitions.allSatisfy({ sum(index, $0) == 0 }) { return nothing }
    }
    var everything: UInt64 = 1
    for (index, exchange) in input.exchanges.enumerated() where exchange.mode != .partitioned {
      for partition in exchange.partitions {
        everything = everything &* 3 &+ RandomSource.mix(sum(index, partition), UInt64(partition))
      }
    }
    let salt = seed &+ UInt64(stage) &* 0x1234_5678_9ABC_DEF1 ^ (isNoisy ? noise : 0)
    var items: [UInt64] = []
    switch description.kind {
    case .source:
      items = input.splits.map { UInt64($0) }
    case .single:
      items = [0]
    case .hash:
      let partitions = input.exchanges.first { $0.mode == .partitioned }?.partitions ?? []
      for partition in partitions {
        var item = UInt64(partition)
        var hasRows = true
        for (index, exchange) in input.exchanges.enumerated() where exchange.mode == .partitioned {
          let rows = sum(index, partition)
          if rows == 0 && inner.contains(index) { hasRows = false }
          item = RandomSource.mix(item, rows)
        }
        if hasRows { items.append(item) }
      }
    }
    let factor = input.shares.reduce(UInt64(1)) { $0 &* Self.factor($1) }
    return (0..<description.outputPartitionCount).map { partition in
      var total: UInt64 = 0
      for item in items { total &+= RandomSource.mix(item ^ salt, UInt64(partition) &+ everything) }
      return total &* factor
    }
  }

  /// The result of an undisturbed run; only for queries whose stages are all deterministic.
  func expectedResult() -> UInt64 {
    var outputs = [[UInt64]?](repeating: nil, count: description.stages.count)
    func compute(_ stage: Int) -> [UInt64] {
      if let known = outputs[stage] { return known }
      let inputs = description.stages[stage].inputs
      let sums = inputs.map { compute($0.stage) }
      let exchanges = inputs.map {
        TaskInput.Exchange(
          stage: StageID(query: id, number: $0.stage), mode: $0.mode,
          partitions: Array(0..<description.stages[$0.stage].outputPartitionCount), producers: [])
      }
      let input = TaskInput(splits: 0..<splits[stage].count, exchanges: exchanges)
      let result = output(of: stage, as: description, input: input, noise: 0) { sums[$0][$1] }
      outputs[stage] = result
      return result
    }
    return compute(0).reduce(0, &+)
  }
}

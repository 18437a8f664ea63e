// Owns what becomes of a task too big for any worker: it is divided into smaller ones, which together read the same
// rows once. Knows no keys and no hashes, only which axes there are and how many bytes lie along each.
import Base

extension Scheduler {
  /// Into how many shares a task is divided at a time.
  static let divisionFactor = 4
  /// No task is made smaller than this part of what it first was, along all axes together.
  static let shareCountMax = 1024

  /// Replaces a task that lacked memory although it had nearly all that a task can get; false where it had less, has
  /// finished before, so that others may have read what it gave, or cannot be divided any further.
  ///
  /// The task keeps its number and becomes the first share; the others are new tasks of its stage. Nothing that any
  /// attempt of it has made counts any more.
  func divide(_ task: TaskReference, after error: WaterbearError, grant: Int64) -> Bool {
    let most = most(task.query)
    // What an only slot leaves for others would not have helped.
    guard most > 0, grant >= most / 9 * 8, task.state.outputDigest == 0, let axis = biggestAxis(task)
    else { return false }
    switch axis {
    case .splits: replace(task, by: halves(task.state.input))
    case .share(.partitions) where task.state.input.partitions.count > 1:
      replace(task, by: fewerPartitions(task.state.input))
    case .share(let axis):
      let own = task.state.input.share(along: axis)
      var count = own.count * Self.divisionFactor
      // A worker killed for memory may have been so for another's sake: of that the stage's other tasks learn nothing.
      if case .build = axis, error.code == .exceededLocalMemoryLimit {
        count = max(count, task.query.stages[task.stage].neededShares[axis] ?? 0)
        task.query.stages[task.stage].neededShares[axis] = count
      }
      replace(task, by: task.state.input.shares(of: own, into: count / own.count))
    }
    return true
  }

  /// Divides a task that never ran as much as others of its stage needed because of the same broadcast input.
  func divideAsOthers(_ task: TaskReference) {
    let needed = task.query.stages[task.stage].neededShares
    if needed.isEmpty || task.state.nextAttempt > 0 { return }
    var inputs = [task.state.input]
    for (axis, count) in needed.sorted(by: { $0.key < $1.key }) {
      inputs = inputs.flatMap { input in
        let own = input.share(along: axis)
        return own.count < count ? input.shares(of: own, into: count / own.count) : [input]
      }
    }
    if inputs.count > 1 { replace(task, by: inputs) }
  }

  // MARK: Axes

  private enum Direction {
    case splits
    case share(TaskShare.Axis)
  }

  /// Along which the task has most bytes for each share it is already divided into; nil where there is none. Splits
  /// come last: what is kept of their rows seldom depends on how many there are.
  private func biggestAxis(_ task: TaskReference) -> Direction? {
    let query = task.query
    let input = task.state.input
    let inputs = query.stages[task.stage].description.inputs
    let shareCount = input.shares.reduce(1) { $0 * $1.count }
    var best: (axis: TaskShare.Axis, bytes: Int64)?
    func consider(_ axis: TaskShare.Axis, _ bytes: Int64) {
      let share = bytes / Int64(input.share(along: axis).count)
      if best.map({ share > $0.bytes }) ?? true { best = (axis, share) }
    }
    let isSingle = query.stages[task.stage].description.kind == .single
    if !isSingle, shareCount * Self.divisionFactor <= Self.shareCountMax {
      let partitioned = inputs.filter { $0.mode == .partitioned }
      if !partitioned.isEmpty, partitioned.allSatisfy({ $0.isDivisible == true }) {
        let bytes = partitioned.reduce(Int64(0)) { total, edge in
          input.partitions.reduce(total) { $0 + query.stages[edge.stage].partitionBytes[$1] }
        }
        consider(.partitions, bytes)
      }
      for edge in inputs where edge.mode == .broadcast && edge.isDivisible == true {
        consider(.build(stage: edge.stage), query.stages[edge.stage].partitionBytes.reduce(0, +))
      }
    }
    if let best { return .share(best.axis) }
    return input.splits.count > 1 ? .splits : nil
  }

  private func halves(_ input: TaskRecord.Input) -> [TaskRecord.Input] {
    let splits = input.splits
    let middle = splits.lowerBound + splits.count / 2
    return [splits.lowerBound..<middle, middle..<splits.upperBound].map { range in
      input.shares.isEmpty ? .splits(range) : .shares(input.shares, of: .splits(range))
    }
  }

  /// Whole partitions need not be looked through for rows.
  private func fewerPartitions(_ input: TaskRecord.Input) -> [TaskRecord.Input] {
    let partitions = input.partitions
    let count = min(Self.divisionFactor, partitions.count)
    return (0..<count).map { part in
      let list = stride(from: part, to: partitions.count, by: count).map { partitions[$0] }
      return input.shares.isEmpty ? .partitions(list) : .shares(input.shares, of: .partitions(list))
    }
  }

  // MARK: Replacement

  private func replace(_ task: TaskReference, by inputs: [TaskRecord.Input]) {
    let query = task.query
    abortRuns(task, except: nil, recorded: true)
    for number in task.state.unresolved { perform(.deleteOutput(task.attempt(number))) }
    task.state.unresolved = []
    record(.taskDivided(task.id, inputs[0]))
    var counters = TaskCounters()
    counters.workerLosses = task.state.counters.workerLosses
    counters.outputLosses = task.state.counters.outputLosses
    counters.firstValidAttempt = task.state.nextAttempt
    record(.taskCounters(task.id, counters))
    task.state.counters = counters
    task.state.input = inputs[0]
    query.stages[task.stage].selectionChanged()
    addTasks(query, task.stage, Array(inputs.dropFirst()), last: false)
    query.enqueue(stage: task.stage, task: task.task)
    enter(query)
  }
}

extension TaskRecord.Input {
  /// The task's share along an axis; the whole where it was not divided along it.
  func share(along axis: TaskShare.Axis) -> TaskShare {
    shares.first { $0.axis == axis } ?? TaskShare(axis: axis, index: 0, count: 1)
  }

  /// The same with the share `own` divided into `factor` smaller ones.
  func shares(of own: TaskShare, into factor: Int) -> [TaskRecord.Input] {
    let others = shares.filter { $0.axis != own.axis }
    return (0..<factor).map { index in
      let share = TaskShare(axis: own.axis, index: own.index * factor + index, count: own.count * factor)
      return .shares((others + [share]).sorted { $0.axis < $1.axis }, of: whole)
    }
  }
}

extension TaskShare.Axis: Comparable {
  /// Partitions first, then builds by their stages: for an order that is always the same.
  public static func < (left: TaskShare.Axis, right: TaskShare.Axis) -> Bool { left.place < right.place }

  private var place: Int {
    switch self {
    case .partitions: -1
    case .build(let stage): stage
    }
  }
}

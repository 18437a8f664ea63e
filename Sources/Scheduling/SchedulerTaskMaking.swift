// Owns the pace at which splits become tasks: not many more than can soon run, so that a query of very many splits has
// no more tasks to remember than it needs. Splits that are in no task yet are a number each.
import Base

extension Scheduler {
  /// Makes tasks of splits that are known, as long as not too many wait. Two kinds of waiting have limits of their own:
  /// tasks that could run must not keep those from being made that others wait for, nor the other way round.
  ///
  /// O(stages), and for each task made O(1). Whenever all tasks of the query that could run do, more are made.
  func makeTasks(_ query: QueryState) {
    for number in query.order where !query.stages[number].isSkipped {
      if query.stages[number].packer.hasMore || query.stages[number].lacksEnd { makeTasks(query, number) }
    }
  }

  private func makeTasks(_ query: QueryState, _ stage: Int) {
    let sizing = query.description.sizing
    let mayRun = query.stages[stage].mayRun
    var room = Int.max
    if query.stages[stage].packer.hasMore,
      let limit = mayRun ? sizing.tasksWaitingForNodeMax : sizing.tasksWaitingForExecutionMax
    {
      guard query.phase == .running else { return }
      let waiting = query.waitingTasks(mayRun: mayRun)
      // Half of them at a time: a record for each single task would be a waste.
      guard waiting <= max(1, limit) / 2 else { return }
      room = max(1, limit) - waiting
    }
    let ranges = query.stages[stage].packer.take(room)
    let isLast = query.stages[stage].packer.isDone
    guard isLast || !ranges.isEmpty else { return }
    let isOff = settings.plantedBug == .readsSplitTwice
    addTasks(query, stage, ranges.map { .splits(isOff ? max(0, $0.lowerBound - 1)..<$0.upperBound : $0) }, last: isLast)
    query.updateRunnable(stage)
    enter(query)
  }
}

extension StageState {
  /// All its splits are in tasks, but nobody has noted that there will be no more.
  var lacksEnd: Bool { description.kind == .source && packer.isDone && !tasksComplete }
}

extension QueryState {
  /// How many tasks are ready, of stages all of whose inputs are complete, or of the others. May count some that are
  /// ready no longer, until a search for the next task passes them. O(stages).
  func waitingTasks(mayRun: Bool) -> Int {
    var count = 0
    for index in stages.indices where !stages[index].isSkipped && stages[index].mayRun == mayRun {
      count += stages[index].retries.count + stages[index].firstRuns.count
    }
    return count
  }
}

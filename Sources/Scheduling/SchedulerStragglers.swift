// Owns the second attempts of tasks that are far slower than their siblings.
import Base

extension Scheduler {
  /// Learns from a finished attempt how long the stage's tasks run.
  func noteRunTime(of task: TaskReference, _ number: Int) {
    let query = task.query
    guard let run = task.state.running.first(where: { $0.number == number }) else { return }
    query.stages[task.stage].timeEstimator.add(max(1, (now - run.startedAt).nanoseconds))
    let stage = query.stages[task.stage]
    let isEnough = stage.timeEstimator.total >= 3 && (stage.selectedCount + 1) * 2 >= stage.tasks.count
    guard isEnough, !stage.watchesStragglers else { return }
    query.stages[task.stage].watchesStragglers = true
    // Those that started before there was anything to compare with; at most one for each slot.
    for key in query.runningTasks.sorted(by: { $0.task < $1.task }) where key.stage == task.stage {
      let other = TaskReference(query: query, stage: key.stage, task: key.task)
      for run in other.state.running { watch(other, run.number) }
    }
  }

  /// Looks at an attempt again when it would be slow.
  func watch(_ task: TaskReference, _ number: Int) {
    let policy = task.query.description.stragglers
    guard policy.isEnabled, task.query.description.retryPolicy == .task,
      task.query.stages[task.stage].watchesStragglers,
      let run = task.state.running.first(where: { $0.number == number })
    else { return }
    timers.add(max(run.startedAt + patience(task), now), .attempt(task, number: number))
  }

  /// Starts a second attempt elsewhere if this one is slow, alone, and nothing else waits for the slot.
  func checkStraggler(_ task: TaskReference, _ number: Int) {
    let query = task.query
    guard query.phase == .running, let run = task.state.running.first(where: { $0.number == number }),
      task.state.running.count == 1
    else { return }
    let slowAt = run.startedAt + patience(task)
    guard slowAt <= now else {
      timers.add(slowAt, .attempt(task, number: number))
      return
    }
    let required = requirement(task)
    let reserved = reservation?.worker
    let others = workers.best { $0 !== reserved && $0.id != run.worker }
    let mayStart = startable == .any && fitsQuery(task) && query.stages[task.stage].mayRun && !isAnyTaskReady()
    if mayStart, let others, others.freeMemory >= required {
      start(task, on: others, memory: grant(required, others, task))
    } else {
      let pause = TimeSpan(nanoseconds: max(1_000_000, patience(task).nanoseconds / 4))
      timers.add(now + pause, .attempt(task, number: number))
    }
  }

  /// How long an attempt may run before it counts as slow.
  private func patience(_ task: TaskReference) -> TimeSpan {
    let policy = task.query.description.stragglers
    let median = Double(task.query.stages[task.stage].timeEstimator.estimate)
    let slow = min(median * max(1, policy.slowness), Double(Int64.max / 4))
    return max(policy.minimumRunTime, TimeSpan(nanoseconds: Int64(slow)))
  }

  /// O(queries).
  private func isAnyTaskReady() -> Bool { queries.values.contains { $0.nextTask() != nil } }
}

// Owns the measurement of what scheduling itself costs: a scheduler whose workers finish at once.
import Base
import Glibc
import Scheduling

/// What one run of a scheduler with nothing else around it took.
public struct SchedulingCost: Sendable {
  public var tasks: Int
  public var workers: Int
  /// Processor time of this thread, which other programs disturb less than the clock on the wall.
  public var secondsPerTask: Double
  /// Tasks that were selected; all, and the one that gathers.
  public var finished: Int

  /// Runs a query of `tasks` tasks and one that gathers, on `workers` workers of two slots each.
  public static func measure(tasks: Int, workers: Int) -> SchedulingCost {
    let scheduler = Scheduler(settings: SchedulerSettings(workerTimeout: .seconds(60)))
    let now = MonotonicTime(nanoseconds: 0)
    for number in 0..<workers {
      let id = WorkerID(number: number, incarnation: 0)
      _ = scheduler.handle(.workerJoined(id, slots: 2, memoryBytes: 1000, running: []), now: now)
    }
    let description = QueryDescription(
      id: QueryID("q"),
      sizing: TaskSizing(compute: .init(minimum: 1, maximum: 1), hashTaskTargetSize: 1000, taskMinimumSize: 1),
      memory: MemoryPolicy(taskMemory: 100),
      stages: [
        StageDescription(number: 0, kind: .single, inputs: [StageInput(stage: 1, mode: .gathered)]),
        StageDescription(number: 1, kind: .source),
      ])
    let source = StageID(query: description.id, number: 1)
    let begin = processorTime()
    var waiting: [AttemptStart] = []
    func take(_ turn: SchedulerTurn) {
      for effect in turn.effects { if case .startAttempt(let start) = effect { waiting.append(start) } }
    }
    take(scheduler.handle(.querySubmitted(description), now: now))
    // As a shell does that lists files while the query runs.
    for first in stride(from: 0, to: tasks, by: 1000) {
      let weights = [Int64](repeating: 1, count: min(1000, tasks - first))
      take(
        scheduler.handle(.splitsDiscovered(source, weights: weights, last: first + 1000 >= tasks), now: now))
    }
    var next = 0
    while next < waiting.count {
      let start = waiting[next]
      next += 1
      let counts = [Int64](repeating: 1, count: start.outputPartitionCount)
      let output = AttemptOutput(bytes: counts, rows: counts, checksums: [7], peakMemory: 0)
      take(scheduler.handle(.attemptFinished(start.attempt, start.worker, output), now: now))
    }
    let seconds = processorTime() - begin
    return SchedulingCost(tasks: tasks, workers: workers, secondsPerTask: seconds / Double(tasks), finished: next)
  }

  private static func processorTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}

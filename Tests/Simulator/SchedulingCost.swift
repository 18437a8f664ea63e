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
  /// Attempts that failed or were lost with their worker.
  public var failed: Int

  /// Runs a query of `tasks` tasks and one that gathers, on `workers` workers of two slots each. A task takes a second,
  /// and each worker says once a second that it lives.
  ///
  /// `isDisturbed`: of a hundred attempts one fails, and of a thousand one loses its worker, which comes back.
  public static func measure(tasks: Int, workers: Int, isDisturbed: Bool = false) -> SchedulingCost {
    var run = CostRun(workers: workers, isDisturbed: isDisturbed)
    let begin = processorTime()
    run.start(tasks: tasks)
    while run.step() {}
    let seconds = processorTime() - begin
    return SchedulingCost(
      tasks: tasks, workers: workers, secondsPerTask: seconds / Double(tasks), finished: run.finished,
      failed: run.failed)
  }

  private static func processorTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}

/// A scheduler, and all that its world says to it.
private struct CostRun {
  private let scheduler = Scheduler(settings: SchedulerSettings(workerTimeout: .seconds(60)))
  private let isDisturbed: Bool
  private var now = MonotonicTime(nanoseconds: 0)
  private var workers: [WorkerID]
  /// Attempts under way, in the order of their starts; those before `next` have ended.
  private var waiting: [AttemptStart] = []
  private var next = 0
  private var timer: MonotonicTime?
  private(set) var finished = 0
  private(set) var failed = 0
  private var steps = 0
  private var heartbeats = 0
  private var random = RandomSource(seed: 1)

  init(workers count: Int, isDisturbed: Bool) {
    self.isDisturbed = isDisturbed
    workers = (0..<count).map { WorkerID(number: $0, incarnation: 0) }
    for worker in workers { join(worker) }
  }

  private mutating func join(_ worker: WorkerID) {
    tell(.workerJoined(worker, slots: 2, memoryBytes: 1000, running: []))
  }

  private mutating func tell(_ event: SchedulerEvent) {
    let turn = scheduler.handle(event, now: now)
    for record in turn.records {
      switch record {
      case .selected: finished += 1
      case .attemptEnded(_, .failed, _), .attemptEnded(_, .lost, _): failed += 1
      default: break
      }
    }
    for effect in turn.effects {
      switch effect {
      case .startAttempt(let start): waiting.append(start)
      case .setTimer(let time): timer = time
      default: break
      }
    }
  }

  mutating func start(tasks: Int) {
    let description = QueryDescription(
      id: QueryID("q"), limits: RetryLimits(initialDelay: .milliseconds(100), maxDelay: .seconds(1)),
      sizing: TaskSizing(compute: .init(minimum: 1, maximum: 1), hashTaskTargetSize: 1000, taskMinimumSize: 1),
      memory: MemoryPolicy(taskMemory: 100),
      stages: [
        StageDescription(number: 0, kind: .single, inputs: [StageInput(stage: 1, mode: .gathered)]),
        StageDescription(number: 1, kind: .source),
      ])
    let source = StageID(query: description.id, number: 1)
    tell(.querySubmitted(description))
    // As a shell does that lists files while the query runs.
    for first in stride(from: 0, to: tasks, by: 1000) {
      let weights = [Int64](repeating: 1, count: min(1000, tasks - first))
      tell(.splitsDiscovered(source, weights: weights, last: first + 1000 >= tasks))
    }
  }

  /// The next attempt ends; false where none is left to end or to start.
  mutating func step() -> Bool {
    guard next < waiting.count else {
      // Only what is tried again later is left.
      guard let time = timer, !scheduler.liveQueries.isEmpty else { return false }
      timer = nil
      now = max(now, time)
      tell(.timer)
      return scheduler.progress(of: QueryID("q"))?.state != .finished
    }
    let start = waiting[next]
    next += 1
    guard start.worker == workers[start.worker.number] else { return true }
    steps += 1
    // Two slots of each worker: as many attempts end in a second.
    now = now + TimeSpan(nanoseconds: 1_000_000_000 / Int64(2 * workers.count))
    if steps % 2 == 0 {
      heartbeats += 1
      tell(.heartbeat(workers[heartbeats % workers.count]))
    }
    if isDisturbed, random.below(1000) == 0 {
      lose(start.worker)
    } else if isDisturbed, random.below(100) == 0 {
      let failure = AttemptFailure(error: WaterbearError(.genericInternalError, "bad luck"))
      tell(.attemptFailed(start.attempt, start.worker, failure))
    } else {
      let counts = [Int64](repeating: 1, count: start.outputPartitionCount)
      let output = AttemptOutput(bytes: counts, rows: counts, checksums: [7], peakMemory: 0)
      tell(.attemptFinished(start.attempt, start.worker, output))
    }
    return true
  }

  private mutating func lose(_ worker: WorkerID) {
    let successor = WorkerID(number: worker.number, incarnation: worker.incarnation + 1)
    workers[worker.number] = successor
    tell(.workerLost(worker, WaterbearError(.remoteHostGone, "\(worker) was killed")))
    join(successor)
  }
}

// Tests that the cost of an event does not grow with the number of tasks.
import Base
import Glibc
import Testing

@testable import Scheduling

/// The cost of a task must not grow with the number of tasks.
@Suite struct CostTests {
  /// Seconds of this thread's processor time, which other programs disturb less than the clock on the wall.
  private static func processorTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// Seconds for each task of a query with this many tasks on this many workers.
  private func costPerTask(tasks: Int, workers: Int) -> Double {
    let bench = Bench()
    for number in 0..<workers { bench.join(number, slots: 2) }
    let description = Bench.describe([
      StageDescription(number: 0, kind: .single, inputs: [StageInput(stage: 1, mode: .gathered)]),
      StageDescription(number: 1, kind: .source),
    ])
    var finished = 0
    let start = Self.processorTime()
    bench.submit(description, splits: tasks)
    bench.records = []
    var waiting = FIFO<AttemptStart>()
    for start in bench.running { waiting.append(start) }
    while let start = waiting.first {
      waiting.removeFirst()
      let turn = bench.scheduler.handle(
        .attemptFinished(start.attempt, start.worker, Bench.output(start)), now: bench.now)
      for effect in turn.effects { if case .startAttempt(let next) = effect { waiting.append(next) } }
      finished += 1
    }
    let time = Self.processorTime() - start
    #expect(finished == tasks + 1)
    return time / Double(tasks)
  }

  @Test func costOfATaskIsFlat() {
    _ = costPerTask(tasks: 500, workers: 10)
    // The best of a few, for other programs disturb a measurement only upwards.
    let few = (0..<3).map { _ in costPerTask(tasks: 2_000, workers: 20) }.min()!
    let many = (0..<2).map { _ in costPerTask(tasks: 40_000, workers: 400) }.min()!
    // Twenty times as many tasks miss the processor's caches more often; a cost that grew with them would be far above.
    #expect(many < few * 8, "\(many * 1e6) us a task among 40,000, \(few * 1e6) us among 2,000")
  }
}

// Tests that the cost of an event does not grow with the number of tasks.
import Simulator
import Testing

/// The cost of a task must not grow with the number of tasks.
@Suite struct CostTests {
  private func secondsPerTask(tasks: Int, workers: Int) -> Double {
    let cost = SchedulingCost.measure(tasks: tasks, workers: workers)
    #expect(cost.finished == tasks + 1)
    return cost.secondsPerTask
  }

  @Test func costOfATaskIsFlat() {
    _ = secondsPerTask(tasks: 500, workers: 10)
    // The best of a few, for other programs disturb a measurement only upwards.
    let few = (0..<3).map { _ in secondsPerTask(tasks: 2_000, workers: 20) }.min()!
    let many = (0..<2).map { _ in secondsPerTask(tasks: 40_000, workers: 400) }.min()!
    // Twenty times as many tasks miss the processor's caches more often; a cost that grew with them would be far above.
    #expect(many < few * 8, "\(many * 1e6) us a task among 40,000, \(few * 1e6) us among 2,000")
  }
}

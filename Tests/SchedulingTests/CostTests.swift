// Tests that the cost of an event does not grow with the number of tasks.
import Simulator
import Testing

/// The cost of a task must not grow with the number of tasks.
@Suite struct CostTests {
  private func secondsPerTask(tasks: Int, workers: Int, _ isDisturbed: Bool) -> Double {
    let cost = SchedulingCost.measure(tasks: tasks, workers: workers, isDisturbed: isDisturbed)
    #expect(cost.finished == tasks + 1)
    #expect(isDisturbed ? cost.failed > tasks / 200 : cost.failed == 0)
    return cost.secondsPerTask
  }

  @Test(arguments: [false, true]) func costOfATaskIsFlat(isDisturbed: Bool) {
    _ = secondsPerTask(tasks: 500, workers: 10, isDisturbed)
    // The best of a few, for other programs disturb a measurement only upwards.
    let few = (0..<3).map { _ in secondsPerTask(tasks: 2_000, workers: 20, isDisturbed) }.min()!
    let many = (0..<2).map { _ in secondsPerTask(tasks: 40_000, workers: 400, isDisturbed) }.min()!
    // Twenty times as many tasks miss the processor's caches more often, which is a factor of one and a half at most; a
    // cost that grew with them would be far above.
    print("cost of a task: \(few * 1e6) us among 2,000, \(many * 1e6) us among 40,000")
    #expect(many < few * 3, "\(many * 1e6) us a task among 40,000, \(few * 1e6) us among 2,000")
  }
}

// Tests the pace at which splits become tasks.
import Base
import Testing

@testable import Scheduling

@Suite struct TaskMakingTests {
  private func scan(_ stages: [StageDescription], node: Int, execution: Int) -> QueryDescription {
    var description = Bench.describe(stages)
    description.sizing.tasksWaitingForNodeMax = node
    description.sizing.tasksWaitingForExecutionMax = execution
    return description
  }

  private func tasks(_ bench: Bench, _ stage: Int = 0) -> Int {
    bench.scheduler.progress(of: QueryID("q"))?.stages[stage].tasks ?? -1
  }

  @Test func tasksAreMadeAsOthersStart() {
    let bench = Bench()
    bench.join(0, slots: 2)
    bench.submit(scan([StageDescription(number: 0, kind: .source)], node: 4, execution: 1), splits: 100)
    var most = 0
    var finished = 0
    while !bench.running.isEmpty {
      most = max(most, tasks(bench) - finished - bench.running.count)
      bench.finish()
      finished += 1
    }
    #expect((2...4).contains(most))
    #expect(finished == 100)
    #expect(bench.hasAllResults)
  }

  @Test func noMoreWaitForAnotherStageThanMay() {
    let bench = Bench()
    bench.join(0, slots: 1)
    let stages = [
      StageDescription(number: 0, kind: .source, inputs: [StageInput(stage: 1, mode: .broadcast)]),
      StageDescription(number: 1, kind: .source),
    ]
    bench.submit(scan(stages, node: 6, execution: 3), splits: 20)
    #expect(tasks(bench, 0) == 3)
    // Those that wait for another stage keep nobody from being made that could run.
    #expect(tasks(bench, 1) == 6)
    for _ in 0..<20 { bench.finish() }
    #expect(bench.runningNames.first?.hasPrefix("q.0.") == true)
    #expect(tasks(bench, 0) > 3)
    for _ in 0..<20 { bench.finish() }
    #expect(bench.hasAllResults)
  }

  @Test func whatWasNoTaskYetBecomesOneAfterARestart() {
    let bench = Bench()
    let tasks = [RestoredTask(input: .splits(0..<1)), RestoredTask(input: .splits(1..<2))]
    let stage = RestoredStage(splitWeights: Array(repeating: 1, count: 9), splitsComplete: true, tasks: tasks)
    let description = scan([StageDescription(number: 0, kind: .source)], node: 1, execution: 1)
    bench.send(.queryRestored(description, RestoredQuery(stages: [stage])))
    bench.join(0, slots: 3)
    var finished = 0
    while !bench.running.isEmpty {
      bench.finish()
      finished += 1
    }
    #expect(finished == 9)
    #expect(bench.hasAllResults)
  }
}

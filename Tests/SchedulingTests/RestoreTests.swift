// Tests that a scheduler restored from the store goes on where the last one stopped.
import Base
import Testing

@testable import Scheduling

/// What a restarted coordinator's scheduler does with what the store knows.
@Suite struct RestoreTests {
  private let q = QueryID("q")
  private let stage = StageID(query: QueryID("q"), number: 0)

  private func attempt(_ task: Int, _ number: Int) -> AttemptID {
    AttemptID(task: TaskID(stage: stage, partition: task), number: number)
  }

  private func task(
    _ split: Int, next: Int = 0, running: [(Int, WorkerID)] = [], selected: Int? = nil
  ) -> RestoredTask {
    RestoredTask(
      input: .splits(split..<split + 1), nextAttempt: next,
      running: running.map { RestoredTask.Running(number: $0.0, worker: $0.1, memory: 100) }, selected: selected,
      output: selected.map { _ in AttemptOutput(bytes: [5], rows: [1], checksums: [7]) })
  }

  private func restore(_ bench: Bench, _ tasks: [RestoredTask], weights: Int, complete: Bool = true) {
    let stage = RestoredStage(
      splitWeights: Array(repeating: 1, count: weights), splitsComplete: complete, tasksComplete: complete,
      tasks: tasks)
    bench.send(.queryRestored(Bench.scan(), RestoredQuery(stages: [stage])))
  }

  @Test func goesOnWithoutReusingAttemptNumbers() {
    let bench = Bench()
    restore(bench, [task(0, next: 3), task(1, next: 1, selected: 0), task(2)], weights: 3)
    #expect(bench.effects.contains(.resultReady(attempt(1, 0))))
    bench.join(0, slots: 5)
    #expect(bench.runningNames == ["q.0.0.3", "q.0.2.0"])
    bench.finish()
    bench.finish()
    #expect(bench.hasAllResults)
  }

  @Test func attemptsThatStillRunAreKept() {
    let bench = Bench()
    let worker = Bench.worker(0)
    restore(bench, [task(0, next: 1, running: [(0, worker)]), task(1, next: 1, running: [(0, worker)])], weights: 2)
    let turn = bench.send(.workerJoined(worker, slots: 2, memoryBytes: 1000, running: [attempt(0, 0)]))
    // The second never arrived.
    #expect(turn.records.contains(.attemptEnded(attempt(1, 0), .lost, nil)))
    #expect(bench.runningNames == ["q.0.1.1"])
    bench.send(.attemptFinished(attempt(0, 0), worker, AttemptOutput(bytes: [1], rows: [1])))
    bench.finish()
    #expect(bench.hasAllResults)
  }

  @Test func aWorkerThatNeverComesBackIsGivenUp() {
    let bench = Bench()
    restore(bench, [task(0, next: 1, running: [(0, Bench.worker(4))])], weights: 1)
    bench.join(0)
    #expect(bench.running.isEmpty)
    bench.pass(.seconds(61))
    #expect(bench.runningNames == ["q.0.0.1"])
    #expect(bench.effects.contains(.killWorker(Bench.worker(4), reason: "it was silent for 1m")))
  }

  @Test func anAttemptOfAReplacedWorkerIsLost() {
    let bench = Bench()
    restore(
      bench,
      [task(0, next: 1, running: [(0, Bench.worker(0, 1))]), task(1, next: 1, running: [(0, Bench.worker(0, 2))])],
      weights: 2)
    bench.join(1)
    #expect(bench.runningNames == ["q.0.0.1"])
  }

  @Test func unpackedSplitsAreNotForgotten() {
    let bench = Bench()
    bench.join(0, slots: 5)
    restore(bench, [task(0)], weights: 2, complete: false)
    bench.send(.splitsDiscovered(stage, weights: [1], last: true))
    #expect(bench.running.map(\.input.splits) == [0..<1, 1..<2, 2..<3])
    #expect(bench.records.contains(.splits(stage, first: 2, weights: [1], last: true)))
  }

  @Test func aFinishedQueryIsServedAgain() {
    let bench = Bench()
    let stage = RestoredStage(
      splitWeights: [1], splitsComplete: true, tasksComplete: true, tasks: [task(0, next: 1, selected: 0)])
    let turn = bench.send(.queryRestored(Bench.scan(), RestoredQuery(stages: [stage], isFinished: true)))
    #expect(turn.records.isEmpty)
    #expect(turn.effects == [.resultReady(attempt(0, 0)), .allResults(q, taskCount: 1)])
  }

  @Test func whatWasGivenUpBeforeTheRestartStaysSo() {
    let bench = Bench()
    // Attempt 0 was lost with its worker and deleted when 1 was selected.
    restore(bench, [task(0, next: 2, selected: 1), task(1)], weights: 2)
    bench.send(.outputLost(attempt(0, 1), WaterbearError(.genericExternal, "gone")))
    let turn = bench.send(.attemptFinished(attempt(0, 0), Bench.worker(7), AttemptOutput(bytes: [1], rows: [1])))
    #expect(turn.records.isEmpty)
    #expect(turn.effects.contains(.deleteOutput(attempt(0, 0))))
  }

  @Test func aSecondSubmissionIsIgnored() {
    let bench = Bench()
    bench.join(0)
    bench.submit(Bench.scan(), splits: 1)
    #expect(bench.send(.querySubmitted(Bench.scan())).isEmpty)
  }

  @Test func afterARestartTheQueryThatHasStartedLeastGoesFirst() {
    let bench = Bench()
    let splits = RestoredStage(
      splitWeights: [1, 1], splitsComplete: true, tasksComplete: true,
      tasks: [RestoredTask(input: .splits(0..<1), nextAttempt: 3), RestoredTask(input: .splits(1..<2))])
    var other = splits
    other.tasks[0].nextAttempt = 0
    _ = bench.scheduler.handle(
      [
        .queryRestored(Bench.scan("a"), RestoredQuery(stages: [splits])),
        .queryRestored(Bench.scan("b"), RestoredQuery(stages: [other])),
      ], now: bench.now)
    bench.join(1)
    #expect(bench.runningNames.first == "b.0.0.0")
  }
}

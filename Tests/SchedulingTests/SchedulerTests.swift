// Tests the way of a query without failures.
import Base
import Testing

@testable import Scheduling

/// The ordinary life of queries: order, fairness, placement, completion.
@Suite struct SchedulerTests {
  /// Stage 0 gathers stage 1, a hash stage over the source stages 2 and 3.
  private func join(partitions: Int = 2) -> QueryDescription {
    Bench.describe([
      StageDescription(number: 0, kind: .single, inputs: [StageInput(stage: 1, mode: .gathered)]),
      StageDescription(
        number: 1, kind: .hash,
        inputs: [StageInput(stage: 2, mode: .partitioned), StageInput(stage: 3, mode: .partitioned)]),
      StageDescription(number: 2, kind: .source, outputPartitionCount: partitions),
      StageDescription(number: 3, kind: .source, outputPartitionCount: partitions),
    ])
  }

  @Test func runsStagesInOrderToTheResult() {
    let bench = Bench()
    bench.join(0, slots: 10)
    bench.submit(join(), splits: 2)
    #expect(bench.runningNames.sorted() == ["q.2.0.0", "q.2.1.0", "q.3.0.0", "q.3.1.0"])
    for _ in 0..<4 { bench.finish(bytes: 600) }
    #expect(bench.runningNames == ["q.1.0.0", "q.1.1.0"])
    let input = bench.running[0].input
    #expect(input.splits.isEmpty)
    #expect(input.exchanges.map(\.stage.number) == [2, 3])
    #expect(input.exchanges.map(\.producers) == [[0, 0], [0, 0]])
    #expect(bench.running.map { $0.input.exchanges[0].partitions } == [[0], [1]])
    bench.finish()
    bench.finish()
    #expect(bench.runningNames == ["q.0.0.0"])
    #expect(bench.running[0].input.exchanges[0].producers == [0, 0])
    #expect(bench.running[0].input.exchanges[0].mode == .gathered)
    bench.finish()
    #expect(bench.effects.contains(.allResults(QueryID("q"), taskCount: 1)))
    #expect(bench.records.contains(.queryEnded(QueryID("q"), .finished)))
    #expect(bench.scheduler.progress(of: QueryID("q"))?.state == .finished)
    bench.send(.queryReleased(QueryID("q")))
    #expect(bench.effects.last == .deleteQueryOutputs(QueryID("q")))
    #expect(bench.scheduler.liveQueries.isEmpty)
  }

  @Test func recordsComeWithTheTurnThatActsOnThem() {
    let bench = Bench()
    bench.join(0)
    bench.send(.querySubmitted(Bench.scan()))
    let stage = StageID(query: QueryID("q"), number: 0)
    let turn = bench.send(.splitsDiscovered(stage, weights: [5], last: true))
    let attempt = AttemptID(task: TaskID(stage: stage, partition: 0), number: 0)
    #expect(
      turn.records == [
        .splits(stage, first: 0, weights: [5], last: true),
        .tasks(stage, [TaskRecord(partition: 0, input: .splits(0..<1))]),
        .stageTasksComplete(stage),
        .attemptStarted(attempt, Bench.worker(0), memory: 888),
      ])
  }

  @Test func aStageWithoutSplitsIsCompleteAtOnce() {
    let bench = Bench()
    bench.join(0, slots: 4)
    bench.submit(join(), splits: 0)
    #expect(bench.runningNames == ["q.1.0.0"])
    #expect(bench.running[0].input.exchanges[0].partitions == [0, 1])
    bench.submit(Bench.scan("empty"), splits: 0)
    #expect(bench.effects.contains(.allResults(QueryID("empty"), taskCount: 0)))
  }

  @Test func splitsMayComeBeforeWorkersDo() {
    let bench = Bench()
    bench.submit(Bench.scan(), splits: 3)
    #expect(bench.running.isEmpty)
    bench.join(0, slots: 2)
    #expect(bench.runningNames == ["q.0.0.0", "q.0.1.0"])
  }

  @Test func broadcastReadersWaitForWhatTheyRead() {
    let bench = Bench()
    bench.join(0, slots: 10)
    bench.submit(
      Bench.describe([
        StageDescription(number: 0, kind: .source, inputs: [StageInput(stage: 1, mode: .broadcast)]),
        StageDescription(number: 1, kind: .source, outputPartitionCount: 3),
      ]), splits: 2)
    #expect(bench.runningNames == ["q.1.0.0", "q.1.1.0"])
    bench.finish()
    #expect(bench.runningNames == ["q.1.1.0"])
    bench.finish()
    #expect(bench.runningNames == ["q.0.0.0", "q.0.1.0"])
    #expect(bench.running[1].input.splits == 1..<2)
    #expect(bench.running[1].input.exchanges[0].partitions == [0, 1, 2])
  }

  @Test func queriesTakeTurns() {
    let bench = Bench()
    bench.join(0)
    bench.submit(Bench.scan("long"), splits: 100)
    bench.submit(Bench.scan("short"), splits: 2)
    var order: [String] = []
    for _ in 0..<5 {
      order.append(bench.running[0].attempt.task.stage.query.text)
      bench.finish()
    }
    #expect(order == ["long", "short", "long", "short", "long"] || order == ["long", "long", "short", "long", "short"])
  }

  @Test func retriesComeBeforeNewTasks() {
    let bench = Bench()
    bench.join(0)
    bench.submit(Bench.scan(), splits: 5)
    bench.fail(.genericInternalError)
    #expect(bench.runningNames == ["q.0.0.1"])
  }

  @Test func theRoomiestWorkerIsTaken() {
    let bench = Bench()
    bench.join(0, slots: 4, memory: 400)
    bench.join(1, slots: 4, memory: 1000)
    bench.submit(Bench.scan(), splits: 3)
    #expect(bench.running.map(\.worker.number) == [1, 1, 1])
    #expect(bench.running.map(\.memory) == [240, 240, 240])
  }

  @Test func slotsAndMemoryAreKept() {
    let bench = Bench()
    bench.join(0, slots: 10, memory: 1000)
    bench.submit(Bench.scan(memory: 400), splits: 5)
    #expect(bench.running.count == 2)
    bench.finish()
    #expect(bench.running.count == 2)
    #expect(bench.scheduler.workerStatus[0].grantedMemory == 800)
  }

  @Test func aTaskTooBigForAnyWorkerRunsAlone() {
    let bench = Bench()
    bench.join(0, slots: 4, memory: 1000)
    bench.submit(Bench.scan("small"), splits: 2)
    bench.submit(Bench.scan("big", memory: 5000), splits: 1)
    #expect(bench.runningNames == ["small.0.0.0", "small.0.1.0"])
    bench.finish()
    #expect(bench.runningNames == ["small.0.1.0"])
    bench.finish()
    #expect(bench.runningNames == ["big.0.0.0"])
    #expect(bench.running[0].memory == 1000)
  }

  @Test func smallTasksDoNotStarveABigOne() {
    let bench = Bench()
    bench.join(0, slots: 4, memory: 1000)
    bench.submit(Bench.scan("small", memory: 300), splits: 50)
    bench.submit(Bench.scan("big", memory: 900), splits: 1)
    for _ in 0..<5 where !bench.runningNames.contains("big.0.0.0") { bench.finish() }
    #expect(bench.runningNames == ["big.0.0.0"])
    bench.finish()
    #expect(bench.running.count == 3)
  }

  @Test func aTaskThatAPlaceIsKeptForTakesAnother() {
    let bench = Bench()
    bench.join(0, slots: 2, memory: 1000)
    bench.submit(Bench.scan("long", memory: 1000), splits: 1)
    bench.submit(Bench.scan("other", memory: 400), splits: 1)
    #expect(bench.runningNames == ["long.0.0.0"])
    bench.join(1, slots: 2, memory: 1000)
    #expect(bench.runningNames == ["long.0.0.0", "other.0.0.0"])
    // Nothing is kept any more.
    bench.finish()
    bench.submit(Bench.scan("third", memory: 1000), splits: 1)
    #expect(bench.runningNames.contains("third.0.0.0"))
  }

  @Test func newTasksAskForWhatFinishedOnesNeeded() {
    let bench = Bench()
    bench.join(0, slots: 10, memory: 1000)
    bench.submit(Bench.scan(memory: 10), splits: 30)
    #expect(bench.running.count == 10)
    for _ in 0..<10 { bench.finish(peak: 400) }
    for _ in 0..<10 where bench.running.count > 2 { bench.finish(peak: 400) }
    #expect(bench.running.count == 2)
    #expect(bench.running.allSatisfy { $0.memory >= 400 && $0.memory <= 450 })
  }

  @Test func drainingWorkersFinishWhatTheyRun() {
    let bench = Bench()
    bench.join(0)
    bench.submit(Bench.scan(), splits: 2)
    bench.send(.workerDraining(Bench.worker(0)))
    bench.finish()
    #expect(bench.running.isEmpty)
    #expect(bench.effects.contains(.workerDrained(Bench.worker(0))))
    bench.join(1)
    #expect(bench.runningNames == ["q.0.1.0"])
  }

  @Test func cancelEndsEverything() {
    let bench = Bench()
    bench.join(0, slots: 2)
    bench.submit(Bench.scan(), splits: 5)
    let started = bench.running
    bench.send(.cancel(QueryID("q"), WaterbearError(.userCanceled, "Query was canceled")))
    #expect(bench.failure()?.code == .userCanceled)
    for start in started { #expect(bench.effects.contains(.abortAttempt(start.attempt, start.worker))) }
    #expect(bench.effects.last == .deleteQueryOutputs(QueryID("q")))
    // Slots stay taken until the workers have said that the attempts ended; one place is beyond them.
    bench.submit(Bench.scan("next"), splits: 2)
    #expect(bench.runningNames == ["next.0.0.0"])
    let aborted = AttemptFailure(error: WaterbearError(.abandonedTask, "aborted"))
    bench.send(.attemptFailed(started[0].attempt, started[0].worker, aborted))
    #expect(bench.runningNames == ["next.0.0.0", "next.0.1.0"])
  }

  /// Both came at once, and whoever cancelled is told that the query had finished.
  @Test func aCancelThatMeetsTheEndDoesNothing() {
    let bench = Bench()
    bench.join(0)
    bench.submit(Bench.scan(), splits: 1)
    let start = bench.running[0]
    bench.send([
      .attemptFinished(start.attempt, start.worker, Bench.output(start)),
      .cancel(QueryID("q"), WaterbearError(.userCanceled, "Query was canceled")),
    ])
    #expect(bench.failure() == nil && bench.hasAllResults)
    #expect(bench.records.last == .queryEnded(QueryID("q"), .finished))
  }

  @Test func outputsAreKeptUntilTheReadersOfTheirReadersAreDone() {
    let bench = Bench()
    bench.join(0, slots: 10)
    bench.submit(Bench.chain(stages: 4), splits: 1)
    func released() -> [Int] {
      bench.effects.compactMap { if case .deleteStageOutputs(let stage) = $0 { stage.number } else { nil } }
    }
    bench.finish()
    bench.finish()
    #expect(released() == [])
    bench.finish()
    #expect(released() == [3])
    bench.finish()
    // What the root stage reads stays: a part of the result may be lost before it is fetched.
    #expect(released() == [3, 2])
  }

  @Test func stuckMemoryIsGrantedWhereThereIsNoOtherPlaceOnly() {
    let bench = Bench()
    bench.join(0, 1, slots: 2)
    bench.send(.workerMemoryStuck(Bench.worker(0), 600))
    bench.submit(Bench.scan(memory: 500), splits: 6)
    // Worker 0 has 400 left, so both start on worker 1, and the others wait for it.
    #expect(bench.running.map(\.worker.number) == [1, 1])
    bench.finish()
    #expect(bench.running.map(\.worker.number) == [1, 1])
    // There is no other place: one at a time, with what it asks for.
    bench.lose(1)
    #expect(bench.running.map(\.worker.number) == [0])
    #expect(bench.running[0].memory == 500)
    bench.send(.workerMemoryStuck(Bench.worker(0), 0))
    #expect(bench.running.map(\.worker.number) == [0, 0])
  }

  @Test func progressCounts() {
    let bench = Bench()
    bench.join(0, slots: 2)
    bench.submit(Bench.scan(), splits: 4)
    bench.finish(bytes: 30)
    bench.fail(.genericInternalError)
    let stage = bench.scheduler.progress(of: QueryID("q"))!.stages[0]
    #expect(stage.tasks == 4 && stage.finishedTasks == 1 && stage.failedAttempts == 1)
    #expect(stage.runningAttempts == 2 && stage.outputBytes == 30 && !stage.isOpen)
    #expect(bench.scheduler.progress(of: QueryID("other")) == nil)
  }
}

// Tests the end of queries that are committed: what may still go wrong before, and nothing after.
import Base
import Testing

@testable import Scheduling

@Suite struct CommitTests {
  private let query = QueryID("q")

  /// A query of two splits that is to be committed, with both tasks finished.
  private func complete(policy: RetryPolicy = .task) -> Bench {
    let bench = Bench()
    bench.join(1, slots: 2)
    var description = Bench.scan(policy: policy)
    description.completion = .commit
    bench.submit(description, splits: 2)
    bench.finish()
    bench.finish()
    return bench
  }

  private func has(_ bench: Bench, _ effect: SchedulerEffect) -> Bool { bench.effects.contains(effect) }

  private var rootTask: TaskID { TaskID(stage: StageID(query: query, number: 0), partition: 0) }

  @Test func aWriteIsCollectedCommittedAndThenFinished() {
    let bench = complete()
    #expect(has(bench, .collectOutputs(query, [0, 0])))
    #expect(!bench.hasAllResults && !has(bench, .commit(query)))
    let turn = bench.send(.outputsCollected(query, [0, 0]))
    #expect(turn.records == [.commitStarted(query)] && turn.effects == [.commit(query)])
    let last = bench.send(.commitEnded(query, nil))
    // Nobody will read an output again.
    let root = StageID(query: query, number: 0)
    #expect(last.records == [.stageReleased(root), .queryEnded(query, .finished)])
    #expect(last.effects == [.deleteStageOutputs(root), .allResults(query, taskCount: 2)])
  }

  /// What was read is noted, and room may be what the commit lacks.
  @Test func aCommitThatFailsGivesBackTheRoomOfItsInput() {
    let bench = complete()
    bench.send(.outputsCollected(query, [0, 0]))
    let full = WaterbearError(.genericExternal, "no space left on device")
    let turn = bench.send(.commitEnded(query, full))
    let root = StageID(query: query, number: 0)
    #expect(turn.records == [.stageReleased(root)])
    bench.pass(.seconds(61))
    #expect(bench.effects.count { $0 == .commit(query) } == 2)
    let last = bench.send(.commitEnded(query, nil))
    #expect(last.records == [.queryEnded(query, .finished)])
    #expect(bench.effects.count { $0 == .deleteStageOutputs(root) } == 1)
  }

  @Test func aWriteWithoutTasksIsCommittedAtOnce() {
    let bench = Bench()
    var description = Bench.scan()
    description.completion = .commit
    bench.submit(description, splits: 0)
    #expect(has(bench, .collectOutputs(query, [])))
    bench.send(.outputsCollected(query, []))
    #expect(has(bench, .commit(query)))
  }

  @Test func anOutputLostBeforeTheCommitIsMadeAgain() {
    let bench = complete()
    let lost = AttemptID(task: rootTask, number: 0)
    bench.send(.outputLost(lost, WaterbearError(.exchangeDataUnrecoverable, "gone")))
    #expect(bench.runningNames == ["q.0.0.1"])
    // What was read before does not count any more.
    #expect(bench.send(.outputsCollected(query, [0, 0])).isEmpty)
    // Other rows are no harm: nobody has seen the first.
    bench.finish(checksum: 9)
    #expect(has(bench, .collectOutputs(query, [1, 0])))
    bench.send(.outputsCollected(query, [1, 0]))
    #expect(has(bench, .commit(query)) && bench.failure() == nil)
  }

  @Test func nothingIsLostOrCancelledOnceTheCommitHasStarted() {
    let bench = complete()
    bench.send(.outputsCollected(query, [0, 0]))
    #expect(bench.send(.cancel(query, WaterbearError(.userCanceled, "no"))).isEmpty)
    let lost = AttemptID(task: rootTask, number: 0)
    #expect(bench.send(.outputLost(lost, WaterbearError(.exchangeDataUnrecoverable, "gone"))).isEmpty)
    #expect(bench.send(.queryReleased(query)).isEmpty)
    bench.send(.commitEnded(query, nil))
    #expect(bench.hasAllResults)
  }

  @Test func aWriteIsCancelledUntilTheCommitStarts() {
    let bench = complete()
    bench.send(.cancel(query, WaterbearError(.userCanceled, "no")))
    #expect(bench.failure()?.code == .userCanceled)
    #expect(bench.send(.outputsCollected(query, [0, 0])).isEmpty)
  }

  @Test func aRefusedCommitFailsTheQuery() {
    let bench = complete()
    bench.send(.outputsCollected(query, [0, 0]))
    bench.send(.commitEnded(query, WaterbearError(.tableAlreadyExists, "there")))
    #expect(bench.failure()?.code == .tableAlreadyExists)
  }

  @Test func aCommitThatFailsIsTriedAgainWithDelays() {
    let bench = complete()
    bench.send(.outputsCollected(query, [0, 0]))
    let error = WaterbearError(.filesFilesystemError, "no")
    for failure in 1...4 {
      bench.effects = []
      bench.send(.commitEnded(query, error))
      #expect(!has(bench, .commit(query)) || failure == 1)
      bench.pass(.seconds(61))
      #expect(has(bench, .commit(query)), "after failure \(failure)")
    }
    bench.send(.commitEnded(query, error))
    #expect(bench.failure()?.code == .filesFilesystemError)
    #expect(bench.failure()?.message.contains("failed 5 times") == true)
  }

  @Test func aCommitWaitsForItsCatalog() {
    let bench = complete()
    bench.send(.outputsCollected(query, [0, 0]))
    for _ in 1...20 {
      bench.effects = []
      bench.send(.commitEnded(query, WaterbearError(.configurationInvalid, "no such catalog")))
      bench.pass(.seconds(61))
      #expect(has(bench, .commit(query)) && bench.failure() == nil)
    }
    bench.send(.commitEnded(query, nil))
    #expect(bench.failure() == nil)
  }

  @Test(arguments: [false, true]) func aRestartGoesOnWhereTheWriteStood(hasStarted: Bool) {
    let bench = Bench()
    var description = Bench.scan()
    description.completion = .commit
    let output = AttemptOutput(bytes: [1], rows: [1], checksums: [3])
    let task = RestoredTask(input: .splits(0..<1), nextAttempt: 3, selected: 2, output: output)
    let stage = RestoredStage(splitWeights: [1], splitsComplete: true, tasksComplete: true, tasks: [task])
    bench.send(.queryRestored(description, RestoredQuery(stages: [stage], hasCommitStarted: hasStarted)))
    #expect(has(bench, .commit(query)) == hasStarted)
    #expect(has(bench, .collectOutputs(query, [2])) == !hasStarted)
  }

  @Test func aCommittedQueryIsServedAfterARestart() {
    let bench = Bench()
    var description = Bench.scan()
    description.completion = .commit
    let stage = RestoredStage(splitsComplete: true, tasksComplete: true)
    bench.send(
      .queryRestored(description, RestoredQuery(stages: [stage], isFinished: true, hasCommitStarted: true)))
    #expect(bench.hasAllResults && !has(bench, .commit(query)) && bench.records.isEmpty)
  }

  @Test func attemptsThatComeLateAreAbortedAndDeleted() {
    let bench = Bench()
    bench.join(1, slots: 2)
    var description = Bench.describe([
      StageDescription(number: 0, kind: .single, inputs: [StageInput(stage: 1, mode: .gathered)]),
      StageDescription(number: 1, kind: .source),
    ])
    description.completion = .commit
    bench.submit(description, splits: 1)
    bench.finish()
    // The root reads on while the writer's output is made again.
    let writer = TaskID(stage: StageID(query: query, number: 1), partition: 0)
    bench.send(.outputLost(AttemptID(task: writer, number: 0), WaterbearError(.exchangeDataUnrecoverable, "gone")))
    #expect(bench.runningNames == ["q.0.0.0", "q.1.0.1"])
    bench.finish()
    #expect(has(bench, .collectOutputs(query, [0])))
    let late = AttemptID(task: writer, number: 1)
    #expect(has(bench, .abortAttempt(late, Bench.worker(1))))
    bench.send(.attemptFinished(late, Bench.worker(1), AttemptOutput(bytes: [1], rows: [1], checksums: [8])))
    #expect(has(bench, .deleteOutput(late)))
    bench.send(.outputsCollected(query, [0]))
    #expect(has(bench, .commit(query)))
  }

  @Test func aWriteThatCompletesWhileItWaitsToRunAgainIsCommittedOnce() {
    let bench = Bench()
    bench.join(1, 2)
    // A root stage without splits is complete before the stage it reads.
    var description = Bench.describe(
      [
        StageDescription(number: 0, kind: .source, inputs: [StageInput(stage: 1, mode: .broadcast)]),
        StageDescription(number: 1, kind: .source),
      ], policy: .query)
    description.completion = .commit
    bench.send(.querySubmitted(description))
    bench.send(.splitsDiscovered(StageID(query: query, number: 1), weights: [1], last: true))
    bench.fail(.genericInternalError)
    bench.send(.splitsDiscovered(StageID(query: query, number: 0), weights: [], last: true))
    bench.send(.outputsCollected(query, []))
    bench.pass(.seconds(60))
    #expect(bench.effects.filter { $0 == .commit(query) }.count == 1)
  }
}

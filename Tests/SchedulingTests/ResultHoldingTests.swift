// Tests when parts of a result may be served under `RetryPolicy.query`, and how large a held result may be.
import Base
import Testing

@testable import Scheduling

@Suite struct ResultHoldingTests {
  private let q = QueryID("q")

  private func served(_ bench: Bench) -> [AttemptID] {
    bench.effects.compactMap { if case .resultReady(let attempt) = $0 { attempt } else { nil } }
  }

  @Test func underTaskRowsAreServedAsTheyCome() {
    let bench = Bench()
    bench.join(0, slots: 3)
    bench.submit(Bench.scan(), splits: 3)
    bench.finish()
    #expect(served(bench).map(\.description) == ["q.0.0.0"])
  }

  @Test func underQueryTheyAreHeldUntilTheQueryHasFinished() {
    let bench = Bench()
    bench.join(0, slots: 3)
    bench.submit(Bench.scan(policy: .query), splits: 3)
    bench.finish()
    bench.finish()
    #expect(served(bench).isEmpty)
    bench.finish()
    #expect(served(bench).map(\.description) == ["q.0.0.0", "q.0.1.0", "q.0.2.0"])
    // Those that serve results learn of the parts before they learn of the whole.
    let whole = SchedulerEffect.allResults(q, taskCount: 3)
    #expect(bench.effects.firstIndex(of: whole)! > bench.effects.lastIndex(of: .resultReady(served(bench)[2]))!)
  }

  @Test func aHeldResultStillHoldsAfterARestart() throws {
    let bench = Bench()
    let stage = RestoredStage(
      splitWeights: [1, 1], splitsComplete: true, tasksComplete: true,
      tasks: [
        RestoredTask(
          input: .splits(0..<1), nextAttempt: 1, selected: 0,
          output: AttemptOutput(bytes: [1], rows: [1], checksums: [7])),
        RestoredTask(input: .splits(1..<2)),
      ])
    bench.send(.queryRestored(Bench.scan(policy: .query), RestoredQuery(stages: [stage])))
    #expect(served(bench).isEmpty)
    bench.join(0)
    bench.finish()
    #expect(served(bench).count == 2)
  }

  @Test func aLostPartOfAFinishedResultHoldsTheRestUntilItIsBack() {
    let bench = Bench()
    bench.join(0)
    bench.submit(Bench.scan(policy: .query), splits: 1)
    bench.finish()
    let first = served(bench)[0]
    bench.send(.outputLost(first, WaterbearError(.exchangeDataUnrecoverable, "gone")))
    bench.pass(.seconds(10))
    bench.finish()
    #expect(served(bench).map(\.number) == [0, 1])
  }

  @Test func nothingIsServedOfAResultThatIsIncompleteAgainInTheSameTurn() {
    let bench = Bench()
    bench.join(0, slots: 2)
    bench.submit(Bench.scan(policy: .query), splits: 2)
    let starts = bench.running
    bench.running = []
    let turn = bench.send(
      starts.map { .attemptFinished($0.attempt, $0.worker, Bench.output($0)) }
        + [.outputsMissing([starts[0].attempt], WaterbearError(.exchangeDataUnrecoverable, "gone"))])
    #expect(turn.records.contains(.queryEnded(QueryID("q"), .finished)))
    #expect(!turn.effects.contains { if case .resultReady = $0 { true } else { false } })
    // All of it is announced when the lost part is there again.
    bench.pass(.seconds(20))
    bench.finish()
    #expect(served(bench).map(\.task.partition).sorted() == [0, 1])
  }

  @Test func otherRowsAreNoHarmWhileNoneWasServed() {
    let bench = Bench()
    bench.join(0, slots: 2)
    bench.submit(
      Bench.describe(
        [
          StageDescription(number: 0, kind: .hash, inputs: [StageInput(stage: 1, mode: .partitioned)]),
          StageDescription(number: 1, kind: .source, outputPartitionCount: 2),
        ], policy: .query), splits: 1)
    let producer = bench.running[0].attempt
    bench.finish(bytes: 900)
    #expect(bench.runningNames == ["q.0.0.0", "q.0.1.0"])
    bench.finish()
    let reader = bench.running[0]
    bench.fail(.exchangeDataUnrecoverable, lostInput: producer)
    bench.pass(.seconds(20))
    #expect(bench.runningNames.first == "q.1.0.1")
    bench.finish(bytes: 900, checksum: 8)
    #expect(bench.failure() == nil)
    // Also the part that was complete is made of the new rows.
    #expect(Set(bench.running.map(\.attempt.task.partition)) == [0, 1])
    _ = reader
  }

  @Test func withoutAnExchangeAHeldResultIsLimited() {
    var description = Bench.scan(policy: .query)
    description.resultBytesMax = 20
    let bench = Bench()
    bench.join(0, slots: 3)
    bench.submit(description, splits: 3)
    bench.finish()
    bench.finish()
    #expect(bench.failure() == nil)
    bench.finish()
    #expect(bench.failure()?.code == .exchangeManagerNotConfigured)
    #expect(
      bench.failure()?.message
        == "Exchange manager must be configured for the failure recovery capabilities to be fully functional")
    // Not tried again: it would not be smaller.
    #expect(!bench.records.contains(.queryRetried(q, failures: 1)))
    #expect(served(bench).isEmpty)
  }
}

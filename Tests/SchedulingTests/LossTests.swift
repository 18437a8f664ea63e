// Tests what follows from outputs that were selected and then lost.
import Base
import Testing

@testable import Scheduling

@Suite struct LossTests {
  private let q = QueryID("q")

  @Test func aLostInputIsMadeAgainBeforeItsReader() {
    let bench = Bench()
    bench.join(0, slots: 4)
    bench.submit(Bench.chain(), splits: 2)
    let producer = bench.running[1].attempt
    bench.finish()
    bench.finish()
    #expect(bench.runningNames == ["q.1.0.0"])
    bench.fail(.genericInternalError, lostInput: producer)
    #expect(bench.runningNames == ["q.2.1.1"])
    bench.finish()
    #expect(bench.runningNames == ["q.1.0.1"])
    #expect(bench.running[0].input.exchanges[0].producers == [0, 1])
    bench.finish()
    bench.finish()
    #expect(bench.hasAllResults)
    #expect(bench.failure() == nil)
  }

  @Test func lossesHaveALimit() {
    let bench = Bench()
    bench.join(0, slots: 4)
    bench.submit(Bench.chain(), splits: 1)
    for _ in 0..<5 {
      let producer = bench.running[0].attempt
      bench.finish()
      bench.fail(.genericInternalError, lostInput: producer)
      bench.pass(.seconds(61))
    }
    #expect(bench.failure()?.code == .exchangeDataUnrecoverable)
    #expect(bench.failure()?.message.contains("The output of task q.2.0 was lost 5 times") == true)
  }

  @Test func lossesThatCameWithADirectoryDoNotCount() {
    for policy in [RetryPolicy.task, .query] {
      let bench = Bench()
      bench.join(0, slots: 4)
      var query = Bench.chain()
      query.retryPolicy = policy
      bench.submit(query, splits: 1)
      for _ in 0..<8 {
        let producer = bench.running[0].attempt
        bench.finish()
        bench.fail(.exchangeDataUnrecoverable, lostInput: producer, withDirectory: true)
        // At once, and nothing else is run again.
        #expect(bench.runningNames.count == 1)
      }
      #expect(bench.failure() == nil)
      #expect(!bench.records.contains { if case .queryRetried = $0 { true } else { false } })
    }
  }

  @Test func whatIsLostWithItsDirectoryAgainAndAgainEndsTheQuery() {
    let bench = Bench()
    bench.join(0, slots: 4)
    bench.submit(Bench.chain(), splits: 1)
    var losses = 0
    while bench.failure() == nil, losses < 100 {
      losses += 1
      let producer = bench.running[0].attempt
      bench.finish()
      bench.fail(.exchangeDataUnrecoverable, lostInput: producer, withDirectory: true)
      bench.pass(.seconds(61))
    }
    #expect(losses == FailurePolicy.lossesWithDirectoryMax + 5)
    #expect(bench.failure()?.code == .exchangeDataUnrecoverable)
  }

  @Test func whatIsLostTogetherCostsTheQueryOneRun() {
    let bench = Bench()
    bench.join(0, slots: 9)
    var query = Bench.chain()
    query.retryPolicy = .query
    bench.submit(query, splits: 7)
    for _ in 0..<7 { bench.finish() }
    let lost = (0..<7).map { AttemptID(task: TaskID(stage: StageID(query: q, number: 2), partition: $0), number: 0) }
    let error = WaterbearError(.exchangeDataUnrecoverable, "gone")
    bench.send(.outputsMissing(lost, error))
    #expect(bench.failure() == nil)
    #expect(bench.records.filter { if case .queryRetried = $0 { true } else { false } }.count == 1)
    bench.pass(.seconds(61))
    #expect(bench.runningNames.count == 7)
    for _ in 0..<9 { bench.finish() }
    #expect(bench.hasAllResults)
    // Nothing of it runs any more, so there is nothing to run again.
    let result = AttemptID(task: TaskID(stage: StageID(query: q, number: 0), partition: 0), number: 0)
    bench.send(.outputLost(result, error))
    #expect(bench.records.filter { if case .queryRetried = $0 { true } else { false } }.count == 1)
    bench.pass(.seconds(61))
    bench.finish()
    #expect(bench.effects.last == .allResults(q, taskCount: 1))
  }

  /// A part of a result has no readers in its query, so its loss voids nothing that runs.
  @Test func lostPartsOfAResultAreNoNewRunOfTheQuery() {
    let bench = Bench()
    bench.join(0, slots: 3)
    bench.submit(Bench.scan(policy: .query), splits: 3)
    for _ in 0..<3 { bench.finish() }
    #expect(bench.hasAllResults)
    let error = WaterbearError(.exchangeDataUnrecoverable, "gone")
    let stage = StageID(query: q, number: 0)
    bench.send(.outputsMissing((0..<2).map { AttemptID(task: TaskID(stage: stage, partition: $0), number: 0) }, error))
    #expect(!bench.records.contains { if case .queryRetried = $0 { true } else { false } })
    bench.pass(.seconds(61))
    #expect(bench.runningNames == ["q.0.0.1", "q.0.1.1"])
  }

  /// A mount that goes away now and then is no reason to give up a query of days.
  @Test func lossesWithADirectoryAreForgottenAfterAnHour() {
    let bench = Bench()
    bench.join(0)
    bench.submit(Bench.scan(), splits: 1)
    let error = WaterbearError(.exchangeDataUnrecoverable, "gone")
    for number in 0..<(2 * FailurePolicy.lossesWithDirectoryMax) {
      bench.finish()
      bench.pass(.seconds(3601))
      let attempt = AttemptID(task: TaskID(stage: StageID(query: q, number: 0), partition: 0), number: number)
      bench.send(.outputsMissing([attempt], error, withDirectory: true))
      #expect(bench.runningNames == ["q.0.0.\(number + 1)"])
    }
    #expect(bench.failure() == nil)
  }

  /// An input is being made again as the last reader of the old one ends: nothing of that is needed any more.
  @Test func whatAFinishedQueryDoesNotNeedIsNotLostToIt() {
    let bench = Bench()
    bench.join(0, slots: 2)
    bench.submit(Bench.chain(), splits: 1)
    bench.finish()
    bench.finish()
    let middle = AttemptID(task: TaskID(stage: StageID(query: q, number: 1), partition: 0), number: 0)
    let error = WaterbearError(.exchangeDataUnrecoverable, "gone")
    #expect(bench.runningNames == ["q.0.0.0"])
    bench.send(.outputLost(middle, error))
    bench.finish()
    #expect(bench.hasAllResults)
    let before = bench.records.count
    let first = AttemptID(task: TaskID(stage: StageID(query: q, number: 2), partition: 0), number: 0)
    bench.send(.outputsMissing([first], error))
    #expect(bench.records.count == before)
  }

  @Test func aLostResultIsMadeAgain() {
    let bench = Bench()
    bench.join(0, slots: 4)
    bench.submit(Bench.chain(), splits: 1)
    for _ in 0..<3 { bench.finish() }
    let result = AttemptID(task: TaskID(stage: StageID(query: q, number: 0), partition: 0), number: 0)
    bench.send(.outputLost(result, WaterbearError(.genericExternal, "file gone")))
    #expect(bench.records.contains(.queryResumed(q)))
    #expect(bench.runningNames == ["q.0.0.1"])
    bench.finish()
    #expect(bench.effects.last == .allResults(q, taskCount: 1))
  }

  @Test func releasedInputsAreMadeAgainFromTheSplits() {
    let bench = Bench()
    bench.join(0, slots: 4)
    bench.submit(Bench.chain(stages: 4), splits: 2)
    for _ in 0..<4 { bench.finish() }
    #expect(bench.runningNames == ["q.0.0.0"])
    let lost = AttemptID(task: TaskID(stage: StageID(query: q, number: 1), partition: 0), number: 0)
    let middle = AttemptID(task: TaskID(stage: StageID(query: q, number: 2), partition: 0), number: 0)
    bench.fail(.genericInternalError, lostInput: lost)
    // Stage 2 was kept for this; stage 3 was not, and is not needed yet.
    #expect(bench.runningNames == ["q.1.0.1"])
    bench.fail(.genericInternalError, lostInput: middle)
    #expect(bench.runningNames == ["q.3.0.1", "q.3.1.1"])
    for _ in 0..<5 { bench.finish() }
    #expect(bench.hasAllResults)
  }

  @Test func anOutputThatDiffersRestartsItsReaders() {
    let bench = Bench()
    bench.join(0, slots: 4)
    bench.submit(Bench.chain(), splits: 1)
    let producer = bench.running[0].attempt
    bench.finish(checksum: 1)
    bench.finish(checksum: 2)
    #expect(bench.runningNames == ["q.0.0.0"])
    let reader = bench.running[0]
    bench.send(.outputLost(producer, WaterbearError(.genericExternal, "gone")))
    bench.finish(1, checksum: 99)
    #expect(bench.effects.contains(.abortAttempt(reader.attempt, reader.worker)))
    #expect(bench.runningNames == ["q.1.0.1"])
    bench.finish(checksum: 3)
    #expect(bench.runningNames == ["q.0.0.1"])
    // The aborted attempt was too late to be stopped: it has read what no longer counts.
    let turn = bench.send(.attemptFinished(reader.attempt, reader.worker, Bench.output(reader)))
    #expect(turn.effects.contains(.deleteOutput(reader.attempt)) && !bench.hasAllResults)
    bench.finish()
    #expect(bench.hasAllResults)
  }

  @Test func aResultThatDiffersAfterItWasAnnouncedFails() {
    let bench = Bench()
    bench.join(0, slots: 4)
    bench.submit(Bench.scan(), splits: 2)
    let first = bench.running[0].attempt
    bench.finish(checksum: 1)
    bench.send(.outputLost(first, WaterbearError(.genericExternal, "gone")))
    bench.finish(1, checksum: 2)
    #expect(bench.failure()?.code == .exchangeDataUnrecoverable)
  }
}

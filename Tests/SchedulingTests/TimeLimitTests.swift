// Tests the limits of a query's time: what they count, whom they spare, and that they outlive a coordinator.
import Base
import Testing

@testable import Scheduling

@Suite struct TimeLimitTests {
  private let long = TimeSpan.seconds(8_640_000)

  private func scan(
    _ name: String = "q", run: TimeSpan? = nil, execution: TimeSpan? = nil, queued: TimeSpan? = nil
  ) -> QueryDescription {
    var description = Bench.scan(name)
    description.timeLimits = TimeLimits(run: run ?? long, execution: execution ?? long, queued: queued ?? long)
    return description
  }

  @Test func theRunTimeEndsAQueryThatRuns() {
    let bench = Bench()
    bench.join(0)
    bench.submit(scan(run: .seconds(60)), splits: 2)
    bench.pass(.milliseconds(59_999))
    #expect(bench.failure() == nil)
    let start = bench.running[0]
    bench.pass(.milliseconds(1))
    #expect(bench.failure()?.code == .exceededTimeLimit)
    #expect(bench.failure()?.message == "Query exceeded maximum time limit of \(TimeSpan.seconds(60))")
    #expect(bench.effects.contains(.abortAttempt(start.attempt, start.worker)))
    #expect(bench.scheduler.liveQueries.isEmpty)
  }

  @Test func theRunTimeCountsWhatPassedBeforeThePlanWasMade() {
    let bench = Bench()
    bench.join(0)
    bench.send(.querySubmitted(scan(run: .seconds(60)), age: .seconds(50)))
    bench.pass(.seconds(9))
    #expect(bench.failure() == nil)
    bench.pass(.seconds(1))
    #expect(bench.failure()?.code == .exceededTimeLimit)
  }

  @Test func aQueryThatComesTooLateEndsAtOnce() {
    let bench = Bench()
    bench.join(0)
    bench.send(.querySubmitted(scan(run: .seconds(60)), age: .seconds(61)))
    #expect(bench.failure()?.code == .exceededTimeLimit)
  }

  @Test func theQueuedTimeEndsAQueryOfWhichNothingRuns() {
    let bench = Bench()
    bench.submit(scan(queued: .seconds(30)), splits: 1)
    bench.pass(.seconds(30))
    #expect(bench.failure()?.message == "Query exceeded the maximum queued time limit of \(TimeSpan.seconds(30))")
  }

  @Test func theQueuedTimeSparesAQueryThatHasStarted() {
    let bench = Bench()
    bench.join(0)
    bench.submit(scan(queued: .seconds(30)), splits: 2)
    bench.lose(0)
    bench.pass(.seconds(1000))
    #expect(bench.failure() == nil)
  }

  @Test func theExecutionTimeCountsFromTheFirstAttempt() {
    let bench = Bench()
    bench.submit(scan(execution: .seconds(30)), splits: 2)
    bench.pass(.seconds(500))
    bench.join(0)
    bench.pass(.seconds(29))
    #expect(bench.failure() == nil)
    bench.pass(.seconds(1))
    #expect(
      bench.failure()?.message == "Query exceeded the maximum execution time limit of \(TimeSpan.seconds(30))")
  }

  @Test func aDelayedQueryEndsInItsDelay() {
    var description = scan(run: .seconds(5))
    description.retryPolicy = .query
    let bench = Bench()
    bench.join(0)
    bench.submit(description, splits: 1)
    bench.fail(.genericInternalError)
    bench.pass(.seconds(5))
    #expect(bench.failure()?.code == .exceededTimeLimit)
  }

  @Test func aFinishedQueryStays() {
    let bench = Bench()
    bench.join(0)
    bench.submit(scan(run: .seconds(60)), splits: 1)
    bench.finish()
    bench.pass(.seconds(100))
    #expect(bench.failure() == nil)
    #expect(bench.scheduler.liveQueries.count == 1)
  }

  @Test func aCommitThatHasStartedGoesOn() {
    var description = scan(run: .seconds(60))
    description.completion = .commit
    let bench = Bench()
    bench.join(0)
    bench.submit(description, splits: 1)
    bench.finish()
    bench.send(.outputsCollected(QueryID("q"), [0]))
    bench.pass(.seconds(100))
    #expect(bench.failure() == nil)
    bench.send(.commitEnded(QueryID("q"), nil))
    #expect(bench.hasAllResults)
  }

  @Test func theClocksGoOnWhileTheCoordinatorIsDown() {
    let tasks = [
      RestoredTask(
        input: .splits(0..<1), nextAttempt: 1, running: [.init(number: 0, worker: Bench.worker(0), memory: 100)])
    ]
    let stage = RestoredStage(splitWeights: [1], splitsComplete: true, tasksComplete: true, tasks: tasks)
    let cases: [(QueryDescription, Int64)] = [
      (scan(run: .seconds(100)), 10_000), (scan(execution: .seconds(100)), 50_000),
    ]
    for (description, rest) in cases {
      let bench = Bench()
      bench.send(
        .queryRestored(description, RestoredQuery(stages: [stage], age: .seconds(90), executed: .seconds(50))))
      bench.pass(.milliseconds(rest - 1))
      #expect(bench.failure() == nil)
      bench.pass(.milliseconds(1))
      #expect(bench.failure()?.code == .exceededTimeLimit)
    }
    // It has started in an earlier life.
    let bench = Bench()
    bench.send(.queryRestored(scan(queued: .seconds(1)), RestoredQuery(stages: [stage], age: .seconds(90))))
    bench.pass(.seconds(30))
    #expect(bench.failure() == nil)
  }

  @Test func limitsOfQueriesThatAreOverDoNotPileUp() {
    let bench = Bench()
    bench.join(0)
    bench.submit(scan("other", run: .seconds(600)), splits: 2)
    for number in 0..<1000 {
      bench.submit(scan("q\(number)"), splits: 0)
      bench.send(.queryReleased(QueryID("q\(number)")))
    }
    #expect(bench.scheduler.timers.count < 200)
    bench.pass(.seconds(600))
    #expect(bench.failure("other")?.code == .exceededTimeLimit)
  }
}

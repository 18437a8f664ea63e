// Tests what follows where the spool takes no output: waiting, not failing.
import Base
import Testing

@testable import Scheduling

@Suite struct SpoolWaitTests {
  @Test func theFirstTimeTheTaskRunsAgainAtOnceAndNoAttemptIsUsedUp() {
    let bench = Bench()
    bench.join(0)
    bench.submit(Bench.scan(), splits: 1)
    bench.fail(.spoolUnavailable)
    #expect(bench.runningNames == ["q.0.0.1"])
    // Far more failures than a task has attempts.
    for _ in 0..<20 {
      bench.fail(.spoolUnavailable)
      #expect(bench.running.isEmpty)
      bench.send(.spoolRecovered)
      #expect(bench.running.count == 1)
    }
    #expect(bench.failure() == nil)
    let counted = bench.records.contains { record in
      if case .taskCounters(_, let counters) = record { counters.failures > 0 } else { false }
    }
    #expect(!counted)
    bench.finish()
    #expect(bench.failure() == nil)
  }

  @Test func pausesGrowAndTheWaitHasAnEnd() {
    let bench = Bench(SchedulerSettings(workerTimeout: .seconds(60), spoolWait: .seconds(100)))
    bench.join(0)
    bench.submit(Bench.scan(), splits: 1)
    var attempts = 0
    let start = bench.now
    while bench.failure() == nil, attempts < 100 {
      if bench.running.isEmpty {
        bench.pass(.milliseconds(500))
      } else {
        attempts += 1
        bench.fail(.spoolUnavailable)
      }
    }
    // Pauses of 10 s, 20 s, 40 s and what is left of 100 s: two attempts before the first, one after each.
    #expect(attempts == 6)
    #expect((bench.now - start).milliseconds == 100_000)
    let error = bench.failure()
    #expect(error?.code == .spoolUnavailable)
    #expect(error?.message.contains("waterbear.max-spool-wait") == true)
    #expect(error?.message.contains("it broke") == true)
    #expect(error?.remedy?.contains("exchange.base-directories") == true)
  }

  @Test func aTaskThatFoundItsPlaceHasItsWholeWaitAgain() {
    let bench = Bench(SchedulerSettings(workerTimeout: .seconds(60), spoolWait: .seconds(15)))
    bench.join(0)
    bench.submit(Bench.scan(), splits: 1)
    for round in 0..<2 {
      for _ in 0..<2 { bench.fail(.spoolUnavailable) }
      bench.pass(.seconds(11))
      let attempt = bench.running[0].attempt
      #expect(attempt.number == round * 3 + 2)
      bench.finish()
      bench.send(.outputLost(attempt, WaterbearError(.exchangeDataUnrecoverable, "gone")))
    }
    #expect(bench.failure() == nil)
  }

  @Test func withoutRetriesTheQueryFailsAtOnce() {
    let bench = Bench()
    bench.join(0)
    bench.submit(Bench.scan(policy: .none), splits: 1)
    bench.fail(.spoolUnavailable)
    #expect(bench.failure()?.code == .spoolUnavailable)
  }

  @Test func outputsThatAreStillReadAreMadeAgainTogether() {
    let bench = Bench()
    bench.join(0)
    bench.submit(Bench.scan(), splits: 2)
    let first = bench.running[0].attempt
    bench.finish()
    bench.send(.outputsMissing([first], WaterbearError(.exchangeDataUnrecoverable, "gone")))
    bench.finish()
    #expect(bench.runningNames == ["q.0.0.1"])
  }

  /// The task is killed after an hour's work, which was no waiting.
  @Test func workIsNoWait() {
    let bench = Bench(SchedulerSettings(workerTimeout: .seconds(10_000), spoolWait: .seconds(60)))
    bench.join(0)
    bench.submit(Bench.scan(), splits: 1)
    for _ in 0..<2 { bench.fail(.spoolUnavailable) }
    bench.pass(.seconds(10))
    #expect(bench.running.count == 1)
    bench.pass(.seconds(3600))
    bench.fail(.genericExternal)
    // Delayed for another reason; that the spool works changes nothing.
    bench.send(.spoolRecovered)
    #expect(bench.running.isEmpty)
    bench.pass(.seconds(10))
    #expect(bench.running.count == 1)
    bench.pass(.seconds(3600))
    bench.fail(.genericExternal)
    bench.pass(.seconds(20))
    bench.fail(.spoolUnavailable)
    #expect(bench.failure() == nil)
    bench.send(.spoolRecovered)
    bench.finish()
    #expect(bench.failure() == nil)
  }

  /// With retry_initial_delay = 0 nothing but attempts would be started while all disks are full.
  @Test func withoutDelaysThereIsALeastPauseAndAnEnd() {
    var query = Bench.scan()
    query.limits = RetryLimits(initialDelay: .zero, maxDelay: .zero, taskWorkerLosses: 3)
    let bench = Bench(SchedulerSettings(workerTimeout: .seconds(60), spoolWait: .seconds(100)))
    bench.join(0)
    bench.submit(query, splits: 1)
    var attempts = 0
    let start = bench.now
    while bench.failure() == nil, attempts < 1000 {
      if bench.running.isEmpty {
        bench.pass(.milliseconds(100))
      } else {
        attempts += 1
        bench.fail(.spoolUnavailable)
      }
    }
    #expect(attempts < 50)
    #expect(bench.failure()?.message.contains("waterbear.max-spool-wait") == true)
    #expect((bench.now - start).milliseconds == 100_000)
  }

  /// Each time the directory seems to work, and then takes nothing: hardly any pause, but all the work is for nothing.
  @Test func workForNothingHasAnEndToo() {
    let bench = Bench(SchedulerSettings(workerTimeout: .seconds(10_000), spoolWait: .seconds(300)))
    bench.join(0)
    bench.submit(Bench.scan(), splits: 1)
    var attempts = 0
    while bench.failure() == nil, attempts < 100 {
      bench.pass(.seconds(70))
      attempts += 1
      bench.fail(.spoolUnavailable)
      bench.send(.spoolRecovered)
    }
    // The first is nobody's waiting; five more make 350 s.
    #expect(attempts == 6)
    #expect(bench.failure()?.message.contains("6 attempts that found none") == true)
  }

  /// Long attempts are given some tries, as the pauses between them are what gives people time to act.
  @Test func fewFaultsOfLongAttemptsAreForgiven() {
    let bench = Bench(SchedulerSettings(workerTimeout: .seconds(100_000), spoolWait: .seconds(300)))
    bench.join(0)
    bench.submit(Bench.scan(), splits: 1)
    for _ in 0..<4 {
      bench.pass(.seconds(3600))
      bench.fail(.spoolUnavailable)
      bench.send(.spoolRecovered)
    }
    #expect(bench.failure() == nil && bench.running.count == 1)
    bench.fail(.spoolUnavailable)
    #expect(bench.failure()?.code == .spoolUnavailable)
  }

  /// Whatever comes between: what counts as waiting is never more than the pauses were.
  @Test func neverMoreIsCountedThanThePauses() {
    var random: UInt64 = 7
    func below(_ bound: UInt64) -> UInt64 {
      random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (random >> 33) % bound
    }
    for _ in 0..<500 {
      var wait = SpoolWait()
      var (now, waited, wasted) = (MonotonicTime(nanoseconds: 0), Int64(0), Int64(0))
      for _ in 0..<10 {
        wait.noteFault(at: now)
        let pause = TimeSpan.seconds(Int64(below(20)))
        if below(4) > 0 { wait.startPause(at: now, for: pause) }
        let end = now + pause
        let gap = TimeSpan.seconds(Int64(below(40)))
        waited += min(gap, pause).nanoseconds
        now = now + gap
        // Recovered, the pause not being over.
        if now < end { wait.endPause(at: now) }
        // Attempts that end for other reasons, then one for this.
        for last in [false, true] {
          now = now + .seconds(Int64(below(100)))
          wait.noteStart(at: now)
          let run = TimeSpan.seconds(Int64(below(5000)))
          now = now + run
          if last { wasted += run.nanoseconds }
        }
      }
      wait.noteFault(at: now)
      #expect(wait.waited.nanoseconds <= waited)
      #expect(wait.wasted.nanoseconds == wasted)
    }
  }

  @Test func outputsThatWentWithADirectoryCountAgainstNobody() {
    for policy in [RetryPolicy.task, .query] {
      let bench = Bench()
      bench.join(0)
      bench.submit(Bench.scan(policy: policy), splits: 2)
      for _ in 0..<20 {
        let attempt = bench.running[0].attempt
        bench.finish()
        bench.send(
          .outputsMissing([attempt], WaterbearError(.exchangeDataUnrecoverable, "gone"), withDirectory: true))
        // The other task, or the same again, at once.
        #expect(bench.running.count == 1)
      }
      #expect(bench.failure() == nil)
    }
  }

  /// The root stage has nothing to read, so the query ends before what it would read with it is complete.
  @Test func nothingRunsAgainForAQueryThatIsFinished() {
    let bench = Bench()
    bench.join(0)
    let query = Bench.describe(
      [
        StageDescription(number: 0, kind: .source, inputs: [.init(stage: 1, mode: .broadcast)]),
        StageDescription(number: 1, kind: .source),
      ], policy: .query)
    bench.send(.querySubmitted(query))
    bench.send(.splitsDiscovered(StageID(query: query.id, number: 1), weights: [1, 1], last: true))
    let attempt = bench.running[0].attempt
    bench.finish()
    bench.send(.splitsDiscovered(StageID(query: query.id, number: 0), weights: [], last: true))
    #expect(bench.hasAllResults && bench.running.isEmpty)
    bench.send(.outputsMissing([attempt], WaterbearError(.exchangeDataUnrecoverable, "gone")))
    bench.pass(.seconds(60))
    #expect(bench.running.isEmpty && bench.failure() == nil)
  }
}

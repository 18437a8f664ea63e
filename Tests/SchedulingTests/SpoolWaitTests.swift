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
}

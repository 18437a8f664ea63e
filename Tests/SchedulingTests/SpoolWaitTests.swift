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
      bench.recoverSpool()
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

  /// A small disk fills again and again, and comes back each time it has been emptied; beside it there is a large one.
  @Test func aTaskThatOneDirectoryRefusedGoesToAnotherAtOnce() {
    let bench = Bench()
    bench.join(0)
    bench.useSpool("large", "small")
    bench.submit(Bench.scan(), splits: 1)
    #expect(bench.running[0].avoidedDirectories.isEmpty)
    // Both were broken for a while, so that pauses would be long by now.
    for _ in 0..<5 {
      bench.useSpool()
      bench.fail(.spoolUnavailable)
      bench.useSpool("large", "small")
    }
    bench.refuse(by: "small", leaving: ["large"])
    #expect(bench.running.map(\.avoidedDirectories) == [["small"]])
    // That it is in use again, when the attempt fails for another reason, does not make it larger.
    bench.useSpool("large", "small")
    bench.fail(.remoteHostGone)
    bench.pass(.seconds(60))
    #expect(bench.running.map(\.avoidedDirectories) == [["small"]])
    bench.finish()
    #expect(bench.failure() == nil)
  }

  @Test func aTaskThatAllDirectoriesRefusedWaitsForOneOfThem() {
    let bench = Bench()
    bench.join(0)
    bench.useSpool("a", "b", "c")
    bench.submit(Bench.scan(), splits: 1)
    bench.refuse(by: "a", leaving: ["b", "c"])
    bench.useSpool("a", "b", "c")
    bench.refuse(by: "b", isFull: false, leaving: ["a", "c"])
    bench.refuse(by: "c", leaving: ["a"])
    // It has come back once since it refused, so it may be tried, but not again without having been away.
    #expect(bench.running.map(\.avoidedDirectories) == [["a", "b", "c"]])
    bench.fail(.spoolUnavailable, refusal: SpoolRefusal(directory: "a", isFull: true))
    bench.fail(.spoolUnavailable, refusal: SpoolRefusal(directory: "a", isFull: true))
    #expect(bench.running.isEmpty)
    // What was broken and works again is as good as any.
    bench.useSpool("a", "b")
    #expect(bench.running.map(\.avoidedDirectories) == [["c", "a"]])
    bench.finish()
    #expect(bench.failure() == nil)
  }

  /// Ten small disks and a large one: nobody gives up before the large one was tried.
  @Test func noTaskGivesUpWhileADirectoryWasNotTried() {
    let bench = Bench(SchedulerSettings(workerTimeout: .seconds(100_000), spoolWait: .seconds(300)))
    bench.join(0)
    var left = (0..<10).map { "small\($0)" } + ["large"]
    bench.send(.spoolChanged(SpoolState(inUse: left)))
    bench.submit(Bench.scan(), splits: 1)
    for number in 0..<10 {
      bench.pass(.seconds(3600))
      left.removeFirst()
      bench.refuse(by: "small\(number)", leaving: left)
      #expect(bench.running.count == 1)
    }
    bench.refuse(by: "large", leaving: [])
    #expect(bench.failure()?.code == .spoolUnavailable)
  }

  /// They pass their trials, and fail what is written in earnest. `names`: whom the attempts say it was.
  @Test(arguments: [["a", "b"], ["a", "a"]]) func directoriesThatOnlySeemToWorkEndTheWait(names: [String]) {
    let bench = Bench(SchedulerSettings(workerTimeout: .seconds(100_000), spoolWait: .seconds(300)))
    bench.join(0)
    bench.useSpool("a", "b")
    bench.submit(Bench.scan(), splits: 1)
    var faults = 0
    while bench.failure() == nil, faults < 50 {
      bench.pass(.seconds(60))
      guard !bench.running.isEmpty else { continue }
      bench.refuse(by: names[faults % 2], isFull: false, leaving: ["a", "b"].filter { $0 != names[faults % 2] })
      bench.useSpool("a", "b")
      faults += 1
    }
    #expect(bench.failure()?.code == .spoolUnavailable)
    #expect(faults < 12)
  }

  @Test func aTaskThatNobodyNeedsAnyMoreEndsNoQueryWithItsWait() {
    let bench = Bench(SchedulerSettings(workerTimeout: .seconds(100_000), spoolWait: .seconds(300)))
    bench.join(0, slots: 2)
    bench.useSpool("a")
    // The root reads nothing, so the query has its result while stage 1 waits for a directory.
    bench.submit(
      Bench.describe([
        StageDescription(number: 0, kind: .source), StageDescription(number: 1, kind: .source),
      ]), splits: 1)
    guard let index = bench.running.firstIndex(where: { $0.attempt.task.stage.number == 1 }) else {
      Issue.record("\(bench.runningNames)")
      return
    }
    bench.useSpool()
    bench.fail(.spoolUnavailable, at: index)
    bench.finish()
    #expect(bench.hasAllResults)
    bench.pass(.seconds(1000))
    #expect(bench.failure() == nil)
  }

  @Test func nothingStartsWhileNoDirectoryIsInUse() {
    let bench = Bench(SchedulerSettings(workerTimeout: .seconds(10_000), spoolWait: .seconds(300)))
    bench.join(0, slots: 2)
    bench.useSpool("a", "b")
    bench.submit(Bench.scan(), splits: 4)
    #expect(bench.running.count == 2)
    bench.useSpool()
    for _ in 0..<2 { bench.fail(.spoolUnavailable) }
    bench.submit(Bench.scan("r"), splits: 1)
    bench.pass(.seconds(200))
    #expect(bench.running.isEmpty && bench.failure() == nil)
    #expect(bench.records.count { if case .attemptStarted = $0 { true } else { false } } == 2)
    // All at once when one is there again, and with the whole wait once their outputs have found a place.
    bench.useSpool("b")
    #expect(bench.running.count == 2)
    for _ in 0..<5 { bench.finish() }
    bench.submit(Bench.scan("s"), splits: 3)
    bench.useSpool()
    bench.finish()
    bench.pass(.seconds(200))
    #expect(bench.failure("s") == nil && bench.running.count == 1)
  }

  @Test func theWaitForADirectoryThatNeverComesHasAnEnd() {
    let problem = WaterbearError(.spoolUnavailable, "/a is broken")
    // One query has failed to write, one was never begun, and one waits for a slot only.
    let bench = Bench(SchedulerSettings(workerTimeout: .seconds(10_000), spoolWait: .seconds(300)))
    bench.join(0)
    bench.useSpool("a")
    bench.submit(Bench.scan(), splits: 1)
    bench.send(.spoolChanged(SpoolState(inUse: [], problem: problem)))
    bench.submit(Bench.scan("r"), splits: 1)
    bench.pass(.seconds(1000))
    #expect(bench.failure("r") == nil)
    bench.fail(.spoolUnavailable)
    bench.pass(.milliseconds(299_999))
    #expect(bench.failure() == nil && bench.failure("r") == nil)
    bench.pass(.milliseconds(2))
    for (query, reason) in [("q", "it broke"), ("r", "/a is broken")] {
      let error = bench.failure(query)
      #expect(error?.code == .spoolUnavailable)
      #expect(error?.message.contains("waterbear.max-spool-wait") == true)
      #expect(error?.message.contains(reason) == true)
      #expect(error?.remedy?.contains("exchange.base-directories") == true)
    }
  }

  /// A pause that began before goes on to the end of the wait, and no attempt is made at its end.
  @Test func aPauseGoesOnWhileNoDirectoryIsInUse() {
    let bench = Bench(SchedulerSettings(workerTimeout: .seconds(10_000), spoolWait: .seconds(300)))
    bench.join(0)
    bench.submit(Bench.scan(), splits: 1)
    for _ in 0..<2 { bench.fail(.spoolUnavailable) }
    bench.useSpool()
    bench.pass(.seconds(299))
    #expect(bench.running.isEmpty && bench.failure() == nil)
    bench.pass(.seconds(1))
    #expect(bench.running.isEmpty && bench.failure()?.code == .spoolUnavailable)
  }

  /// A directory in memory takes what is small: worth one try.
  @Test func firstAttemptsStartWithADirectoryInMemoryAlone() {
    let bench = Bench(SchedulerSettings(workerTimeout: .seconds(10_000), spoolWait: .seconds(300)))
    bench.join(0, slots: 2)
    bench.send(.spoolChanged(SpoolState(inUse: [], takesSmallOutputs: true)))
    bench.submit(Bench.scan(), splits: 3)
    #expect(bench.runningNames == ["q.0.0.0", "q.0.1.0"])
    bench.fail(.spoolUnavailable)
    #expect(bench.runningNames == ["q.0.1.0", "q.0.2.0"])
    bench.fail(.genericInternalError)
    bench.pass(.seconds(100))
    #expect(bench.runningNames == ["q.0.2.0"])
    bench.useSpool("a")
    #expect(bench.running.count == 2)
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
    // Whoever found it promises that the task runs again.
    #expect(bench.failure()?.remedy?.contains("With retry_policy = TASK the task would have gone") == true)
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
    bench.recoverSpool()
    #expect(bench.running.isEmpty)
    bench.pass(.seconds(10))
    #expect(bench.running.count == 1)
    bench.pass(.seconds(3600))
    bench.fail(.genericExternal)
    bench.pass(.seconds(20))
    bench.fail(.spoolUnavailable)
    #expect(bench.failure() == nil)
    bench.recoverSpool()
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
      bench.recoverSpool()
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
      bench.recoverSpool()
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

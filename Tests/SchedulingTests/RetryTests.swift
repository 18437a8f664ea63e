// Tests retries and lost workers.
import Base
import Testing

@testable import Scheduling

/// What follows from failures and deaths.
@Suite struct RetryTests {
  private let q = QueryID("q")

  @Test func userErrorsAreNeverRetried() {
    for policy in RetryPolicy.allCases {
      let bench = Bench()
      bench.join(0, slots: 2)
      bench.submit(Bench.scan(policy: policy), splits: 3)
      bench.fail(.divisionByZero)
      #expect(bench.failure()?.code == .divisionByZero)
      #expect(bench.failure()?.message == "it broke")
      #expect(bench.running.isEmpty)
    }
  }

  @Test func nothingIsRetriedUnderNone() {
    let bench = Bench()
    bench.join(0)
    bench.submit(Bench.scan(policy: .none), splits: 1)
    bench.fail(.genericInternalError)
    #expect(bench.failure()?.code == .genericInternalError)
  }

  @Test func usedUpAttemptsEndTheQueryWithOneClearError() {
    let bench = Bench()
    bench.join(0)
    bench.submit(Bench.scan(), splits: 1)
    for attempt in 0..<5 {
      #expect(bench.runningNames == ["q.0.0.\(attempt)"])
      bench.fail(.genericExternal)
      bench.pass(.seconds(61))
    }
    let error = bench.failure()
    #expect(error?.code == .genericExternal)
    #expect(error?.message.contains("Task q.0.0 failed 5 times (task-retry-attempts-per-task = 4)") == true)
    #expect(error?.message.contains("number 4 on worker-0#0") == true)
    #expect(error?.causes == ["it broke"])
    #expect(error?.remedy != nil)
  }

  @Test func aDelayHoldsUpOneTaskOnly() {
    let bench = Bench()
    bench.join(0)
    bench.submit(Bench.scan(), splits: 2)
    bench.fail(.genericExternal)
    #expect(bench.runningNames == ["q.0.1.0"])
    bench.finish()
    #expect(bench.running.isEmpty)
    bench.pass(.milliseconds(9_900))
    #expect(bench.running.isEmpty)
    bench.pass(.milliseconds(200))
    #expect(bench.runningNames == ["q.0.0.1"])
  }

  @Test func aDeadWorkersTasksRunElsewhereAtOnce() {
    let bench = Bench()
    bench.join(0, 1, slots: 2)
    bench.submit(Bench.scan(), splits: 4)
    bench.lose(0)
    for _ in 0..<2 { bench.finish() }
    #expect(bench.running.count == 2)
    #expect(bench.running.allSatisfy { $0.worker == Bench.worker(1) && $0.attempt.number == 1 })
    for _ in 0..<2 { bench.finish() }
    #expect(bench.hasAllResults)
  }

  @Test func deathsAreRetriedAtOnceAndLimited() {
    let bench = Bench()
    bench.submit(Bench.scan(), splits: 1)
    for incarnation in UInt64(0)...3 {
      bench.join(0, incarnation: incarnation)
      #expect(bench.runningNames == ["q.0.0.\(incarnation)"])
      bench.lose(0, incarnation: incarnation)
    }
    #expect(bench.failure()?.code == .remoteHostGone)
    #expect(bench.failure()?.message.contains("lost its worker 4 times") == true)
  }

  @Test func lackOfMemoryAsksForThreeTimesAsMuchElsewhere() {
    let bench = Bench()
    bench.join(0, 1, slots: 10, memory: 1000)
    bench.submit(Bench.scan(), splits: 1)
    let first = bench.running[0]
    #expect(first.memory == 100)
    bench.fail(.exceededLocalMemoryLimit, peak: 100)
    #expect(bench.running[0].memory >= 300 && bench.running[0].memory < 340)
    #expect(bench.running[0].worker != first.worker)
    bench.fail(.exceededLocalMemoryLimit)
    bench.fail(.exceededLocalMemoryLimit)
    #expect(bench.running[0].memory == 1000)
  }

  /// A worker on which all fails has the most free memory, and its slots are free at once.
  @Test func whatFailedRunsOnAnotherWorkerIfOneIsFree() {
    let bench = Bench()
    bench.join(0, memory: 2000)
    bench.join(1)
    bench.submit(Bench.scan(), splits: 1)
    for (number, worker) in [0, 1, 0].enumerated() {
      #expect(bench.running.map(\.worker) == [Bench.worker(worker)])
      #expect(bench.runningNames == ["q.0.0.\(number)"])
      bench.fail(.genericInsufficientResources)
      bench.pass(.seconds(61))
    }
    // Better there than nowhere.
    bench.lose(0)
    #expect(bench.running.map(\.worker) == [Bench.worker(1)])
    bench.fail(.genericInsufficientResources)
    bench.pass(.seconds(61))
    #expect(bench.running.map(\.worker) == [Bench.worker(1)])
  }

  @Test func theQueryRunsAgainUnderQuery() {
    let bench = Bench()
    bench.join(0, slots: 3)
    bench.submit(Bench.scan(policy: .query), splits: 3)
    bench.finish()
    let other = bench.running[1]
    bench.fail(.genericInternalError)
    #expect(bench.effects.contains(.abortAttempt(other.attempt, other.worker)))
    #expect(bench.records.contains(.queryRetried(q, failures: 1)))
    bench.send(
      .attemptFailed(other.attempt, other.worker, AttemptFailure(error: WaterbearError(.abandonedTask, "aborted"))))
    #expect(bench.running.isEmpty)
    bench.pass(.seconds(10))
    // What was selected stays so.
    #expect(bench.runningNames.sorted() == ["q.0.1.1", "q.0.2.1"])
    for failure in 2...5 {
      while let last = bench.running.last, bench.running.count > 1 {
        bench.running.removeLast()
        bench.send(
          .attemptFailed(last.attempt, last.worker, AttemptFailure(error: WaterbearError(.genericInternalError, "x"))))
        bench.running.removeAll()
      }
      if bench.failure() != nil { break }
      #expect(bench.records.contains(.queryRetried(q, failures: failure)))
      for worker in bench.scheduler.workerStatus {
        for attempt in worker.running {
          bench.send(
            .attemptFailed(attempt, worker.id, AttemptFailure(error: WaterbearError(.abandonedTask, "aborted"))))
        }
      }
      bench.pass(.seconds(60))
    }
    #expect(bench.failure()?.message.contains("query-retry-attempts = 4") == true)
  }

  // MARK: Reports that come late or twice

  /// Neither a task that gets more the next time nor one that is divided has failed for good.
  @Test func memoryThatGrowsCostsTheQueryNoRun() {
    let bench = Bench()
    bench.join(0, memory: 10_000)
    var query = Bench.scan(policy: .query, memory: 100)
    query.limits.queryRetryAttempts = 1
    bench.submit(query, splits: 1)
    var grants: [Int64] = []
    while bench.failure() == nil, grants.count < 50 {
      grants.append(bench.running[0].memory)
      bench.fail(.exceededLocalMemoryLimit)
      bench.pass(.seconds(61))
    }
    // All of the worker's memory twice: the second time ends it.
    #expect(grants.dropLast().allSatisfy { $0 <= 10_000 } && grants.suffix(2) == [10_000, 10_000])
    #expect(bench.failure()?.message.contains("failed 2 times (query-retry-attempts = 1)") == true)
  }

  /// It would run again and again with what it had.
  @Test func memoryThatDoesNotGrowCostsTheQueryARun() {
    let bench = Bench()
    bench.join(0, memory: 10_000)
    var query = Bench.scan(policy: .query, memory: 100)
    query.limits.queryRetryAttempts = 2
    query.memory.growthFactor = 1
    bench.submit(query, splits: 1)
    for _ in 0..<10 where !bench.running.isEmpty {
      bench.fail(.exceededLocalMemoryLimit)
      bench.pass(.seconds(61))
    }
    #expect(bench.failure()?.message.contains("failed 3 times") == true)
  }

  @Test func theFirstReportWins() {
    let bench = Bench()
    bench.join(0, 1)
    bench.submit(Bench.scan(), splits: 1)
    let zombie = bench.running[0]
    bench.lose(zombie.worker.number)
    bench.finish()
    #expect(bench.hasAllResults)
    #expect(bench.effects.contains(.deleteOutput(zombie.attempt)))
    let turn = bench.send(.attemptFinished(zombie.attempt, zombie.worker, Bench.output(zombie)))
    #expect(turn.records.isEmpty)
    #expect(turn.effects.contains(.deleteOutput(zombie.attempt)))
  }

  @Test func aLateReportIsTakenWhileTheTaskIsOpen() {
    let bench = Bench()
    bench.join(0, 1)
    bench.submit(Bench.scan(), splits: 1)
    let zombie = bench.running[0]
    bench.lose(zombie.worker.number)
    let second = bench.running[0]
    bench.send(.attemptFinished(zombie.attempt, zombie.worker, Bench.output(zombie)))
    #expect(bench.records.contains { if case .selected(zombie.attempt, _) = $0 { true } else { false } })
    #expect(bench.effects.contains(.abortAttempt(second.attempt, second.worker)))
    #expect(bench.hasAllResults)
  }

  @Test func aDoubledReportChangesNothing() {
    let bench = Bench()
    bench.join(0, slots: 2)
    bench.submit(Bench.scan(), splits: 2)
    let start = bench.running[0]
    bench.finish()
    let turn = bench.send(.attemptFinished(start.attempt, start.worker, Bench.output(start)))
    #expect(turn.isEmpty)
    #expect(!bench.hasAllResults)
  }

  @Test func reportsAboutNothingAreCleanedUp() {
    let bench = Bench()
    bench.join(0)
    let attempt = AttemptID(task: TaskID(stage: StageID(query: QueryID("gone"), number: 3), partition: 9), number: 1)
    let turn = bench.send(.attemptFinished(attempt, Bench.worker(0), AttemptOutput(bytes: [], rows: [])))
    #expect(turn.effects == [.deleteOutput(attempt)])
    bench.submit(Bench.scan(), splits: 1)
    let never = AttemptID(task: TaskID(stage: StageID(query: q, number: 0), partition: 0), number: 77)
    bench.send(.attemptFinished(never, Bench.worker(0), AttemptOutput(bytes: [1], rows: [1])))
    #expect(!bench.hasAllResults)
  }

  @Test func aReportWithoutItsSizesIsAFailure() {
    let bench = Bench()
    bench.join(0)
    bench.submit(Bench.scan(), splits: 1)
    let start = bench.running.removeFirst()
    bench.send(.attemptFinished(start.attempt, start.worker, AttemptOutput(bytes: [], rows: [])))
    #expect(bench.runningNames == ["q.0.0.1"])
  }

  @Test func eventsOfOneTurnAreAnsweredTogether() {
    let bench = Bench()
    bench.join(0, slots: 4)
    bench.submit(Bench.chain(), splits: 1)
    bench.finish()
    let reader = bench.running.removeFirst()
    let lost = AttemptID(task: TaskID(stage: StageID(query: q, number: 1), partition: 0), number: 0)
    // Stage 1 finishes and its output is lost at once: nothing may start that reads it.
    let turn = bench.scheduler.handle(
      [
        .attemptFinished(reader.attempt, reader.worker, Bench.output(reader)),
        .outputLost(lost, WaterbearError(.genericExternal, "gone")),
      ], now: bench.now)
    let started = turn.effects.compactMap { if case .startAttempt(let start) = $0 { start.attempt } else { nil } }
    #expect(started.map(\.description) == ["q.1.0.1"])
  }

  @Test func aResultLostInTheTurnThatMadeItIsNotAnnounced() {
    let bench = Bench()
    bench.join(0)
    bench.submit(Bench.scan(), splits: 1)
    let start = bench.running.removeFirst()
    let turn = bench.scheduler.handle(
      [
        .attemptFinished(start.attempt, start.worker, Bench.output(start)),
        .outputLost(start.attempt, WaterbearError(.genericExternal, "gone")),
      ], now: bench.now)
    #expect(!turn.effects.contains(.resultReady(start.attempt)))
    #expect(!turn.effects.contains(.allResults(q, taskCount: 1)))
    #expect(turn.records.contains(.queryResumed(q)))
  }

  // MARK: Workers

  @Test func whatAJoiningWorkerDoesNotHoldRunsAgain() {
    let bench = Bench()
    bench.join(0, slots: 2)
    bench.submit(Bench.scan(), splits: 2)
    let (kept, missing) = (bench.running[0], bench.running[1])
    bench.send(.workerDisconnected(Bench.worker(0)))
    let foreign = AttemptID(task: TaskID(stage: StageID(query: QueryID("old"), number: 0), partition: 0), number: 0)
    let turn = bench.send(
      .workerJoined(Bench.worker(0), slots: 2, memoryBytes: 1000, running: [kept.attempt, foreign]))
    #expect(turn.records.contains(.attemptEnded(missing.attempt, .lost, nil)))
    #expect(turn.effects.contains(.abortAttempt(foreign, Bench.worker(0))))
    #expect(!turn.effects.contains(.abortAttempt(kept.attempt, Bench.worker(0))))
    // Nothing starts beside an attempt nobody knows.
    #expect(bench.running.count == 2)
    bench.send(
      .attemptFailed(foreign, Bench.worker(0), AttemptFailure(error: WaterbearError(.abandonedTask, "aborted"))))
    #expect(bench.runningNames.last == "q.0.1.1")
    #expect(bench.scheduler.progress(of: q)?.retries == 0)
  }

  @Test func aSilentWorkerIsKilled() {
    let bench = Bench()
    bench.join(0)
    bench.submit(Bench.scan(), splits: 1)
    for _ in 0..<13 {
      bench.now = bench.now + .seconds(5)
      bench.send(.timer)
    }
    #expect(bench.effects.contains(.killWorker(Bench.worker(0), reason: "it was silent for 1m")))
    #expect(bench.scheduler.workerStatus.isEmpty)
    let turn = bench.send(.workerJoined(Bench.worker(0), slots: 1, memoryBytes: 1000, running: []))
    #expect(turn.effects.contains(.killWorker(Bench.worker(0), reason: "it was given up before")))
    bench.running = []
    bench.join(0, incarnation: 1)
    #expect(bench.runningNames == ["q.0.0.1"])
  }

  @Test func aCoordinatorThatSleptAccusesNobody() {
    let bench = Bench()
    bench.join(0)
    bench.submit(Bench.scan(), splits: 1)
    bench.now = bench.now + .seconds(3600)
    bench.send(.timer)
    #expect(bench.scheduler.workerStatus.count == 1)
    bench.send(.heartbeat(Bench.worker(0)))
    bench.pass(.seconds(300))
    #expect(bench.scheduler.workerStatus.count == 1)
  }

  @Test func aSuccessorMeansDeath() {
    let bench = Bench()
    bench.join(0)
    bench.submit(Bench.scan(), splits: 1)
    bench.running = []
    bench.join(0, incarnation: 1)
    #expect(bench.runningNames == ["q.0.0.1"])
    #expect(bench.scheduler.workerStatus.map(\.id) == [Bench.worker(0, 1)])
  }

  @Test func aStragglerGetsASecondAttempt() {
    let bench = Bench()
    bench.join(0, 1)
    bench.submit(Bench.scan(), splits: 4)
    let slow = bench.running[0]
    for _ in 0..<3 {
      bench.pass(.milliseconds(100))
      bench.finish(1)
    }
    #expect(bench.running.count == 1)
    bench.pass(.milliseconds(1_500))
    #expect(bench.running.count == 1)
    bench.pass(.milliseconds(1_000))
    #expect(bench.running.count == 2)
    #expect(bench.running[1].attempt == AttemptID(task: slow.attempt.task, number: 1))
    #expect(bench.running[1].worker != slow.worker)
    bench.finish(1)
    #expect(bench.effects.contains(.abortAttempt(slow.attempt, slow.worker)))
    #expect(bench.hasAllResults)
  }

  @Test func limitsHoldForStragglersToo() {
    let bench = Bench()
    bench.join(0, 1)
    var description = Bench.scan()
    description.limits.taskRetryAttempts = 0
    bench.submit(description, splits: 4)
    for _ in 0..<3 { bench.finish(1) }
    bench.pass(.seconds(3))
    #expect(bench.running.count == 2)
    bench.fail(.genericInternalError, at: 1)
    #expect(bench.failure()?.code == .genericInternalError)
  }
}

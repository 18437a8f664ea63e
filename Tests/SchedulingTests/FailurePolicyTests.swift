// Tests which failure is retried how often and after how long.
import Base
import Testing

@testable import Scheduling

@Suite struct FailurePolicyTests {
  private let policy = FailurePolicy(
    limits: RetryLimits(
      taskRetryAttempts: 2, initialDelay: .seconds(10), maxDelay: .seconds(60), delayScaleFactor: 2,
      taskWorkerLosses: 3),
    memory: MemoryPolicy(growthFactor: 3))

  private func verdicts(_ codes: [ErrorCode], workerDied: Bool = false) -> [FailurePolicy.Verdict] {
    var counters = TaskCounters()
    return codes.map { policy.judge($0, workerDied: workerDied, grant: 10, peak: 20, asked: 0, &counters) }
  }

  @Test func userErrorsEndTheQuery() {
    #expect(verdicts([.divisionByZero]) == [.giveUp])
  }

  @Test func internalErrorsAreDelayedFromTheSecondOn() {
    let codes: [ErrorCode] = [.genericInternalError, .genericInternalError, .genericInternalError]
    #expect(verdicts(codes) == [.retry(after: .zero), .retry(after: .seconds(10)), .giveUp])
  }

  @Test func externalErrorsAreAlwaysDelayed() {
    let codes: [ErrorCode] = [.genericExternal, .genericExternal, .genericExternal]
    #expect(verdicts(codes) == [.retry(after: .seconds(10)), .retry(after: .seconds(20)), .giveUp])
  }

  @Test func deathsFromOutsideHaveALimitOfTheirOwnAndNoDelay() {
    let codes = [ErrorCode](repeating: .remoteHostGone, count: 4)
    #expect(
      verdicts(codes, workerDied: true)
        == [.retry(after: .zero), .retry(after: .zero), .retry(after: .zero), .giveUp])
  }

  @Test func deathsFromOutsideDoNotDelayFailures() {
    var counters = TaskCounters()
    counters.workerLosses = 2
    let verdict = policy.judge(.genericInternalError, workerDied: false, grant: 0, peak: 0, asked: 0, &counters)
    #expect(verdict == .retry(after: .zero))
  }

  @Test func aWorkerThatCrashesByItselfIsTheTasksFailure() {
    var counters = TaskCounters()
    _ = policy.judge(.genericInternalError, workerDied: true, grant: 0, peak: 0, asked: 0, &counters)
    #expect(counters.failures == 1 && counters.workerLosses == 0)
  }

  @Test func fullDisksAreDelayedAndAskForNoMemory() {
    var counters = TaskCounters()
    let code = ErrorCode.genericInsufficientResources
    let first = policy.judge(code, workerDied: false, grant: 10, peak: 20, asked: 0, &counters)
    #expect(first == .retry(after: .seconds(10)) && counters.memory == 0)
    let second = policy.judge(code, workerDied: false, grant: 10, peak: 20, asked: 0, &counters)
    #expect(second == .retry(after: .seconds(20)) && counters.memory == 0)
  }

  @Test func lackOfMemoryAsksForMoreAtOnce() {
    var counters = TaskCounters()
    let first = policy.judge(.exceededLocalMemoryLimit, workerDied: false, grant: 10, peak: 20, asked: 0, &counters)
    #expect(first == .retry(after: .zero) && counters.memory == 60)
    let second = policy.judge(.clusterOutOfMemory, workerDied: true, grant: 60, peak: 0, asked: 0, &counters)
    #expect(second == .retry(after: .zero) && counters.memory == 180)
    let third = policy.judge(
      .exceededLocalMemoryLimit, workerDied: false, grant: 180, peak: 180, asked: 180, &counters)
    #expect(third == .giveUp)
  }

  @Test func lackOfMemoryIsNoFailureWhereLessWasGrantedThanAskedFor() {
    var counters = TaskCounters()
    let first = policy.judge(
      .exceededLocalMemoryLimit, workerDied: false, grant: 10, peak: 10, asked: 100, &counters)
    #expect(first == .retry(after: .zero) && counters.failures == 0 && counters.memory == 100)
    _ = policy.judge(.exceededLocalMemoryLimit, workerDied: false, grant: 90, peak: 95, asked: 100, &counters)
    #expect(counters.failures == 0 && counters.memory == 285)
    _ = policy.judge(.exceededLocalMemoryLimit, workerDied: false, grant: 100, peak: 100, asked: 100, &counters)
    #expect(counters.failures == 1)
  }

  @Test func aTimeLimitDoesNotAskForMemory() {
    var counters = TaskCounters()
    _ = policy.judge(.exceededTimeLimit, workerDied: false, grant: 10, peak: 10, asked: 0, &counters)
    #expect(counters.memory == 0 && counters.failures == 1)
  }

  @Test func delaysGrowToTheMaximum() {
    let delays = (0...6).map { policy.delay(beforeRetry: $0) }
    #expect(delays == [.zero, .seconds(10), .seconds(20), .seconds(40), .seconds(60), .seconds(60), .seconds(60)])
    #expect(policy.delay(beforeRetry: 1_000_000) == .seconds(60))
  }

  @Test(arguments: [
    (nil, nil, "waterbear.worker-memory"), (50, nil, "Raise task.max-memory, or task_max_memory of the session"),
    (nil, 60, "query.max-memory, or query_max_memory"), (1000, 70, "query.max-memory"), (50, 50, "task.max-memory"),
  ] as [(Int64?, Int64?, String)])
  func theRemedyNamesTheLimitOfMemory(task: Int64?, query: Int64?, name: String) {
    let bench = Bench()
    bench.join(0)
    var description = Bench.scan()
    description.memory.taskMemoryMax = task
    description.memory.queryMemoryMax = query
    bench.submit(description, splits: 1)
    for _ in 0..<20 where !bench.running.isEmpty { bench.fail(.exceededLocalMemoryLimit, peak: 2000) }
    #expect(bench.failure()?.remedy?.contains(name) == true, "\(bench.failure()?.remedy ?? "")")
  }
}

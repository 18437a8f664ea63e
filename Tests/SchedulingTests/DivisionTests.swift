// Tests what becomes of tasks too big for any worker, and the limits of what tasks and queries are granted.
import Base
import Testing

@testable import Scheduling

/// Tasks that lacked memory although they had all there is.
@Suite struct DivisionTests {
  /// A hash stage over two partitions.
  private func hash(isDivisible: Bool = true) -> QueryDescription {
    Bench.describe([
      StageDescription(
        number: 0, kind: .hash, inputs: [StageInput(stage: 1, mode: .partitioned, isDivisible: isDivisible)]),
      StageDescription(number: 1, kind: .source, outputPartitionCount: 2),
    ])
  }

  /// A stage of splits that copies another one's rows to each of its tasks.
  private func copies() -> QueryDescription {
    Bench.describe([
      StageDescription(number: 0, kind: .source, inputs: [StageInput(stage: 1, mode: .broadcast, isDivisible: true)]),
      StageDescription(number: 1, kind: .source),
    ])
  }

  private func shares(_ start: AttemptStart) -> [String] {
    start.input.shares.map { "\($0.axis) \($0.index)/\($0.count)" }
  }

  @Test func aTaskWithAWholeWorkersMemoryIsDivided() {
    let bench = Bench()
    bench.join(0)
    bench.submit(hash(), splits: 1)
    bench.finish()
    // A ninth is kept for a query that would otherwise run nothing.
    #expect(bench.running[0].memory == 888)
    bench.fail(.exceededLocalMemoryLimit, peak: 880)
    // First each partition becomes a task of its own.
    #expect(bench.runningNames == ["q.0.0.1"])
    #expect(bench.running[0].input.exchanges[0].partitions == [0])
    bench.fail(.exceededLocalMemoryLimit, peak: 990)
    var seen: [String] = []
    while let start = bench.running.first {
      seen.append("\(start.input.exchanges[0].partitions) \(shares(start))")
      bench.finish()
    }
    #expect(seen.sorted() == (0..<4).map { "[0] [\"partitions \($0)/4\"]" } + ["[1] []"])
    #expect(bench.effects.contains(.allResults(QueryID("q"), taskCount: 5)))
  }

  @Test func aShareIsDividedAgainAndNotForEver() {
    let bench = Bench()
    bench.join(0)
    bench.submit(hash(), splits: 1)
    bench.finish()
    bench.fail(.exceededLocalMemoryLimit)
    for count in [4, 16, 64, 256, 1024] {
      while bench.running[0].attempt.task.partition != 0 { bench.finish() }
      bench.fail(.exceededLocalMemoryLimit)
      while let start = bench.running.first, start.attempt.task.partition != 0 { bench.finish() }
      #expect(shares(bench.running[0]) == ["partitions 0/\(count)"])
    }
    for _ in 0..<5 {
      while let start = bench.running.first, start.attempt.task.partition != 0 { bench.finish() }
      bench.fail(.exceededLocalMemoryLimit)
    }
    let error = bench.failure()
    #expect(error?.code == .exceededLocalMemoryLimit)
    #expect(error?.message.hasPrefix("Cannot allocate enough memory for task q.0.0. Maximum possible") == true)
  }

  @Test func lessThanAllMemoryIsNoReason() {
    let bench = Bench()
    bench.join(0, slots: 4)
    bench.submit(hash(), splits: 1)
    bench.finish()
    #expect(bench.running.map(\.memory) == [240, 240])
    bench.fail(.exceededLocalMemoryLimit, peak: 240)
    bench.finish()
    #expect(bench.runningNames == ["q.0.0.1"])
    #expect(bench.running[0].memory >= 750)
    #expect(!bench.records.contains { if case .taskDivided = $0 { true } else { false } })
  }

  @Test func whatCannotBeDividedFailsWithAClearError() {
    let bench = Bench()
    bench.join(0)
    bench.submit(hash(isDivisible: false), splits: 1)
    bench.finish()
    for _ in 0..<5 { bench.fail(.exceededLocalMemoryLimit) }
    #expect(bench.failure()?.message.hasPrefix("Cannot allocate enough memory for task q.0.0") == true)
  }

  @Test func splitsAreHalvedWhereNothingIsCopied() {
    let bench = Bench()
    bench.join(0)
    var description = Bench.scan()
    description.sizing.compute = .init(minimum: 100, maximum: 100)
    bench.submit(description, splits: 5)
    // Each slot gets two tasks.
    #expect(bench.running[0].input.splits == 0..<2)
    bench.fail(.exceededLocalMemoryLimit)
    var splits: [Range<Int>] = []
    while let start = bench.running.first {
      splits.append(start.input.splits)
      bench.finish()
    }
    #expect(splits.sorted { $0.lowerBound < $1.lowerBound } == [0..<1, 1..<2, 2..<4, 4..<5])
  }

  @Test func allTasksLearnThatACopyIsTooBig() {
    let bench = Bench()
    bench.join(0)
    bench.submit(copies(), splits: 2)
    while bench.running[0].attempt.task.stage.number == 1 { bench.finish() }
    bench.fail(.exceededLocalMemoryLimit)
    var seen: [String] = []
    while let start = bench.running.first {
      seen.append("\(start.input.splits.lowerBound) \(shares(start)[0])")
      bench.finish()
    }
    let all = (0..<2).flatMap { split in (0..<4).map { "\(split) build(stage: 1) \($0)/4" } }
    #expect(seen.sorted() == all)
    #expect(bench.records.count { if case .attemptEnded(_, .failed, _) = $0 { true } else { false } } == 1)
  }

  @Test func aWorkerKilledForMemoryDividesItsTaskOnly() {
    let bench = Bench()
    bench.join(0)
    bench.submit(copies(), splits: 2)
    while bench.running[0].attempt.task.stage.number == 1 { bench.finish() }
    bench.lose(0, code: .clusterOutOfMemory)
    bench.join(0, incarnation: 1)
    var seen: [String] = []
    while let start = bench.running.first {
      seen.append("\(start.input.splits.lowerBound) \(shares(start))")
      bench.finish()
    }
    #expect(seen.filter { $0.hasPrefix("0 [\"build") }.count == 4)
    #expect(seen.contains("1 []"))
  }

  @Test func theReportOfAnAttemptFromBeforeIsRefused() {
    let bench = Bench()
    bench.join(0, 1)
    var description = hash()
    description.stragglers = StragglerPolicy(isEnabled: false)
    bench.submit(description, splits: 1)
    bench.finish()
    let late = bench.running[0]
    bench.lose(late.worker.number, code: .clusterOutOfMemory)
    bench.send(.attemptFinished(late.attempt, late.worker, Bench.output(late)))
    #expect(bench.effects.contains(.deleteOutput(late.attempt)))
    #expect(!bench.records.contains { if case .selected(late.attempt, _) = $0 { true } else { false } })
  }

  @Test func noTaskIsGrantedMoreThanTheLimit() {
    let bench = Bench()
    bench.join(0)
    var description = hash()
    description.memory.taskMemoryMax = 300
    bench.submit(description, splits: 1)
    bench.finish()
    #expect(bench.running[0].memory == 300)
    bench.fail(.exceededLocalMemoryLimit, peak: 290)
    bench.finish()
    #expect(bench.running.allSatisfy { $0.memory == 300 })
    #expect(bench.records.contains { if case .taskDivided = $0 { true } else { false } })
  }

  @Test func tasksWaitForTheQuerysMemory() {
    let bench = Bench()
    bench.join(0, slots: 4)
    var description = Bench.scan()
    description.memory.queryMemoryMax = 250
    bench.submit(description, splits: 4)
    #expect(bench.running.map(\.memory) == [240])
    bench.submit(Bench.scan("other"), splits: 1)
    #expect(bench.runningNames == ["q.0.0.0", "other.0.0.0"])
    for _ in 0..<4 { bench.finish(bench.running.firstIndex { $0.attempt.task.stage.query == QueryID("q") } ?? 0) }
    #expect(bench.effects.contains(.allResults(QueryID("q"), taskCount: 4)))
  }
}

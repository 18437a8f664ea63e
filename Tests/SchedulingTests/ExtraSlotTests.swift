// Tests the places beyond the slots: who gets them, with how much memory.
import Base
import Testing

@testable import Scheduling

/// A short query beside long tasks that hold all slots.
@Suite struct ExtraSlotTests {
  /// A worker of one slot, which a task of the query "long" holds; others of it wait.
  private func busy(memory: Int64 = 900, task: Int64 = 800) -> Bench {
    let bench = Bench()
    bench.join(0, memory: memory)
    bench.submit(Bench.scan("long", memory: task), splits: 3)
    #expect(bench.runningNames == ["long.0.0.0"])
    return bench
  }

  @Test func aQueryThatRunsNothingStartsBesideALongTask() {
    let bench = busy()
    bench.submit(Bench.scan("short"), splits: 1)
    #expect(bench.runningNames == ["long.0.0.0", "short.0.0.0"])
    bench.finish(1)
    #expect(bench.runningNames == ["long.0.0.0"])
    #expect(bench.effects.contains(.allResults(QueryID("short"), taskCount: 1)))
  }

  @Test func onlyOneOfItsTasksDoes() {
    let bench = busy()
    bench.submit(Bench.scan("short"), splits: 2)
    #expect(bench.runningNames == ["long.0.0.0", "short.0.0.0"])
    // The freed slot is the next query's in turn.
    bench.finish(0)
    #expect(bench.runningNames.count == 2)
  }

  @Test func aWorkerHasOneSuchPlace() {
    let bench = busy()
    bench.submit(Bench.scan("second"), splits: 1)
    bench.submit(Bench.scan("third"), splits: 1)
    #expect(bench.runningNames == ["long.0.0.0", "second.0.0.0"])
    bench.finish(1)
    #expect(bench.runningNames == ["long.0.0.0", "third.0.0.0"])
  }

  @Test func queriesTakeTurnsThere() {
    let bench = busy()
    for name in ["second", "third"] { bench.submit(Bench.scan(name), splits: 2) }
    var started = bench.runningNames
    for _ in 0..<4 {
      bench.finish(bench.running.count - 1)
      started.append(bench.runningNames.last ?? "")
    }
    #expect(Set(started.suffix(4).map { $0.prefix { $0 != "." } }).count >= 2, "\(started)")
    #expect(started.prefix(4).contains("third.0.0.0"), "\(started)")
  }

  @Test func aTaskOfUnknownNeedGetsWhatIsLeft() {
    let bench = busy()
    bench.submit(Bench.scan("short", memory: 800), splits: 1)
    #expect(bench.running.map(\.memory) == [800, 100])
    // It did not suffice: the next attempt waits for the slot.
    bench.fail(.exceededLocalMemoryLimit, at: 1)
    #expect(bench.runningNames == ["long.0.0.0"])
    bench.finish(0)
    #expect(bench.runningNames == ["long.0.1.0"])
    bench.finish(0)
    #expect(bench.runningNames.first == "short.0.0.1")
    #expect(bench.running[0].memory == 800)
  }

  @Test func whatItsTasksAreSeenToNeedIsEnough() {
    let bench = busy()
    bench.submit(Bench.scan("short", memory: 800), splits: 3)
    bench.finish(1, peak: 90)
    #expect(bench.runningNames == ["long.0.0.0", "short.0.1.0"])
    #expect(bench.running.map(\.memory) == [800, 100])
    // The third would need more than is left.
    bench.finish(1, peak: 150)
    #expect(bench.runningNames == ["long.0.0.0"])
  }

  @Test func otherPoliciesRiskNoFailure() {
    for policy in [RetryPolicy.none, .query] {
      let bench = busy()
      bench.submit(Bench.scan("short", policy: policy, memory: 800), splits: 1)
      #expect(bench.runningNames == ["long.0.0.0"])
      bench.submit(Bench.scan("small", policy: policy, memory: 100), splits: 1)
      #expect(bench.runningNames == ["long.0.0.0", "small.0.0.0"])
    }
  }

  @Test func aWorkerThatDrainsHasNone() {
    let bench = busy()
    bench.send(.workerDraining(Bench.worker(0)))
    bench.submit(Bench.scan("short"), splits: 1)
    #expect(bench.runningNames == ["long.0.0.0"])
  }

  @Test func whereATaskTookTheWholeMemoryThereIsNoRoom() {
    let bench = busy(memory: 900, task: 900)
    bench.submit(Bench.scan("short"), splits: 1)
    #expect(bench.runningNames == ["long.0.0.0"])
  }

  @Test func aStreamOfShortQueriesDoesNotStarveABigTask() {
    let bench = Bench()
    bench.join(0, memory: 900)
    for name in ["s0", "s1"] { bench.submit(Bench.scan(name), splits: 1) }
    bench.submit(Bench.scan("big", memory: 900), splits: 1)
    var rounds = 0
    while !bench.runningNames.contains("big.0.0.0"), rounds < 20 {
      // Whichever ends, there are always two more that wait.
      bench.submit(Bench.scan("s\(2 * rounds + 2)"), splits: 1)
      bench.submit(Bench.scan("s\(2 * rounds + 3)"), splits: 1)
      bench.finish(rounds % max(1, bench.running.count))
      rounds += 1
    }
    #expect(bench.runningNames == ["big.0.0.0"], "after \(rounds) rounds")
  }

  @Test func aPlaceBeyondTheSlotsStaysOneWhenASlotBecomesFree() {
    let bench = busy()
    bench.submit(Bench.scan("short", memory: 800), splits: 1)
    #expect(bench.running.map(\.memory) == [800, 100])
    // The slot is free, with its share of the memory.
    bench.finish(0)
    #expect(bench.runningNames == ["short.0.0.0", "long.0.1.0"])
    #expect(bench.running.map(\.memory) == [100, 800])
    bench.submit(Bench.scan("third"), splits: 1)
    #expect(bench.running.count == 2, "there is one place beyond the slots")
  }

  @Test func lackOfMemoryThereIsNotTheTasksFailure() {
    let bench = busy()
    var query = Bench.scan("short", memory: 800)
    query.limits.taskRetryAttempts = 0
    bench.submit(query, splits: 1)
    bench.fail(.exceededLocalMemoryLimit, at: 1)
    #expect(bench.failure("short") == nil)
    // It is not tried there a second time, even if no growth were asked for.
    #expect(bench.runningNames == ["long.0.0.0"])
    for _ in 0..<2 { bench.finish(0) }
    #expect(bench.runningNames.first == "short.0.0.1" && bench.running[0].memory == 800)
    bench.fail(.exceededLocalMemoryLimit)
    #expect(bench.failure("short")?.code == .exceededLocalMemoryLimit)
  }
}

// Tests which attempt is ended when the machine runs short of memory.
import Base
import Testing

@testable import Scheduling

@Suite struct MemoryShortTests {
  /// Three attempts of one query under way; the first ran for 100 s, the second for 10 s, the third for no time yet.
  private func bench(_ policy: RetryPolicy = .task) -> Bench {
    let bench = Bench()
    bench.join(0)
    bench.submit(Bench.scan(policy: policy), splits: 3)
    bench.pass(.seconds(90))
    bench.join(1)
    bench.pass(.seconds(10))
    bench.join(2)
    #expect(bench.runningNames == ["q.0.0.0", "q.0.1.0", "q.0.2.0"])
    return bench
  }

  /// The first attempt of a task.
  private func first(_ partition: Int) -> AttemptID {
    AttemptID(task: TaskID(stage: StageID(query: QueryID("q"), number: 0), partition: partition), number: 0)
  }

  /// By task.
  private func held(_ bytes: Int64...) -> [AttemptID: Int64] {
    Dictionary(uniqueKeysWithValues: zip(bytes.indices.map(first), bytes))
  }

  /// The attempts that were told to end.
  private func ended(_ bench: Bench) -> [String] {
    bench.effects.compactMap { if case .abortAttempt(let attempt, _) = $0 { attempt.description } else { nil } }
  }

  @Test func theBiggestIsTheOneThatHoldsMost() {
    let bench = bench()
    bench.send(.memoryShort(.biggest, held: held(700, 300, 200)))
    #expect(ended(bench) == ["q.0.0.0"])
  }

  @Test func leastWasteIsMostMemoryForTheTimeThatItHasRun() {
    // 700 bytes for 101 seconds, 300 for 11, 20 for 1: what is lost with the second is least for what is won.
    let bench = bench()
    bench.send(.memoryShort(.leastWaste, held: held(700, 300, 20)))
    #expect(ended(bench) == ["q.0.1.0"])
  }

  @Test func whatHasJustBegunIsTheLeastWaste() {
    let bench = bench()
    bench.send(.memoryShort(.leastWaste, held: held(700, 300, 200)))
    #expect(ended(bench) == ["q.0.2.0"])
  }

  @Test func anAttemptOfWhichNothingIsKnownCountsWithItsGrant() {
    let bench = bench()
    // The others were granted all that their workers have, 1000 bytes.
    bench.send(.memoryShort(.biggest, held: [first(1): 1001]))
    #expect(ended(bench) == ["q.0.1.0"])
  }

  @Test func theTaskRunsAgainWithMoreAndThatIsNamed() throws {
    let bench = Bench()
    bench.join(0, slots: 2)
    bench.submit(Bench.scan(), splits: 2)
    bench.send(.memoryShort(.biggest, held: held(10, 20)))
    #expect(ended(bench) == ["q.0.1.0"])
    let error = bench.records.compactMap { record -> WaterbearError? in
      if case .attemptEnded(let attempt, .failed, let error) = record, attempt.description == "q.0.1.0" { error } else {
        nil
      }
    }.first
    #expect(error?.code == .clusterOutOfMemory)
    #expect(error?.message.contains("q.0.1.0 held 20B") == true, "\(error?.message ?? "")")
    bench.send(.attemptFailed(first(1), Bench.worker(0), AttemptFailure(error: try #require(error))))
    bench.finish()
    bench.pass(.seconds(61))
    let again = try #require(bench.running.first)
    #expect(again.attempt.description == "q.0.1.1")
    #expect(again.memory > 500)
    bench.finish()
    #expect(bench.failure() == nil)
  }

  @Test func theOnlyAttemptGoesOn() {
    let bench = Bench()
    bench.join(0)
    bench.submit(Bench.scan(), splits: 1)
    for policy in [LowMemoryVictim.biggest, .leastWaste] { bench.send(.memoryShort(policy, held: held(1_000_000))) }
    #expect(ended(bench).isEmpty)
    #expect(bench.runningNames == ["q.0.0.0"])
  }

  @Test(arguments: [RetryPolicy.query, .none]) func aQueryThatWouldLoseEverythingLosesNothing(policy: RetryPolicy) {
    let bench = bench(policy)
    bench.send(.memoryShort(.biggest, held: held(700, 300, 200)))
    #expect(ended(bench).isEmpty)
    #expect(bench.failure() == nil)
  }

  /// Another query's attempt is the victim, though it holds less, where the bigger one could not be run again in parts.
  @Test func aQueryUnderTaskMakesRoomForOthers() {
    let bench = Bench()
    bench.join(0, 1)
    bench.submit(Bench.scan(policy: .query), splits: 1)
    bench.submit(Bench.scan("r"), splits: 1)
    #expect(bench.running.count == 2)
    bench.send(.memoryShort(.biggest, held: held(900)))
    #expect(ended(bench) == ["r.0.0.0"])
  }
}

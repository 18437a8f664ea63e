// Tests that tasks share the build side of a broadcast join exactly where its contents are the same.

import Base
import Columnar
import Foundation
import Planning
import Synchronization
import Testing

@testable import Execution

@Suite struct SharedBuildsTests {
  /// A broadcast join and what it gives.
  func setup() -> (run: FragmentRun, expected: [Row]) {
    var side = JoinTests.sides([.bigint], ([100], [40]), seed: 21)
    side.run.node = .join(
      JoinNode(
        kind: .inner, left: side.left, right: side.right,
        criteria: [EquiClause(left: side.columns.0[0], right: side.columns.1[0])],
        outputs: side.columns.0 + side.columns.1, distribution: .broadcast))
    side.run.modes = [FragmentInput(fragment: 1, mode: .partitioned), FragmentInput(fragment: 2, mode: .broadcast)]
    return (side.run, JoinTests.naive([.bigint], filtered: false).join(.inner, side.rows.0, side.rows.1))
  }

  func rowsRead(_ run: FragmentRun, _ expected: [Row]) throws -> Int64 {
    let sink = CollectingSink()
    let statistics = try run.run(into: sink)
    #expect(sink.rows.map(sortKey) == expected.map(sortKey))
    return statistics.inputRows
  }

  @Test func theSecondTaskReadsOnlyItsOwnSide() throws {
    var (run, expected) = setup()
    let builds = SharedBuilds(capacityBytes: 1 << 20)
    run.sharing = BuildSharing(builds: builds, scope: "q.1") { [UInt8($0)] }
    #expect(try rowsRead(run, expected) == 140)
    #expect(try rowsRead(run, expected) == 100)
    builds.forget(scopesStartingWith: "q.")
    #expect(try rowsRead(run, expected) == 140)
  }

  @Test func otherContentsOrStagesAreNotShared() throws {
    var (run, expected) = setup()
    let builds = SharedBuilds(capacityBytes: 1 << 20)
    for (scope, name) in [("q.1", 1), ("q.2", 1), ("q.1", 2)] {
      run.sharing = BuildSharing(builds: builds, scope: scope) { _ in [UInt8(name)] }
      #expect(try rowsRead(run, expected) == 140)
    }
    run.modes[1].mode = .partitioned
    #expect(try rowsRead(run, expected) == 140)
  }

  @Test func tablesBeyondTheCapacityAreDropped() throws {
    var (run, expected) = setup()
    let builds = SharedBuilds(capacityBytes: 0)
    run.sharing = BuildSharing(builds: builds, scope: "q.1") { [UInt8($0)] }
    #expect(try rowsRead(run, expected) == 140)
    #expect(try rowsRead(run, expected) == 140)
  }

  @Test func aFailedBuildIsBuiltAgain() throws {
    var (run, expected) = setup()
    let builds = SharedBuilds(capacityBytes: 1 << 20)
    run.sharing = BuildSharing(builds: builds, scope: "q.1") { [UInt8($0)] }
    run.limit = 1000
    #expect(throws: WaterbearError.self) { try run.rows() }
    run.limit = 1 << 30
    #expect(try rowsRead(run, expected) == 140)
  }

  @Test func theKeysThatATableTellsCountAsItsBytes() throws {
    var keys = VectorBuilder(type: .bigint, capacity: 1000)
    for row in 0..<1000 { keys.append(.integer(Int64(row) * 1_000_003)) }
    let batches = [Batch(columns: [keys.finish()], count: 1000)]
    func table(_ summarizing: Set<Int>, _ memory: MemoryContext) throws -> JoinTable {
      try JoinTable.build(
        from: PageSourcesOperator(
          sourceCount: 1, columnCount: 1, input: TaskInput(shouldStop: { false }), open: { _ in BatchList(batches) }),
        keyPositions: [0], payloadPositions: [0], types: [.bigint], needsRows: true, summarizing: summarizing,
        account: memory.account("test"))
    }
    let plain = try table([], MemoryContext(limit: 1 << 30))
    let memory = MemoryContext(limit: 1 << 30)
    let telling = try table([0], memory)
    let summary = try #require(telling.summaries[0])
    #expect(plain.summaries.isEmpty)
    #expect(telling.retainedBytes == plain.retainedBytes + summary.retainedBytes)
    #expect(throws: WaterbearError.self) { try table([0], MemoryContext(limit: memory.peakBytes - 1)) }
  }

  /// A build of no bytes.
  private final class Nothing: SharedBuild {
    let retainedBytes = 0
  }

  private final class Flag: Sendable {
    private let value = Atomic(false)

    func set() { value.store(true, ordering: .relaxed) }
    /// Returns when it is set.
    func wait() { while !value.load(ordering: .relaxed) { usleep(1000) } }
  }

  private let key = SharedBuilds.Key(scope: "q.1", node: 1, inputs: [])

  /// Has another thread build until `isOver` and then give what `make` gives; returns when it is at work.
  private func occupy(_ builds: SharedBuilds, until isOver: Flag, make: @escaping @Sendable () throws -> Nothing) {
    let started = Flag()
    let key = key
    Thread.detachNewThread {
      // What comes of it is seen by those who wait.
      _ = try? builds.build(key, checkStop: {}) {
        started.set()
        isOver.wait()
        return try make()
      }
    }
    started.wait()
  }

  @Test(.timeLimit(.minutes(1))) func whoWaitsForAnotherTaskCanBeStopped() throws {
    let builds = SharedBuilds(capacityBytes: 1 << 20)
    let (isOver, made) = (Flag(), Nothing())
    occupy(builds, until: isOver) { made }
    var asked = 0
    #expect(throws: TaskStopped.self) {
      let _: Nothing = try builds.build(
        key,
        checkStop: {
          asked += 1
          if asked == 3 { throw TaskStopped() }
        }, make: { preconditionFailure("the other task is at work still") })
    }
    isOver.set()
    // Who gave up waiting took nothing away.
    let found: Nothing = try builds.build(key, checkStop: {}, make: { preconditionFailure("another task makes it") })
    #expect(found === made)
  }

  @Test(.timeLimit(.minutes(1))) func whoWaitsMakesWhatTheFirstCouldNot() throws {
    let builds = SharedBuilds(capacityBytes: 1 << 20)
    let isOver = Flag()
    occupy(builds, until: isOver) { throw TaskStopped() }
    let own = Nothing()
    let found: Nothing = try builds.build(key, checkStop: { isOver.set() }, make: { own })
    #expect(found === own)
  }
}

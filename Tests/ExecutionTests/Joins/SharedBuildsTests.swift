// Tests that tasks share the build side of a broadcast join exactly where its contents are the same.

import Base
import Columnar
import Planning
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
}

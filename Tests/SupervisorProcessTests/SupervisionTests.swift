// Tests of the supervisor's decisions with a clock of ours and no process.
import Base
import Platform
import Testing

@testable import SupervisorProcess

@Suite struct SupervisionTests {
  private var supervision = Supervision(policy: SupervisionPolicy(workerCount: 2))
  private var now = MonotonicTime(nanoseconds: 1_000_000_000_000)

  private mutating func send(_ event: Supervision.Event, after span: TimeSpan = .zero) -> [Supervision.Action] {
    now = now + span
    return supervision.handle(event, now: now)
  }

  /// Starts everything and makes it ready.
  private mutating func bringUp() {
    _ = send(.begin)
    for role in supervision.roles { _ = send(.ready(role), after: .milliseconds(10)) }
  }

  /// All workers give a sign of life after this time.
  private mutating func workersSpeak(after span: TimeSpan) {
    now = now + span
    for role in supervision.roles.dropFirst() { _ = send(.alive(role)) }
  }

  private func withoutReports(_ actions: [Supervision.Action]) -> [Supervision.Action] {
    actions.filter { if case .report = $0 { false } else { true } }
  }

  /// The delay that the report of an end names; nil where there is none.
  private func delay(_ actions: [Supervision.Action]) -> TimeSpan? {
    for case .report(.ended(_, _, _, _, let restartAfter)) in actions { return restartAfter }
    return nil
  }

  @Test mutating func everythingStartsAtOnce() {
    #expect(send(.begin) == [.start(.coordinator), .start(.worker(1)), .start(.worker(2))])
    #expect(supervision.nextDeadline == now + .seconds(300))
  }

  @Test mutating func readyIsAnnouncedOnceWithCoordinatorAndOneWorker() {
    _ = send(.begin)
    #expect(withoutReports(send(.ready(.worker(1)))).isEmpty)
    #expect(withoutReports(send(.ready(.coordinator))) == [.announceReady])
    #expect(withoutReports(send(.ready(.worker(2)))).isEmpty)
    #expect(supervision.readyWorkers == 2 && supervision.isCoordinatorReady)
  }

  @Test mutating func aDeathAfterALongLifeRestartsAtOnce() {
    bringUp()
    let actions = send(.ended(.worker(1), .exited(1)), after: .seconds(1))
    #expect(withoutReports(actions) == [.start(.worker(1))])
    #expect(delay(actions) == .zero)
    #expect(supervision.readyWorkers == 1)
  }

  @Test mutating func soonDeathsDoubleTheDelayUpToItsMaximum() {
    _ = send(.begin)
    var delays: [Int64] = []
    for _ in 0..<9 {
      let actions = send(.ended(.coordinator, .exited(1)), after: .milliseconds(5))
      delays.append(delay(actions)!.milliseconds)
      #expect(withoutReports(actions).isEmpty)
      now = supervision.nextDeadline!
      #expect(send(.tick) == [.start(.coordinator)])
    }
    #expect(delays == [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000])
  }

  @Test mutating func aLongLifeForgetsSoonDeaths() {
    bringUp()
    for _ in 0..<4 {
      _ = send(.ended(.worker(1), .exited(1)))
      now = supervision.nextDeadline ?? now
      _ = send(.tick)
    }
    _ = send(.ready(.worker(1)))
    #expect(delay(send(.ended(.worker(1), .exited(1)), after: .seconds(1))) == .zero)
    _ = send(.ready(.worker(1)))
    #expect(delay(send(.ended(.worker(1), .exited(1)))) == .milliseconds(50))
  }

  @Test mutating func aLongStartThatFailsCountsAsASoonDeath() {
    _ = send(.begin)
    #expect(delay(send(.ended(.worker(1), .exited(1)), after: .seconds(60))) == .milliseconds(50))
  }

  @Test(arguments: [Int64(20), 200, 300])
  mutating func killsFromOutsideNeverSlowTheRestartMuch(period: Int64) {
    bringUp()
    for round in 0..<50 {
      let actions = send(.ended(.coordinator, .killed(signal: 9)), after: .milliseconds(period))
      #expect(withoutReports(actions) == [.start(.coordinator)], "round \(round)")
      _ = send(.ready(.coordinator), after: .milliseconds(15))
    }
  }

  @Test mutating func killsBeforeReadyAreDelayedALittleOnly() {
    _ = send(.begin)
    for _ in 0..<20 {
      let actions = send(.ended(.coordinator, .killed(signal: 9)), after: .milliseconds(5))
      #expect(delay(actions)! <= .milliseconds(100))
      now = supervision.nextDeadline!
      _ = send(.tick)
    }
  }

  @Test mutating func aTickBeforeItsTimeDoesNothing() {
    _ = send(.begin)
    _ = send(.ended(.worker(2), .exited(1)))
    #expect(send(.tick, after: .milliseconds(49)).isEmpty)
    #expect(send(.tick, after: .milliseconds(1)) == [.start(.worker(2))])
  }

  @Test mutating func drainStopsTheCoordinatorBeforeTheWorkers() {
    bringUp()
    #expect(withoutReports(send(.drain)) == [.signal(.coordinator, .drain)])
    #expect(
      withoutReports(send(.ended(.coordinator, .exited(0))))
        == [.signal(.worker(1), .drain), .signal(.worker(2), .drain)])
    #expect(withoutReports(send(.ended(.worker(2), .exited(0)))).isEmpty)
    #expect(withoutReports(send(.ended(.worker(1), .exited(0)))) == [.finish(.done, reason: nil)])
    #expect(send(.tick).isEmpty && send(.drain).isEmpty)
  }

  @Test mutating func nothingIsRestartedInADrain() {
    bringUp()
    _ = send(.drain)
    #expect(withoutReports(send(.ended(.worker(1), .killed(signal: 9)), after: .seconds(1))).isEmpty)
    #expect(
      withoutReports(send(.ended(.coordinator, .killed(signal: 11)))) == [.signal(.worker(2), .drain)])
    #expect(withoutReports(send(.ended(.worker(2), .exited(0)))) == [.finish(.done, reason: nil)])
  }

  @Test mutating func aDrainWithNobodyRunningEndsAtOnce() {
    _ = send(.begin)
    for role in supervision.roles { _ = send(.startFailed(role, reason: "no memory")) }
    #expect(withoutReports(send(.drain)) == [.finish(.done, reason: nil)])
  }

  @Test mutating func whenTheDrainTimeIsUpTheRestIsKilled() {
    bringUp()
    _ = send(.drain)
    let end = now + .seconds(30)
    workersSpeak(after: .milliseconds(29_990))
    _ = send(.alive(.coordinator))
    #expect(supervision.nextDeadline == end)
    #expect(send(.tick, after: .milliseconds(9)).isEmpty)
    #expect(
      send(.tick, after: .milliseconds(1)) == [
        .report(.drainCutShort(remaining: supervision.roles, onRequest: false)), .signal(.coordinator, .kill),
        .signal(.worker(1), .kill), .signal(.worker(2), .kill),
      ])
    for role in supervision.roles.dropLast() { _ = send(.ended(role, .killed(signal: 9))) }
    #expect(withoutReports(send(.ended(.worker(2), .killed(signal: 9)))) == [.finish(.done, reason: nil)])
  }

  @Test mutating func aSecondRequestKillsAtOnce() {
    bringUp()
    _ = send(.drain)
    #expect(
      withoutReports(send(.drain)) == [
        .signal(.coordinator, .kill), .signal(.worker(1), .kill), .signal(.worker(2), .kill),
      ])
    #expect(send(.drain).isEmpty)
    for role in supervision.roles.dropLast() { _ = send(.ended(role, .killed(signal: 9))) }
    #expect(withoutReports(send(.ended(.worker(2), .killed(signal: 9)))) == [.finish(.interrupted, reason: nil)])
  }

  @Test mutating func aWrongConfigurationAtStartEndsTheDaemonWithItsReason() {
    _ = send(.begin)
    _ = send(.ready(.worker(1)))
    _ = send(.failed(.coordinator, reason: "config.properties:3: no such key"))
    let actions = send(.ended(.coordinator, .exited(78)))
    #expect(
      actions.contains(.report(.draining(atMost: .seconds(30), reason: "config.properties:3: no such key"))))
    #expect(withoutReports(actions) == [.signal(.worker(1), .drain), .signal(.worker(2), .drain)])
    _ = send(.ended(.worker(1), .exited(0)))
    #expect(
      withoutReports(send(.ended(.worker(2), .killed(signal: 15))))
        == [.finish(.configuration, reason: "config.properties:3: no such key")])
  }

  @Test mutating func aWrongConfigurationLaterOnIsWaitedOut() {
    bringUp()
    let actions = send(.ended(.coordinator, .exited(78)), after: .seconds(9))
    #expect(delay(actions) == .seconds(5))
    #expect(withoutReports(actions).isEmpty && !supervision.isDraining)
    workersSpeak(after: .seconds(5))
    #expect(send(.tick) == [.start(.coordinator)])
  }

  @Test mutating func reloadReachesWhoeverIsReadyNowOrSoon() {
    _ = send(.begin)
    _ = send(.ready(.coordinator))
    #expect(send(.reload) == [.signal(.coordinator, .reload)])
    #expect(withoutReports(send(.ready(.worker(1)))) == [.signal(.worker(1), .reload), .announceReady])
    #expect(send(.reload) == [.signal(.coordinator, .reload), .signal(.worker(1), .reload)])
  }

  @Test mutating func silenceAfterSignsOfLifeIsAHang() {
    bringUp()
    _ = send(.alive(.coordinator))
    _ = send(.alive(.coordinator), after: .seconds(2))
    workersSpeak(after: .zero)
    #expect(supervision.nextDeadline == now + .seconds(10))
    #expect(send(.tick, after: .milliseconds(9_999)).isEmpty)
    workersSpeak(after: .zero)
    #expect(
      send(.tick, after: .milliseconds(1)) == [
        .report(.hung(.coordinator, silence: .seconds(10))), .signal(.coordinator, .kill),
      ])
    #expect(send(.tick, after: .seconds(1)).isEmpty)
    #expect(withoutReports(send(.ended(.coordinator, .killed(signal: 9)))) == [.start(.coordinator)])
  }

  @Test mutating func aKilledChildThatDoesNotEndIsReportedOnce() {
    bringUp()
    workersSpeak(after: .seconds(10))
    #expect(withoutReports(send(.tick)) == [.signal(.coordinator, .kill)])
    workersSpeak(after: .seconds(5))
    #expect(supervision.nextDeadline == now)
    #expect(send(.tick) == [.report(.lingers(.coordinator, since: .seconds(5)))])
    workersSpeak(after: .seconds(5))
    #expect(send(.tick).isEmpty)
    #expect(withoutReports(send(.ended(.coordinator, .killed(signal: 9)))) == [.start(.coordinator)])
  }

  @Test mutating func whoDoesNotEndWithTheDaemonIsReported() {
    bringUp()
    _ = send(.drain)
    #expect(withoutReports(send(.drain)) == supervision.roles.map { .signal($0, .kill) })
    for worker in 1...2 { _ = send(.ended(.worker(worker), .killed(signal: 9))) }
    #expect(send(.tick, after: .seconds(5)) == [.report(.lingers(.coordinator, since: .seconds(5)))])
    #expect(withoutReports(send(.ended(.coordinator, .killed(signal: 9)))) == [.finish(.interrupted, reason: nil)])
  }

  @Test mutating func aChildThatStopsRightAfterItsStartIsHung() {
    bringUp()
    workersSpeak(after: .seconds(9))
    #expect(withoutReports(send(.tick, after: .seconds(1))) == [.signal(.coordinator, .kill)])
  }

  @Test mutating func aStartMayTakeLongAsLongAsItGoesOn() {
    _ = send(.begin)
    for role in supervision.roles.dropFirst() { _ = send(.ready(role)) }
    // Taking up one query after the other.
    for _ in 0..<100 {
      workersSpeak(after: .seconds(9))
      #expect(send(.tick).isEmpty)
      _ = send(.alive(.coordinator))
    }
    for _ in 0..<33 { workersSpeak(after: .seconds(9)) }
    #expect(send(.tick).isEmpty)
    workersSpeak(after: .seconds(3))
    #expect(
      send(.tick) == [.report(.hung(.coordinator, silence: .seconds(300))), .signal(.coordinator, .kill)])
    #expect(send(.tick, after: .seconds(1)).isEmpty)
    #expect(withoutReports(send(.ended(.coordinator, .killed(signal: 9)))).isEmpty)
    #expect(send(.tick, after: .seconds(5)).contains(.start(.coordinator)))
  }

  @Test mutating func aStartThatNeverGivesASignIsHung() {
    _ = send(.begin)
    #expect(send(.tick, after: .milliseconds(299_999)).isEmpty)
    #expect(
      withoutReports(send(.tick, after: .milliseconds(1)))
        == supervision.roles.map { .signal($0, .kill) })
  }

  /// Whoever stops the daemon need not wait for all of the drain's time.
  @Test mutating func whoeverHangsHoldsUpNoStop() {
    bringUp()
    for role in supervision.roles { _ = send(.alive(role)) }
    workersSpeak(after: .seconds(4))
    #expect(withoutReports(send(.drain)) == [.signal(.coordinator, .drain)])
    workersSpeak(after: .seconds(6))
    #expect(withoutReports(send(.tick)) == [.signal(.coordinator, .kill)])
    #expect(
      withoutReports(send(.ended(.coordinator, .killed(signal: 9))))
        == [.signal(.worker(1), .drain), .signal(.worker(2), .drain)])
    #expect(send(.tick, after: .seconds(9)).isEmpty)
    _ = send(.alive(.worker(2)))
    #expect(withoutReports(send(.tick, after: .seconds(1))) == [.signal(.worker(1), .kill)])
  }

  @Test mutating func aStartThatFailsIsTriedAgainWithDelay() {
    _ = send(.begin)
    #expect(
      send(.startFailed(.worker(1), reason: "no memory"))
        == [.report(.startFailed(.worker(1), reason: "no memory", restartAfter: .milliseconds(50)))])
    #expect(send(.tick, after: .milliseconds(50)) == [.start(.worker(1))])
  }
}

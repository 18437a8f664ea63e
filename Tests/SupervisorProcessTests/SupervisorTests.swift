// The supervisor with real processes: what Supervision decides must also happen.
import Base
import Glibc
import Platform
import Testing

@Suite(.serialized) struct SupervisorTests {
  @Test func readinessReachesTheServiceManager() throws {
    let daemon = try TestDaemon()
    try daemon.waitUntilReady()
    var notices: [String] = []
    try daemon.wait(for: "the last status") {
      notices += try daemon.notices()
      return notices.contains("STATUS=coordinator ready, 2 of 2 workers ready")
    }
    #expect(notices.filter { $0 == "READY=1" }.count == 1)
    try daemon.wait(for: "the watchdog") { try daemon.notices().contains("WATCHDOG=1") }
  }

  @Test func aKilledChildIsReplacedAtOnce() throws {
    let daemon = try TestDaemon()
    try daemon.waitUntilReady()
    for (index, name) in ["coordinator", "worker-1", "worker-2"].enumerated() {
      let first = try #require(try daemon.processes(name).first)
      let start = SystemClock.monotonic()
      kill(first, SIGKILL)
      try daemon.wait(for: "a new \(name)") { try daemon.processes(name).count == 2 }
      // Generous for a busy machine; the measured time is a few milliseconds.
      #expect(SystemClock.monotonic() - start < .seconds(2))
      try daemon.wait(for: "\(name) ready") { try daemon.events("child_ready").count == 4 + index }
    }
    let end = try #require(try daemon.events("child_exited", "coordinator").first)
    #expect(end["signal"] == "SIGKILL")
    #expect(try end["child_pid"] == "\(daemon.processes("coordinator")[0])")
    let incarnations = try daemon.incarnations()
    #expect(Set(incarnations).count == 6)
  }

  @Test func killsEveryQuarterSecondDoNotSlowTheRestart() throws {
    let daemon = try TestDaemon()
    try daemon.waitUntilReady()
    for round in 1...8 {
      let victim = try #require(try daemon.processes("worker-1").last)
      kill(victim, SIGKILL)
      try daemon.wait(for: "restart \(round)") {
        try daemon.events("child_ready", "worker 1").count == round + 1
      }
    }
    #expect(try daemon.events("child_exited").count == 8)
    #expect(try daemon.events("child_restart_delayed").isEmpty)
  }

  @Test func aChildThatFailsToStartIsTriedWithGrowingDelay() throws {
    let daemon = try TestDaemon(["worker-2": "fail"])
    try daemon.wait(for: "four delays") { try daemon.events("child_restart_delayed").count >= 4 }
    let delays = try daemon.events("child_restart_delayed", "worker 2").prefix(4).map { $0["delay_milliseconds"] }
    #expect(delays == ["50", "100", "200", "400"])
    // The other worker is enough to be ready.
    #expect(try daemon.events("daemon_ready").count == 1)
  }

  @Test func sigtermDrainsTheCoordinatorBeforeTheWorkers() throws {
    let daemon = try TestDaemon()
    try daemon.waitUntilReady()
    _ = try daemon.notices()
    daemon.process.send(SIGTERM)
    #expect(try daemon.waitForEnd() == .exited(0))
    let drains = try daemon.record.filter { $0.hasSuffix(" drain") }
    #expect(drains.first == "coordinator drain")
    #expect(Set(drains) == ["coordinator drain", "worker-1 drain", "worker-2 drain"])
    #expect(try daemon.notices().contains { $0.hasPrefix("STOPPING=1\nEXTEND_TIMEOUT_USEC=") })
    #expect(try daemon.events.last?["event"] == "daemon_stopped")
    #expect(try daemon.events("child_stopped").count == 3 && daemon.events("child_exited").isEmpty)
  }

  @Test func whenTheDrainTimeIsUpTheRestIsKilled() throws {
    let daemon = try TestDaemon(["coordinator": "stubborn", "policy": "drain 100"])
    try daemon.waitUntilReady()
    daemon.process.send(SIGTERM)
    #expect(try daemon.waitForEnd() == .exited(0))
    #expect(try daemon.events("daemon_drain_cut_short").map { $0["reason"] } == ["time is up"])
    #expect(try daemon.events("child_stopped").allSatisfy { $0["signal"] == "SIGKILL" })
  }

  @Test func aSecondSignalForces() throws {
    let daemon = try TestDaemon(["coordinator": "stubborn"])
    try daemon.waitUntilReady()
    daemon.process.send(SIGINT)
    try daemon.wait(for: "the drain") { try daemon.record.contains("coordinator drain") }
    daemon.process.send(SIGTERM)
    #expect(try daemon.waitForEnd() == .exited(ExitCode.interrupted.rawValue))
    for name in ["coordinator", "worker-1", "worker-2"] {
      let process = try #require(try daemon.processes(name).last)
      try daemon.wait(for: "\(name) gone") { try isGone(process) }
    }
  }

  @Test func sighupReachesEverybody() throws {
    let daemon = try TestDaemon()
    try daemon.waitUntilReady()
    _ = try daemon.notices()
    daemon.process.send(SIGHUP)
    try daemon.wait(for: "reloads") { try daemon.record.filter { $0.hasSuffix(" reload") }.count == 4 }
    try daemon.wait(for: "readiness after reload") {
      let notices = try daemon.notices()
      return notices.contains("READY=1") || notices.contains { $0.hasPrefix("RELOADING=1\nMONOTONIC_USEC=") }
    }
    #expect(try daemon.record.contains("supervisor reload"))
    #expect(try daemon.events("child_exited").isEmpty)
  }

  @Test func aWrongConfigurationStopsTheDaemonWithItsReason() throws {
    let daemon = try TestDaemon(["coordinator": "refuse"])
    #expect(try daemon.waitForEnd() == .exited(ExitCode.configuration.rawValue))
    #expect(try daemon.error.hasPrefix("config.properties:3: wrong (mend it)"))
    #expect(try daemon.processes("coordinator").count == 1)
  }

  @Test func aHungChildIsReplaced() throws {
    let daemon = try TestDaemon(["coordinator": "mute", "policy": "hang 150"])
    try daemon.wait(for: "a second coordinator") { try daemon.processes("coordinator").count >= 2 }
    #expect(try !daemon.events("child_hung", "coordinator").isEmpty)
  }

  @Test func aSecondDaemonIsRefusedAndNamesTheFirst() throws {
    let first = try TestDaemon()
    try first.waitUntilReady()
    let second = try TestDaemon(sharing: first)
    #expect(try second.waitForEnd() == .exited(1))
    #expect(try first.error.contains("a daemon (process \(first.process.processID)) already uses the data directory"))
    #expect(first.process.reap() == nil)
  }

  @Test func childrenDieWithTheirSupervisorAndANewOneCanStart() throws {
    let first = try TestDaemon()
    try first.waitUntilReady()
    let children = try ["coordinator", "worker-1", "worker-2"].map { try #require(try first.processes($0).last) }
    // A stopped child cannot act on any signal but SIGKILL.
    kill(children[1], SIGSTOP)
    first.process.send(SIGKILL)
    for process in children { try first.wait(for: "\(process) gone") { try isGone(process) } }
    #expect(try first.waitForEnd() == .killed(signal: SIGKILL))

    let before = try first.incarnations()
    let second = try TestDaemon(sharing: first)
    try second.wait(for: "the second daemon") { try second.events("daemon_ready").count == 2 }
    try second.wait(for: "its children") { try second.incarnations().count == 6 }
    let after = try second.incarnations().dropFirst(3)
    #expect(after.min()! > before.max()!)
  }

  @Test func aLockFileLeftBehindIsNoObstacle() throws {
    let first = try TestDaemon()
    try first.waitUntilReady()
    first.process.send(SIGTERM)
    _ = try first.waitForEnd()
    #expect(access(first.root + "/data/run/daemon.lock", F_OK) == 0)
    let second = try TestDaemon(sharing: first)
    try second.wait(for: "the second daemon") { try second.events("daemon_ready").count == 2 }
  }

  @Test func childrenAreNotMistakenForTheServiceAndShowNoMemoryWhenTheyTrap() throws {
    let daemon = try TestDaemon()
    try daemon.waitUntilReady()
    let worker = try #require(try daemon.processes("worker-1").last)
    let bytes = try #require(try AtomicFile.read("/proc/\(worker)/environ", limit: 1 << 20))
    let variables = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    #expect(!variables.contains { $0.hasPrefix("NOTIFY_SOCKET=") || $0.hasPrefix("WATCHDOG_") })
    #expect(variables.contains { $0.hasPrefix("SWIFT_BACKTRACE=") && $0.contains("registers=none") })
    #expect(variables.contains { $0.hasPrefix("PATH=") })
  }

  @Test func rolesAreNamedInTheProcessList() throws {
    let daemon = try TestDaemon()
    try daemon.waitUntilReady()
    let worker = try #require(try daemon.processes("worker-2").last)
    let line = try #require(try AtomicFile.read("/proc/\(worker)/cmdline", limit: 1 << 16))
    #expect(String(decoding: line.prefix { $0 != 0 }, as: UTF8.self) == "waterbeard: worker 2")
    #expect(try AtomicFile.read("/proc/\(worker)/comm", limit: 64) == Array("waterbeard\n".utf8))
    #expect(try AtomicFile.read("/proc/\(worker)/oom_score_adj", limit: 64) == Array("500\n".utf8))
  }

  @Test func anUpgradeOnDiskDoesNotReachARunningDaemon() throws {
    let daemon = try TestDaemon(fromCopy: true)
    try daemon.waitUntilReady()
    // As a package manager does it: the new file takes the name, the old one lives on without.
    try AtomicFile.write("#!/bin/false\n".utf8, to: daemon.root + "/program", mode: 0o755)
    kill(try #require(try daemon.processes("worker-1").last), SIGKILL)
    try daemon.wait(for: "a new worker") { try daemon.processes("worker-1").count == 2 }
    unlink(daemon.root + "/program")
    kill(try #require(try daemon.processes("coordinator").last), SIGKILL)
    try daemon.wait(for: "a new coordinator") { try daemon.processes("coordinator").count == 2 }
  }

  @Test func aReaderThatIsGoneEndsNobody() throws {
    let daemon = try TestDaemon()
    try daemon.waitUntilReady()
    for process in [daemon.process.processID, try #require(try daemon.processes("worker-1").last)] {
      let status = try #require(try AtomicFile.read("/proc/\(process)/status", limit: 1 << 16))
      let line = String(decoding: status, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("SigIgn:") }
      let ignored = try #require(line?.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) })
      // Bit n - 1 stands for signal n, proc(5).
      #expect(ignored & 1 << UInt64(SIGPIPE - 1) != 0)
    }
  }
}

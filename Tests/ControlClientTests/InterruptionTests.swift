// Proves what the first and the second interrupt do.
import Base
import Glibc
import Platform
import Synchronization
import Testing
import Wire

@testable import ControlClient

struct InterruptionTests {
  private final class Exits: Sendable {
    let codes = Mutex<[Int32]>([])
    func note(_ code: Int32) { codes.withLock { $0.append(code) } }
    var all: [Int32] { codes.withLock { $0 } }
  }

  private let file = TemporaryFile()
  private let exits = Exits()

  private func interruption(_ socket: String, cancels: Bool = true) -> Interruption {
    let console = Console(input: 0, output: 1, error: file.descriptor)
    return Interruption(
      console, socketPath: socket, progress: ProgressDisplay(console), cancels: cancels, exit: exits.note)
  }

  @Test func theFirstCancelsTheQuery() throws {
    let canceled = FakeQuery(error: WaterbearError(.userCanceled, "Query was canceled"))
    let daemon = try FakeDaemon { try canceled.reply(to: $0) }
    let interruption = interruption(daemon.socketPath)
    interruption.willSubmit()
    try interruption.submitted(FakeQuery.id)
    try interruption.settle()
    interruption.signalled()
    #expect(throws: Interrupted.self) { try interruption.settle() }
    #expect(daemon.requests == ["cancel-query"])
    #expect(exits.all == [130])
    #expect(file.contents() == "Query \(FakeQuery.id) was canceled\n")
  }

  @Test(arguments: [SIGTERM: Int32(143), SIGHUP: 129, SIGINT: 130])
  func whateverAsksForTheEndCancels(signal: Int32, code: Int32) throws {
    let daemon = try FakeDaemon { try FakeQuery().reply(to: $0) }
    let interruption = interruption(daemon.socketPath)
    try interruption.submitted(FakeQuery.id)
    interruption.signalled(signal)
    let interrupted = #expect(throws: Interrupted.self) { try interruption.settle() }
    #expect(interrupted?.code.rawValue == code)
    #expect(daemon.requests == ["cancel-query"])
    #expect(exits.all == [code])
  }

  @Test func oneBeforeTheIdIsKnownWaitsForIt() throws {
    let daemon = try FakeDaemon { try FakeQuery().reply(to: $0) }
    let interruption = interruption(daemon.socketPath)
    interruption.willSubmit()
    interruption.signalled()
    #expect(exits.all == [])
    #expect(throws: Interrupted.self) { try interruption.submitted(FakeQuery.id) }
    #expect(daemon.requests == ["cancel-query"])
    #expect(exits.all == [130])
  }

  @Test func oneDuringASubmissionThatFailsIsAnInterrupt() throws {
    let interruption = interruption("/nonexistent")
    interruption.willSubmit()
    interruption.signalled()
    #expect(throws: Interrupted.self) { try interruption.settle() }
  }

  /// The daemon is away, and timeout(1) wants the program to end.
  @Test func aSubmissionWithoutAnAnswerDoesNotHoldUpTheEnd() throws {
    let console = Console(input: 0, output: 1, error: file.descriptor)
    let interruption = Interruption(
      console, socketPath: "/nonexistent", progress: ProgressDisplay(console), cancels: true,
      submissionTime: .milliseconds(50), exit: exits.note)
    interruption.willSubmit()
    interruption.signalled(SIGTERM)
    #expect(exits.all == [])
    for _ in 0..<2000 where exits.all.isEmpty { SystemClock.sleep(.milliseconds(5)) }
    #expect(exits.all == [143])
    #expect(file.contents().contains("has not said whether it accepted the query"))
  }

  @Test func theSecondExitsAtOnce() throws {
    let daemon = try FakeDaemon { _ in .silence }
    // The attempt to cancel outlives this test, and must not find another test's file under its descriptor.
    _ = Unmanaged.passRetained(file)
    let interruption = interruption(daemon.socketPath)
    try interruption.submitted(FakeQuery.id)
    interruption.signalled()
    let start = SystemClock.monotonic()
    interruption.signalled()
    #expect(exits.all == [130])
    #expect(SystemClock.monotonic() - start < .seconds(4))
  }

  @Test func theSameTwiceFromAProgramIsOne() throws {
    let daemon = try FakeDaemon { try FakeQuery().reply(to: $0) }
    let interruption = interruption(daemon.socketPath)
    interruption.willSubmit()
    interruption.signalled(SIGTERM)
    interruption.signalled(SIGTERM)
    #expect(exits.all == [])
    #expect(throws: Interrupted.self) { try interruption.submitted(FakeQuery.id) }
    #expect(daemon.requests == ["cancel-query"])
    #expect(exits.all == [143])
  }

  @Test func aVerbThatDidNotStartTheQueryLeavesItAlone() throws {
    let daemon = try FakeDaemon { try FakeQuery().reply(to: $0) }
    let interruption = interruption(daemon.socketPath, cancels: false)
    interruption.signalled()
    #expect(exits.all == [130])
    #expect(daemon.requests == [])
  }
}

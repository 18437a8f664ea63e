// Tests what a worker keeps when one coordinator follows another. The test plays the coordinators.
import Base
import ConnectorAPI
import Exchange
import Execution
import Glibc
import NIOCore
import NIOPosix
import Synchronization
import Telemetry
import TemporaryDirectories
import Testing
import Transport
import Wire

@testable import Platform
@testable import WorkerProcess

/// Whoever listens on the workers' socket. Keeps the connection and what came over it.
private final class FakeCoordinator: Sendable {
  private struct Seen: Sendable {
    var connection: FrameConnection?
    var frames: [Frame] = []
  }

  private let seen = Mutex(Seen())
  private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
  private let isStalled = Atomic<Bool>(true)

  init(_ path: String) throws {
    let server = FrameServer(path: path, loop: group.next())
    let accept = { @Sendable [self] (connection: FrameConnection) in
      seen.withLock { $0 = Seen(connection: connection) }
      connection.onFrame = { [self] frame in seen.withLock { $0.frames.append(frame) } }
    }
    let hello = Hello(role: "coordinator", pid: getpid())
    try server.start(mode: 0o600, hello: hello, accept: accept, refused: { _, _ in })
  }

  /// Waits for a message of a kind on the newest connection, and takes it out.
  func take<Message: WireMessage>(_ type: Message.Type) throws -> Message? {
    for _ in 0..<20_000 {
      let found = seen.withLock { seen -> Frame? in
        guard let index = seen.frames.firstIndex(where: { $0.name == Message.name }) else { return nil }
        return seen.frames.remove(at: index)
      }
      if let found { return try found.message(type) }
      usleep(1000)
    }
    return nil
  }

  func send(_ message: some WireMessage) throws {
    let (connection, frame) = (seen.withLock { $0.connection }, try Frame(message))
    try group.next().submit { connection?.send(frame) }.wait()
  }

  /// Asks, and then reads nothing until `goOn()`.
  func sendAndStall(_ messages: [some WireMessage]) throws {
    let (connection, frames) = (seen.withLock { $0.connection }, try messages.map { try Frame($0) })
    group.next().execute { [self] in
      for frame in frames { connection?.send(frame) }
      while isStalled.load(ordering: .acquiring) { usleep(1000) }
    }
  }

  func goOn() { isStalled.store(false, ordering: .releasing) }

  /// Ends the connection as a coordinator that dies.
  func hangUp() throws {
    let connection = seen.withLock { $0.connection }
    try group.next().submit { connection?.close() }.wait()
  }

  func stop() throws { try group.syncShutdownGracefully() }
}

/// Whether a worker that runs on a thread of its own has ended.
private final class End: Sendable {
  private let hasEnded = Atomic<Bool>(false)

  static func of(_ worker: Worker) throws -> End {
    let end = End()
    try NamedThread.start("worker under test") {
      // It ends without an error or not at all; the test waits for that.
      try? worker.run()
      end.hasEnded.store(true, ordering: .relaxed)
    }
    return end
  }

  /// Waits for the end.
  func hasCome() -> Bool {
    for _ in 0..<20_000 where !hasEnded.load(ordering: .relaxed) { usleep(1000) }
    return hasEnded.load(ordering: .relaxed)
  }
}

@Suite struct ReconnectTests {
  private func worker(_ home: TemporaryDirectory, heartbeatInterval: TimeSpan = .seconds(1)) throws -> Worker {
    let spool = try SpoolDirectories(
      paths: [home.path + "/spool"], owner: "test", now: { SystemClock.monotonic() }, report: { _ in })
    let builds = SharedBuilds(capacityBytes: 1 << 20)
    let pool = try SlotPool(threads: 1) {
      AttemptRunner(
        catalogs: Catalogs([:]), directories: spool,
        use: SpoolUse(ExchangePolicy(pageBytesMax: 1 << 20)),
        builds: builds)
    }
    let link = try SupervisorLink(descriptor: OwnedDescriptor(adopting: open("/dev/null", O_WRONLY | O_CLOEXEC)))
    return Worker(
      id: WorkerID(number: 1, incarnation: 1), predecessorCrash: nil, slots: 1, memoryBytes: 1 << 30,
      heartbeatInterval: heartbeatInterval, socketPath: home.path + "/socket", pool: pool, link: link,
      log: Log(LogSink(file: nil), role: "worker"), builds: builds, spool: spool, releaseMemory: {})
  }

  /// Four times as often as the coordinator must hear from it: a word that comes late is no death.
  @Test func heartbeatsComeAsOftenAsTheyAreWanted() throws {
    let home = TemporaryDirectory()
    let coordinator = try FakeCoordinator(home.path + "/socket")
    let worker = try worker(home, heartbeatInterval: .milliseconds(50))
    try withExtendedLifetime(home) {
      let end = try End.of(worker)
      #expect(try coordinator.take(RegisterWorker.self) != nil)
      let start = SystemClock.monotonic()
      for _ in 0..<11 { #expect(try coordinator.take(Heartbeat.self) != nil) }
      let time = SystemClock.monotonic() - start
      // Ten intervals lie between eleven of them; one a second would take ten seconds.
      #expect(time > .milliseconds(400) && time < .seconds(5), "\(time)")
      worker.drain()
      #expect(end.hasCome())
    }
    try coordinator.stop()
  }

  @Test func stagesAndKeysOfTheLastCoordinatorAreForgotten() throws {
    let home = TemporaryDirectory()
    let coordinator = try FakeCoordinator(home.path + "/socket")
    let worker = try worker(home)
    try withExtendedLifetime(home) {
      let end = try End.of(worker)
      #expect(try coordinator.take(RegisterWorker.self)?.slots == 1)
      let stage = StageID(query: QueryID("20260101_000000_00001_aaaaa"), number: 0)
      try coordinator.send(DefineStage(stage: stage, fragment: [], key: nil, compressionCodec: "NONE"))
      try coordinator.hangUp()

      // The stage's query may have ended in between, and then nobody tells the worker.
      #expect(try coordinator.take(RegisterWorker.self) != nil)
      let attempt = AttemptID(task: TaskID(stage: stage, partition: 0), number: 0)
      try coordinator.send(StartAttempt(attempt: attempt, splits: [], inputs: [], memoryBytes: 1 << 20))
      let report = try coordinator.take(ReportAttempt.self)
      #expect(report?.error?.message == "Stage \(stage) was not defined here")

      // What has not been acknowledged is held, and said again.
      try coordinator.hangUp()
      #expect(try coordinator.take(RegisterWorker.self)?.running == [attempt])
      #expect(try coordinator.take(ReportAttempt.self)?.attempt == attempt)
      try coordinator.send(AcknowledgeReport(attempt: attempt))
      try coordinator.hangUp()
      #expect(try coordinator.take(RegisterWorker.self)?.running == [])

      worker.drain()
      #expect(end.hasCome())
    }
    try coordinator.stop()
  }

  /// Its words pile up before a coordinator that does not read; that it takes no more attempts must not be lost.
  @Test func aDrainIsHeardByACoordinatorThatWasSlow() throws {
    let home = TemporaryDirectory()
    let coordinator = try FakeCoordinator(home.path + "/socket")
    let worker = try worker(home)
    let ended = Atomic<Bool>(false)
    try withExtendedLifetime(home) {
      try NamedThread.start("worker under test") {
        // It ends without an error or not at all; the test waits for that.
        try? worker.run()
        ended.store(true, ordering: .relaxed)
      }
      #expect(try coordinator.take(RegisterWorker.self) != nil)
      let stage = StageID(query: QueryID("20260101_000000_00001_aaaaa"), number: 0)
      let attempts = (0..<200).map { AttemptID(task: TaskID(stage: stage, partition: $0), number: 0) }
      // Unknown stage: the report of this is held until it is acknowledged, so the worker is not idle.
      try coordinator.send(StartAttempt(attempt: attempts[0], splits: [], inputs: [], memoryBytes: 1 << 20))
      #expect(try coordinator.take(ReportAttempt.self)?.attempt == attempts[0])
      // Each of these is answered, and 200 answers are more than a quarter of what the socket holds.
      try coordinator.sendAndStall(attempts.dropFirst().map { AbortAttempt(attempt: $0) })
      usleep(300_000)
      worker.drain()
      coordinator.goOn()
      #expect(try coordinator.take(DrainWorker.self) != nil)
      try coordinator.send(AcknowledgeReport(attempt: attempts[0]))
      for _ in 0..<20_000 where !ended.load(ordering: .relaxed) { usleep(1000) }
      let isEnded = ended.load(ordering: .relaxed)
      #expect(isEnded)
    }
    try coordinator.stop()
  }

  /// As where a message is delivered twice: before the first answer, between it and its acknowledgement, and after.
  @Test func theSameOrderTwiceIsDoneOnce() throws {
    let home = TemporaryDirectory()
    let coordinator = try FakeCoordinator(home.path + "/socket")
    let worker = try worker(home)
    try withExtendedLifetime(home) {
      let end = try End.of(worker)
      #expect(try coordinator.take(RegisterWorker.self) != nil)
      let stage = StageID(query: QueryID("20260101_000000_00001_aaaaa"), number: 0)
      // One that cannot be read, so that the attempt fails by itself.
      try coordinator.send(DefineStage(stage: stage, fragment: [0xFF], key: nil, compressionCodec: "NONE"))
      func attempt(_ partition: Int) -> AttemptID {
        AttemptID(task: TaskID(stage: stage, partition: partition), number: 0)
      }
      let order = StartAttempt(attempt: attempt(0), splits: [], inputs: [], memoryBytes: 1 << 20)
      try coordinator.send(order)
      let first = try #require(try coordinator.take(ReportAttempt.self))
      #expect(first.error != nil && first.error?.message != "Stage \(stage) was not defined here")
      // What it has reported it says again.
      try coordinator.send(order)
      #expect(try coordinator.take(ReportAttempt.self)?.error == first.error)
      try coordinator.send(AcknowledgeReport(attempt: attempt(0)))
      try coordinator.send(order)
      // An answer that comes in any case, after all answers to what was sent before.
      try coordinator.send(AbortAttempt(attempt: attempt(1)))
      #expect(try coordinator.take(ReportAttempt.self)?.attempt == attempt(1))
      try coordinator.hangUp()
      #expect(try coordinator.take(RegisterWorker.self)?.running == [])
      worker.drain()
      #expect(end.hasCome())
    }
    try coordinator.stop()
  }

  @Test func onlyTheLastAttemptsAreRemembered() {
    let stage = StageID(query: QueryID("q"), number: 0)
    let attempts = (0..<3000).map { AttemptID(task: TaskID(stage: stage, partition: $0), number: 0) }
    var last = LastAttempts()
    for attempt in attempts {
      last.add(attempt)
      last.add(attempt)
      #expect(last.contains(attempt))
    }
    #expect(attempts.count(where: last.contains) == 1024)
    #expect(attempts.suffix(1024).allSatisfy(last.contains))
  }
}

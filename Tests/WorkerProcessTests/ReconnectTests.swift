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

  /// Ends the connection as a coordinator that dies.
  func hangUp() throws {
    let connection = seen.withLock { $0.connection }
    try group.next().submit { connection?.close() }.wait()
  }

  func stop() throws { try group.syncShutdownGracefully() }
}

@Suite struct ReconnectTests {
  private func worker(_ home: TemporaryDirectory) throws -> Worker {
    let spool = try SpoolDirectories(
      paths: [home.path + "/spool"], owner: "test", now: { SystemClock.monotonic() }, report: { _ in })
    let builds = SharedBuilds(capacityBytes: 1 << 20)
    let pool = try SlotPool(threads: 1) {
      AttemptRunner(
        catalogs: Catalogs([:]), directories: spool,
        use: SpoolUse(
          pageBytesMax: 1 << 20, readAhead: ReadAhead(readers: 1, filesPerReader: 1, bytesPerReader: 1 << 20)),
        builds: builds)
    }
    let link = try SupervisorLink(descriptor: OwnedDescriptor(adopting: open("/dev/null", O_WRONLY | O_CLOEXEC)))
    return Worker(
      id: WorkerID(number: 1, incarnation: 1), predecessorCrash: nil, slots: 1, memoryBytes: 1 << 30,
      socketPath: home.path + "/socket", pool: pool, link: link, log: Log(LogSink(file: nil), role: "worker"),
      builds: builds, spool: spool, releaseMemory: {})
  }

  @Test func stagesAndKeysOfTheLastCoordinatorAreForgotten() throws {
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
      for _ in 0..<20_000 where !ended.load(ordering: .relaxed) { usleep(1000) }
      let isEnded = ended.load(ordering: .relaxed)
      #expect(isEnded)
    }
    try coordinator.stop()
  }
}

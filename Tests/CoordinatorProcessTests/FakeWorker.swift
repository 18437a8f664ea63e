// Owns a worker that does as a test says: it takes orders over the real socket and writes real spool files, but what
// it puts into them, and what it reports, is the test's.
import Base
import ConnectorAPI
import Exchange
import Execution
import Sealing
import Sockets
import Wire

@testable import WorkerProcess

final class FakeWorker {
  let socket: FrameSocket
  /// Where it writes.
  var spool: SpoolDirectories
  private var stages: [StageID: DefineStage] = [:]

  init(
    _ path: String, spool: SpoolDirectories, number: Int = 1, incarnation: UInt64, slots: Int = 2,
    running: [AttemptID] = [], stuckBytes: Int64? = nil
  ) throws {
    self.spool = spool
    socket = try FrameSocket(connectingTo: path)
    _ = try socket.greet(role: "worker", timeout: .seconds(20))
    let id = WorkerID(number: number, incarnation: incarnation)
    try socket.send(
      RegisterWorker(worker: id, slots: slots, memoryBytes: 8 << 30, running: running, stuckBytes: stuckBytes))
  }

  /// The next message of a kind; definitions of stages are taken in on the way, all else is passed over.
  func next<Message: WireMessage>(_ type: Message.Type, within timeout: TimeSpan = .seconds(20)) throws -> Message? {
    while let frame = try socket.receive(timeout: timeout) {
      if frame.name == DefineStage.name {
        let definition = try frame.message(DefineStage.self)
        stages[definition.stage] = definition
      }
      if frame.name == Message.name { return try frame.message(type) }
    }
    return nil
  }

  func order() throws -> StartAttempt {
    guard let order = try next(StartAttempt.self) else { throw Silence() }
    return order
  }

  /// Writes an output of one partition with some pages that hold whatever.
  func commit(_ attempt: AttemptID, pages: Int = 2) throws -> SpoolOutput {
    let key = try stages[attempt.task.stage]?.key.map { try SealingKey(bytes: $0) }
    let writer = try SpoolWriter(in: spool, attempt: attempt, partitionCount: 1, key: key)
    for page in 0..<pages {
      try [UInt8](repeating: UInt8(page), count: 100).withUnsafeBytes {
        try writer.append(partition: 0, page: $0, rows: 1)
      }
    }
    return try writer.commit()
  }

  func report(_ attempt: AttemptID, _ output: SpoolOutput) throws {
    try socket.send(ReportAttempt(attempt: attempt, output: try BinaryEncoder.encode(output)))
  }

  func fail(_ attempt: AttemptID, _ error: WaterbearError) throws {
    try socket.send(ReportAttempt(attempt: attempt, error: error))
  }

  /// Does the next attempt with the engine's own code, and says which it was.
  @discardableResult
  func run(_ catalogs: Catalogs) throws -> AttemptID { try run(try order(), catalogs) }

  /// `beforeReport` happens when the attempt has ended, and nobody knows.
  @discardableResult
  func run(_ order: StartAttempt, _ catalogs: Catalogs, beforeReport: () -> Void = {}) throws -> AttemptID {
    guard let definition = stages[order.attempt.task.stage] else { throw Silence() }
    let runner = AttemptRunner(
      catalogs: catalogs, directories: spool,
      use: SpoolUse(ExchangePolicy(pageBytesMax: 4 << 20)),
      builds: SharedBuilds(capacityBytes: 0))
    let report = try runner.run(
      order, stage: StageDefinition(definition),
      control: AttemptControl(order.attempt, memory: MemoryContext(limit: order.memoryBytes)))
    beforeReport()
    try socket.send(report)
    return order.attempt
  }

  /// Does all that a query needs before its last stage, and returns that stage's first attempt, to be done by others.
  func runUpToRoot(_ catalogs: Catalogs) throws -> AttemptID {
    var order = try order()
    while order.attempt.task.stage.number != 0 {
      try run(order, catalogs)
      order = try self.order()
    }
    return order.attempt
  }

  /// Does the next attempt as it should be done.
  func work() throws {
    let attempt = try order().attempt
    try report(attempt, try commit(attempt))
  }
}

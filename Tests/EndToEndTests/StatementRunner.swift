// Owns running many statements at once on one daemon: threads with a client each, which speak the daemon's protocol.
// Knows nothing of what the statements are to give.
import Base
import ClientAPI
import Columnar
import Platform
import SQLScripts
import Synchronization
import Wire

/// A statement and where its names are looked up.
struct Statement {
  var sql: String
  var catalog = "memory"
  var schema = "default"
  var session: [String: String] = [:]
}

/// What became of a statement.
struct StatementOutcome {
  var result: Result<ResultTable, any Error>
  var duration: TimeSpan
  /// What is wrong with the record that the daemon keeps of it; nil where nothing is.
  var irregularity: String?
}

/// Runs statements on a daemon that may be killed meanwhile. Its threads live until it goes.
final class StatementRunner {
  private struct Job {
    var number: Int
    /// Nil ends the thread.
    var statement: Statement?
  }

  private final class Board: Sendable {
    let jobs = BlockingQueue<Job>()
    let outcomes = Mutex<[Int: StatementOutcome]>([:])
    let running = Mutex<[Int: String]>([:])
    let ready = Atomic<Int>(0)
  }

  private let board = Board()
  private let threads: Int

  /// Starts the threads and waits until each has met the daemon: one that was never there is not waited for later.
  init(socket: String, threads: Int) throws {
    self.threads = threads
    for _ in 0..<threads {
      try NamedThread.start("statements", stackBytes: 4 << 20) { [board] in Self.work(socket, board) }
    }
    let deadline = SystemClock.monotonic() + .seconds(30)
    while board.ready.load(ordering: .acquiring) < threads {
      guard SystemClock.monotonic() < deadline else {
        throw WaterbearError(.exceededTimeLimit, "the daemon at \(socket) does not answer")
      }
      SystemClock.sleep(.milliseconds(1))
    }
  }

  deinit {
    for _ in 0..<threads { board.jobs.append(Job(number: 0, statement: nil)) }
  }

  /// Runs all statements, several at a time, in no certain order; the outcomes are in theirs. Throws, with what still
  /// runs, where that takes longer than the limit.
  func run(_ statements: [Statement], within limit: TimeSpan = .seconds(90)) throws -> [StatementOutcome] {
    board.outcomes.withLock { $0 = [:] }
    for (number, statement) in statements.enumerated() {
      board.jobs.append(Job(number: number, statement: statement))
    }
    let deadline = SystemClock.monotonic() + limit
    while board.outcomes.withLock({ $0.count }) < statements.count {
      guard SystemClock.monotonic() < deadline else {
        let running = board.running.withLock { $0.values.joined(separator: "\n") }
        throw WaterbearError(.exceededTimeLimit, "not within \(limit):\n\(running)")
      }
      SystemClock.sleep(.milliseconds(1))
    }
    return board.outcomes.withLock { done in statements.indices.compactMap { done[$0] } }
  }

  /// Runs one statement; its rows.
  @discardableResult
  func run(_ statement: Statement) throws -> ResultTable {
    guard let outcome = try run([statement]).first else { return ResultTable(columnNames: [], types: [], rows: []) }
    return try outcome.result.get()
  }

  private static func work(_ socket: String, _ board: Board) {
    let client = DaemonClient(socketPath: socket, patience: .seconds(30))
    // The first statement would say why.
    _ = try? client.call(AskStatus(), expecting: DaemonStatus.self)
    board.ready.add(1, ordering: .releasing)
    while case let job = board.jobs.next(), let statement = job.statement {
      board.running.withLock { $0[job.number] = statement.sql }
      let start = SystemClock.monotonic()
      var irregularity: String?
      let result = Result { try table(of: statement, client, &irregularity) }
      let outcome = StatementOutcome(
        result: result, duration: SystemClock.monotonic() - start, irregularity: irregularity)
      _ = board.running.withLock { $0.removeValue(forKey: job.number) }
      board.outcomes.withLock { $0[job.number] = outcome }
    }
  }

  private static func table(
    of statement: Statement, _ client: DaemonClient, _ irregularity: inout String?
  ) throws -> ResultTable {
    let query = try QueryStream.submit(
      statement.sql, catalog: statement.catalog, schema: statement.schema, session: statement.session,
      isAwaited: true, client: client)
    let stream = QueryStream(query, client: client)
    var table = ResultTable(columnNames: [], types: [], rows: [])
    while let page = try stream.next() {
      if table.types.isEmpty {
        table.columnNames = page.columns.map(\.name)
        table.types = try page.columns.map { try BinaryDecoder.decode(DataType.self, from: $0.type) }
      }
      guard let bytes = page.batch else { continue }
      let batch = try BatchCodec.decode(bytes, types: table.types)
      table.rows += (0..<batch.count).map { row in batch.columns.map { $0.value(at: row) } }
    }
    let detail = try client.call(ShowQuery(query: query), expecting: Wire.QueryDetail.self).message
    irregularity = self.irregularity(in: detail)
    try stream.release()
    return table
  }

  /// Each task must count once; one of a stage that was given up, as nothing would come of it, at most once.
  private static func irregularity(in detail: Wire.QueryDetail) -> String? {
    var selected: [[Int]: Int] = [:]
    for attempt in detail.attempts {
      selected[[attempt.stage, attempt.partition], default: 0] += attempt.isSelected ? 1 : 0
    }
    let skipped = Set((detail.decisions ?? []).filter { $0.kind == "STAGE_SKIPPED" }.map(\.stage))
    let wrong = selected.filter { task, count in count != 1 && !(count == 0 && skipped.contains(task[0])) }
    return wrong.isEmpty ? nil : "\(detail.summary.query): tasks by how often they count: \(wrong)"
  }
}

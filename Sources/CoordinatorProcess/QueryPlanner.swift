// Owns the way from SQL text to stages, on threads of its own: a large plan must not hold up heartbeats, recursion over
// it wants a deep stack, and a file system that hangs must not hold up other queries.

import Base
import Columnar
import ConnectorAPI
import Execution
import NIOCore
import Planning
import Platform
import SQLSyntax
import Scheduling
import Settings
import Synchronization
import Wire

/// A query as the client sent it.
struct QueryRequest: Sendable {
  var id: QueryID
  var user: String
  /// When it was submitted, in microseconds since 1970: the query's now().
  var startMicroseconds: Int64
  var sql: String
  var catalog: String?
  var schema: String?
  var session: SessionProperties
}

/// Plans queries, some at a time.
final class QueryPlanner: Sendable {
  private let catalogs: Catalogs
  private let jobs = BlockingQueue<@Sendable () -> Void>()
  /// Threads that were started.
  private let threads = Atomic<Int>(0)
  /// Planning waits for disks more than for cores.
  private static let usualThreads = 4
  /// With those in place of others that hang. A thread that does not hang any more goes on planning.
  private static let mostThreads = 64

  init(catalogs: Catalogs) throws {
    self.catalogs = catalogs
    for _ in 0..<Self.usualThreads { try startThread() }
  }

  private func startThread() throws {
    let jobs = jobs
    try NamedThread.start("planner") {
      while true { jobs.next()() }
    }
    threads.add(1, ordering: .relaxed)
  }

  /// Another thread takes the place of one that has not come back within a query's time. Where there are too many
  /// already, or none can be started, queries wait for those that there are.
  func replaceThread() {
    guard threads.load(ordering: .relaxed) < Self.mostThreads else { return }
    // Nothing is lost: each query that waits has a limit of its own.
    try? startThread()
  }

  /// Plans on the planner's thread and hands the outcome to `done` on `loop`.
  func plan(
    _ request: QueryRequest, on loop: any EventLoop,
    done: @escaping @Sendable (Result<PlannedQuery, WaterbearError>) -> Void
  ) {
    jobs.append { [self] in
      let outcome: Result<PlannedQuery, WaterbearError>
      do {
        outcome = .success(try plan(request))
      } catch {
        outcome = .failure(WaterbearError.wrapping(error))
      }
      loop.execute { done(outcome) }
    }
  }

  private func plan(_ request: QueryRequest) throws -> PlannedQuery {
    let session = request.session
    let statement = try SQLParser.parseStatement(
      request.sql, limits: ParserLimits(session))
    let pipeline = PlanningPipeline(
      catalogs: catalogs, evaluator: ConstantFolder(),
      context: QueryContext(
        query: request.id, catalog: request.catalog, schema: request.schema, user: request.user,
        startMicroseconds: request.startMicroseconds),
      options: PlanningOptions(session))
    let plan = try pipeline.plan(statement)
    return try stages(of: plan, request: request)
  }

  private func stages(of plan: FragmentedPlan, request: QueryRequest) throws -> PlannedQuery {
    let session = request.session
    let policy = QueryPolicy(session)
    guard policy.hasExchangeManager || session[.retryPolicy] != .task else {
      throw WaterbearError(
        .exchangeManagerNotConfigured,
        "Exchange manager must be configured for the failure recovery capabilities to be fully functional",
        remedy: "set exchange-manager.name=filesystem in exchange-manager.properties, or another retry-policy")
    }
    let partitionsMax = policy.outputPartitionsMax
    for fragment in plan.fragments where fragment.output.partitionCount > partitionsMax {
      throw WaterbearError(
        .maxOutputPartitionCountExceeded,
        "Max number of output partitions exceeded for exchange 'external-exchange-\(fragment.number)'. "
          + "Allowed: \(partitionsMax). Requested: \(fragment.output.partitionCount).",
        remedy: "lower fault-tolerant-execution-max-partition-count or raise exchange.max-output-partition-count")
    }
    let splits = try plan.fragments.map { $0.kind == .source ? try discoverSplits(of: $0.root, session) : [] }
    // Fragment 0 is the root, and its symbols are the result's columns; the names of a write end after the row count.
    let columns = try zip(plan.columnNames, plan.fragments[0].outputSymbols).map { name, symbol in
      ResultColumn(name: name, type: try BinaryEncoder.encode(symbol.type))
    }
    return PlannedQuery(
      description: QueryDescription(request.id, plan, session), columns: columns,
      fragments: try plan.fragments.map { try $0.encodedForWorkers },
      adaptivePlan: AdaptiveOptions(session).map { AdaptivePlan(plan.fragments, options: $0) }, splits: splits,
      encryption: policy.encryption, compressionCodec: policy.compressionCodec, write: plan.write)
  }

  private func discoverSplits(of node: PlanNode, _ session: SessionProperties) throws -> [StageSplit] {
    if case .tableScan(let scan) = node {
      let connector = try catalogs.connector(scan.table.catalog)
      let found = try connector.splits(
        of: scan.table, columns: scan.columns.map(\.column), constraint: scan.constraint)
      let weights = SplitWeights(session)
      return try found.map {
        StageSplit(scan: scan.id, split: try BinaryEncoder.encode($0), bytes: weights.bytes(of: $0))
      }
    }
    return try node.sources.flatMap { try discoverSplits(of: $0, session) }
  }
}

extension StageDescription.Kind {
  init(_ kind: FragmentKind) {
    switch kind {
    case .source: self = .source
    case .hash: self = .hash
    case .single: self = .single
    }
  }
}

extension StageInput.Mode {
  init(_ mode: InputMode) {
    switch mode {
    case .partitioned: self = .partitioned
    case .broadcast: self = .broadcast
    case .gathered: self = .gathered
    }
  }
}

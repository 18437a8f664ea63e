// Owns the run of whole queries inside one process, for tests: plans a statement, runs its fragments one after the
// other on the calling thread, and keeps what passes between them in memory. Knows no workers, spool files or retries.

import Base
import Columnar
import ConnectorAPI
import Execution
import Planning
import SQLSyntax
import Synchronization

/// A result with the names and types that a client would see.
public struct LocalResult: Sendable {
  public var columnNames: [String]
  public var types: [DataType]
  /// Of a write: how many rows it wrote, where the client is told.
  public var rows: [[Value]]
  /// What a write did, such as `INSERT`; nil for a query.
  public var updateType: String?
}

/// Runs SQL text to rows.
///
/// Tasks are cut as the coordinator cuts them: source fragments by splits, hash fragments by partitions. Fragments and
/// batches go through their encodings on the way, as they do between processes.
public struct LocalRunner: Sendable {
  public struct Options: Sendable {
    /// Partitions of a hash exchange.
    public var partitionCount = 3
    /// Partitions that one task of a hash fragment covers.
    public var partitionsPerTask = 1
    public var splitsPerTask = 2
    /// Above 1 each task is divided into so many shares of its rows, along each axis that its fragment allows.
    public var sharesPerTask = 1
    /// Forces the distribution of joins; nil leaves it to the optimiser.
    public var joinDistribution: JoinDistribution?
    /// False: the analyser's plan runs as it is.
    public var isOptimized = true
    /// Bytes that one task may hold.
    public var taskMemory: Int64 = 1 << 32
    /// now(), in microseconds since 1970: 2024-02-29 12:34:56.789012 UTC.
    public var startMicroseconds: Int64 = 1_709_210_096_789_012
    /// Whether the plan must bear retries; nothing is retried here.
    public var retries = true
    public var session: [SessionRow] = []
    /// How the plan may change while it runs; nil: not at all.
    public var adaptive: AdaptiveOptions?
    /// Called with each change of a plan.
    public var onDecision: (@Sendable (String) -> Void)?
    /// Small, so that the small tables of tests have dynamic filters between stages too.
    public var dynamicFilterRowsMin = 1.0

    public init() {}
  }

  /// Writes of different queries must have different names.
  private static let queryNumber = Atomic<Int>(0)

  public let catalogs: Catalogs
  public let catalog: String?
  public let schema: String?
  public var options: Options

  public init(_ catalogs: Catalogs, catalog: String? = nil, schema: String? = nil, options: Options = Options()) {
    self.catalogs = catalogs
    self.catalog = catalog
    self.schema = schema
    self.options = options
  }

  /// The result's rows, in the order in which they leave the query.
  public func rows(_ sql: String) throws -> [[Value]] { try run(sql).rows }

  public func run(_ sql: String) throws -> LocalResult {
    let plan = try plan(sql)
    let runs = FragmentRuns(catalogs: catalogs, options: options)
    if let write = plan.write { return try LocalWrite(write, catalogs: catalogs).run { try runs.rows(of: plan) } }
    let rows = try runs.rows(of: plan)
    return LocalResult(
      columnNames: plan.columnNames, types: plan.fragments[0].outputSymbols.map(\.type), rows: rows)
  }

  /// The statement's fragments.
  public func plan(_ sql: String) throws -> FragmentedPlan {
    let statement = try SQLParser.parseStatement(sql)
    let context = QueryContext(
      query: QueryID("local_\(Self.queryNumber.add(1, ordering: .relaxed).newValue)"), catalog: catalog,
      schema: schema, user: "ada", startMicroseconds: options.startMicroseconds)
    var planning = PlanningOptions(
      joinDistribution: options.joinDistribution, partitionCount: options.partitionCount, retries: options.retries,
      session: options.session)
    planning.dynamicFilterRowsMin = options.dynamicFilterRowsMin
    let isPlanned =
      switch statement {
      case .query, .show: false
      default: true
      }
    if options.isOptimized || isPlanned {
      let pipeline = PlanningPipeline(
        catalogs: catalogs, evaluator: ConstantFolder(), context: context, options: planning)
      return try pipeline.plan(statement)
    }
    let logical = try LogicalPlanner(catalogs: catalogs, context: context).plan(statement)
    return try Fragmenter.fragment(
      logical.root, symbols: logical.symbols, partitionCount: planning.partitionCount,
      stageCountMax: planning.stageCountMax)
  }
}

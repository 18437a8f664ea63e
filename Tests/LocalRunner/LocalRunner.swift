// Owns the run of whole queries inside one process, for tests: plans a statement, runs its fragments one after the
// other on the calling thread, and keeps what passes between them in memory. Knows no workers, spool files or retries.

import Base
import Columnar
import ConnectorAPI
import Execution
import Planning
import SQLSyntax

/// A result with the names and types that a client would see.
public struct LocalResult: Sendable {
  public var columnNames: [String]
  public var types: [DataType]
  public var rows: [[Value]]
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
    /// Forces the distribution of joins; nil leaves it to the optimiser.
    public var joinDistribution: JoinDistribution?
    /// False: the analyser's plan runs as it is.
    public var isOptimized = true
    /// Bytes that one task may hold.
    public var taskMemory: Int64 = 1 << 32
    /// now(), in microseconds since 1970: 2024-02-29 12:34:56.789012 UTC.
    public var startMicroseconds: Int64 = 1_709_210_096_789_012
    public var session: [SessionRow] = []

    public init() {}
  }

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
    let rows = try FragmentRuns(catalogs: catalogs, options: options).rows(of: plan)
    return LocalResult(
      columnNames: plan.columnNames, types: plan.fragments[0].outputSymbols.map(\.type), rows: rows)
  }

  /// The statement's fragments.
  public func plan(_ sql: String) throws -> FragmentedPlan {
    let statement = try SQLParser.parseStatement(sql)
    let context = QueryContext(
      catalog: catalog, schema: schema, user: "ada", startMicroseconds: options.startMicroseconds)
    let planning = PlanningOptions(
      joinDistribution: options.joinDistribution, partitionCount: options.partitionCount, session: options.session)
    var isPlanned = false
    if case .explain = statement { isPlanned = true }
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

// Owns the way from a statement to its first plan: names resolved, types checked, subqueries turned into joins.
// Knows nothing of costs, stages or execution.

import Base
import Columnar
import ConnectorAPI
import SQLSyntax

/// A plan as the analyser leaves it, for the optimiser to improve.
public struct LogicalPlan {
  /// An `.output` node.
  public var root: PlanNode
  /// Hands out further symbols that are unique in this plan.
  public var symbols: SymbolAllocator
  /// The lowest id that no table scan of the plan has.
  public var nextScanID: Int
  /// What the statement does to a table; nil for a query.
  public var write: LogicalWrite?

  public init(root: PlanNode, symbols: SymbolAllocator, nextScanID: Int, write: LogicalWrite? = nil) {
    self.root = root
    self.symbols = symbols
    self.nextScanID = nextScanID
    self.write = write
  }
}

/// Turns statements into logical plans.
public struct LogicalPlanner: Sendable {
  private let catalogs: Catalogs
  private let context: QueryContext

  public init(catalogs: Catalogs, context: QueryContext) {
    self.catalogs = catalogs
    self.context = context
  }

  /// The plan of a query, of the rows of a write, of the statement inside EXPLAIN, or of a SHOW statement (as rows
  /// known at once).
  ///
  /// Throws a `WaterbearError` with Trino's code and wording and the place in the text; NOT_SUPPORTED for statements
  /// and features that Waterbear does not have. Reads metadata from connectors, never data.
  public func plan(_ statement: Statement) throws -> LogicalPlan {
    switch statement {
    case .query(let query): return try plan(query)
    case .explain(let explain): return try plan(explain.statement)
    case .show(let show): return try ShowPlanner(catalogs: catalogs, context: context).plan(show)
    case .use(let use): throw unsupported("USE", use.location)
    case .setSession(let set): throw unsupported("SET SESSION", set.location)
    case .resetSession(let name): throw unsupported("RESET SESSION", name.location)
    case .createTableAs(let create): return try writes.plan(create)
    case .createTable(let create): return try writes.plan(create)
    case .insert(let insert): return try writes.plan(insert)
    case .dropTable(let drop): return try writes.plan(drop)
    case .other(let other): throw unsupported(other.name, other.location)
    }
  }

  private var writes: WritePlanner { WritePlanner(catalogs: catalogs, context: context) }

  private func unsupported(_ statement: String, _ location: SourceLocation) -> WaterbearError {
    WaterbearError(.notSupported, "\(statement) is not supported here", at: location)
  }

  private func plan(_ query: Query) throws -> LogicalPlan {
    let planner = QueryPlanner(catalogs: catalogs, context: context)
    let plan = try planner.planQuery(query, in: Environment(), isOutermost: true)
    let fields = plan.visibleFields
    let names = fields.enumerated().map { index, field in field.displayName ?? "_col\(index)" }
    let root = PlanNode.output(
      OutputNode(source: plan.node, columnNames: names, outputs: fields.map(\.symbol)))
    return LogicalPlan(root: root, symbols: planner.symbols, nextScanID: planner.nextScanID)
  }
}

// Owns the way from a statement to fragments: analysis, optimisation, exchanges; and EXPLAIN and SHOW SESSION, whose
// rows come from planning itself.

import Base
import Columnar
import ConnectorAPI
import SQLSyntax

/// Plans one statement.
public struct PlanningPipeline {
  private let catalogs: Catalogs
  private let statistics: PlanStatistics
  private let evaluator: any ConstantEvaluating
  private let context: QueryContext
  private let options: PlanningOptions

  public init(
    catalogs: Catalogs, evaluator: any ConstantEvaluating, context: QueryContext, options: PlanningOptions
  ) {
    self.catalogs = catalogs
    statistics = PlanStatistics(catalogs: catalogs)
    self.evaluator = evaluator
    self.context = context
    self.options = options
  }

  /// The statement's fragments. Throws the user's error with Trino's code and the place in the text.
  public func plan(_ statement: Statement) throws -> FragmentedPlan {
    switch statement {
    case .explain(let explain): return try plan(explain)
    case .show(let show) where show.subject == .session: return sessionRows()
    default:
      let logical = try LogicalPlanner(catalogs: catalogs, context: context).plan(statement)
      if let write = logical.write { return try plan(write, logical) }
      return try fragment(optimized(logical), symbols: logical.symbols)
    }
  }

  // MARK: Writes

  /// Begins a write at its connector, which makes nothing yet, and plans its rows.
  private func plan(_ write: LogicalWrite, _ logical: LogicalPlan) throws -> FragmentedPlan {
    let begun = try begin(write)
    var plan = begun.countsRows ? rows(["rows"], [.bigint], [], kind: .source) : rows([], [], [], kind: .source)
    if write.writesRows {
      var bound = logical
      if case .commit(let handle) = begun.act { bound.root = logical.root.writing(to: handle) }
      plan = try fragment(optimized(bound), symbols: logical.symbols)
    }
    plan.columnNames = begun.countsRows ? ["rows"] : []
    plan.write = begun
    return plan
  }

  private func begin(_ write: LogicalWrite) throws -> PlannedWrite {
    var planned = PlannedWrite(act: .nothing, updateType: write.updateType, countsRows: write.countsRows)
    guard let connector = try catalogs.connector(write.catalog) as? any WritableConnector else { return planned }
    do {
      switch write.act {
      case .nothing: return planned
      case .drop(let table, let mayBeMissing):
        planned.act = .drop(try connector.beginDrop(table, query: context.query), mayBeMissing: mayBeMissing)
      case .create(let table): planned.act = .commit(try connector.beginCreate(table, query: context.query))
      case .insert(let table, let columns):
        planned.act = .commit(try connector.beginInsert(into: table, columns: columns, query: context.query))
      }
      if options.retries && !connector.supportsQueryRetries {
        throw WaterbearError(
          .notSupported, "This connector does not support query retries",
          remedy: "set the session property retry_policy to NONE")
      }
    } catch {
      var located = WaterbearError.wrapping(error)
      if located.location == nil { located.location = write.location }
      throw located
    }
    return planned
  }

  private func optimized(_ logical: LogicalPlan) -> PlanNode {
    Optimizer(statistics: statistics, evaluator: evaluator, symbols: logical.symbols, options: options)
      .optimize(logical.root)
  }

  private func fragment(_ plan: PlanNode, symbols: SymbolAllocator) throws -> FragmentedPlan {
    try Fragmenter.fragment(
      plan, symbols: symbols, statistics: statistics, partitionCount: partitionCount(for: plan),
      stageCountMax: options.stageCountMax, dynamicFilterRowsMin: options.dynamicFilterRowsMin)
  }

  /// Input for which one partition of a hash exchange is made: what is built of it stays within a core's own caches,
  /// and a task lost with its worker costs little.
  static let partitionInputBytes = 4.0 * 1_048_576

  private func partitionCount(for plan: PlanNode) -> Int {
    func scannedBytes(_ node: PlanNode) -> Double {
      if case .tableScan = node { return statistics.estimate(node).bytes(of: node.outputs) }
      return node.sources.reduce(0) { $0 + scannedBytes($1) }
    }
    let wanted = min(scannedBytes(plan) / Self.partitionInputBytes, Double(options.partitionCount))
    let fewest = plan.writesTable
      ? max(options.partitionCountMin, min(options.partitionCountMinForWrite, options.partitionCount))
      : options.partitionCountMin
    return max(fewest, Int(wanted.rounded(.up)))
  }

  private func plan(_ explain: Explain) throws -> FragmentedPlan {
    guard !explain.analyze else {
      throw WaterbearError(.notSupported, "EXPLAIN ANALYZE is not supported yet", at: explain.location)
    }
    let logical = try LogicalPlanner(catalogs: catalogs, context: context).plan(explain.statement)
    let plan = optimized(logical)
    let act = logical.write.flatMap { $0.writesRows ? nil : $0 }
    let printer = PlanPrinter(format: explain.format, statistics: statistics)
    let text: String
    switch explain.type {
    case .validate: return rows(["Valid"], [.boolean], [[.boolean(true)]])
    case .io: throw WaterbearError(.notSupported, "EXPLAIN (TYPE IO) is not supported", at: explain.location)
    case .logical: text = act.map { printer.text(of: $0) } ?? printer.text(of: plan)
    case .distributed:
      text = try act.map { printer.text(of: $0) } ?? printer.text(of: fragment(plan, symbols: logical.symbols))
    }
    return rows(["Query Plan"], [.varcharUnbounded], [[.text(text)]])
  }

  private func sessionRows() -> FragmentedPlan {
    rows(
      ["Name", "Value", "Default", "Type", "Description"],
      Array(repeating: .varcharUnbounded, count: 5),
      options.session.map { [.text($0.name), .text($0.value), .text($0.standard), .text($0.type), .text($0.meaning)] })
  }

  /// A plan of one fragment that gives these rows; none of kind `.source`, which has no tasks without splits.
  private func rows(
    _ names: [String], _ types: [DataType], _ values: [[Value]], kind: FragmentKind = .single
  ) -> FragmentedPlan {
    let allocator = SymbolAllocator()
    let symbols = zip(names, types).map { allocator.symbol($0, $1) }
    let node = PlanNode.values(
      ValuesNode(outputs: symbols, rows: values.map { zip($0, types).map { .constant($0, $1) } }))
    let root = PlanNode.output(OutputNode(source: node, columnNames: names, outputs: symbols))
    let fragment = PlanFragment(
      number: 0, root: root, kind: kind, inputs: [], output: .single, outputSymbols: symbols)
    return FragmentedPlan(fragments: [fragment], columnNames: names)
  }
}

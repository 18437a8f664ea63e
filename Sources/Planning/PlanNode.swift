// Owns the plan: relational operators as data, from the analyser's first tree to the fragments that workers run.
// Holds no behaviour but shape; how nodes execute is `Execution`'s.

import Base
import Columnar
import ConnectorAPI

/// A tree of relational operators over symbols.
public indirect enum PlanNode: Codable, Sendable {
  case tableScan(TableScanNode)
  case values(ValuesNode)
  case filter(FilterNode)
  case project(ProjectNode)
  case aggregate(AggregateNode)
  case join(JoinNode)
  case semiJoin(SemiJoinNode)
  case sort(SortNode)
  case topN(TopNNode)
  case limit(LimitNode)
  case union(UnionNode)
  case enforceSingleRow(EnforceSingleRowNode)
  case uniqueID(UniqueIDNode)
  case rowNumber(RowNumberNode)
  case exchange(ExchangeNode)
  case remoteSource(RemoteSourceNode)
  case tableWriter(TableWriterNode)
  case tableFinish(TableFinishNode)
  case output(OutputNode)
}

/// Reads columns of a table. `id` is unique in the plan; a task's splits name the scan they belong to.
public struct TableScanNode: Codable, Sendable {
  public var id: Int
  public var table: TableHandle
  public var columns: [ScanColumn]
  /// Offered to the connector to skip by; the engine's own filter stays above the scan.
  public var constraint: TupleDomain

  /// A column that is read, and the symbol it becomes.
  public struct ScanColumn: Codable, Sendable {
    public var symbol: Symbol
    public var column: ColumnHandle

    public init(symbol: Symbol, column: ColumnHandle) {
      self.symbol = symbol
      self.column = column
    }
  }

  public init(id: Int, table: TableHandle, columns: [ScanColumn], constraint: TupleDomain = .all) {
    self.id = id
    self.table = table
    self.columns = columns
    self.constraint = constraint
  }
}

/// Rows written in the query. Each expression is free of symbols.
public struct ValuesNode: Codable, Sendable {
  public var outputs: [Symbol]
  public var rows: [[Expression]]

  public init(outputs: [Symbol], rows: [[Expression]]) {
    self.outputs = outputs
    self.rows = rows
  }
}

/// Keeps the rows for which `predicate` is true (not NULL).
public struct FilterNode: Codable, Sendable {
  public var source: PlanNode
  public var predicate: Expression

  public init(source: PlanNode, predicate: Expression) {
    self.source = source
    self.predicate = predicate
  }
}

/// Computes columns; also renames, reorders and drops them.
public struct ProjectNode: Codable, Sendable {
  public var source: PlanNode
  public var assignments: [Assignment]

  public init(source: PlanNode, assignments: [Assignment]) {
    self.source = source
    self.assignments = assignments
  }
}

/// A symbol and what it is computed from.
public struct Assignment: Hashable, Codable, Sendable {
  public var symbol: Symbol
  public var expression: Expression

  public init(_ symbol: Symbol, _ expression: Expression) {
    self.symbol = symbol
    self.expression = expression
  }
}

/// Which part of an aggregation a node performs.
public enum AggregationStep: String, Codable, Sendable {
  /// Rows in, results out.
  case single
  /// Rows in, `intermediates` out.
  case partial
  /// `intermediates` in, results out.
  case final
}

/// One aggregate of a node.
public struct Aggregation: Hashable, Codable, Sendable {
  public var function: AggregateFunction
  /// Symbols of the rows (single, partial). Kept in a final step for their types.
  public var arguments: [Symbol]
  public var isDistinct: Bool
  /// A boolean symbol; only rows where it is true count.
  public var filter: Symbol?
  /// The result (single, final).
  public var output: Symbol
  /// What partial produces and final consumes, with the types of `AggregateFunction.intermediateTypes`.
  public var intermediates: [Symbol]

  public init(
    function: AggregateFunction, arguments: [Symbol], isDistinct: Bool = false, filter: Symbol? = nil,
    output: Symbol, intermediates: [Symbol] = []
  ) {
    self.function = function
    self.arguments = arguments
    self.isDistinct = isDistinct
    self.filter = filter
    self.output = output
    self.intermediates = intermediates
  }
}

/// Groups rows by `keys` (NULLs form a group). Without keys there is exactly one result row in steps single and final,
/// also for no input; a keyless partial step gives at most one row.
public struct AggregateNode: Codable, Sendable {
  public var source: PlanNode
  public var keys: [Symbol]
  public var aggregations: [Aggregation]
  public var step: AggregationStep

  public init(source: PlanNode, keys: [Symbol], aggregations: [Aggregation], step: AggregationStep = .single) {
    self.source = source
    self.keys = keys
    self.aggregations = aggregations
    self.step = step
  }
}

/// Which rows without a partner a join keeps.
public enum JoinKind: String, Codable, Sendable {
  case inner
  case left
  case right
  case full
  /// Left rows that have a match; outputs are the left's only.
  case semi
  /// Left rows that have no match (NOT EXISTS); outputs are the left's only.
  case anti
  /// NOT IN: like `anti`, but a NULL key on either side that could match makes the row drop out. One key pair.
  case nullAwareAnti
}

/// How the sides of a join meet.
public enum JoinDistribution: String, Codable, Sendable {
  /// Both sides are exchanged by the hash of their keys.
  case partitioned
  /// The right side is copied to every task of the left.
  case broadcast
}

/// Equality of a left and a right symbol of one type.
public struct EquiClause: Hashable, Codable, Sendable {
  public var left: Symbol
  public var right: Symbol

  public init(left: Symbol, right: Symbol) {
    self.left = left
    self.right = right
  }
}

/// A join; the right side is built into a table, the left side streams past it. No criteria: a cross product
/// (with `filter`, if there is one, deciding which pairs match).
public struct JoinNode: Codable, Sendable {
  public var kind: JoinKind
  public var left: PlanNode
  public var right: PlanNode
  public var criteria: [EquiClause]
  /// A further condition of a match, over symbols of both sides.
  public var filter: Expression?
  /// Which symbols of either side leave the join.
  public var outputs: [Symbol]
  /// Nil until the optimiser has decided.
  public var distribution: JoinDistribution?

  public init(
    kind: JoinKind, left: PlanNode, right: PlanNode, criteria: [EquiClause], filter: Expression? = nil,
    outputs: [Symbol], distribution: JoinDistribution? = nil
  ) {
    self.kind = kind
    self.left = left
    self.right = right
    self.criteria = criteria
    self.filter = filter
    self.outputs = outputs
    self.distribution = distribution
  }
}

/// All rows of `source` with a boolean `mark`: whether the row has a match in `filteringSource`. Serves IN and EXISTS
/// where they are not plain conjuncts. Outputs: the source's symbols, then `mark`.
public struct SemiJoinNode: Codable, Sendable {
  public var source: PlanNode
  public var filteringSource: PlanNode
  public var criteria: [EquiClause]
  public var filter: Expression?
  public var mark: Symbol
  /// IN: the mark is NULL where a NULL key leaves the answer open. Otherwise it is true or false. With one key pair.
  public var isNullAware: Bool
  public var distribution: JoinDistribution?

  public init(
    source: PlanNode, filteringSource: PlanNode, criteria: [EquiClause], filter: Expression? = nil,
    mark: Symbol, isNullAware: Bool, distribution: JoinDistribution? = nil
  ) {
    self.source = source
    self.filteringSource = filteringSource
    self.criteria = criteria
    self.filter = filter
    self.mark = mark
    self.isNullAware = isNullAware
    self.distribution = distribution
  }
}

/// One key of a sort.
public struct Ordering: Hashable, Codable, Sendable {
  public var symbol: Symbol
  public var ascending: Bool
  public var nullsFirst: Bool

  /// Trino's default is NULLS LAST for both directions.
  public init(symbol: Symbol, ascending: Bool = true, nullsFirst: Bool = false) {
    self.symbol = symbol
    self.ascending = ascending
    self.nullsFirst = nullsFirst
  }
}

/// All rows in order.
public struct SortNode: Codable, Sendable {
  public var source: PlanNode
  public var orderings: [Ordering]

  public init(source: PlanNode, orderings: [Ordering]) {
    self.source = source
    self.orderings = orderings
  }
}

/// The first `count` rows in order, sorted.
public struct TopNNode: Codable, Sendable {
  /// More rows than this are sorted and limited instead: keeping the first ones apart would spare nothing.
  static let countMax = 1_000_000

  public var source: PlanNode
  public var orderings: [Ordering]
  public var count: Int

  public init(source: PlanNode, orderings: [Ordering], count: Int) {
    self.source = source
    self.orderings = orderings
    self.count = count
  }
}

/// Drops `offset` rows, then passes `count` (nil: all the rest).
public struct LimitNode: Codable, Sendable {
  public var source: PlanNode
  public var count: Int?
  public var offset: Int

  public init(source: PlanNode, count: Int?, offset: Int = 0) {
    self.source = source
    self.count = count
    self.offset = offset
  }
}

/// UNION ALL. `mappings[i]` lists the symbols of source `i` that become `outputs`, in order.
public struct UnionNode: Codable, Sendable {
  public var sources: [PlanNode]
  public var outputs: [Symbol]
  public var mappings: [[Symbol]]

  public init(sources: [PlanNode], outputs: [Symbol], mappings: [[Symbol]]) {
    self.sources = sources
    self.outputs = outputs
    self.mappings = mappings
  }
}

/// A scalar subquery: one row, a row of NULLs for none, SUBQUERY_MULTIPLE_ROWS for more.
public struct EnforceSingleRowNode: Codable, Sendable {
  public var source: PlanNode
  public var origin: Origin

  public init(source: PlanNode, origin: Origin = Origin()) {
    self.source = source
    self.origin = origin
  }
}

/// Adds a number to each row that no other row has: what tells the rows of an outer query apart, also equal ones.
/// Outputs: the source's symbols, then `id`.
public struct UniqueIDNode: Codable, Sendable {
  public var source: PlanNode
  /// A bigint, never NULL.
  public var id: Symbol

  public init(source: PlanNode, id: Symbol) {
    self.source = source
    self.id = id
  }
}

/// Numbers the rows that agree in `partition` (NULLs agree with each other) from 1 on, in the order of `orderings` or,
/// without any, as they come. Outputs: the source's symbols, then `number`.
public struct RowNumberNode: Codable, Sendable {
  public var source: PlanNode
  /// Empty: all rows are numbered together.
  public var partition: [Symbol]
  public var orderings: [Ordering]
  /// Rows with higher numbers are dropped; nil: none are.
  public var most: Int?
  /// A bigint.
  public var number: Symbol

  public init(source: PlanNode, partition: [Symbol], orderings: [Ordering], most: Int?, number: Symbol) {
    self.source = source
    self.partition = partition
    self.orderings = orderings
    self.most = most
    self.number = number
  }
}

/// How rows are spread over the partitions of an exchange.
public enum Partitioning: Hashable, Codable, Sendable {
  /// Everything to one place.
  case single
  /// By the hash of these symbols.
  case hash([Symbol])
  /// Everything to every consumer.
  case broadcast
}

/// A border between stages: the rows of `source` pass through the spool. Cut into fragments before execution.
public struct ExchangeNode: Codable, Sendable {
  public var source: PlanNode
  public var partitioning: Partitioning
  /// Each task of the source gives its rows in this order, and the one reader merges them; nil: in no order. Only with
  /// `Partitioning.single`.
  public var orderings: [Ordering]?

  public init(source: PlanNode, partitioning: Partitioning, orderings: [Ordering]? = nil) {
    self.source = source
    self.partitioning = partitioning
    self.orderings = orderings
  }
}

/// Reads the output of other fragments: what is left of an exchange after the cut. Several fragments where a union
/// was cut below it.
public struct RemoteSourceNode: Codable, Sendable {
  public var fragments: [Int]
  public var outputs: [Symbol]
  /// The outputs of the fragments' tasks are each in this order, and so are the rows given; nil: one output after the
  /// other.
  public var orderings: [Ordering]?

  public init(fragments: [Int], outputs: [Symbol], orderings: [Ordering]? = nil) {
    self.fragments = fragments
    self.outputs = outputs
    self.orderings = orderings
  }
}

/// The root: which symbols are the result, and the names the client sees.
public struct OutputNode: Codable, Sendable {
  public var source: PlanNode
  public var columnNames: [String]
  public var outputs: [Symbol]

  public init(source: PlanNode, columnNames: [String], outputs: [Symbol]) {
    self.source = source
    self.columnNames = columnNames
    self.outputs = outputs
  }
}

// Owns estimates: how many rows a node gives and what is known of its columns. Rules of thumb where nothing is known.

import Columnar
import ConnectorAPI

/// An estimate of a node's output.
struct PlanEstimate {
  var rows: Double
  var columns: [Symbol: ColumnStatistics] = [:]
  /// False where a table below could not say how large it is: good for comparing plans, not for showing.
  var isKnown = true

  static let unknown = PlanEstimate(rows: PlanStatistics.unknownRows, isKnown: false)

  func distinct(_ symbol: Symbol) -> Double {
    max(1, min(rows, columns[symbol]?.distinctCount ?? rows * PlanStatistics.unknownDistinctShare))
  }

  /// Bytes of these columns over all rows, in memory.
  func bytes(of symbols: [Symbol]) -> Double {
    rows * symbols.reduce(8) { $0 + (columns[$1]?.averageBytes ?? $1.type.estimatedBytes) }
  }

  func limited(to count: Double) -> PlanEstimate {
    var copy = self
    copy.rows = min(rows, count)
    return copy
  }

  /// At least one row, so that what is built on an estimate is never nothing.
  func scaled(to rows: Double) -> PlanEstimate {
    var copy = self
    copy.rows = max(1, rows)
    return copy
  }
}

/// What connectors said of tables, asked once: a source may have to read files to know.
private final class TableMemory {
  private let catalogs: Catalogs
  private var known: [TableHandle: TableStatistics?] = [:]

  init(_ catalogs: Catalogs) { self.catalogs = catalogs }

  /// Nil where the source cannot say, for whatever reason: it is planned for as one of unknown size.
  func statistics(of table: TableHandle) -> TableStatistics? {
    if let found = known[table] { return found }
    // The error comes again when the table is read.
    let found = try? catalogs.connector(table.catalog).statistics(of: table)
    known[table] = .some(found)
    return found
  }
}

/// Estimates plans bottom up. Each call walks the whole plan; plans are small. One for each query that is planned.
struct PlanStatistics {
  static let unknownRows = 1_000_000.0
  static let unknownDistinctShare = 0.1
  /// Shares of rows that pass a condition nothing is known of.
  static let unknownFilterShare = 0.33
  static let likeShare = 0.1
  /// A second equality of two relations narrows as the power of this share of what it would if it were independent, a
  /// third as the square of it, and so on: columns that are joined together depend on each other.
  static let furtherClauseWeight = 0.25
  /// The share of matches that pass the further condition of a semi or anti join.
  static let filteredMatchShare = 0.8

  private let tables: TableMemory
  /// What the fragments give that remote sources read.
  private var fragments: [Int: PlanEstimate] = [:]

  init(catalogs: Catalogs) { tables = TableMemory(catalogs) }

  /// The same, with estimates of what `fragments` give. Inputs have higher numbers than their consumers.
  func knowing(_ fragments: [PlanFragment]) -> PlanStatistics {
    var copy = self
    for fragment in fragments.reversed() { copy.fragments[fragment.number] = copy.estimate(fragment.root) }
    return copy
  }

  func estimate(_ node: PlanNode) -> PlanEstimate {
    switch node {
    case .tableScan(let scan): return estimate(scan)
    case .values(let values): return PlanEstimate(rows: Double(values.rows.count))
    case .filter(let filter): return SelectivityEstimator.apply(filter.predicate, to: estimate(filter.source))
    case .project(let project):
      let source = estimate(project.source)
      var result = PlanEstimate(rows: source.rows, isKnown: source.isKnown)
      for assignment in project.assignments {
        result.columns[assignment.symbol] = ExpressionStatistics.of(assignment.expression, in: source)
      }
      return result
    case .aggregate(let aggregate): return estimate(aggregate)
    case .join(let join):
      return Self.join(
        join.kind, estimate(join.left), estimate(join.right), on: join.criteria, filter: join.filter)
    case .semiJoin(let join):
      var result = estimate(join.source)
      result.columns[join.mark] = ColumnStatistics(distinctCount: 2)
      return result
    case .sort(let sort): return estimate(sort.source)
    case .topN(let topN): return estimate(topN.source).limited(to: Double(topN.count))
    case .limit(let limit):
      let source = estimate(limit.source)
      return limit.count.map { source.limited(to: Double($0)) } ?? source
    case .union(let union): return estimate(union)
    case .uniqueID(let unique):
      var result = estimate(unique.source)
      result.columns[unique.id] = ColumnStatistics(distinctCount: result.rows, nullFraction: 0)
      return result
    case .rowNumber(let numbered):
      let source = estimate(numbered.source)
      guard let most = numbered.most else { return source }
      let groups = numbered.partition.reduce(1.0) { $0 * source.distinct($1) }
      return source.limited(to: max(1, min(groups * Double(most), source.rows)))
    case .enforceSingleRow(let enforce):
      var result = estimate(enforce.source).scaled(to: 1)
      result.isKnown = true
      return result
    case .exchange(let exchange): return estimate(exchange.source)
    case .remoteSource(let source):
      let known = source.fragments.compactMap { fragments[$0] }
      guard let first = known.first, known.count == source.fragments.count else { return .unknown }
      return known.count == 1
        ? first : PlanEstimate(rows: known.reduce(0) { $0 + $1.rows }, isKnown: known.allSatisfy(\.isKnown))
    case .tableWriter: return PlanEstimate(rows: 1)
    case .tableFinish(let finish): return estimate(finish.source)
    case .output(let output): return estimate(output.source)
    }
  }

  private func estimate(_ scan: TableScanNode) -> PlanEstimate {
    guard let statistics = tables.statistics(of: scan.table) else { return .unknown }
    var result = PlanEstimate(
      rows: statistics.rowCount ?? Self.unknownRows, isKnown: statistics.rowCount != nil)
    for column in scan.columns { result.columns[column.symbol] = statistics.columns[column.column.name] }
    return result
  }

  private func estimate(_ union: UnionNode) -> PlanEstimate {
    let sources = union.sources.map(estimate)
    var result = PlanEstimate(
      rows: sources.reduce(0) { $0 + $1.rows }, isKnown: sources.allSatisfy(\.isKnown))
    for (index, output) in union.outputs.enumerated() {
      let columns = zip(sources, union.mappings).compactMap { source, mapping in source.columns[mapping[index]] }
      guard columns.count == sources.count else { continue }
      var merged = columns[0]
      for column in columns.dropFirst() { merged = merged.united(with: column) }
      result.columns[output] = merged
    }
    return result
  }

  private func estimate(_ aggregate: AggregateNode) -> PlanEstimate {
    let source = estimate(aggregate.source)
    if aggregate.keys.isEmpty { return PlanEstimate(rows: 1) }
    // Keys depend on each other more often than not: the product is damped by the rows there are.
    let groups = aggregate.keys.reduce(1.0) { $0 * source.distinct($1) }
    var result = PlanEstimate(rows: min(groups, source.rows), isKnown: source.isKnown)
    for key in aggregate.keys { result.columns[key] = source.columns[key] }
    for aggregation in aggregate.aggregations {
      switch aggregation.function {
      case .min, .max, .anyValue:
        result.columns[aggregation.output] = source.columns[aggregation.arguments[0]]
      case .count, .countAll, .countIf:
        result.columns[aggregation.output] = ColumnStatistics(
          nullFraction: 0, minimum: 0, maximum: max(1, source.rows / max(1, result.rows) * 2))
      default: break
      }
    }
    return result
  }

  // MARK: Joins

  /// A join of two estimates: containment of the smaller key set in the larger.
  static func join(
    _ kind: JoinKind, _ left: PlanEstimate, _ right: PlanEstimate, on criteria: [EquiClause], filter: Expression?
  ) -> PlanEstimate {
    let share = { matchShare(left, right, criteria, filter) }
    switch kind {
    case .semi:
      var reduced = left.scaled(to: left.rows * share())
      for clause in criteria {
        reduced.columns[clause.left]?.distinctCount = min(left.distinct(clause.left), right.distinct(clause.right))
      }
      return reduced
    case .anti, .nullAwareAnti:
      return left.scaled(to: left.rows * max(0.1, 1 - share()))
    case .inner, .left, .right, .full: break
    }
    var result = matched(left, right, on: criteria)
    if let filter { result = SelectivityEstimator.apply(filter, to: result) }
    switch kind {
    case .left: result.rows = max(result.rows, left.rows)
    case .right: result.rows = max(result.rows, right.rows)
    case .full: result.rows = max(result.rows, left.rows, right.rows)
    default: break
    }
    return result
  }

  private static func matched(
    _ left: PlanEstimate, _ right: PlanEstimate, on criteria: [EquiClause]
  ) -> PlanEstimate {
    var rows = left.rows * right.rows
    var exponent = 1.0
    let divisors = criteria.map { max(left.distinct($0.left), right.distinct($0.right)) }.sorted(by: >)
    for divisor in divisors {
      rows /= Self.power(divisor, exponent)
      exponent *= furtherClauseWeight
    }
    var result = PlanEstimate(rows: max(rows, 1), isKnown: left.isKnown && right.isKnown)
    result.columns = left.columns.merging(right.columns) { first, _ in first }
    for clause in criteria {
      let distinct = min(left.distinct(clause.left), right.distinct(clause.right))
      result.columns[clause.left]?.distinctCount = distinct
      result.columns[clause.right]?.distinctCount = distinct
    }
    return result
  }

  /// `base` to the power of 1, 1/4, 1/16, …
  private static func power(_ base: Double, _ exponent: Double) -> Double {
    var result = base
    var rest = exponent
    while rest < 1 {
      result = result.squareRoot().squareRoot()
      rest *= 4
    }
    return max(1, result)
  }

  /// The share of left rows that have a match. Keys of the right side are taken to be spread over all keys that the
  /// left side's column has, whatever filters left of its rows.
  private static func matchShare(
    _ left: PlanEstimate, _ right: PlanEstimate, _ criteria: [EquiClause], _ filter: Expression?
  ) -> Double {
    let filtered = filter == nil ? 1 : filteredMatchShare
    if criteria.isEmpty { return 0.5 * filtered }
    return criteria.reduce(filtered) { share, clause in
      let domain = left.columns[clause.left]?.distinctCount ?? left.distinct(clause.left)
      return min(share, right.distinct(clause.right) / max(1, domain))
    }
  }
}

extension ColumnStatistics {
  /// What is known of the values of two columns together.
  func united(with other: ColumnStatistics) -> ColumnStatistics {
    func both<Value>(_ first: Value?, _ second: Value?, _ combine: (Value, Value) -> Value) -> Value? {
      first.flatMap { left in second.map { combine(left, $0) } }
    }
    return ColumnStatistics(
      distinctCount: both(distinctCount, other.distinctCount, max),
      nullFraction: both(nullFraction, other.nullFraction, max),
      minimum: both(minimum, other.minimum, min), maximum: both(maximum, other.maximum, max),
      averageBytes: both(averageBytes, other.averageBytes, max))
  }
}

extension DataType {
  /// Bytes of a value of unknown length.
  var estimatedBytes: Double {
    switch self {
    case .varchar(let length?), .char(let length): 16 + Double(min(length, 200)) / 2
    case .varchar(nil), .varbinary: 48
    default: Double(layout.stride)
    }
  }
}

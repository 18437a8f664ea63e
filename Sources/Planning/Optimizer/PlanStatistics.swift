// Owns estimates: how many rows a node gives and what is known of its columns. Rules of thumb where nothing is known.

import Columnar
import ConnectorAPI

/// An estimate of a node's output.
struct PlanEstimate {
  var rows: Double
  var columns: [Symbol: ColumnStatistics] = [:]
  /// False where a table below could not say how large it is: good for comparing plans, not for showing.
  var isKnown = true

  func distinct(_ symbol: Symbol) -> Double {
    max(1, min(rows, columns[symbol]?.distinctCount ?? rows * PlanStatistics.unknownDistinctShare))
  }

  /// Bytes of these columns over all rows, in memory.
  func bytes(of symbols: [Symbol]) -> Double {
    rows * symbols.reduce(8) { $0 + (columns[$1]?.averageBytes ?? $1.type.estimatedBytes) }
  }

  static let unknown = PlanEstimate(rows: PlanStatistics.unknownRows, isKnown: false)

  func limited(to count: Double) -> PlanEstimate {
    var copy = self
    copy.rows = min(rows, count)
    return copy
  }
}

/// Estimates plans bottom up. A value with a cache would save work on deep plans; plans are small.
struct PlanStatistics {
  static let unknownRows = 1_000_000.0
  static let unknownDistinctShare = 0.1
  /// Shares of rows that pass a condition nothing is known of.
  static let unknownFilterShare = 0.33
  static let likeShare = 0.1

  let catalogs: Catalogs
  /// What the fragments give that remote sources read.
  private var fragments: [Int: PlanEstimate] = [:]

  init(catalogs: Catalogs) { self.catalogs = catalogs }

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
    case .filter(let filter):
      let source = estimate(filter.source)
      return SelectivityEstimator.apply(filter.predicate, to: source)
    case .project(let project):
      let source = estimate(project.source)
      var result = PlanEstimate(rows: source.rows, isKnown: source.isKnown)
      for assignment in project.assignments {
        if case .symbol(let symbol) = assignment.expression {
          result.columns[assignment.symbol] = source.columns[symbol]
        }
      }
      return result
    case .aggregate(let aggregate): return estimate(aggregate)
    case .join(let join): return estimate(join)
    case .semiJoin(let join): return estimate(join.source)
    case .sort(let sort): return estimate(sort.source)
    case .topN(let topN): return estimate(topN.source).limited(to: Double(topN.count))
    case .limit(let limit):
      let source = estimate(limit.source)
      return limit.count.map { source.limited(to: Double($0)) } ?? source
    case .union(let union):
      let sources = union.sources.map(estimate)
      return PlanEstimate(rows: sources.reduce(0) { $0 + $1.rows }, isKnown: sources.allSatisfy(\.isKnown))
    case .enforceSingleRow(let enforce): return estimate(enforce.source).limited(to: 1)
    case .exchange(let exchange): return estimate(exchange.source)
    case .remoteSource(let source):
      let known = source.fragments.compactMap { fragments[$0] }
      guard let first = known.first, known.count == source.fragments.count else { return .unknown }
      return known.count == 1
        ? first : PlanEstimate(rows: known.reduce(0) { $0 + $1.rows }, isKnown: known.allSatisfy(\.isKnown))
    case .output(let output): return estimate(output.source)
    }
  }

  private func estimate(_ scan: TableScanNode) -> PlanEstimate {
    // A source that cannot say how large it is, for whatever reason, is planned for as one of unknown size.
    guard let connector = try? catalogs.connector(scan.table.catalog),
      let statistics = try? connector.statistics(of: scan.table)
    else { return .unknown }
    var result = PlanEstimate(
      rows: statistics.rowCount ?? Self.unknownRows, isKnown: statistics.rowCount != nil)
    for column in scan.columns { result.columns[column.symbol] = statistics.columns[column.column.name] }
    return result
  }

  private func estimate(_ aggregate: AggregateNode) -> PlanEstimate {
    let source = estimate(aggregate.source)
    guard !aggregate.keys.isEmpty else { return PlanEstimate(rows: 1) }
    // Keys depend on each other more often than not: the product is damped by the rows there are.
    let groups = aggregate.keys.reduce(1.0) { $0 * source.distinct($1) }
    var result = PlanEstimate(rows: min(groups, source.rows), isKnown: source.isKnown)
    for key in aggregate.keys { result.columns[key] = source.columns[key] }
    return result
  }

  private func estimate(_ join: JoinNode) -> PlanEstimate {
    let left = estimate(join.left)
    let right = estimate(join.right)
    var result = Self.joined(left, right, on: join.criteria)
    if let filter = join.filter { result = SelectivityEstimator.apply(filter, to: result) }
    switch join.kind {
    case .inner: break
    case .left: result.rows = max(result.rows, left.rows)
    case .right: result.rows = max(result.rows, right.rows)
    case .full: result.rows = max(result.rows, left.rows + right.rows)
    case .semi: return scaled(left, to: left.rows * matchShare(left, right, join.criteria))
    case .anti, .nullAwareAnti:
      return scaled(left, to: left.rows * max(0.1, 1 - matchShare(left, right, join.criteria)))
    }
    return result
  }

  /// The inner join of two estimates: containment of the smaller key set in the larger.
  static func joined(_ left: PlanEstimate, _ right: PlanEstimate, on criteria: [EquiClause]) -> PlanEstimate {
    var rows = left.rows * right.rows
    // Every further pair of keys usually narrows less than the first suggests.
    var weight = 1.0
    let divisors = criteria.map { max(left.distinct($0.left), right.distinct($0.right)) }.sorted(by: >)
    for divisor in divisors {
      rows /= max(1, weight == 1 ? divisor : divisor.squareRoot())
      weight = 0.5
    }
    var result = PlanEstimate(rows: max(rows, 1), isKnown: left.isKnown && right.isKnown)
    result.columns = left.columns.merging(right.columns) { first, _ in first }
    return result
  }

  private func matchShare(_ left: PlanEstimate, _ right: PlanEstimate, _ criteria: [EquiClause]) -> Double {
    guard let first = criteria.first else { return 0.5 }
    return min(1, right.distinct(first.right) / left.distinct(first.left))
  }

  private func scaled(_ estimate: PlanEstimate, to rows: Double) -> PlanEstimate {
    var copy = estimate
    copy.rows = max(1, rows)
    return copy
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

// Owns the guess how many rows pass a condition.

import Columnar
import ConnectorAPI

enum SelectivityEstimator {
  /// The estimate behind a filter: fewer rows, and narrower ranges of the columns it compares with constants.
  static func apply(_ predicate: Expression, to source: PlanEstimate) -> PlanEstimate {
    var result = source
    var share = 1.0
    for conjunct in predicate.conjuncts {
      let passing = selectivity(of: conjunct, in: result)
      share *= passing
      narrow(&result, by: conjunct, share: passing)
    }
    result.rows = share == 0 ? 0 : max(min(1, source.rows), source.rows * share)
    return result
  }

  static func selectivity(of predicate: Expression, in source: PlanEstimate) -> Double {
    switch predicate {
    case .constant(.boolean(true), _): return 1
    case .constant: return 0
    case .and(let operands):
      // Bounds of one column overlap, so each narrows what the next sees.
      let passed = apply(.and(operands), to: source)
      return source.rows > 0 ? passed.rows / source.rows : 0
    case .or(let operands):
      return 1 - operands.reduce(1) { $0 * (1 - selectivity(of: $1, in: source)) }
    case .not(let operand): return max(0.05, 1 - selectivity(of: operand, in: source))
    case .isNull(.symbol(let symbol)): return source.columns[symbol]?.nullFraction ?? 0.05
    case .inList(let value, let list):
      return min(1, Double(list.count) / ExpressionStatistics.distinct(value, in: source))
    case .like: return PlanStatistics.likeShare
    case .comparison(let op, let left, let right): return comparison(op, left, right, in: source)
    default: return PlanStatistics.unknownFilterShare
    }
  }

  private static func comparison(
    _ op: ComparisonOperator, _ left: Expression, _ right: Expression, in source: PlanEstimate
  ) -> Double {
    if case .constant(let value, _) = right { return share(op, left, value, in: source) }
    if case .constant(let value, _) = left { return share(op.flipped, right, value, in: source) }
    switch op {
    case .equal:
      return 1
        / max(ExpressionStatistics.distinct(left, in: source), ExpressionStatistics.distinct(right, in: source))
    case .notEqual, .isDistinctFrom: return 0.9
    case .lessThan, .lessThanOrEqual, .greaterThan, .greaterThanOrEqual: return 0.5
    }
  }

  private static func share(
    _ op: ComparisonOperator, _ operand: Expression, _ value: Value, in source: PlanEstimate
  ) -> Double {
    if value.isNull && op != .isDistinctFrom { return 0 }
    switch op {
    case .equal: return 1 / ExpressionStatistics.distinct(operand, in: source)
    case .notEqual, .isDistinctFrom: return max(0.05, 1 - 1 / ExpressionStatistics.distinct(operand, in: source))
    case .lessThan, .lessThanOrEqual, .greaterThan, .greaterThanOrEqual:
      guard let column = ExpressionStatistics.of(operand, in: source), let low = column.minimum,
        let high = column.maximum, high > low, let point = value.asDouble
      else { return PlanStatistics.unknownFilterShare }
      let below = min(1, max(0, (point - low) / (high - low)))
      return max(0.0001, op == .lessThan || op == .lessThanOrEqual ? below : 1 - below)
    }
  }

  /// `a < 5 AND a > 3` selects the overlap, not the product: what was seen of a column narrows its range.
  private static func narrow(_ estimate: inout PlanEstimate, by conjunct: Expression, share: Double) {
    switch conjunct {
    case .comparison(let op, .symbol(let symbol), .constant(let value, _)):
      narrow(&estimate, symbol, op, value, share)
    case .comparison(let op, .constant(let value, _), .symbol(let symbol)):
      narrow(&estimate, symbol, op.flipped, value, share)
    case .inList(.symbol(let symbol), let list):
      let distinct = min(Double(list.count), estimate.distinct(symbol))
      estimate.columns[symbol]?.distinctCount = distinct
    case .not(.isNull(.symbol(let symbol))): estimate.columns[symbol]?.nullFraction = 0
    default: break
    }
  }

  private static func narrow(
    _ estimate: inout PlanEstimate, _ symbol: Symbol, _ op: ComparisonOperator, _ value: Value, _ share: Double
  ) {
    guard var column = estimate.columns[symbol] else { return }
    if op != .isDistinctFrom { column.nullFraction = 0 }
    let point = value.asDouble
    switch op {
    case .equal:
      column.distinctCount = 1
      (column.minimum, column.maximum) = (point, point)
    case .lessThan, .lessThanOrEqual:
      if let point { column.maximum = min(point, column.maximum ?? point) }
      column.distinctCount = column.distinctCount.map { max(1, $0 * share) }
    case .greaterThan, .greaterThanOrEqual:
      if let point { column.minimum = max(point, column.minimum ?? point) }
      column.distinctCount = column.distinctCount.map { max(1, $0 * share) }
    case .notEqual, .isDistinctFrom: break
    }
    estimate.columns[symbol] = column
  }
}

extension Value {
  /// The value on the number line of `ColumnStatistics`; nil for text and truth values.
  var asDouble: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .int128(let value): Double(value)
    case .double(let value): value
    case .null, .boolean, .bytes: nil
    }
  }
}

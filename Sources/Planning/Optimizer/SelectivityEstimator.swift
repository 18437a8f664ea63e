// Owns the guess how many rows pass a condition.

import Columnar
import ConnectorAPI

enum SelectivityEstimator {
  /// The estimate behind a filter: fewer rows, and narrower ranges of the columns it compares with constants.
  static func apply(_ predicate: Expression, to source: PlanEstimate) -> PlanEstimate {
    var result = source
    var share = 1.0
    for conjunct in predicate.conjuncts {
      share *= selectivity(of: conjunct, in: result)
      narrow(&result, by: conjunct)
    }
    result.rows = max(1, source.rows * share)
    return result
  }

  static func selectivity(of predicate: Expression, in source: PlanEstimate) -> Double {
    switch predicate {
    case .constant(.boolean(true), _): return 1
    case .constant: return 0
    case .and(let operands): return operands.reduce(1) { $0 * selectivity(of: $1, in: source) }
    case .or(let operands):
      return min(1, operands.reduce(0) { $0 + selectivity(of: $1, in: source) })
    case .not(let operand): return max(0.05, 1 - selectivity(of: operand, in: source))
    case .isNull(.symbol(let symbol)): return source.columns[symbol]?.nullFraction ?? 0.05
    case .inList(.symbol(let symbol), let list):
      return min(1, Double(list.count) / source.distinct(symbol))
    case .like: return PlanStatistics.likeShare
    case .comparison(let op, let left, let right): return comparison(op, left, right, in: source)
    default: return PlanStatistics.unknownFilterShare
    }
  }

  private static func comparison(
    _ op: ComparisonOperator, _ left: Expression, _ right: Expression, in source: PlanEstimate
  ) -> Double {
    switch (left, right) {
    case (.symbol(let symbol), .constant(let value, _)): return share(op, symbol, value, in: source)
    case (.constant(let value, _), .symbol(let symbol)): return share(op.flipped, symbol, value, in: source)
    case (.symbol(let first), .symbol(let second)) where op == .equal:
      return 1 / max(source.distinct(first), source.distinct(second))
    default: return op == .equal ? 0.1 : PlanStatistics.unknownFilterShare
    }
  }

  private static func share(
    _ op: ComparisonOperator, _ symbol: Symbol, _ value: Value, in source: PlanEstimate
  ) -> Double {
    switch op {
    case .equal: return 1 / source.distinct(symbol)
    case .notEqual, .isDistinctFrom: return 1 - 1 / source.distinct(symbol)
    case .lessThan, .lessThanOrEqual, .greaterThan, .greaterThanOrEqual:
      guard let column = source.columns[symbol], let low = column.minimum, let high = column.maximum, high > low,
        let point = value.asDouble
      else { return PlanStatistics.unknownFilterShare }
      let below = min(1, max(0, (point - low) / (high - low)))
      return max(0.0001, op == .lessThan || op == .lessThanOrEqual ? below : 1 - below)
    }
  }

  /// `a < 5 AND a > 3` selects the overlap, not the product: what was seen of a column narrows its range.
  private static func narrow(_ estimate: inout PlanEstimate, by conjunct: Expression) {
    guard case .comparison(let op, let left, let right) = conjunct else { return }
    let found: (Symbol, ComparisonOperator, Value)?
    switch (left, right) {
    case (.symbol(let symbol), .constant(let value, _)): found = (symbol, op, value)
    case (.constant(let value, _), .symbol(let symbol)): found = (symbol, op.flipped, value)
    default: found = nil
    }
    guard let (symbol, direction, value) = found, let point = value.asDouble,
      var column = estimate.columns[symbol]
    else { return }
    switch direction {
    case .equal:
      column.distinctCount = 1
      (column.minimum, column.maximum) = (point, point)
    case .lessThan, .lessThanOrEqual: column.maximum = min(point, column.maximum ?? point)
    case .greaterThan, .greaterThanOrEqual: column.minimum = max(point, column.minimum ?? point)
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

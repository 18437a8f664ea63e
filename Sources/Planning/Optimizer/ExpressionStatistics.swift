// Owns what is known of a computed column, from what is known of the columns it is computed from.

import Columnar
import ConnectorAPI

enum ExpressionStatistics {
  /// Statistics of `expression` over the rows of `source`; nil where nothing is known.
  static func of(_ expression: Expression, in source: PlanEstimate) -> ColumnStatistics? {
    switch expression {
    case .symbol(let symbol): return source.columns[symbol]
    case .constant(let value, _):
      let point = value.asDouble
      return ColumnStatistics(
        distinctCount: 1, nullFraction: value.isNull ? 1 : 0, minimum: point, maximum: point)
    case .cast(let operand, let type, _, _):
      guard var inner = of(operand, in: source) else { return nil }
      inner.averageBytes = nil
      // Bounds are kept only where numbers mean the same before and after.
      if !operand.type.isInteger || !type.isInteger { (inner.minimum, inner.maximum) = (nil, nil) }
      return inner
    case .function(let function, let arguments, _, _):
      return field(function, of: arguments, in: source) ?? mixed(expression, in: source)
    case .searchedCase(let clauses, let otherwise, _):
      let results = Set(clauses.map(\.result) + (otherwise.map { [$0] } ?? []))
      if results.allSatisfy(\.isConstant) { return ColumnStatistics(distinctCount: Double(results.count + 1)) }
      return mixed(expression, in: source)
    case .comparison, .and, .or, .not, .isNull, .inList, .like: return ColumnStatistics(distinctCount: 2)
    case .arithmetic, .negate, .coalesce: return mixed(expression, in: source)
    }
  }

  /// How many values an expression has over the rows of `source`.
  static func distinct(_ expression: Expression, in source: PlanEstimate) -> Double {
    let known = of(expression, in: source)?.distinctCount ?? source.rows * PlanStatistics.unknownDistinctShare
    return max(1, min(source.rows, known))
  }

  /// No more values than combinations of what goes in.
  private static func mixed(_ expression: Expression, in source: PlanEstimate) -> ColumnStatistics? {
    guard expression.isDeterministic else { return nil }
    var product = 1.0
    for symbol in expression.symbols {
      guard let distinct = source.columns[symbol]?.distinctCount else { return nil }
      product *= distinct
    }
    return ColumnStatistics(distinctCount: min(product, source.rows))
  }

  /// A field of a date or time.
  private static func field(
    _ function: ScalarFunction, of arguments: [Expression], in source: PlanEstimate
  ) -> ColumnStatistics? {
    switch function {
    case .month: return ColumnStatistics(distinctCount: 12, minimum: 1, maximum: 12)
    case .quarter: return ColumnStatistics(distinctCount: 4, minimum: 1, maximum: 4)
    case .day: return ColumnStatistics(distinctCount: 31, minimum: 1, maximum: 31)
    case .dayOfWeek: return ColumnStatistics(distinctCount: 7, minimum: 1, maximum: 7)
    case .dayOfYear: return ColumnStatistics(distinctCount: 366, minimum: 1, maximum: 366)
    case .week: return ColumnStatistics(distinctCount: 53, minimum: 1, maximum: 53)
    case .hour: return ColumnStatistics(distinctCount: 24, minimum: 0, maximum: 23)
    case .minute, .second: return ColumnStatistics(distinctCount: 60, minimum: 0, maximum: 59)
    case .year:
      guard let argument = arguments.first, let days = of(argument, in: source), let low = days.minimum,
        let high = days.maximum
      else { return ColumnStatistics(distinctCount: 20) }
      let perYear = argument.type == .date ? 365.2425 : 365.2425 * 86_400_000_000
      let (first, last) = ((low / perYear).rounded(.down) + 1970, (high / perYear).rounded(.down) + 1970)
      return ColumnStatistics(distinctCount: last - first + 1, minimum: first, maximum: last)
    case .substring:
      // Short pieces have few values: ten for each character is low for text and right for digits.
      guard arguments.count == 3, case .constant(.integer(let length), _) = arguments[2], (1...6).contains(length)
      else { return nil }
      let most = (0..<length).reduce(1.0) { product, _ in product * 10 }
      return ColumnStatistics(distinctCount: min(most, distinct(arguments[0], in: source)))
    default: return nil
    }
  }
}

extension DataType {
  fileprivate var isInteger: Bool {
    switch self {
    case .tinyint, .smallint, .integer, .bigint: true
    default: false
    }
  }
}

// Owns the aggregate functions: their result types and the columns that a partial aggregation hands to the final one.

import Columnar

/// An aggregate function, under Trino's name.
public enum AggregateFunction: String, Codable, Sendable, CaseIterable {
  /// `count(*)`.
  case countAll = "count_all"
  case count
  case countIf = "count_if"
  case sum
  case avg
  case min
  case max
  case boolAnd = "bool_and"
  case boolOr = "bool_or"
  case anyValue = "any_value"
  case minBy = "min_by"
  case maxBy = "max_by"
  case stddev
  case stddevPop = "stddev_pop"
  case variance
  case varPop = "var_pop"

  /// The result's type for arguments of the given types, which the analyser has already coerced: sum, avg, variance
  /// take bigint, real, double or decimal (smaller integers are widened to bigint).
  public func resultType(_ arguments: [DataType]) -> DataType {
    switch self {
    case .countAll, .count, .countIf: return .bigint
    case .boolAnd, .boolOr: return .boolean
    case .min, .max, .anyValue, .minBy, .maxBy: return arguments[0]
    case .stddev, .stddevPop, .variance, .varPop: return .double
    case .sum:
      if case .decimal(_, let scale) = arguments[0] { return .decimal(precision: 38, scale: scale) }
      return arguments[0]
    case .avg:
      switch arguments[0] {
      case .decimal, .real: return arguments[0]
      default: return .double
      }
    }
  }

  /// The columns of one partial result, merged by the final step. sum and min/max and their like: the value (NULL for
  /// no rows). avg: sum and count. The variance family: count, mean and sum of squared differences. min_by, max_by:
  /// the value and the key.
  public func intermediateTypes(_ arguments: [DataType]) -> [DataType] {
    switch self {
    case .countAll, .count, .countIf: return [.bigint]
    case .boolAnd, .boolOr: return [.boolean]
    case .min, .max, .anyValue: return [arguments[0]]
    case .minBy, .maxBy: return [arguments[0], arguments[1]]
    case .stddev, .stddevPop, .variance, .varPop: return [.bigint, .double, .double]
    case .sum: return [arguments[0] == .real ? .double : resultType(arguments)]
    case .avg:
      if case .decimal(_, let scale) = arguments[0] { return [.decimal(precision: 38, scale: scale), .bigint] }
      return [.double, .bigint]
    }
  }

  /// Whether duplicates do not change the result, so that DISTINCT may be dropped.
  public var ignoresDuplicates: Bool {
    switch self {
    case .min, .max, .boolAnd, .boolOr, .anyValue: true
    default: false
    }
  }
}

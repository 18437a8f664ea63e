// Owns which aggregate function a call means and the types its arguments take.

import Columnar

/// Aggregate functions by SQL name.
enum AggregateResolution {
  private static let names: [String: AggregateFunction] = {
    var names: [String: AggregateFunction] = [:]
    for function in AggregateFunction.allCases where function != .countAll { names[function.rawValue] = function }
    names["arbitrary"] = .anyValue
    names["every"] = .boolAnd
    names["stddev_samp"] = .stddev
    names["var_samp"] = .variance
    return names
  }()

  /// The function called `name` in lower case; nil where there is no such aggregate.
  static func named(_ name: String) -> AggregateFunction? { names[name] }

  /// All names, sorted, for SHOW FUNCTIONS.
  static var allNames: [String] { names.keys.sorted() }

  /// The types that arguments of the given types are coerced to; nil where the function does not take them.
  static func argumentTypes(_ function: AggregateFunction, _ arguments: [DataType]) -> [DataType]? {
    guard arguments.count == parameterCount(function) else { return nil }
    switch function {
    case .countAll: return []
    case .count, .min, .max, .anyValue, .minBy, .maxBy: return arguments
    case .countIf, .boolAnd, .boolOr:
      return TypeCoercion.canCoerce(arguments[0], to: .boolean) ? [.boolean] : nil
    case .sum, .avg:
      switch arguments[0] {
      case .tinyint, .smallint, .integer, .bigint, .unknown: return [.bigint]
      case .real, .double, .decimal: return arguments
      case .intervalYearToMonth, .intervalDayToSecond: return nil
      default: return nil
      }
    case .stddev, .stddevPop, .variance, .varPop:
      return TypeCoercion.canCoerce(arguments[0], to: .double) ? [.double] : nil
    }
  }

  /// What Trino's message lists as the expected calls.
  static func expected(_ function: AggregateFunction) -> String {
    let name = function.rawValue
    switch function {
    case .countAll, .count: return "count(), count(t) T"
    case .min, .max, .anyValue: return "\(name)(t) T"
    case .minBy, .maxBy: return "\(name)(v, k) V, K"
    case .countIf, .boolAnd, .boolOr: return "\(name)(boolean)"
    case .sum, .avg: return "\(name)(bigint), \(name)(decimal(p,s)), \(name)(real), \(name)(double)"
    case .stddev, .stddevPop, .variance, .varPop: return "\(name)(bigint), \(name)(double)"
    }
  }

  private static func parameterCount(_ function: AggregateFunction) -> Int {
    switch function {
    case .countAll: 0
    case .minBy, .maxBy: 2
    default: 1
    }
  }
}

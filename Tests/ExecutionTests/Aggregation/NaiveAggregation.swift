// Owns the definition of the aggregate functions over lists of values, for comparison.

import Columnar
import Planning

@testable import Execution

enum NaiveAggregation {
  /// The groups of `rows` by the columns `keys`, in the order of their first row.
  static func groups(_ rows: [Row], keys: [Int]) -> [(key: Row, rows: [Row])] {
    var order: [String: Int] = [:]
    var groups: [(key: Row, rows: [Row])] = []
    for row in rows {
      let key = keys.map { canonical(row[$0]) }
      let name = sortKey(key)
      if let known = order[name] {
        groups[known].rows.append(row)
      } else {
        order[name] = groups.count
        groups.append((keys.map { row[$0] }, [row]))
      }
    }
    return groups
  }

  /// -0.0 is 0.0 as a key.
  private static func canonical(_ value: Value) -> Value {
    if case .double(let number) = value, number == 0 { return .double(0) }
    return value
  }

  /// The result of a function over the argument values of a group's rows.
  static func result(_ function: AggregateFunction, _ arguments: [Row], _ types: [DataType]) -> Value {
    let present = arguments.filter { !($0.first?.isNull ?? true) }.map { $0[0] }
    switch function {
    case .countAll: return .integer(Int64(arguments.count))
    case .count: return .integer(Int64(present.count))
    case .countIf: return .integer(Int64(present.filter { $0 == .boolean(true) }.count))
    case .sum: return sum(present, types[0])
    case .avg: return average(present, types[0])
    case .min, .boolAnd: return extreme(present, types[0], wantsLess: true)
    case .max, .boolOr: return extreme(present, types[0], wantsLess: false)
    case .anyValue: return present.first ?? .null
    case .minBy, .maxBy:
      let known = arguments.filter { !$0[1].isNull }
      let best = extreme(known.map { $0[1] }, types[1], wantsLess: function == .minBy)
      return known.first { same($0[1], best) }?[0] ?? .null
    case .stddev, .stddevPop, .variance, .varPop:
      let numbers = present.map { number($0, types[0]) }
      let isSample = function == .stddev || function == .variance
      if numbers.count < (isSample ? 2 : 1) { return .null }
      let mean = numbers.reduce(0, +) / Double(numbers.count)
      let squares = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      let variance = squares / Double(numbers.count - (isSample ? 1 : 0))
      let isDeviation = function == .stddev || function == .stddevPop
      return .double(isDeviation ? variance.squareRoot() : variance)
    }
  }

  private static func sum(_ values: [Value], _ type: DataType) -> Value {
    if values.isEmpty { return .null }
    if type == .real || type == .double {
      let total = values.reduce(0.0) { $0 + number($1, type) }
      return .double(type == .real ? Double(Float(total)) : total)
    }
    let total = values.reduce(Int128(0)) { $0 + ($1.asInt128 ?? 0) }
    if case .decimal = type { return .int128(total) }
    return .integer(Int64(total))
  }

  private static func average(_ values: [Value], _ type: DataType) -> Value {
    if values.isEmpty { return .null }
    guard case .decimal(let precision, _) = type else {
      let mean = values.reduce(0.0) { $0 + number($1, type) } / Double(values.count)
      return .double(type == .real ? Double(Float(mean)) : mean)
    }
    let total = values.reduce(Int128(0)) { $0 + ($1.asInt128 ?? 0) }
    let count = Int128(values.count)
    let rounded = ((total < 0 ? -total : total) * 2 + count) / (2 * count) * (total < 0 ? -1 : 1)
    return precision <= 18 ? .integer(Int64(rounded)) : .int128(rounded)
  }

  private static func extreme(_ values: [Value], _ type: DataType, wantsLess: Bool) -> Value {
    let ordering = Ordering(symbol: Symbol(id: 0, name: "x", type: type))
    var best: Value?
    for value in values {
      if case .double(let number) = value, number.isNaN, best != nil { continue }
      if case .double(let number)? = best, number.isNaN {
        best = value
        continue
      }
      guard let known = best else {
        best = value
        continue
      }
      let order = SortTests.compare(value, known, ordering)
      if wantsLess ? order < 0 : order > 0 { best = value }
    }
    return best ?? .null
  }

  private static func same(_ left: Value, _ right: Value) -> Bool {
    if case .double(let a) = left, case .double(let b) = right { return a == b || a.isNaN && b.isNaN }
    return left == right
  }

  static func number(_ value: Value, _ type: DataType) -> Double {
    if case .double(let number) = value { return number }
    var number = Double(value.asInt128 ?? 0)
    if case .decimal(_, let scale) = type { for _ in 0..<scale { number /= 10 } }
    return number
  }

  /// Equal, or doubles that differ by rounding only.
  static func isClose(_ left: Value, _ right: Value) -> Bool {
    guard case .double(let a) = left, case .double(let b) = right else { return left == right }
    return a == b || a.isNaN && b.isNaN || abs(a - b) <= 1e-6 * max(1, max(abs(a), abs(b)))
  }
}

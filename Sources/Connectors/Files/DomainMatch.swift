// Owns the question whether values, or a range of them, can lie in the domain that a query allows.

import Columnar
import ConnectorAPI

extension ColumnDomain {
  /// Whether a row with this value can pass. NULL never does.
  func admits(_ value: Value) -> Bool {
    if value.isNull { return false }
    return mayOverlap(value, value)
  }

  /// Whether a value from `low` to `high` can pass; true where values cannot be compared.
  func mayOverlap(_ low: Value, _ high: Value) -> Bool {
    if let lowest, let order = high.order(against: lowest), order < 0 || (order == 0 && !lowestInclusive) {
      return false
    }
    if let highest, let order = low.order(against: highest), order > 0 || (order == 0 && !highestInclusive) {
      return false
    }
    guard let values else { return true }
    return values.contains { value in
      let isBelow = value.order(against: low).map { $0 < 0 } ?? false
      let isAbove = value.order(against: high).map { $0 > 0 } ?? false
      return !isBelow && !isAbove
    }
  }
}

extension Value {
  /// Negative, zero or positive as this value is smaller than, equal to or larger than `other`; nil where the two do
  /// not compare: NULL, NaN, different kinds.
  func order(against other: Value) -> Int? {
    if let left = asInt128, let right = other.asInt128 { return left < right ? -1 : left > right ? 1 : 0 }
    switch (self, other) {
    case (.double(let left), .double(let right)):
      if left.isNaN || right.isNaN { return nil }
      return left < right ? -1 : left > right ? 1 : 0
    case (.boolean(let left), .boolean(let right)): return left == right ? 0 : left ? 1 : -1
    case (.bytes(let left), .bytes(let right)):
      return left == right ? 0 : left.lexicographicallyPrecedes(right) ? -1 : 1
    default: return nil
    }
  }
}

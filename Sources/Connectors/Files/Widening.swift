// Owns the smallest type that holds the values of two, for tables whose files differ.

import Columnar

/// Which types can be read as one, without losing a value.
enum Widening {
  /// The smallest type for values of both; nil where there is none. Symmetric.
  static func common(_ first: DataType, _ second: DataType) -> DataType? {
    if first == second { return first }
    if let left = integerRank(first), let right = integerRank(second) { return left > right ? first : second }
    switch (first, second) {
    case (.real, .double), (.double, .real): return .double
    case (.decimal(let left, let s1), .decimal(let right, let s2)) where s1 == s2:
      return .decimal(precision: max(left, right), scale: s1)
    case (.varchar, .varbinary), (.varbinary, .varchar): return .varbinary
    default: return nil
    }
  }

  private static func integerRank(_ type: DataType) -> Int? {
    switch type {
    case .tinyint: 0
    case .smallint: 1
    case .integer: 2
    case .bigint: 3
    default: nil
    }
  }
}

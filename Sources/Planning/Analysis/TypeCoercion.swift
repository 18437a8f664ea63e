// Owns which types stand in for which: Trino's implicit coercions, common types and result types of arithmetic.

import Columnar

/// Trino's rules about types. Pure functions over types.
enum TypeCoercion {
  /// The type both can be coerced to without being asked; nil where there is none.
  static func common(_ left: DataType, _ right: DataType) -> DataType? {
    if left == right { return left }
    switch (left, right) {
    case (.unknown, let other), (let other, .unknown): return other
    case (.varchar(let first), .varchar(let second)): return .varchar(length: longer(first, second))
    case (.char(let first), .char(let second)): return .char(length: max(first, second))
    case (.char(let length), .varchar(let bound)), (.varchar(let bound), .char(let length)):
      return .char(length: max(length, min(bound ?? 65536, 65536)))
    case (.timestamp(let first), .timestamp(let second)): return .timestamp(precision: max(first, second))
    case (.date, .timestamp(let precision)), (.timestamp(let precision), .date):
      return .timestamp(precision: precision)
    default: return commonNumber(left, right)
    }
  }

  private static func longer(_ first: Int?, _ second: Int?) -> Int? {
    guard let first, let second else { return nil }
    return max(first, second)
  }

  private static func commonNumber(_ left: DataType, _ right: DataType) -> DataType? {
    guard let leftRank = rank(left), let rightRank = rank(right) else { return nil }
    if case .decimal = leftRank >= rightRank ? left : right, let first = asDecimal(left), let second = asDecimal(right)
    {
      let scale = max(first.scale, second.scale)
      let whole = max(first.precision - first.scale, second.precision - second.scale)
      return .decimal(precision: min(38, whole + scale), scale: scale)
    }
    return leftRank >= rightRank ? left : right
  }

  /// Numeric types from the narrowest to the widest; nil for types that are no numbers.
  private static func rank(_ type: DataType) -> Int? {
    switch type {
    case .tinyint: 0
    case .smallint: 1
    case .integer: 2
    case .bigint: 3
    case .decimal: 4
    case .real: 5
    case .double: 6
    default: nil
    }
  }

  static func isNumber(_ type: DataType) -> Bool { rank(type) != nil }
  static func isInteger(_ type: DataType) -> Bool { rank(type).map { $0 <= 3 } ?? false }

  static func isText(_ type: DataType) -> Bool {
    switch type {
    case .varchar, .char: true
    default: false
    }
  }

  /// Precision and scale of a decimal, or of the decimal an integer type becomes.
  static func asDecimal(_ type: DataType) -> (precision: Int, scale: Int)? {
    switch type {
    case .tinyint: (3, 0)
    case .smallint: (5, 0)
    case .integer: (10, 0)
    case .bigint: (19, 0)
    case .decimal(let precision, let scale): (precision, scale)
    default: nil
    }
  }

  /// Whether a value of `source` may stand where `target` is wanted, without a CAST.
  static func canCoerce(_ source: DataType, to target: DataType) -> Bool {
    if case .char = source, case .varchar = target { return true }
    guard let common = common(source, target) else { return false }
    return common == target
  }

  /// Whether `source` can be converted by CAST.
  static func canCast(_ source: DataType, to target: DataType) -> Bool {
    if source == .unknown || source == target { return true }
    if target == .unknown { return false }
    if isText(source) { return canCastText(to: target) }
    if isText(target) { return source != .varbinary }
    let sourceIsNumber = isNumber(source) || source == .boolean
    if sourceIsNumber { return isNumber(target) || target == .boolean }
    switch (source, target) {
    case (.date, .timestamp), (.timestamp, .date), (.timestamp, .timestamp): return true
    default: return false
    }
  }

  private static func canCastText(to target: DataType) -> Bool {
    switch target {
    case .unknown: false
    default: true
    }
  }

  /// Whether values of the type have an order; all comparable types here have one.
  static func isOrderable(_ type: DataType) -> Bool { true }

  /// The result of `left op right` on decimals (integers count as theirs); nil where its scale would exceed 38.
  static func decimalResult(
    _ operation: ArithmeticOperator, _ left: (precision: Int, scale: Int), _ right: (precision: Int, scale: Int)
  ) -> DataType? {
    let precision: Int
    let scale: Int
    switch operation {
    case .add, .subtract:
      scale = max(left.scale, right.scale)
      precision = max(left.precision - left.scale, right.precision - right.scale) + scale + 1
    case .multiply:
      scale = left.scale + right.scale
      precision = left.precision + right.precision
    case .divide:
      scale = max(left.scale, right.scale)
      precision = left.precision + right.scale + max(right.scale - left.scale, 0)
    case .modulus:
      scale = max(left.scale, right.scale)
      precision = min(right.precision - right.scale, left.precision - left.scale) + scale
    }
    guard scale <= 38 else { return nil }
    return .decimal(precision: max(1, min(38, precision)), scale: scale)
  }
}

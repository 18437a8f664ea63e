// Owns comparisons of a widened value with a constant: the constant is narrowed instead, so that columns are compared
// as they are stored and connectors see the bound.

import Columnar

/// Rewrites `CAST(x AS wider) op constant` as a condition on x, where the cast loses nothing.
enum CastUnwrapping {
  /// The condition on `operand` that equals `CAST(operand AS wide) op value`; nil where none is known.
  static func comparison(
    _ op: ComparisonOperator, _ operand: Expression, _ wide: DataType, _ value: Value
  ) -> Expression? {
    guard !value.isNull, let place = place(of: value, wide, in: operand.type) else { return nil }
    switch place {
    case .exactly(let narrow):
      return .comparison(op, operand, .constant(narrow, operand.type))
    case .after(let narrow):
      switch op {
      case .lessThan, .lessThanOrEqual: return .comparison(.lessThanOrEqual, operand, .constant(narrow, operand.type))
      case .greaterThan, .greaterThanOrEqual: return .comparison(.greaterThan, operand, .constant(narrow, operand.type))
      default: return unequal(op, operand)
      }
    case .belowAll:
      switch op {
      case .lessThan, .lessThanOrEqual: return never(operand)
      case .greaterThan, .greaterThanOrEqual: return always(operand)
      default: return unequal(op, operand)
      }
    case .aboveAll:
      switch op {
      case .lessThan, .lessThanOrEqual: return always(operand)
      case .greaterThan, .greaterThanOrEqual: return never(operand)
      default: return unequal(op, operand)
      }
    }
  }

  /// The condition on `operand` that equals `CAST(operand AS wide) IN (values)`; nil where none is known.
  static func membership(_ operand: Expression, _ wide: DataType, _ values: [Value]) -> Expression? {
    var kept: [Expression] = []
    for value in values {
      guard !value.isNull, let place = place(of: value, wide, in: operand.type) else { return nil }
      if case .exactly(let narrow) = place { kept.append(.constant(narrow, operand.type)) }
    }
    return kept.isEmpty ? never(operand) : .inList(operand, kept)
  }

  /// A condition with a value that no narrow value equals.
  private static func unequal(_ op: ComparisonOperator, _ operand: Expression) -> Expression {
    switch op {
    case .isDistinctFrom: .true
    case .notEqual: always(operand)
    default: never(operand)
    }
  }

  /// FALSE, or NULL where the operand is.
  private static func never(_ operand: Expression) -> Expression {
    .and([.isNull(operand), .constant(.null, .boolean)])
  }

  /// TRUE, or NULL where the operand is.
  private static func always(_ operand: Expression) -> Expression {
    .or([.not(.isNull(operand)), .constant(.null, .boolean)])
  }

  /// Where a wide value lies among the narrow ones.
  private enum Place {
    case exactly(Value)
    /// Between this value and the next.
    case after(Value)
    case belowAll
    case aboveAll
  }

  /// Nil where the cast from `narrow` to `wide` does not keep all values apart and in order.
  private static func place(of value: Value, _ wide: DataType, in narrow: DataType) -> Place? {
    switch (narrow, wide) {
    case (.date, .timestamp):
      guard case .integer(let microseconds) = value else { return nil }
      return place(
        of: Int128(microseconds), unit: 86_400_000_000, within: Int128(Int32.min)...Int128(Int32.max), narrow)
    case (.real, .double):
      guard case .double(let number) = value, Double(Float(number)) == number else { return nil }
      return .exactly(value)
    case (_, .double):
      // Integers up to 32 bits keep apart as doubles; wider ones do not.
      guard case .double(let number) = value, let range = range(of: narrow), range.upperBound <= Int128(Int32.max),
        scale(of: narrow) == 0, number.isFinite, abs(number) < 1e15
      else { return nil }
      let floor = number.rounded(.down)
      let place = place(of: Int128(floor), unit: 1, within: range, narrow)
      if case .exactly(let found)? = place, floor != number { return .after(found) }
      return place
    default:
      guard let from = TypeCoercion.asDecimal(narrow), let to = TypeCoercion.asDecimal(wide),
        to.scale >= from.scale, to.precision - to.scale >= from.precision - from.scale,
        let range = range(of: narrow), let number = value.asInt128
      else { return nil }
      var unit: Int128 = 1
      for _ in from.scale..<to.scale { unit *= 10 }
      return place(of: number, unit: unit, within: range, narrow)
    }
  }

  /// The place of `number / unit`, rounded down, in the range of `type`.
  private static func place(
    of number: Int128, unit: Int128, within range: ClosedRange<Int128>, _ type: DataType
  ) -> Place? {
    let (truncated, remainder) = number.quotientAndRemainder(dividingBy: unit)
    let floor = remainder < 0 ? truncated - 1 : truncated
    if floor < range.lowerBound { return .belowAll }
    if floor > range.upperBound { return .aboveAll }
    let value: Value = type.layout == .int128 ? .int128(floor) : .integer(Int64(floor))
    return remainder == 0 ? .exactly(value) : .after(value)
  }

  private static func scale(of type: DataType) -> Int { TypeCoercion.asDecimal(type)?.scale ?? 0 }

  /// The unscaled values of an integer or decimal type.
  private static func range(of type: DataType) -> ClosedRange<Int128>? {
    switch type {
    case .tinyint: return Int128(Int8.min)...Int128(Int8.max)
    case .smallint: return Int128(Int16.min)...Int128(Int16.max)
    case .integer: return Int128(Int32.min)...Int128(Int32.max)
    case .bigint: return Int128(Int64.min)...Int128(Int64.max)
    case .decimal(let precision, _):
      var bound: Int128 = 1
      for _ in 0..<precision { bound *= 10 }
      return (1 - bound)...(bound - 1)
    default: return nil
    }
  }
}

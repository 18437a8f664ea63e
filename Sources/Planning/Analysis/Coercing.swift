// Owns the insertion of implicit coercions into expressions. Constants are converted at once where that is exact.

import Columnar

extension Expression {
  /// This value as `type`, which it can be coerced to. No cast is made where the stored values are the same already:
  /// between lengths of varchar, to a higher timestamp precision, to a wider decimal of the same scale and layout.
  func coerced(to type: DataType) -> Expression {
    let source = self.type
    if source == type { return self }
    switch (source, type) {
    case (.varchar, .varchar), (.timestamp, .timestamp): return self
    case (.decimal(let digits, let from), .decimal(let room, let to))
    where from == to && digits <= room && source.layout == type.layout:
      if case .constant(let value, _) = self { return .constant(value, type) }
      return self
    default: break
    }
    if case .constant(let value, _) = self, let converted = Expression.convert(value, source, type) {
      return .constant(converted, type)
    }
    return .cast(self, type, isTry: false, Origin())
  }

  /// A constant in another type; nil where only execution may decide (rounding, overflow, text).
  private static func convert(_ value: Value, _ source: DataType, _ target: DataType) -> Value? {
    if value.isNull { return .null }
    guard let number = value.asInt128, let from = TypeCoercion.asDecimal(source) else { return nil }
    switch target {
    case .tinyint, .smallint, .integer, .bigint:
      // A cast that was written may be to a narrower type; the error is raised where the row is reached.
      return from.scale == 0 && fits(number, target) ? .integer(Int64(number)) : nil
    case .decimal(let precision, let scale):
      guard scale >= from.scale, let scaled = scaled(number, by: scale - from.scale),
        fits(scaled, digits: precision)
      else { return nil }
      return target.layout == .int64 ? .integer(Int64(scaled)) : .int128(scaled)
    case .double:
      return from.scale == 0 && number.magnitude <= 1 << 53 ? .double(Double(number)) : nil
    default: return nil
    }
  }

  private static func fits(_ number: Int128, _ type: DataType) -> Bool {
    switch type {
    case .tinyint: Int8(exactly: number) != nil
    case .smallint: Int16(exactly: number) != nil
    case .integer: Int32(exactly: number) != nil
    default: Int64(exactly: number) != nil
    }
  }

  private static func scaled(_ number: Int128, by digits: Int) -> Int128? {
    var result = number
    for _ in 0..<digits {
      let (product, overflow) = result.multipliedReportingOverflow(by: 10)
      if overflow { return nil }
      result = product
    }
    return result
  }

  private static func fits(_ number: Int128, digits: Int) -> Bool {
    var bound: UInt128 = 1
    for _ in 0..<digits { bound *= 10 }
    return number.magnitude < bound
  }
}

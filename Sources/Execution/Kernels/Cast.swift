// Owns the choice of a kernel for each pair of types that a cast may join, and casts among dates and timestamps.

import Base
import Columnar
import Planning

private struct DateToTimestamp: UnaryOperation {
  @inline(__always)
  func apply(_ date: Int32) -> Int64 { Int64(date) &* TimeUnits.microsecondsPerDay }
}

private struct TimestampToDate: UnaryOperation {
  @inline(__always)
  func apply(_ timestamp: Int64) -> Int32 { Int32(truncatingIfNeeded: splitTimestamp(timestamp).day) }
}

/// Fewer digits of a second, rounded half up.
private struct RoundTimestamp: UnaryOperation {
  /// Microseconds of the last digit that stays.
  let unit: Int64
  @inline(__always)
  func apply(_ timestamp: Int64) -> Int64 {
    let shifted = timestamp &+ unit / 2
    var quotient = shifted / unit
    if shifted &- quotient &* unit < 0 { quotient &-= 1 }
    return quotient &* unit
  }
}

/// A kernel for a cast, and whether it may fail.
struct CastChoice {
  let kernel: Kernel
  let canFail: Bool
  let cost: Int
}

/// How to cast; nil where no cast joins the types.
func castChoice(_ context: CastContext) -> CastChoice? {
  let (from, to) = (context.from, context.to)
  if from == to { return CastChoice(kernel: { $0.arguments[0] }, canFail: false, cost: 0) }
  if from == .unknown {
    // Its only value is NULL.
    return CastChoice(
      kernel: { Vector.repeating(.null, type: to, count: $0.count).flattened() }, canFail: false, cost: 0)
  }
  func fallible(_ kernel: @escaping Kernel, cost: Int = 4) -> CastChoice {
    CastChoice(kernel: kernel, canFail: !context.isTry, cost: cost)
  }
  func infallible(_ kernel: @escaping Kernel, cost: Int = 1) -> CastChoice {
    CastChoice(kernel: kernel, canFail: false, cost: cost)
  }
  switch (from, to) {
  case (.varchar, .varchar), (.varchar, .char), (.char, .varchar), (.char, .char), (.varchar, .varbinary):
    return infallible(castTextKernel(from, to), cost: 4)
  case (.varchar, _), (.char, _):
    return castFromTextKernel(context).map { fallible($0, cost: 20) }
  case (.varbinary, _), (_, .varbinary), (_, .unknown):
    return nil
  case (_, .varchar(nil)):
    return infallible(castToTextKernel(context), cost: 40)
  case (_, .varchar), (_, .char):
    return fallible(castToTextKernel(context), cost: 40)
  case (.decimal(let precision, let scale), _) where to.isNumberLike:
    let kernel = decimalCastKernel(context, precision: precision, scale: scale)
    switch to {
    case .boolean, .real, .double: return infallible(kernel, cost: 2)
    case .decimal(let digits, let places) where places >= scale && digits - places >= precision - scale:
      return infallible(kernel, cost: 2)
    default: return fallible(kernel)
    }
  case (_, .decimal(let precision, let scale)) where from.isNumberLike:
    let kernel = castToDecimalKernel(context, precision: precision, scale: scale)
    return from.maximumDigits <= precision - scale ? infallible(kernel, cost: 2) : fallible(kernel)
  case (.date, .timestamp):
    return infallible(unaryKernel(DateToTimestamp(), to))
  case (.timestamp, .date):
    return infallible(unaryKernel(TimestampToDate(), to), cost: 4)
  case (.timestamp(let precision), .timestamp(let digits)):
    if digits >= precision { return infallible({ $0.arguments[0].retyped(to) }, cost: 0) }
    var unit: Int64 = 1
    for _ in digits..<6 { unit *= 10 }
    return infallible(unaryKernel(RoundTimestamp(unit: unit), to), cost: 4)
  default:
    guard from.isNumberLike && to.isNumberLike else { return nil }
    let isWidening = to == .boolean || to == .double || to == .real
      || (from.integerRank ?? .max) <= (to.integerRank ?? -1) || from == .boolean
    return isWidening ? infallible(numberCastKernel(context)) : fallible(numberCastKernel(context))
  }
}

extension DataType {
  /// Boolean, integers, real, double and decimals: what numbers can be cast to and from.
  var isNumberLike: Bool {
    switch self {
    case .boolean, .tinyint, .smallint, .integer, .bigint, .real, .double, .decimal: true
    default: false
    }
  }

  /// Digits of the longest integer of the type; more than any decimal has where it is no integer.
  var maximumDigits: Int {
    switch self {
    case .boolean: 0
    case .tinyint: 3
    case .smallint: 5
    case .integer: 10
    case .bigint: 19
    default: 39
    }
  }

  /// The integers by width; nil for other types.
  var integerRank: Int? {
    switch self {
    case .tinyint: 1
    case .smallint: 2
    case .integer: 3
    case .bigint: 4
    default: nil
    }
  }
}

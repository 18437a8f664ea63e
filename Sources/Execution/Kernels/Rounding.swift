// Owns round, truncate, ceiling and floor on integers, decimals, real and double.

import Base
import Columnar
import Planning

#if canImport(Glibc)
import Glibc
#endif

/// Which neighbour a number goes to.
enum RoundingMode {
  /// Half away from zero.
  case round
  /// Towards zero.
  case truncate
  case ceiling
  case floor
}

/// A double or real to a whole number.
private struct RoundFloat<Element: BinaryFloatingPoint & BitwiseCopyable>: UnaryOperation {
  let mode: RoundingMode

  @inline(__always)
  func apply(_ value: Element) -> Element {
    switch mode {
    case .round: value.rounded(.toNearestOrAwayFromZero)
    case .truncate: value.rounded(.towardZero)
    case .ceiling: value.rounded(.up)
    case .floor: value.rounded(.down)
    }
  }
}

/// A double or real to a number of decimal places, by way of a power of ten as Trino does.
private struct RoundFloatToPlaces<Element: BinaryFloatingPoint & BitwiseCopyable>: BinaryOperation {
  let mode: RoundingMode

  @inline(__always)
  func apply(_ value: Element, _ places: Int32) -> Element {
    let factor = pow(10, Double(places))
    let scaled = Double(value) * factor
    // From 2^52 on there are no decimal places to drop.
    guard scaled.magnitude < 0x1p52 else { return value }
    let whole = scaled.rounded(mode == .round ? .toNearestOrAwayFromZero : .towardZero)
    return Element(whole / factor)
  }
}

/// An integer to a negative number of places.
private struct RoundIntegerToPlaces<Element: KernelInteger>: BinaryOperation {
  let mode: RoundingMode
  let context: OverflowContext
  private var failed = false

  init(_ mode: RoundingMode, _ context: OverflowContext) {
    self.mode = mode
    self.context = context
  }

  mutating func apply(_ value: Element, _ places: Int32) -> Element {
    if places >= 0 { return value }
    let result = rounded(Int128(truncatingIfNeeded: value), dropping: -Int(places), mode)
    failed = failed || Element(exactly: result) == nil
    return Element(truncatingIfNeeded: result)
  }

  @inline(__always)
  var hasFailed: Bool { failed }
  func failure(_ value: Element, _ places: Int32) -> WaterbearError {
    let result = rounded(Int128(truncatingIfNeeded: value), dropping: -Int(places), mode)
    return WaterbearError(
      .numericValueOutOfRange, "Out of range for \(context.type): \(result)", at: context.origin.location)
  }
}

/// `value` with its last `digits` digits zero.
private func rounded(_ value: Int128, dropping digits: Int, _ mode: RoundingMode) -> Int128 {
  // 39 digits are more than any value has.
  guard digits <= 38 else { return 0 }
  let unit = DecimalMath.powerOfTen(digits)
  let quotient = mode == .round ? DecimalMath.divideHalfUp(value, unit) : value / unit
  return quotient &* unit
}

/// A decimal to scale 0.
private struct RoundDecimal<From: KernelInteger, To: KernelInteger>: UnaryOperation {
  let mode: RoundingMode
  let unit: Int128

  init(_ mode: RoundingMode, scale: Int) {
    self.mode = mode
    unit = DecimalMath.powerOfTen(scale)
  }

  @inline(__always)
  func apply(_ value: From) -> To {
    let wide = Int128(truncatingIfNeeded: value)
    if mode == .round { return To(truncatingIfNeeded: DecimalMath.divideHalfUp(wide, unit)) }
    let (quotient, remainder) = wide.quotientAndRemainder(dividingBy: unit)
    switch mode {
    case .ceiling: return To(truncatingIfNeeded: quotient &+ (remainder > 0 ? 1 : 0))
    case .floor: return To(truncatingIfNeeded: quotient &- (remainder < 0 ? 1 : 0))
    case .round, .truncate: return To(truncatingIfNeeded: quotient)
    }
  }
}

/// A decimal to a number of places, at its own scale.
private struct RoundDecimalToPlaces<From: KernelInteger, To: KernelInteger>: BinaryOperation {
  let mode: RoundingMode
  let scale: Int
  let precision: Int
  let origin: Origin
  private var failed = false

  init(_ mode: RoundingMode, scale: Int, precision: Int, origin: Origin) {
    self.mode = mode
    self.scale = scale
    self.precision = precision
    self.origin = origin
  }

  mutating func apply(_ value: From, _ places: Int32) -> To {
    let wide = Int128(truncatingIfNeeded: value)
    let digits = scale - Int(places)
    let result = digits <= 0 ? wide : rounded(wide, dropping: digits, mode)
    failed = failed || DecimalMath.exceeds(result, precision: precision)
    return To(truncatingIfNeeded: result)
  }

  @inline(__always)
  var hasFailed: Bool { failed }
  func failure(_ value: From, _ places: Int32) -> WaterbearError {
    WaterbearError(.numericValueOutOfRange, "Decimal overflow", at: origin.location)
  }
}

/// The kernel of round, truncate, ceiling or floor of a number of type `type`; integers stay as they are.
func roundingKernel(_ mode: RoundingMode, _ type: DataType, _ result: DataType) -> Kernel? {
  switch type {
  case .tinyint, .smallint, .integer, .bigint: return { $0.arguments[0] }
  case .real: return unaryKernel(RoundFloat<Float>(mode: mode), type)
  case .double: return unaryKernel(RoundFloat<Double>(mode: mode), type)
  case .decimal(_, let scale):
    switch (type.layout, result.layout) {
    case (.int64, .int64): return unaryKernel(RoundDecimal<Int64, Int64>(mode, scale: scale), result)
    case (.int64, _): return unaryKernel(RoundDecimal<Int64, Int128>(mode, scale: scale), result)
    case (_, .int64): return unaryKernel(RoundDecimal<Int128, Int64>(mode, scale: scale), result)
    default: return unaryKernel(RoundDecimal<Int128, Int128>(mode, scale: scale), result)
    }
  default: return nil
  }
}

/// The kernel of round or truncate of a number of type `type` to a number of places, an integer.
func roundingToPlacesKernel(
  _ mode: RoundingMode, _ type: DataType, _ result: DataType, _ origin: Origin
) -> Kernel? {
  let context = OverflowContext(type: type, origin: origin)
  switch type {
  case .tinyint: return binaryKernel(RoundIntegerToPlaces<Int8>(mode, context), type)
  case .smallint: return binaryKernel(RoundIntegerToPlaces<Int16>(mode, context), type)
  case .integer: return binaryKernel(RoundIntegerToPlaces<Int32>(mode, context), type)
  case .bigint: return binaryKernel(RoundIntegerToPlaces<Int64>(mode, context), type)
  case .real: return binaryKernel(RoundFloatToPlaces<Float>(mode: mode), type)
  case .double: return binaryKernel(RoundFloatToPlaces<Double>(mode: mode), type)
  case .decimal(_, let scale):
    guard case .decimal(let precision, _) = result else { return nil }
    switch (type.layout, result.layout) {
    case (.int64, .int64):
      return binaryKernel(
        RoundDecimalToPlaces<Int64, Int64>(mode, scale: scale, precision: precision, origin: origin), result)
    case (.int64, _):
      return binaryKernel(
        RoundDecimalToPlaces<Int64, Int128>(mode, scale: scale, precision: precision, origin: origin), result)
    default:
      return binaryKernel(
        RoundDecimalToPlaces<Int128, Int128>(mode, scale: scale, precision: precision, origin: origin), result)
    }
  default: return nil
  }
}

// Owns casts to and from decimals, rounding half away from zero, with Trino's messages.

import Base
import Columnar
import Planning

/// decimal to decimal where every digit fits: a multiplication.
private struct WidenDecimal<From: KernelInteger, To: KernelInteger>: UnaryOperation {
  let factor: To
  @inline(__always)
  func apply(_ value: From) -> To { To(truncatingIfNeeded: value) &* factor }
}

/// decimal to decimal with rounding or a check of digits.
private struct RescaleDecimal<From: KernelInteger, To: KernelInteger>: UnaryOperation {
  let context: CastContext
  let shift: Int
  let precision: Int
  private var failed = false

  init(_ context: CastContext, shift: Int, precision: Int) {
    self.context = context
    self.shift = shift
    self.precision = precision
  }

  @inline(__always)
  mutating func apply(_ value: From) -> To {
    guard let result = DecimalMath.rescale(Int128(truncatingIfNeeded: value), by: shift),
      !DecimalMath.exceeds(result, precision: precision)
    else {
      failed = true
      return 0
    }
    return To(truncatingIfNeeded: result)
  }

  @inline(__always)
  var hasFailed: Bool { failed }
  func failure(_ value: From) -> WaterbearError {
    let text = context.from.decimalText(Int128(truncatingIfNeeded: value))
    return context.invalid("Cannot cast \(context.from.upperCased) '\(text)' to \(context.to.upperCased)")
  }
}

private struct IntegerToDecimal<From: KernelInteger, To: KernelInteger>: UnaryOperation {
  let context: CastContext
  let factor: To
  /// 10^(precision - scale): the first number with too many digits.
  let limit: Int128
  private var failed = false

  init(_ context: CastContext, precision: Int, scale: Int) {
    self.context = context
    factor = To(truncatingIfNeeded: DecimalMath.powerOfTen(scale))
    limit = DecimalMath.powerOfTen(precision - scale)
  }

  @inline(__always)
  mutating func apply(_ value: From) -> To {
    let wide = Int128(truncatingIfNeeded: value)
    failed = failed || wide >= limit || wide <= 0 &- limit
    return To(truncatingIfNeeded: value) &* factor
  }

  @inline(__always)
  var hasFailed: Bool { failed }
  func failure(_ value: From) -> WaterbearError {
    context.invalid("Cannot cast \(context.from.upperCased) '\(value)' to \(context.to.upperCased)")
  }
}

private struct DecimalToInteger<From: KernelInteger, To: KernelInteger>: UnaryOperation {
  let context: CastContext
  let scale: Int
  private var failed = false

  init(_ context: CastContext, scale: Int) {
    self.context = context
    self.scale = scale
  }

  @inline(__always)
  mutating func apply(_ value: From) -> To {
    let rounded = DecimalMath.scaleDown(Int128(truncatingIfNeeded: value), by: scale)
    let result = To(truncatingIfNeeded: rounded)
    failed = failed || Int128(truncatingIfNeeded: result) != rounded
    return result
  }

  @inline(__always)
  var hasFailed: Bool { failed }
  func failure(_ value: From) -> WaterbearError {
    let wide = Int128(truncatingIfNeeded: value)
    // Trino names a short decimal after rounding and a long one as it is.
    let text =
      From.bitWidth == 64
      ? "\(DecimalMath.scaleDown(wide, by: scale))" : context.from.decimalText(wide)
    return context.invalid("Cannot cast '\(text)' to \(context.to.upperCased)")
  }
}

private struct DecimalToFloat<
  From: KernelInteger, To: BinaryFloatingPoint & BitwiseCopyable & LosslessStringConvertible
>:
  UnaryOperation
{
  let type: DataType
  let scale: Int
  let divisor: To

  init(_ type: DataType, scale: Int) {
    self.type = type
    self.scale = scale
    divisor = To(DecimalMath.powerOfTen(scale))
  }

  @inline(__always)
  func apply(_ value: From) -> To {
    // 64 bits are converted and divided, each with its own rounding, as Trino does.
    if From.bitWidth == 64 { return To(value) / divisor }
    // Exact operands give the nearest quotient.
    let exact = Int128(1) << Int128(To.significandBitCount)
    if value.magnitude < exact.magnitude, scale <= (To.self == Float.self ? 10 : 22) { return To(value) / divisor }
    return slow(Int128(truncatingIfNeeded: value))
  }

  @inline(never)
  private func slow(_ value: Int128) -> To {
    // The text of a decimal is a number that both types read.
    To(type.decimalText(value)).unsafelyUnwrapped
  }
}

/// Through the shortest text of the number, as Trino does.
private struct FloatToDecimal<From: BinaryFloatingPoint & BitwiseCopyable, To: KernelInteger>: UnaryOperation {
  let context: CastContext
  let precision: Int
  let scale: Int
  private var failed = false

  init(_ context: CastContext, precision: Int, scale: Int) {
    self.context = context
    self.precision = precision
    self.scale = scale
  }

  mutating func apply(_ value: From) -> To {
    guard value.isFinite else {
      failed = true
      return 0
    }
    // The two types have different shortest texts.
    var text = From.self == Float.self ? Float(value).description : Double(value).description
    let parsed = text.withUTF8 { DecimalText.parse($0, precision: precision, scale: scale) }
    guard case .value(let result) = parsed else {
      failed = true
      return 0
    }
    return To(truncatingIfNeeded: result)
  }

  var hasFailed: Bool { failed }
  func failure(_ value: From) -> WaterbearError {
    let text = ValueFormatter(context.from).text(.double(Double(value))) ?? ""
    return context.invalid("Cannot cast \(context.from.upperCased) '\(text)' to \(context.to.upperCased)")
  }
}

private struct DecimalToBoolean<From: KernelInteger>: UnaryOperation {
  @inline(__always)
  func apply(_ value: From) -> UInt8 { value != 0 ? 1 : 0 }
}

private struct BooleanToDecimal<To: KernelInteger>: UnaryOperation {
  let one: To
  @inline(__always)
  func apply(_ value: UInt8) -> To { value != 0 ? one : 0 }
}

extension DataType {
  /// The type's name as cast messages have it: `DECIMAL(12, 2)`, `BIGINT`.
  var upperCased: String {
    if case .decimal(let precision, let scale) = self { return "DECIMAL(\(precision), \(scale))" }
    return description.uppercased()
  }

  /// An unscaled value of this decimal type as text.
  func decimalText(_ unscaled: Int128) -> String {
    ValueFormatter(self).text(layout == .int64 ? .integer(Int64(truncatingIfNeeded: unscaled)) : .int128(unscaled))
      ?? ""
  }
}

/// The kernel of a cast from a decimal to a number, a boolean or a decimal.
func decimalCastKernel(_ context: CastContext, precision: Int, scale: Int) -> Kernel {
  context.from.layout == .int64
    ? castDecimal(Int64.self, context, precision, scale) : castDecimal(Int128.self, context, precision, scale)
}

@inline(__always)
private func castDecimal<From: KernelInteger>(
  _ from: From.Type, _ context: CastContext, _ precision: Int, _ scale: Int
) -> Kernel {
  let to = context.to
  let isTry = context.isTry
  if case .decimal = to {
    return to.layout == .int64
      ? rescale(from, Int64.self, context, precision, scale) : rescale(from, Int128.self, context, precision, scale)
  }
  return switch to.layout {
  case .boolean: unaryKernel(DecimalToBoolean<From>(), to)
  case .int8: unaryKernel(DecimalToInteger<From, Int8>(context, scale: scale), to, isTry: isTry)
  case .int16: unaryKernel(DecimalToInteger<From, Int16>(context, scale: scale), to, isTry: isTry)
  case .int32: unaryKernel(DecimalToInteger<From, Int32>(context, scale: scale), to, isTry: isTry)
  case .int64: unaryKernel(DecimalToInteger<From, Int64>(context, scale: scale), to, isTry: isTry)
  case .float32: unaryKernel(DecimalToFloat<From, Float>(context.from, scale: scale), to)
  case .float64: unaryKernel(DecimalToFloat<From, Double>(context.from, scale: scale), to)
  case .int128, .string: preconditionFailure("\(context.from) to \(to) is no decimal cast")
  }
}

@inline(__always)
private func rescale<From: KernelInteger, To: KernelInteger>(
  _ from: From.Type, _ out: To.Type, _ context: CastContext, _ precision: Int, _ scale: Int
) -> Kernel {
  guard case .decimal(let toPrecision, let toScale) = context.to else {
    preconditionFailure("\(context.to) is no decimal")
  }
  if toScale >= scale && toPrecision - toScale >= precision - scale {
    let factor = To(truncatingIfNeeded: DecimalMath.powerOfTen(toScale - scale))
    return unaryKernel(WidenDecimal<From, To>(factor: factor), context.to)
  }
  return unaryKernel(
    RescaleDecimal<From, To>(context, shift: toScale - scale, precision: toPrecision), context.to,
    isTry: context.isTry)
}

/// The kernel of a cast from a number or a boolean to a decimal.
func castToDecimalKernel(_ context: CastContext, precision: Int, scale: Int) -> Kernel {
  context.to.layout == .int64
    ? castToDecimal(Int64.self, context, precision, scale) : castToDecimal(Int128.self, context, precision, scale)
}

@inline(__always)
private func castToDecimal<To: KernelInteger>(
  _ out: To.Type, _ context: CastContext, _ precision: Int, _ scale: Int
) -> Kernel {
  let to = context.to
  let isTry = context.isTry
  return switch context.from.layout {
  case .boolean: unaryKernel(BooleanToDecimal(one: To(truncatingIfNeeded: DecimalMath.powerOfTen(scale))), to)
  case .int8: unaryKernel(IntegerToDecimal<Int8, To>(context, precision: precision, scale: scale), to, isTry: isTry)
  case .int16: unaryKernel(IntegerToDecimal<Int16, To>(context, precision: precision, scale: scale), to, isTry: isTry)
  case .int32: unaryKernel(IntegerToDecimal<Int32, To>(context, precision: precision, scale: scale), to, isTry: isTry)
  case .int64: unaryKernel(IntegerToDecimal<Int64, To>(context, precision: precision, scale: scale), to, isTry: isTry)
  case .float32:
    carefulUnaryKernel(FloatToDecimal<Float, To>(context, precision: precision, scale: scale), to, isTry: isTry)
  case .float64:
    carefulUnaryKernel(FloatToDecimal<Double, To>(context, precision: precision, scale: scale), to, isTry: isTry)
  case .int128, .string: preconditionFailure("\(context.from) to \(to) is no number cast")
  }
}

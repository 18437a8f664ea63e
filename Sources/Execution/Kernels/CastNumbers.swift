// Owns casts among booleans, integers, real and double.

import Base
import Columnar
import Planning

/// What a cast needs to know beyond its types: where it stands, and whether a failure is NULL.
struct CastContext {
  let from: DataType
  let to: DataType
  let isTry: Bool
  let origin: Origin

  func invalid(_ message: String) -> WaterbearError {
    WaterbearError(.invalidCastArgument, message, at: origin.location)
  }

  func outOfRange(_ value: String) -> WaterbearError {
    WaterbearError(.numericValueOutOfRange, "Out of range for \(to): \(value)", at: origin.location)
  }
}

private struct CastInteger<From: KernelInteger, To: KernelInteger>: UnaryOperation {
  let context: CastContext
  private var failed = false

  init(_ context: CastContext) { self.context = context }

  @inline(__always)
  mutating func apply(_ value: From) -> To {
    let result = To(truncatingIfNeeded: value)
    if To.bitWidth < From.bitWidth { failed = failed || From(truncatingIfNeeded: result) != value }
    return result
  }

  @inline(__always)
  var hasFailed: Bool { failed }
  func failure(_ value: From) -> WaterbearError { context.outOfRange("\(value)") }
}

/// Rounds half away from zero.
private struct CastFloatToInteger<From: BinaryFloatingPoint & BitwiseCopyable, To: KernelInteger>: UnaryOperation {
  let context: CastContext
  private var failed = false

  init(_ context: CastContext) { self.context = context }

  @inline(__always)
  mutating func apply(_ value: From) -> To {
    let rounded = Double(value).rounded(.toNearestOrAwayFromZero)
    // The upper bound, a power of two, is exact; NaN fails both comparisons.
    guard rounded >= Double(To.min), rounded < -Double(To.min) else {
      failed = true
      return 0
    }
    return To(rounded)
  }

  @inline(__always)
  var hasFailed: Bool { failed }

  func failure(_ value: From) -> WaterbearError {
    let text = ValueFormatter(context.from).text(.double(Double(value))) ?? ""
    if context.to == .bigint { return context.invalid("Unable to cast \(text) to bigint") }
    if value.isNaN { return context.invalid("Cannot cast \(context.from) NaN to \(context.to)") }
    return context.outOfRange(text)
  }
}

private struct CastIntegerToFloat<From: KernelInteger, To: BinaryFloatingPoint & BitwiseCopyable>: UnaryOperation {
  @inline(__always)
  func apply(_ value: From) -> To { To(value) }
}

private struct CastFloat<From: BinaryFloatingPoint & BitwiseCopyable, To: BinaryFloatingPoint & BitwiseCopyable>:
  UnaryOperation
{
  @inline(__always)
  func apply(_ value: From) -> To { To(value) }
}

private struct CastToBoolean<From: Numeric & BitwiseCopyable>: UnaryOperation {
  @inline(__always)
  func apply(_ value: From) -> UInt8 { value != 0 ? 1 : 0 }
}

private struct CastBoolean<To: Numeric & BitwiseCopyable>: UnaryOperation {
  @inline(__always)
  func apply(_ value: UInt8) -> To { value != 0 ? 1 : 0 }
}

/// The kernel of a cast between two of boolean, integers, real and double.
func numberCastKernel(_ context: CastContext) -> Kernel {
  switch context.from.layout {
  case .boolean: castBoolean(context)
  case .int8: castInteger(Int8.self, context)
  case .int16: castInteger(Int16.self, context)
  case .int32: castInteger(Int32.self, context)
  case .int64: castInteger(Int64.self, context)
  case .float32: castFloat(Float.self, context)
  case .float64: castFloat(Double.self, context)
  case .int128, .string: preconditionFailure("\(context.from) is no plain number")
  }
}

private func castBoolean(_ context: CastContext) -> Kernel {
  switch context.to.layout {
  case .int8: unaryKernel(CastBoolean<Int8>(), context.to)
  case .int16: unaryKernel(CastBoolean<Int16>(), context.to)
  case .int32: unaryKernel(CastBoolean<Int32>(), context.to)
  case .int64: unaryKernel(CastBoolean<Int64>(), context.to)
  case .float32: unaryKernel(CastBoolean<Float>(), context.to)
  case .float64: unaryKernel(CastBoolean<Double>(), context.to)
  case .boolean, .int128, .string: preconditionFailure("boolean to \(context.to) is no number cast")
  }
}

@inline(__always)
private func castInteger<From: KernelInteger>(_ from: From.Type, _ context: CastContext) -> Kernel {
  let isTry = context.isTry
  return switch context.to.layout {
  case .boolean: unaryKernel(CastToBoolean<From>(), .boolean)
  case .int8: unaryKernel(CastInteger<From, Int8>(context), context.to, isTry: isTry)
  case .int16: unaryKernel(CastInteger<From, Int16>(context), context.to, isTry: isTry)
  case .int32: unaryKernel(CastInteger<From, Int32>(context), context.to, isTry: isTry)
  case .int64: unaryKernel(CastInteger<From, Int64>(context), context.to, isTry: isTry)
  case .float32: unaryKernel(CastIntegerToFloat<From, Float>(), context.to)
  case .float64: unaryKernel(CastIntegerToFloat<From, Double>(), context.to)
  case .int128, .string: preconditionFailure("\(context.from) to \(context.to) is no number cast")
  }
}

@inline(__always)
private func castFloat<From: BinaryFloatingPoint & BitwiseCopyable>(
  _ from: From.Type, _ context: CastContext
) -> Kernel {
  let isTry = context.isTry
  return switch context.to.layout {
  case .boolean: unaryKernel(CastToBoolean<From>(), .boolean)
  case .int8: unaryKernel(CastFloatToInteger<From, Int8>(context), context.to, isTry: isTry)
  case .int16: unaryKernel(CastFloatToInteger<From, Int16>(context), context.to, isTry: isTry)
  case .int32: unaryKernel(CastFloatToInteger<From, Int32>(context), context.to, isTry: isTry)
  case .int64: unaryKernel(CastFloatToInteger<From, Int64>(context), context.to, isTry: isTry)
  case .float32: unaryKernel(CastFloat<From, Float>(), context.to)
  case .float64: unaryKernel(CastFloat<From, Double>(), context.to)
  case .int128, .string: preconditionFailure("\(context.from) to \(context.to) is no number cast")
  }
}

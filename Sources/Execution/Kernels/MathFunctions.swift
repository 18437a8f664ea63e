// Owns functions of doubles, and abs, sign and bit operations of integers.

import Base
import Columnar
import Planning

#if canImport(Glibc)
import Glibc
#endif

/// A function of one double, as a type so that loops are specialised.
private protocol DoubleFunction {
  static func value(_ x: Double) -> Double
}

private struct ApplyDouble<Function: DoubleFunction>: UnaryOperation {
  @inline(__always)
  func apply(_ value: Double) -> Double { Function.value(value) }
}

private enum SquareRoot: DoubleFunction { static func value(_ x: Double) -> Double { x.squareRoot() } }
private enum CubeRoot: DoubleFunction {
  static func value(_ x: Double) -> Double {
    let root = cbrt(x)
    guard root.isFinite, root != 0 else { return root }
    // The C library may be off in the last bit, such as for 27; one step of Newton's method corrects that.
    return root - (root * root * root - x) / (3 * root * root)
  }
}
private enum Exponential: DoubleFunction { static func value(_ x: Double) -> Double { exp(x) } }
private enum NaturalLogarithm: DoubleFunction { static func value(_ x: Double) -> Double { log(x) } }
// Trino divides natural logarithms.
private enum BinaryLogarithm: DoubleFunction { static func value(_ x: Double) -> Double { log(x) / log(2) } }
private enum DecimalLogarithm: DoubleFunction { static func value(_ x: Double) -> Double { log10(x) } }
private enum Sine: DoubleFunction { static func value(_ x: Double) -> Double { sin(x) } }
private enum Cosine: DoubleFunction { static func value(_ x: Double) -> Double { cos(x) } }
private enum Tangent: DoubleFunction { static func value(_ x: Double) -> Double { tan(x) } }
private enum ArcSine: DoubleFunction { static func value(_ x: Double) -> Double { asin(x) } }
private enum ArcCosine: DoubleFunction { static func value(_ x: Double) -> Double { acos(x) } }
private enum ArcTangent: DoubleFunction { static func value(_ x: Double) -> Double { atan(x) } }
private enum HyperbolicSine: DoubleFunction { static func value(_ x: Double) -> Double { sinh(x) } }
private enum HyperbolicCosine: DoubleFunction { static func value(_ x: Double) -> Double { cosh(x) } }
private enum HyperbolicTangent: DoubleFunction { static func value(_ x: Double) -> Double { tanh(x) } }
private enum Degrees: DoubleFunction { static func value(_ x: Double) -> Double { x * 57.29577951308232 } }
private enum Radians: DoubleFunction { static func value(_ x: Double) -> Double { x * 0.017453292519943295 } }

/// The kernel of a function from double to double, or nil where `function` is none.
func doubleFunctionKernel(_ function: ScalarFunction) -> Kernel? {
  switch function {
  case .sqrt: unaryKernel(ApplyDouble<SquareRoot>(), .double)
  case .cbrt: unaryKernel(ApplyDouble<CubeRoot>(), .double)
  case .exp: unaryKernel(ApplyDouble<Exponential>(), .double)
  case .ln: unaryKernel(ApplyDouble<NaturalLogarithm>(), .double)
  case .log2: unaryKernel(ApplyDouble<BinaryLogarithm>(), .double)
  case .log10: unaryKernel(ApplyDouble<DecimalLogarithm>(), .double)
  case .sin: unaryKernel(ApplyDouble<Sine>(), .double)
  case .cos: unaryKernel(ApplyDouble<Cosine>(), .double)
  case .tan: unaryKernel(ApplyDouble<Tangent>(), .double)
  case .asin: unaryKernel(ApplyDouble<ArcSine>(), .double)
  case .acos: unaryKernel(ApplyDouble<ArcCosine>(), .double)
  case .atan: unaryKernel(ApplyDouble<ArcTangent>(), .double)
  case .sinh: unaryKernel(ApplyDouble<HyperbolicSine>(), .double)
  case .cosh: unaryKernel(ApplyDouble<HyperbolicCosine>(), .double)
  case .tanh: unaryKernel(ApplyDouble<HyperbolicTangent>(), .double)
  case .degrees: unaryKernel(ApplyDouble<Degrees>(), .double)
  case .radians: unaryKernel(ApplyDouble<Radians>(), .double)
  default: nil
  }
}

private struct RaiseToPower: BinaryOperation {
  func apply(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }
}

private struct ArcTangentOfFraction: BinaryOperation {
  func apply(_ y: Double, _ x: Double) -> Double { atan2(y, x) }
}

private struct LogarithmToBase: BinaryOperation {
  func apply(_ base: Double, _ x: Double) -> Double { log(x) / log(base) }
}

/// The kernel of a function of two doubles, or nil where `function` is none.
func doublePairKernel(_ function: ScalarFunction) -> Kernel? {
  switch function {
  case .power: binaryKernel(RaiseToPower(), .double)
  case .atan2: binaryKernel(ArcTangentOfFraction(), .double)
  case .log: binaryKernel(LogarithmToBase(), .double)
  default: nil
  }
}

private struct IsNaN: UnaryOperation {
  @inline(__always)
  func apply(_ value: Double) -> UInt8 { value != value ? 1 : 0 }
}

private struct IsFinite: UnaryOperation {
  @inline(__always)
  func apply(_ value: Double) -> UInt8 { value.isFinite ? 1 : 0 }
}

private struct IsInfinite: UnaryOperation {
  @inline(__always)
  func apply(_ value: Double) -> UInt8 { value.isInfinite ? 1 : 0 }
}

/// The kernel of is_nan, is_finite or is_infinite, or nil.
func doubleTestKernel(_ function: ScalarFunction) -> Kernel? {
  switch function {
  case .isNaN: unaryKernel(IsNaN(), .boolean)
  case .isFinite: unaryKernel(IsFinite(), .boolean)
  case .isInfinite: unaryKernel(IsInfinite(), .boolean)
  default: nil
  }
}

private struct BitwiseAnd: BinaryOperation {
  @inline(__always)
  func apply(_ left: Int64, _ right: Int64) -> Int64 { left & right }
}

private struct BitwiseOr: BinaryOperation {
  @inline(__always)
  func apply(_ left: Int64, _ right: Int64) -> Int64 { left | right }
}

private struct BitwiseXor: BinaryOperation {
  @inline(__always)
  func apply(_ left: Int64, _ right: Int64) -> Int64 { left ^ right }
}

private struct BitwiseNot: UnaryOperation {
  @inline(__always)
  func apply(_ value: Int64) -> Int64 { ~value }
}

/// The kernel of a bitwise function of bigints, or nil.
func bitwiseKernel(_ function: ScalarFunction) -> Kernel? {
  switch function {
  case .bitwiseAnd: binaryKernel(BitwiseAnd(), .bigint)
  case .bitwiseOr: binaryKernel(BitwiseOr(), .bigint)
  case .bitwiseXor: binaryKernel(BitwiseXor(), .bigint)
  case .bitwiseNot: unaryKernel(BitwiseNot(), .bigint)
  default: nil
  }
}

private struct AbsoluteInteger<Element: KernelInteger>: UnaryOperation {
  let context: OverflowContext
  private var failed = false

  init(_ context: OverflowContext) { self.context = context }

  @inline(__always)
  mutating func apply(_ value: Element) -> Element {
    let result = value < 0 ? 0 &- value : value
    failed = failed || result < 0
    return result
  }

  @inline(__always)
  var hasFailed: Bool { failed }
  func failure(_ value: Element) -> WaterbearError {
    WaterbearError(
      .numericValueOutOfRange, "Value \(value) is out of range for abs(\(context.type))", at: context.origin.location)
  }
}

private struct AbsoluteFloat<Element: BinaryFloatingPoint & BitwiseCopyable>: UnaryOperation {
  @inline(__always)
  func apply(_ value: Element) -> Element { value.magnitude }
}

/// The kernel of abs on a number of type `type`.
func absoluteKernel(_ type: DataType, _ origin: Origin) -> Kernel? {
  let context = OverflowContext(type: type, origin: origin)
  return switch type {
  case .tinyint: unaryKernel(AbsoluteInteger<Int8>(context), type)
  case .smallint: unaryKernel(AbsoluteInteger<Int16>(context), type)
  case .integer: unaryKernel(AbsoluteInteger<Int32>(context), type)
  case .bigint: unaryKernel(AbsoluteInteger<Int64>(context), type)
  case .decimal where type.layout == .int64: unaryKernel(AbsoluteInteger<Int64>(context), type)
  case .decimal: unaryKernel(AbsoluteInteger<Int128>(context), type)
  case .real: unaryKernel(AbsoluteFloat<Float>(), type)
  case .double: unaryKernel(AbsoluteFloat<Double>(), type)
  default: nil
  }
}

private struct SignOfInteger<Element: KernelInteger, Output: KernelInteger>: UnaryOperation {
  @inline(__always)
  func apply(_ value: Element) -> Output { Output(truncatingIfNeeded: value.signum()) }
}

/// Zeros and NaN stay as they are.
private struct SignOfFloat<Element: BinaryFloatingPoint & BitwiseCopyable>: UnaryOperation {
  @inline(__always)
  func apply(_ value: Element) -> Element { value > 0 ? 1 : value < 0 ? -1 : value }
}

/// The kernel of sign on a number of type `type`; a decimal's is decimal(1,0).
func signKernel(_ type: DataType, _ result: DataType) -> Kernel? {
  switch type {
  case .tinyint: unaryKernel(SignOfInteger<Int8, Int8>(), type)
  case .smallint: unaryKernel(SignOfInteger<Int16, Int16>(), type)
  case .integer: unaryKernel(SignOfInteger<Int32, Int32>(), type)
  case .bigint: unaryKernel(SignOfInteger<Int64, Int64>(), type)
  case .decimal where type.layout == .int64: unaryKernel(SignOfInteger<Int64, Int64>(), result)
  case .decimal: unaryKernel(SignOfInteger<Int128, Int64>(), result)
  case .real: unaryKernel(SignOfFloat<Float>(), type)
  case .double: unaryKernel(SignOfFloat<Double>(), type)
  default: nil
  }
}

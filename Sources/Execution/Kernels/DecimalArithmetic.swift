// Owns +, -, *, / and % of decimals. Operands and result are each 64-bit (18 digits) or 128-bit integers; which
// digits can occur follows from the types, so most operations need no check at all.

import Base
import Columnar
import Planning

/// The types of one decimal operation.
private struct DecimalTypes {
  let left: (precision: Int, scale: Int)
  let right: (precision: Int, scale: Int)
  let result: (precision: Int, scale: Int)
  let origin: Origin

  var overflow: WaterbearError {
    WaterbearError(.numericValueOutOfRange, "Decimal overflow", at: origin.location)
  }
  var divisionByZero: WaterbearError {
    WaterbearError(.divisionByZero, "Division by zero", at: origin.location)
  }
  /// Digits by which each operand is scaled up to the result's scale, in + and -.
  var leftShift: Int { result.scale - left.scale }
  var rightShift: Int { result.scale - right.scale }
}

/// a ± b at one scale, where the result's type has room for every sum.
private struct AddDecimals<L: KernelInteger, R: KernelInteger, Out: KernelInteger>: BinaryOperation {
  @inline(__always)
  func apply(_ left: L, _ right: R) -> Out { Out(truncatingIfNeeded: left) &+ Out(truncatingIfNeeded: right) }
}

private struct SubtractDecimals<L: KernelInteger, R: KernelInteger, Out: KernelInteger>: BinaryOperation {
  @inline(__always)
  func apply(_ left: L, _ right: R) -> Out { Out(truncatingIfNeeded: left) &- Out(truncatingIfNeeded: right) }
}

/// a × 10^m ± b × 10^n, where the result's type has room for every sum. `rightFactor` carries the sign.
private struct AddScaledDecimals<L: KernelInteger, R: KernelInteger, Out: KernelInteger>: BinaryOperation {
  let leftFactor: Out
  let rightFactor: Out

  @inline(__always)
  func apply(_ left: L, _ right: R) -> Out {
    Out(truncatingIfNeeded: left) &* leftFactor &+ Out(truncatingIfNeeded: right) &* rightFactor
  }
}

/// a × b, where the result's type has room for every product.
private struct MultiplyDecimals<L: KernelInteger, R: KernelInteger, Out: KernelInteger>: BinaryOperation {
  @inline(__always)
  func apply(_ left: L, _ right: R) -> Out { Out(truncatingIfNeeded: left) &* Out(truncatingIfNeeded: right) }
}

/// a / b in 64 bits: the dividend has room for the scaling.
private struct DivideShortDecimals: BinaryOperation {
  let types: DecimalTypes
  let factor: Int64
  private var failed = false

  init(_ types: DecimalTypes, factor: Int64) {
    self.types = types
    self.factor = factor
  }

  @inline(__always)
  mutating func apply(_ left: Int64, _ right: Int64) -> Int64 {
    failed = failed || right == 0
    let divisor = right == 0 ? 1 : right.magnitude
    let (quotient, remainder) = (left &* factor).magnitude.quotientAndRemainder(dividingBy: divisor)
    let rounded = Int64(truncatingIfNeeded: quotient &+ (remainder >= divisor &- remainder ? 1 : 0))
    return (left ^ right) < 0 ? 0 &- rounded : rounded
  }

  @inline(__always)
  var hasFailed: Bool { failed }
  func failure(_ left: Int64, _ right: Int64) -> WaterbearError { types.divisionByZero }
}

/// What an operation needs that is computed value by value with checks.
private enum CheckedOutcome {
  case value(Int128)
  case overflow
  case divisionByZero
}

/// Any decimal operation on two values of any width, with every check.
private struct CheckedRule {
  let operation: ArithmeticOperator
  let types: DecimalTypes

  // Not inlined, so that it is not repeated for each pair of widths; what it computes costs more than the call.
  @inline(never)
  func outcome(_ left: Int128, _ right: Int128) -> CheckedOutcome {
    let value: Int128?
    switch operation {
    case .add, .subtract:
      guard let a = DecimalMath.scaleUp(left, by: types.leftShift),
        let b = DecimalMath.scaleUp(right, by: types.rightShift)
      else { return .overflow }
      // Two numbers of 38 digits add up within 128 bits.
      value = operation == .add ? a &+ b : a &- b
    case .multiply:
      value = DecimalMath.multiply(left, right)
    case .divide:
      if right == 0 { return .divisionByZero }
      let shift = types.result.scale - types.left.scale + types.right.scale
      value = DecimalMath.divideScaledUp(left, by: shift, right)
    case .modulus:
      if right == 0 { return .divisionByZero }
      value = DecimalMath.remainder(
        left, shiftedBy: max(0, types.right.scale - types.left.scale), right,
        shiftedBy: max(0, types.left.scale - types.right.scale))
    }
    guard let value, !DecimalMath.exceeds(value, precision: types.result.precision) else { return .overflow }
    return .value(value)
  }
}

/// Any decimal operation, exactly: where digits may overflow, for / and for %.
private struct CheckedDecimals<L: KernelInteger, R: KernelInteger, Out: KernelInteger>: BinaryOperation {
  let rule: CheckedRule
  /// Whether any product of 38 digits will do. Those of two 64-bit numbers never have more: 2^126 has 38.
  private let isWideProduct: Bool
  private var failed = false

  init(_ operation: ArithmeticOperator, _ types: DecimalTypes) {
    rule = CheckedRule(operation: operation, types: types)
    isWideProduct = operation == .multiply && types.result.precision == 38
  }

  @inline(__always)
  mutating func apply(_ left: L, _ right: R) -> Out {
    if isWideProduct {
      let (a, b) = (Int64(truncatingIfNeeded: left), Int64(truncatingIfNeeded: right))
      if L(truncatingIfNeeded: a) == left, R(truncatingIfNeeded: b) == right {
        return Out(truncatingIfNeeded: Int128(a) &* Int128(b))
      }
    }
    if case .value(let value) = rule.outcome(Int128(truncatingIfNeeded: left), Int128(truncatingIfNeeded: right)) {
      return Out(truncatingIfNeeded: value)
    }
    failed = true
    return 0
  }

  @inline(__always)
  var hasFailed: Bool { failed }

  func failure(_ left: L, _ right: R) -> WaterbearError {
    let outcome = rule.outcome(Int128(truncatingIfNeeded: left), Int128(truncatingIfNeeded: right))
    if case .divisionByZero = outcome { return rule.types.divisionByZero }
    return rule.types.overflow
  }
}

/// The kernel of `operation` on decimals of types `left` and `right` with a result of type `result`.
func decimalArithmeticKernel(
  _ operation: ArithmeticOperator, _ left: DataType, _ right: DataType, _ result: DataType, _ origin: Origin
) -> Kernel {
  guard case .decimal(let p1, let s1) = left, case .decimal(let p2, let s2) = right,
    case .decimal(let p, let s) = result
  else { preconditionFailure("\(left) \(operation.rawValue) \(right) is no decimal arithmetic") }
  let types = DecimalTypes(left: (p1, s1), right: (p2, s2), result: (p, s), origin: origin)
  switch (left.layout, right.layout, result.layout) {
  case (.int64, .int64, .int64): return kernel(operation, types, result, Int64.self, Int64.self, Int64.self)
  case (.int64, .int64, _): return kernel(operation, types, result, Int64.self, Int64.self, Int128.self)
  // A long operand with a short result is a quotient or a remainder, which are checked in any case.
  case (.int64, _, .int64): return binaryKernel(CheckedDecimals<Int64, Int128, Int64>(operation, types), result)
  case (.int64, _, _): return kernel(operation, types, result, Int64.self, Int128.self, Int128.self)
  case (_, .int64, .int64): return binaryKernel(CheckedDecimals<Int128, Int64, Int64>(operation, types), result)
  case (_, .int64, _): return kernel(operation, types, result, Int128.self, Int64.self, Int128.self)
  case (_, _, .int64): return binaryKernel(CheckedDecimals<Int128, Int128, Int64>(operation, types), result)
  default: return kernel(operation, types, result, Int128.self, Int128.self, Int128.self)
  }
}

@inline(__always)
private func kernel<L: KernelInteger, R: KernelInteger, Out: KernelInteger>(
  _ operation: ArithmeticOperator, _ types: DecimalTypes, _ type: DataType,
  _ left: L.Type, _ right: R.Type, _ out: Out.Type
) -> Kernel {
  let hasRoom = types.left.precision + types.leftShift < types.result.precision
    && types.right.precision + types.rightShift < types.result.precision
  switch operation {
  case .add where hasRoom && types.leftShift == 0 && types.rightShift == 0:
    return binaryKernel(AddDecimals<L, R, Out>(), type)
  case .subtract where hasRoom && types.leftShift == 0 && types.rightShift == 0:
    return binaryKernel(SubtractDecimals<L, R, Out>(), type)
  case .add where hasRoom, .subtract where hasRoom:
    let rightFactor = Out(truncatingIfNeeded: DecimalMath.powerOfTen(types.rightShift))
    return binaryKernel(
      AddScaledDecimals<L, R, Out>(
        leftFactor: Out(truncatingIfNeeded: DecimalMath.powerOfTen(types.leftShift)),
        rightFactor: operation == .add ? rightFactor : 0 - rightFactor), type)
  case .multiply where types.left.precision + types.right.precision <= types.result.precision:
    return binaryKernel(MultiplyDecimals<L, R, Out>(), type)
  case .divide:
    let shift = types.result.scale - types.left.scale + types.right.scale
    if L.self == Int64.self, R.self == Int64.self, Out.self == Int64.self, shift <= 18,
      types.left.precision + shift <= 18 {
      let factor = Int64(DecimalMath.powerOfTen(shift))
      return binaryKernel(DivideShortDecimals(types, factor: factor), type)
    }
    return binaryKernel(CheckedDecimals<L, R, Out>(operation, types), type)
  default:
    return binaryKernel(CheckedDecimals<L, R, Out>(operation, types), type)
  }
}

/// Decimals are symmetric, so that negation cannot overflow.
private struct NegateDecimal<Element: KernelInteger>: UnaryOperation {
  @inline(__always)
  func apply(_ value: Element) -> Element { 0 &- value }
}

func decimalNegationKernel(_ type: DataType) -> Kernel {
  type.layout == .int64
    ? unaryKernel(NegateDecimal<Int64>(), type) : unaryKernel(NegateDecimal<Int128>(), type)
}

/// Whether the types alone rule out an error, so that rows may be computed that nobody asked for.
func decimalArithmeticCanFail(
  _ operation: ArithmeticOperator, _ left: DataType, _ right: DataType, _ result: DataType
) -> Bool {
  guard case .decimal(let p1, let s1) = left, case .decimal(let p2, let s2) = right,
    case .decimal(let p, let s) = result
  else { return true }
  return switch operation {
  case .add, .subtract: p1 + s - s1 >= p || p2 + s - s2 >= p
  case .multiply: p1 + p2 > p
  case .divide, .modulus: true
  }
}

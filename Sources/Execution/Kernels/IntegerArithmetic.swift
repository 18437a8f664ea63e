// Owns +, -, *, /, % and negation of integers, with Trino's overflow and division errors.
// Loops gather overflow in a flag without branching; the row at fault is looked for afterwards.

import Base
import Columnar
import Planning

typealias KernelInteger = FixedWidthInteger & SignedInteger & BitwiseCopyable & Sendable

/// What an overflow message needs: the type's name and the place in the SQL text.
struct OverflowContext {
  let type: DataType
  let origin: Origin

  func overflow<Element: KernelInteger>(_ verb: String, _ left: Element, _ sign: String, _ right: Element)
    -> WaterbearError
  {
    WaterbearError(
      .numericValueOutOfRange, "\(type) \(verb) overflow: \(left) \(sign) \(right)", at: origin.location)
  }

  var divisionByZero: WaterbearError {
    WaterbearError(.divisionByZero, "Division by zero", at: origin.location)
  }
}

struct AddIntegers<Element: KernelInteger>: BinaryOperation {
  let context: OverflowContext
  /// Negative once any sum overflowed: an operand's sign differs from the sum's, and so does the other's.
  private var overflow: Element = 0

  init(_ context: OverflowContext) { self.context = context }

  @inline(__always)
  mutating func apply(_ left: Element, _ right: Element) -> Element {
    let sum = left &+ right
    overflow |= (left ^ sum) & (right ^ sum)
    return sum
  }

  @inline(__always)
  var hasFailed: Bool { overflow < 0 }
  func failure(_ left: Element, _ right: Element) -> WaterbearError {
    context.overflow("addition", left, "+", right)
  }
}

struct SubtractIntegers<Element: KernelInteger>: BinaryOperation {
  let context: OverflowContext
  private var overflow: Element = 0

  init(_ context: OverflowContext) { self.context = context }

  @inline(__always)
  mutating func apply(_ left: Element, _ right: Element) -> Element {
    let difference = left &- right
    overflow |= (left ^ right) & (left ^ difference)
    return difference
  }

  @inline(__always)
  var hasFailed: Bool { overflow < 0 }
  func failure(_ left: Element, _ right: Element) -> WaterbearError {
    context.overflow("subtraction", left, "-", right)
  }
}

struct MultiplyIntegers<Element: KernelInteger>: BinaryOperation {
  let context: OverflowContext
  private var overflow = false

  init(_ context: OverflowContext) { self.context = context }

  @inline(__always)
  mutating func apply(_ left: Element, _ right: Element) -> Element {
    let (product, didOverflow) = left.multipliedReportingOverflow(by: right)
    overflow = overflow || didOverflow
    return product
  }

  @inline(__always)
  var hasFailed: Bool { overflow }
  func failure(_ left: Element, _ right: Element) -> WaterbearError {
    context.overflow("multiplication", left, "*", right)
  }
}

/// Truncates towards zero, as SQL and Java do.
struct DivideIntegers<Element: KernelInteger>: BinaryOperation {
  let context: OverflowContext
  private var failed = false

  init(_ context: OverflowContext) { self.context = context }

  @inline(__always)
  mutating func apply(_ left: Element, _ right: Element) -> Element {
    let (quotient, didFail) = left.dividedReportingOverflow(by: right)
    failed = failed || didFail
    return quotient
  }

  @inline(__always)
  var hasFailed: Bool { failed }
  func failure(_ left: Element, _ right: Element) -> WaterbearError {
    right == 0 ? context.divisionByZero : context.overflow("division", left, "/", right)
  }
}

/// The remainder has the dividend's sign.
struct RemainderOfIntegers<Element: KernelInteger>: BinaryOperation {
  let context: OverflowContext
  private var failed = false

  init(_ context: OverflowContext) { self.context = context }

  @inline(__always)
  mutating func apply(_ left: Element, _ right: Element) -> Element {
    if right == -1 { return 0 }
    let (remainder, didFail) = left.remainderReportingOverflow(dividingBy: right)
    failed = failed || didFail
    return remainder
  }

  @inline(__always)
  var hasFailed: Bool { failed }
  func failure(_ left: Element, _ right: Element) -> WaterbearError { context.divisionByZero }
}

struct NegateInteger<Element: KernelInteger>: UnaryOperation {
  let context: OverflowContext
  private var overflow: Element = 0

  init(_ context: OverflowContext) { self.context = context }

  @inline(__always)
  mutating func apply(_ value: Element) -> Element {
    let negated = 0 &- value
    overflow |= value & negated
    return negated
  }

  // Only the least value and its negation, which are the same, are both negative.
  @inline(__always)
  var hasFailed: Bool { overflow < 0 }
  func failure(_ value: Element) -> WaterbearError {
    WaterbearError(
      .numericValueOutOfRange, "\(context.type) negation overflow: \(value)", at: context.origin.location)
  }
}

/// The kernel of `operation` on integers (or intervals) that are laid out as `Element`.
@inline(__always)
func integerArithmeticKernel<Element: KernelInteger>(
  _ operation: ArithmeticOperator, _ element: Element.Type, _ type: DataType, _ origin: Origin
) -> Kernel {
  let context = OverflowContext(type: type, origin: origin)
  return switch operation {
  case .add: binaryKernel(AddIntegers<Element>(context), type)
  case .subtract: binaryKernel(SubtractIntegers<Element>(context), type)
  case .multiply: binaryKernel(MultiplyIntegers<Element>(context), type)
  case .divide: binaryKernel(DivideIntegers<Element>(context), type)
  case .modulus: binaryKernel(RemainderOfIntegers<Element>(context), type)
  }
}

func integerArithmeticKernel(_ operation: ArithmeticOperator, _ type: DataType, _ origin: Origin) -> Kernel {
  switch type.layout {
  case .int8: integerArithmeticKernel(operation, Int8.self, type, origin)
  case .int16: integerArithmeticKernel(operation, Int16.self, type, origin)
  case .int32: integerArithmeticKernel(operation, Int32.self, type, origin)
  case .int64: integerArithmeticKernel(operation, Int64.self, type, origin)
  default: preconditionFailure("\(type) is no integer")
  }
}

func integerNegationKernel(_ type: DataType, _ origin: Origin) -> Kernel {
  let context = OverflowContext(type: type, origin: origin)
  return switch type.layout {
  case .int8: unaryKernel(NegateInteger<Int8>(context), type)
  case .int16: unaryKernel(NegateInteger<Int16>(context), type)
  case .int32: unaryKernel(NegateInteger<Int32>(context), type)
  case .int64: unaryKernel(NegateInteger<Int64>(context), type)
  default: preconditionFailure("\(type) is no integer")
  }
}

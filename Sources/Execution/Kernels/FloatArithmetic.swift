// Owns +, -, *, /, % and negation of real and double: IEEE 754, no errors.

import Columnar
import Planning

private struct AddFloats<Element: BinaryFloatingPoint & BitwiseCopyable>: BinaryOperation {
  @inline(__always)
  func apply(_ left: Element, _ right: Element) -> Element { left + right }
}

private struct SubtractFloats<Element: BinaryFloatingPoint & BitwiseCopyable>: BinaryOperation {
  @inline(__always)
  func apply(_ left: Element, _ right: Element) -> Element { left - right }
}

private struct MultiplyFloats<Element: BinaryFloatingPoint & BitwiseCopyable>: BinaryOperation {
  @inline(__always)
  func apply(_ left: Element, _ right: Element) -> Element { left * right }
}

private struct DivideFloats<Element: BinaryFloatingPoint & BitwiseCopyable>: BinaryOperation {
  @inline(__always)
  func apply(_ left: Element, _ right: Element) -> Element { left / right }
}

/// As C's fmod and Java's %: the result has the dividend's sign.
private struct RemainderOfFloats<Element: BinaryFloatingPoint & BitwiseCopyable>: BinaryOperation {
  @inline(__always)
  func apply(_ left: Element, _ right: Element) -> Element { left.truncatingRemainder(dividingBy: right) }
}

private struct NegateFloat<Element: BinaryFloatingPoint & BitwiseCopyable>: UnaryOperation {
  @inline(__always)
  func apply(_ value: Element) -> Element { -value }
}

@inline(__always)
private func kernel<Element: BinaryFloatingPoint & BitwiseCopyable>(
  _ operation: ArithmeticOperator, _ element: Element.Type, _ type: DataType
) -> Kernel {
  switch operation {
  case .add: binaryKernel(AddFloats<Element>(), type)
  case .subtract: binaryKernel(SubtractFloats<Element>(), type)
  case .multiply: binaryKernel(MultiplyFloats<Element>(), type)
  case .divide: binaryKernel(DivideFloats<Element>(), type)
  case .modulus: binaryKernel(RemainderOfFloats<Element>(), type)
  }
}

/// The kernel of `operation` on real or double operands.
func floatArithmeticKernel(_ operation: ArithmeticOperator, _ type: DataType) -> Kernel {
  type == .real ? kernel(operation, Float.self, type) : kernel(operation, Double.self, type)
}

func floatNegationKernel(_ type: DataType) -> Kernel {
  type == .real ? unaryKernel(NegateFloat<Float>(), type) : unaryKernel(NegateFloat<Double>(), type)
}

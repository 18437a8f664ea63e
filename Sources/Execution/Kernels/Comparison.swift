// Owns =, <>, <, <=, >, >= over two columns of one type. Greater-than is less-than with the operands swapped.

import Columnar
import Planning

/// What a comparison asks, as a type so that loops are specialised.
protocol ComparisonRule {
  static func holds<Element: Comparable>(_ left: Element, _ right: Element) -> Bool
  /// The same for the sign of a three-way comparison.
  static func holds(order: Int) -> Bool
}

enum EqualRule: ComparisonRule {
  @inline(__always)
  static func holds<Element: Comparable>(_ left: Element, _ right: Element) -> Bool { left == right }
  @inline(__always)
  static func holds(order: Int) -> Bool { order == 0 }
}

enum NotEqualRule: ComparisonRule {
  @inline(__always)
  static func holds<Element: Comparable>(_ left: Element, _ right: Element) -> Bool { left != right }
  @inline(__always)
  static func holds(order: Int) -> Bool { order != 0 }
}

enum LessRule: ComparisonRule {
  @inline(__always)
  static func holds<Element: Comparable>(_ left: Element, _ right: Element) -> Bool { left < right }
  @inline(__always)
  static func holds(order: Int) -> Bool { order < 0 }
}

enum LessOrEqualRule: ComparisonRule {
  @inline(__always)
  static func holds<Element: Comparable>(_ left: Element, _ right: Element) -> Bool { left <= right }
  @inline(__always)
  static func holds(order: Int) -> Bool { order <= 0 }
}

private struct Compare<Element: Comparable & BitwiseCopyable, Rule: ComparisonRule>: BinaryOperation {
  @inline(__always)
  func apply(_ left: Element, _ right: Element) -> UInt8 { Rule.holds(left, right) ? 1 : 0 }
}

/// The kernel of `comparison` on operands of `type`. IS DISTINCT FROM is not NULL on NULL and so no kernel.
func comparisonKernel(_ comparison: ComparisonOperator, _ type: DataType) -> Kernel {
  switch comparison {
  case .equal: comparisonKernel(EqualRule.self, type)
  case .notEqual: comparisonKernel(NotEqualRule.self, type)
  case .lessThan: comparisonKernel(LessRule.self, type)
  case .lessThanOrEqual: comparisonKernel(LessOrEqualRule.self, type)
  case .greaterThan: swapped(comparisonKernel(.lessThan, type))
  case .greaterThanOrEqual: swapped(comparisonKernel(.lessThanOrEqual, type))
  case .isDistinctFrom: preconditionFailure("IS DISTINCT FROM has a node of its own")
  }
}

/// `kernel` with its two arguments exchanged.
private func swapped(_ kernel: @escaping Kernel) -> Kernel {
  { input in
    let exchanged = [input.arguments[1], input.arguments[0]]
    return try kernel(KernelInput(arguments: exchanged, count: input.count, validity: input.validity))
  }
}

@inline(__always)
private func comparisonKernel<Rule: ComparisonRule>(_ rule: Rule.Type, _ type: DataType) -> Kernel {
  switch type.layout {
  case .boolean: binaryKernel(Compare<UInt8, Rule>(), .boolean)
  case .int8: binaryKernel(Compare<Int8, Rule>(), .boolean)
  case .int16: binaryKernel(Compare<Int16, Rule>(), .boolean)
  case .int32: binaryKernel(Compare<Int32, Rule>(), .boolean)
  case .int64: binaryKernel(Compare<Int64, Rule>(), .boolean)
  case .int128: binaryKernel(Compare<Int128, Rule>(), .boolean)
  case .float32: binaryKernel(Compare<Float, Rule>(), .boolean)
  case .float64: binaryKernel(Compare<Double, Rule>(), .boolean)
  case .string:
    if case .char = type {
      stringComparisonKernel(Rule.self, PaddedOrder.self)
    } else {
      stringComparisonKernel(Rule.self, ByteOrder.self)
    }
  }
}

/// How two strings are ordered.
private protocol StringOrder {
  static func compare(_ left: StringView, _ right: StringView) -> Int
}

private enum ByteOrder: StringOrder {
  @inline(__always)
  static func compare(_ left: StringView, _ right: StringView) -> Int { StringView.compare(left, right) }
}

private enum PaddedOrder: StringOrder {
  @inline(__always)
  static func compare(_ left: StringView, _ right: StringView) -> Int { StringView.compareBlankPadded(left, right) }
}

@inline(__always)
private func stringComparisonKernel<Rule: ComparisonRule, Order: StringOrder>(
  _ rule: Rule.Type, _ order: Order.Type
) -> Kernel {
  { input in
    // Equality needs no order, and stored trimmed, chars are equal exactly if their bytes are.
    let isEquality = rule is EqualRule.Type || rule is NotEqualRule.Type
    let left = input.arguments[0]
    let right = input.arguments[1]
    let output = Buffer(byteCount: input.count)
    let target = output.pointer(to: UInt8.self)
    let a = UnsafePointer(left.values.pointer(to: StringView.self))
    let b = UnsafePointer(right.values.pointer(to: StringView.self))
    let leftStep = left.encoding == .constant ? 0 : 1
    let rightStep = right.encoding == .constant ? 0 : 1
    for row in 0..<input.count {
      // Views behind NULLs may point nowhere.
      guard input.isPresent(row) else {
        target[row] = 0
        continue
      }
      let x = a[row &* leftStep]
      let y = b[row &* rightStep]
      target[row] = isEquality
        ? (Rule.holds(order: StringView.equal(x, y) ? 0 : 1) ? 1 : 0)
        : (Rule.holds(order: Order.compare(x, y)) ? 1 : 0)
    }
    return Vector(flat: .boolean, count: input.count, values: output, validity: input.validity)
  }
}

/// Whether two values differ, with NaN equal to NaN; for IS DISTINCT FROM.
private struct DistinctFloats<Element: BinaryFloatingPoint & BitwiseCopyable>: BinaryOperation {
  @inline(__always)
  func apply(_ left: Element, _ right: Element) -> UInt8 {
    left == right || (left != left && right != right) ? 0 : 1
  }
}

/// The kernel of "differs" on operands of `type` that are not NULL.
func distinctKernel(_ type: DataType) -> Kernel {
  switch type {
  case .real: binaryKernel(DistinctFloats<Float>(), .boolean)
  case .double: binaryKernel(DistinctFloats<Double>(), .boolean)
  default: comparisonKernel(.notEqual, type)
  }
}

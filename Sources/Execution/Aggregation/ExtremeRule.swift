// Owns which of two values is the smaller or larger one, as min, max, min_by and max_by see it.

import Columnar

/// Decides whether a value replaces the best one so far.
protocol ExtremeRule {
  associatedtype Element: BitwiseCopyable
  /// Loses against every value, or equals the worst one.
  static var initial: Element { get }
  static func isBetter(_ new: Element, than old: Element) -> Bool
}

enum IntegerMinimum<Element: FixedWidthInteger & BitwiseCopyable>: ExtremeRule {
  static var initial: Element { .max }
  @inline(__always)
  static func isBetter(_ new: Element, than old: Element) -> Bool { new < old }
}

enum IntegerMaximum<Element: FixedWidthInteger & BitwiseCopyable>: ExtremeRule {
  static var initial: Element { .min }
  @inline(__always)
  static func isBetter(_ new: Element, than old: Element) -> Bool { new > old }
}

/// NaN is the answer only where there is nothing else, as in Trino.
enum FloatMinimum<Element: BinaryFloatingPoint & BitwiseCopyable>: ExtremeRule {
  static var initial: Element { .nan }
  @inline(__always)
  static func isBetter(_ new: Element, than old: Element) -> Bool { new < old || old != old }
}

/// NaN is the answer only where there is nothing else, as in Trino.
enum FloatMaximum<Element: BinaryFloatingPoint & BitwiseCopyable>: ExtremeRule {
  static var initial: Element { .nan }
  @inline(__always)
  static func isBetter(_ new: Element, than old: Element) -> Bool { new > old || old != old }
}

/// The order of text: bytes for varchar and varbinary, as if padded with blanks for char.
protocol TextOrder {
  static func compare(_ left: StringView, _ right: StringView) -> Int
}

enum ByteTextOrder: TextOrder {
  @inline(__always)
  static func compare(_ left: StringView, _ right: StringView) -> Int { StringView.compare(left, right) }
}

enum PaddedTextOrder: TextOrder {
  @inline(__always)
  static func compare(_ left: StringView, _ right: StringView) -> Int { StringView.compareBlankPadded(left, right) }
}

/// A view that no text has: it stands for "none yet".
let noText = StringView(head: .max, tail: 0)

enum TextMinimum<Order: TextOrder>: ExtremeRule {
  static var initial: StringView { noText }
  @inline(__always)
  static func isBetter(_ new: StringView, than old: StringView) -> Bool {
    old.head == .max || Order.compare(new, old) < 0
  }
}

enum TextMaximum<Order: TextOrder>: ExtremeRule {
  static var initial: StringView { noText }
  @inline(__always)
  static func isBetter(_ new: StringView, than old: StringView) -> Bool {
    old.head == .max || Order.compare(new, old) > 0
  }
}

/// Makes something generic over the rule for a type.
protocol ExtremeRuleVisitor {
  associatedtype Result
  func visit<Rule: ExtremeRule>(_ rule: Rule.Type) -> Result
}

func withExtremeRule<Visitor: ExtremeRuleVisitor>(
  for type: DataType, isMinimum: Bool, _ visitor: Visitor
) -> Visitor.Result {
  func integer<Element: FixedWidthInteger & BitwiseCopyable>(_: Element.Type) -> Visitor.Result {
    isMinimum ? visitor.visit(IntegerMinimum<Element>.self) : visitor.visit(IntegerMaximum<Element>.self)
  }
  func float<Element: BinaryFloatingPoint & BitwiseCopyable>(_: Element.Type) -> Visitor.Result {
    isMinimum ? visitor.visit(FloatMinimum<Element>.self) : visitor.visit(FloatMaximum<Element>.self)
  }
  func text<Order: TextOrder>(_: Order.Type) -> Visitor.Result {
    isMinimum ? visitor.visit(TextMinimum<Order>.self) : visitor.visit(TextMaximum<Order>.self)
  }
  switch type.layout {
  case .boolean: return integer(UInt8.self)
  case .int8: return integer(Int8.self)
  case .int16: return integer(Int16.self)
  case .int32: return integer(Int32.self)
  case .int64: return integer(Int64.self)
  case .int128: return integer(Int128.self)
  case .float32: return float(Float.self)
  case .float64: return float(Double.self)
  case .string:
    if case .char = type { return text(PaddedTextOrder.self) }
    return text(ByteTextOrder.self)
  }
}

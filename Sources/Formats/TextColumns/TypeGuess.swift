// Owns the inference of a column's type from a sample of its texts.

import Columnar

/// Collects what the values of a column look like.
public struct TypeGuess: Sendable {
  private struct Kinds: OptionSet {
    let rawValue: UInt8
    static let boolean = Kinds(rawValue: 1)
    static let integer = Kinds(rawValue: 2)
    static let decimal = Kinds(rawValue: 4)
    static let double = Kinds(rawValue: 8)
    static let date = Kinds(rawValue: 16)
    static let timestamp = Kinds(rawValue: 32)
    static let text = Kinds(rawValue: 64)
  }

  private var kinds: Kinds = []
  /// Most digits in front of the point.
  private var wholeDigits = 0
  /// Digits behind the point, where all decimals have the same number.
  private var scale: Int?
  private var hasMixedScales = false
  private var hasLongIntegers = false

  public init() {}

  /// Whether no value was seen.
  public var isEmpty: Bool { kinds.isEmpty }

  /// Whether every value seen so far is text that reads as nothing else.
  public var isText: Bool { kinds.contains(.text) }

  /// What the values of two samples look like together.
  public func merged(with other: TypeGuess) -> TypeGuess {
    var result = self
    result.kinds.formUnion(other.kinds)
    result.wholeDigits = max(wholeDigits, other.wholeDigits)
    if let left = scale, let right = other.scale, left != right { result.hasMixedScales = true }
    result.scale = scale ?? other.scale
    result.hasMixedScales = result.hasMixedScales || other.hasMixedScales
    result.hasLongIntegers = hasLongIntegers || other.hasLongIntegers
    return result
  }

  /// Takes a value that is not NULL.
  public mutating func observe(_ text: UnsafePointer<UInt8>, _ count: Int) {
    if kinds.contains(.text) { return }
    let (start, length) = TextValue.trimmed(text, count)
    kinds.insert(classify(start, length))
  }

  /// Takes a value that is certainly text, such as one in JSON's quotes that is no date.
  public mutating func observeText() { kinds.insert(.text) }

  /// Takes `true` or `false` of a format that has them.
  public mutating func observeBoolean() { kinds.insert(.boolean) }

  /// Takes a text that may be a date or time but no number.
  public mutating func observeQuoted(_ text: UnsafePointer<UInt8>, _ count: Int) {
    if kinds.contains(.text) { return }
    kinds.insert(temporalKind(text, count) ?? .text)
  }

  /// The narrowest type that has all values seen; varchar where there were none.
  ///
  /// Numbers with a point that all have the same number of digits behind it are decimals, as amounts of money are
  /// written; other numbers with a point or an exponent are doubles. Numbers with zeros or a plus in front are text:
  /// they are names of something, such as a telephone.
  public var type: DataType {
    switch kinds {
    case [.boolean]: return .boolean
    case [.integer]:
      if !hasLongIntegers { return .bigint }
      return wholeDigits <= 38 ? .decimal(precision: 38, scale: 0) : .double
    case [.decimal]:
      guard let scale, !hasMixedScales, wholeDigits + scale <= 38 else { return .double }
      return .decimal(precision: wholeDigits + scale <= 18 ? 18 : 38, scale: scale)
    case [.date]: return .date
    case [.timestamp], [.date, .timestamp]: return .timestamp(precision: 6)
    default:
      return !kinds.isEmpty && kinds.isSubset(of: [.integer, .decimal, .double]) ? .double : .varcharUnbounded
    }
  }

  private mutating func classify(_ text: UnsafePointer<UInt8>, _ count: Int) -> Kinds {
    guard count > 0, text[0] != UInt8(ascii: "+") else { return .text }
    if let number = numberKind(text, count) { return number }
    if let time = temporalKind(text, count) { return time }
    if TextValue.boolean(text, count) != nil { return .boolean }
    // NaN and Infinity, exponents.
    return TextValue.double(text, count) != nil ? .double : .text
  }

  /// Digits with an optional minus and point.
  private mutating func numberKind(_ text: UnsafePointer<UInt8>, _ count: Int) -> Kinds? {
    let start = text[0] == UInt8(ascii: "-") ? 1 : 0
    var whole = 0
    var fraction = -1
    for index in start..<count {
      if text[index] == UInt8(ascii: "."), fraction < 0 {
        fraction = 0
      } else if text[index] &- 48 <= 9 {
        if fraction < 0 { whole += 1 } else { fraction += 1 }
      } else {
        return nil
      }
    }
    guard whole + max(fraction, 0) > 0 else { return nil }
    if whole > 1, text[start] == UInt8(ascii: "0") { return .text }
    wholeDigits = max(wholeDigits, whole)
    if fraction < 0 {
      if whole > 18, TextValue.integer(text, count) == nil { hasLongIntegers = true }
      return .integer
    }
    if let scale, scale != fraction { hasMixedScales = true }
    scale = fraction
    return .decimal
  }

  private func temporalKind(_ text: UnsafePointer<UInt8>, _ count: Int) -> Kinds? {
    guard count >= 10, count <= 40, text[4] == UInt8(ascii: "-") else { return nil }
    if count == 10 { return TextValue.date(text, count) != nil ? .date : nil }
    return TextValue.timestamp(text, count) != nil ? .timestamp : nil
  }
}

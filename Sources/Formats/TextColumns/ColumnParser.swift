// Owns turning the fields of one column into a vector: a loop over rows for each type. Knows nothing of files and rows'
// borders.

import Columnar

/// What stands for NULL, and how escapes are undone.
public struct FieldRules: Sendable {
  /// Unquoted text that is NULL. Fields without text are NULL anyway unless the column is a text.
  public var nullText: [UInt8]
  public var escapes: EscapeRule

  public init(nullText: [UInt8], escapes: EscapeRule) {
    self.nullText = nullText
    self.escapes = escapes
  }
}

/// A field that is no value of its column's type.
public struct FieldFailure: Error {
  /// What is wrong with it.
  public enum Reason: Sendable {
    case notOfType
    case notUTF8
    case malformedEscape
  }

  /// Row among those parsed.
  public var row: Int
  public var reason: Reason

  public init(row: Int, reason: Reason) {
    self.row = row
    self.reason = reason
  }
}

/// Parses columns.
public enum ColumnParser {
  /// Types that can be read from text.
  public static func isSupported(_ type: DataType) -> Bool {
    switch type {
    case .boolean, .tinyint, .smallint, .integer, .bigint, .real, .double, .decimal, .varchar, .date, .timestamp: true
    default: false
    }
  }

  /// The values of `count` fields. Texts of more than 12 bytes without escapes are not copied: the vector keeps the
  /// block alive. Cost: one pass, no allocation per row.
  public static func parse(
    _ type: DataType, fields: UnsafePointer<FieldRef>, count: Int, of block: TextBlock, rules: FieldRules
  ) throws(FieldFailure) -> Vector {
    let input = FieldInput(fields: fields, count: count, block: block, rules: rules)
    switch type {
    case .boolean: return try parse(BooleanRule(), type, input)
    case .tinyint: return try parse(IntegerRule<Int8>(), type, input)
    case .smallint: return try parse(IntegerRule<Int16>(), type, input)
    case .integer: return try parse(IntegerRule<Int32>(), type, input)
    case .bigint: return try parse(BigintRule(), type, input)
    case .real: return try parse(RealRule(), type, input)
    case .double: return try parse(DoubleRule(), type, input)
    case .decimal(let precision, let scale):
      if precision <= 18 { return try parse(DecimalRule<Int64>(precision: precision, scale: scale), type, input) }
      return try parse(DecimalRule<Int128>(precision: precision, scale: scale), type, input)
    case .date: return try parse(DateRule(), type, input)
    case .timestamp(let precision): return try parse(TimestampRule(precision: precision), type, input)
    case .varchar: return try parseText(type, input)
    default: preconditionFailure("\(type) is not read from text")
    }
  }

  private struct FieldInput {
    let fields: UnsafePointer<FieldRef>
    let count: Int
    let block: TextBlock
    let rules: FieldRules

    /// Whether a field without quotes is the text that stands for NULL.
    @inline(__always)
    func isNullText(_ field: FieldRef, _ base: UnsafePointer<UInt8>) -> Bool {
      guard field.count == rules.nullText.count, !field.isQuoted else { return false }
      for index in 0..<field.count where base[field.start &+ index] != rules.nullText[index] { return false }
      return true
    }
  }

  @inline(__always)
  private static func parse<Rule: ValueRule>(
    _ rule: Rule, _ type: DataType, _ input: FieldInput
  ) throws(FieldFailure) -> Vector {
    let values = Buffer(count: input.count, of: Rule.Element.self)
    let target = values.pointer(to: Rule.Element.self)
    let base = input.block.base
    let hasNullText = !input.rules.nullText.isEmpty
    var validity: Bitmap?
    for row in 0..<input.count {
      let field = input.fields[row]
      if field.isAbsent || field.count == 0 || (hasNullText && input.isNullText(field, base)) {
        if validity == nil { validity = Bitmap(repeating: true, count: input.count) }
        validity?.clear(row)
        target[row] = Rule.zero
        continue
      }
      if let value = rule.parse(base + field.start, field.count) {
        target[row] = value
        continue
      }
      guard let value = trimmedValue(rule, base + field.start, field.count) else {
        throw FieldFailure(row: row, reason: .notOfType)
      }
      target[row] = value
    }
    withExtendedLifetime(input.block.buffer) {}
    return Vector(flat: type, count: input.count, values: values, validity: validity)
  }

  @inline(never)
  private static func trimmedValue<Rule: ValueRule>(
    _ rule: Rule, _ text: UnsafePointer<UInt8>, _ count: Int
  ) -> Rule.Element? {
    let (start, length) = TextValue.trimmed(text, count)
    return length == count || length == 0 ? nil : rule.parse(start, length)
  }

  // MARK: Text

  private static func parseText(_ type: DataType, _ input: FieldInput) throws(FieldFailure) -> Vector {
    let views = Buffer(count: input.count, of: StringView.self)
    let target = views.pointer(to: StringView.self)
    let base = input.block.base
    let nullIsEmpty = input.rules.nullText.isEmpty
    let mustCheck = !input.block.isASCII
    // Long texts stay where they are.
    let heap = StringHeap(keepingAlive: input.block.buffer, byteCount: input.block.buffer.byteCount)
    var validity: Bitmap?
    for row in 0..<input.count {
      let field = input.fields[row]
      let isNull = field.isAbsent
        || (nullIsEmpty ? field.count == 0 && !field.isQuoted : input.isNullText(field, base))
      if isNull {
        if validity == nil { validity = Bitmap(repeating: true, count: input.count) }
        validity?.clear(row)
        target[row] = .empty
      } else if field.isEscaped {
        target[row] = try unescaped(field, row, input, heap)
      } else {
        let start = base + field.start
        if mustCheck, !UTF8Check.isValid(start, count: field.count) { throw FieldFailure(row: row, reason: .notUTF8) }
        target[row] = StringView(start, count: field.count)
      }
    }
    return Vector(flat: type, count: input.count, values: views, validity: validity, heaps: [heap])
  }

  @inline(never)
  private static func unescaped(
    _ field: FieldRef, _ row: Int, _ input: FieldInput, _ heap: StringHeap
  ) throws(FieldFailure) -> StringView {
    let text = UnsafeBufferPointer(start: input.block.base + field.start, count: field.count)
    let copy = heap.allocate(field.count)
    guard let count = input.rules.escapes.unescape(text, to: copy) else {
      throw FieldFailure(row: row, reason: .malformedEscape)
    }
    guard UTF8Check.isValid(copy, count: count) else { throw FieldFailure(row: row, reason: .notUTF8) }
    return StringView(copy, count: count)
  }
}

/// How the values of a type are read.
private protocol ValueRule {
  associatedtype Element: BitwiseCopyable
  static var zero: Element { get }
  func parse(_ text: UnsafePointer<UInt8>, _ count: Int) -> Element?
}

private struct BooleanRule: ValueRule {
  static var zero: UInt8 { 0 }
  @inline(__always)
  func parse(_ text: UnsafePointer<UInt8>, _ count: Int) -> UInt8? { TextValue.boolean(text, count).map { $0 ? 1 : 0 } }
}

private struct IntegerRule<Element: FixedWidthInteger & BitwiseCopyable>: ValueRule {
  static var zero: Element { 0 }
  @inline(__always)
  func parse(_ text: UnsafePointer<UInt8>, _ count: Int) -> Element? {
    guard let value = TextValue.integer(text, count) else { return nil }
    return Element(exactly: value)
  }
}

private struct BigintRule: ValueRule {
  static var zero: Int64 { 0 }
  @inline(__always)
  func parse(_ text: UnsafePointer<UInt8>, _ count: Int) -> Int64? { TextValue.integer(text, count) }
}

private struct DecimalRule<Element: FixedWidthInteger & SignedInteger & BitwiseCopyable>: ValueRule {
  let scale: Int
  /// The smallest number of `precision` digits.
  let tenth: Element

  init(precision: Int, scale: Int) {
    self.scale = scale
    tenth = (1..<precision).reduce(Element(1)) { power, _ in power * 10 }
  }

  static var zero: Element { 0 }
  @inline(__always)
  func parse(_ text: UnsafePointer<UInt8>, _ count: Int) -> Element? {
    TextValue.decimal(text, count, scale: scale, tenth: tenth)
  }
}

private struct DoubleRule: ValueRule {
  static var zero: Double { 0 }
  @inline(__always)
  func parse(_ text: UnsafePointer<UInt8>, _ count: Int) -> Double? { TextValue.double(text, count) }
}

private struct RealRule: ValueRule {
  static var zero: Float { 0 }
  @inline(__always)
  func parse(_ text: UnsafePointer<UInt8>, _ count: Int) -> Float? { TextValue.double(text, count).map { Float($0) } }
}

private struct DateRule: ValueRule {
  static var zero: Int32 { 0 }
  @inline(__always)
  func parse(_ text: UnsafePointer<UInt8>, _ count: Int) -> Int32? { TextValue.date(text, count) }
}

private struct TimestampRule: ValueRule {
  let precision: Int

  static var zero: Int64 { 0 }
  @inline(__always)
  func parse(_ text: UnsafePointer<UInt8>, _ count: Int) -> Int64? {
    TextValue.timestamp(text, count, precision: precision)
  }
}

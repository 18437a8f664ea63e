// Owns casts from text to other types, from other types to text, and between kinds of text.

import Base
import Columnar
import Planning

/// Reads one value from text, as a type so that loops are specialised.
private protocol TextReading {
  associatedtype Output: BitwiseCopyable
  func read(_ text: UnsafeBufferPointer<UInt8>) -> Output?
  func failure(_ text: String) -> WaterbearError
}

private struct ReadText<Reading: TextReading>: UnaryOperation {
  let reading: Reading
  let zero: Reading.Output
  private var failed = false

  init(_ reading: Reading, zero: Reading.Output) {
    self.reading = reading
    self.zero = zero
  }

  @inline(__always)
  mutating func apply(_ view: StringView) -> Reading.Output {
    if let value = view.withBytes({ reading.read($0) }) { return value }
    failed = true
    return zero
  }

  @inline(__always)
  var hasFailed: Bool { failed }
  func failure(_ view: StringView) -> WaterbearError { reading.failure(view.text) }
}

private struct ReadInteger<Output: KernelInteger>: TextReading {
  let context: CastContext
  @inline(__always)
  func read(_ text: UnsafeBufferPointer<UInt8>) -> Output? {
    IntegerText.parse(UnsafeBufferPointer(rebasing: trimmed(text))).flatMap { Output(exactly: $0) }
  }
  func failure(_ text: String) -> WaterbearError {
    let name = context.to == .integer ? "INT" : context.to.upperCased
    return context.invalid("Cannot cast '\(text)' to \(name)")
  }
}

private struct ReadFloat<Output: BinaryFloatingPoint & BitwiseCopyable & LosslessStringConvertible>: TextReading {
  let context: CastContext
  @inline(__always)
  func read(_ text: UnsafeBufferPointer<UInt8>) -> Output? { FloatText.parse(text, as: Output.self) }
  func failure(_ text: String) -> WaterbearError {
    context.invalid("Cannot cast '\(text)' to \(context.to.upperCased)")
  }
}

private struct ReadBoolean: TextReading {
  let context: CastContext
  func read(_ text: UnsafeBufferPointer<UInt8>) -> UInt8? {
    func isWord(_ word: StaticString) -> Bool {
      text.count == word.utf8CodeUnitCount && text.indices.allSatisfy { text[$0] | 0x20 == word.utf8Start[$0] }
    }
    if text.count == 1 {
      if text[0] == UInt8(ascii: "1") { return 1 }
      if text[0] == UInt8(ascii: "0") { return 0 }
    }
    if isWord("t") || isWord("true") { return 1 }
    if isWord("f") || isWord("false") { return 0 }
    return nil
  }
  func failure(_ text: String) -> WaterbearError { context.invalid("Cannot cast '\(text)' to BOOLEAN") }
}

private struct ReadDate: TextReading {
  let context: CastContext
  func read(_ text: UnsafeBufferPointer<UInt8>) -> Int32? { DateTimeText.parseDate(text) }
  func failure(_ text: String) -> WaterbearError { context.invalid("Value cannot be cast to date: \(text)") }
}

private struct ReadTimestamp: TextReading {
  let context: CastContext
  let precision: Int
  func read(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
    DateTimeText.parseTimestamp(text, precision: precision)
  }
  func failure(_ text: String) -> WaterbearError {
    context.invalid("Value cannot be cast to timestamp: \(text)")
  }
}

private struct ReadDecimal<Output: KernelInteger>: TextReading {
  let context: CastContext
  let precision: Int
  let scale: Int
  func read(_ text: UnsafeBufferPointer<UInt8>) -> Output? {
    guard case .value(let value) = DecimalText.parse(text, precision: precision, scale: scale) else { return nil }
    return Output(truncatingIfNeeded: value)
  }
  func failure(_ text: String) -> WaterbearError {
    var copy = text
    let outcome = copy.withUTF8 { DecimalText.parse($0, precision: precision, scale: scale) }
    let reason = outcome == .tooLarge ? "Value too large." : "Value is not a number."
    return context.invalid("Cannot cast VARCHAR '\(text)' to \(context.to.upperCased). \(reason)")
  }
}

@inline(__always)
private func kernel<Reading: TextReading>(
  _ reading: Reading, _ zero: Reading.Output, _ context: CastContext
) -> Kernel {
  carefulUnaryKernel(ReadText(reading, zero: zero), context.to, isTry: context.isTry)
}

/// The kernel of a cast from varchar or char to a type that is no text, or nil where there is none.
func castFromTextKernel(_ context: CastContext) -> Kernel? {
  switch context.to {
  case .boolean: return kernel(ReadBoolean(context: context), 0, context)
  case .tinyint: return kernel(ReadInteger<Int8>(context: context), 0, context)
  case .smallint: return kernel(ReadInteger<Int16>(context: context), 0, context)
  case .integer: return kernel(ReadInteger<Int32>(context: context), 0, context)
  case .bigint: return kernel(ReadInteger<Int64>(context: context), 0, context)
  case .real: return kernel(ReadFloat<Float>(context: context), 0, context)
  case .double: return kernel(ReadFloat<Double>(context: context), 0, context)
  case .date: return kernel(ReadDate(context: context), 0, context)
  case .timestamp(let precision):
    return kernel(ReadTimestamp(context: context, precision: precision), 0, context)
  case .decimal(let precision, let scale) where precision <= 18:
    return kernel(ReadDecimal<Int64>(context: context, precision: precision, scale: scale), 0, context)
  case .decimal(let precision, let scale):
    return kernel(ReadDecimal<Int128>(context: context, precision: precision, scale: scale), 0, context)
  default: return nil
  }
}

/// The kernel of a cast from a type that is no text to varchar or char. A text longer than the type is an error.
func castToTextKernel(_ context: CastContext) -> Kernel {
  let formatter = ValueFormatter(context.from, asCast: true)
  let limit: Int?
  switch context.to {
  case .varchar(let length): limit = length
  case .char(let length): limit = length
  default: limit = nil
  }
  return { input in
    let texts = formatter.texts(input.arguments[0])
    guard let limit else { return texts.retyped(context.to) }
    var failures = FailedRows(count: input.count)
    let views = texts.values.pointer(to: StringView.self)
    for row in 0..<input.count where views[row].count > limit {
      if !context.isTry {
        let shown = ValueFormatter(context.from).text(input.arguments[0].value(at: row)) ?? ""
        // Trino shows a double in both of its forms.
        let name = shown == views[row].text ? shown : "\(shown) (\(views[row].text))"
        throw context.invalid("Value \(name) cannot be represented as \(context.to)")
      }
      failures.insert(row)
      views[row] = .empty
    }
    return Vector(
      flat: context.to, count: input.count, values: texts.values,
      validity: failures.removed(from: input.validity), heaps: texts.heaps)
  }
}

/// The kernel of a cast between varchar, char and varbinary: cuts what is too long, and drops or adds the blanks of a
/// char. Never fails.
func castTextKernel(_ from: DataType, _ to: DataType) -> Kernel {
  switch (from, to) {
  case (.varchar(let length), .varchar(let limit)):
    if let limit, limit < length ?? .max { return cut(to, limit, dropsBlanks: false) }
  case (.varchar, .char(let limit)), (.char, .char(let limit)):
    if case .char(let length) = from, length <= limit { break }
    return cut(to, limit, dropsBlanks: true)
  case (.char(let length), .varchar(let limit)):
    let kept = min(length, limit ?? length)
    return { input in
      let padded = blankPadded(input.arguments[0], length: length, input)
      if kept == length { return padded.retyped(to) }
      return try cut(to, kept, dropsBlanks: false)(
        KernelInput(arguments: [padded], count: input.count, validity: input.validity))
    }
  default: break
  }
  return { $0.arguments[0].retyped(to) }
}

/// At most `limit` code points, without copying.
private func cut(_ type: DataType, _ limit: Int, dropsBlanks: Bool) -> Kernel {
  { input in
    let text = input.arguments[0]
    let views = UnsafePointer(text.values.pointer(to: StringView.self))
    let writer = StringColumnWriter(count: input.count)
    for row in 0..<input.count where input.isPresent(row) {
      let bytes = stringBytes(views + row)
      var count = views[row].count
      if count > limit { count = ByteSearch.offset(of: limit, in: bytes, count: count) ?? count }
      if dropsBlanks { while count > 0 && bytes[count - 1] == 0x20 { count -= 1 } }
      writer.put(sharing: bytes, count: count, at: row)
    }
    return writer.finish(type, validity: input.validity, sharing: [text])
  }
}

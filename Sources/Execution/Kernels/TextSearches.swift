// Owns functions that look for one text in another: strpos, starts_with, split_part, replace.

import Base
import Columnar
import Planning

/// The bytes of a string argument by row.
struct TextOperand {
  private let views: Operand<StringView>

  init(_ vector: Vector) { views = Operand(vector) }

  @inline(__always)
  subscript(row: Int) -> (bytes: Bytes, count: Int) {
    let view = views.pointer(row)
    return (stringBytes(view), view.pointee.count)
  }
}

/// The most bytes a text function makes of one row.
let maximumTextByteCount = 1 << 28

/// strpos: the 1-based code point at which a text first occurs in another, 0 where it does not. With `hasInstance` the
/// third argument is which occurrence, counted from the end where it is negative.
func positionKernel(hasInstance: Bool, _ origin: Origin) -> Kernel {
  { input in
    let texts = TextOperand(input.arguments[0])
    let needles = TextOperand(input.arguments[1])
    let instances = hasInstance ? Operand<Int64>(input.arguments[2]) : nil
    let output = Buffer(zeroed: input.count * 8)
    let target = output.pointer(to: Int64.self)
    for row in 0..<input.count where input.isPresent(row) {
      let (text, count) = texts[row]
      let (needle, needleCount) = needles[row]
      let instance = instances?[row] ?? 1
      if instance == 0 {
        throw WaterbearError(
          .invalidFunctionArgument, "'instance' must be a positive or negative number.", at: origin.location)
      }
      if needleCount == 0 {
        target[row] = 1
        continue
      }
      let found = instance > 0
        ? occurrence(instance, of: needle, needleCount, in: text, count)
        : occurrenceFromEnd(instance.magnitude, of: needle, needleCount, in: text, count)
      target[row] = found < 0 ? 0 : Int64(ByteSearch.countCodePoints(text, count: found)) + 1
    }
    return Vector(flat: .bigint, count: input.count, values: output, validity: input.validity)
  }
}

private func occurrence(_ number: Int64, of needle: Bytes, _ needleCount: Int, in text: Bytes, _ count: Int) -> Int {
  var position = -1
  for _ in 0..<number {
    position = ByteSearch.find(needle, count: needleCount, in: text, count: count, from: position + 1)
    if position < 0 { return -1 }
  }
  return position
}

private func occurrenceFromEnd(
  _ number: UInt64, of needle: Bytes, _ needleCount: Int, in text: Bytes, _ count: Int
) -> Int {
  var left = number
  var position = count - needleCount
  while position >= 0 {
    if ByteSearch.find(needle, count: needleCount, in: text, count: position + needleCount, from: position) >= 0 {
      left -= 1
      if left == 0 { return position }
    }
    position -= 1
  }
  return -1
}

/// starts_with: whether the first text begins with the second.
func startsWithKernel() -> Kernel {
  { input in
    let texts = TextOperand(input.arguments[0])
    let prefixes = TextOperand(input.arguments[1])
    let output = Buffer(zeroed: input.count)
    for row in 0..<input.count where input.isPresent(row) {
      let (text, count) = texts[row]
      let (prefix, prefixCount) = prefixes[row]
      guard prefixCount <= count else { continue }
      let found = ByteSearch.find(prefix, count: prefixCount, in: text, count: prefixCount)
      output.pointer(to: UInt8.self)[row] = found == 0 ? 1 : 0
    }
    return Vector(flat: .boolean, count: input.count, values: output, validity: input.validity)
  }
}

/// split_part: the part with a 1-based number between delimiters; NULL where there are fewer parts. An empty delimiter
/// splits into characters. Nothing is copied.
func splitPartKernel(_ result: DataType, _ origin: Origin) -> Kernel {
  { input in
    let texts = TextOperand(input.arguments[0])
    let delimiters = TextOperand(input.arguments[1])
    let numbers = Operand<Int64>(input.arguments[2])
    let writer = StringColumnWriter(count: input.count)
    var missing = FailedRows(count: input.count)
    for row in 0..<input.count where input.isPresent(row) {
      guard numbers[row] > 0 else {
        throw WaterbearError(.invalidFunctionArgument, "Index must be greater than zero", at: origin.location)
      }
      let (text, count) = texts[row]
      if let part = part(numbers[row], of: text, count, delimiters[row]) {
        writer.put(sharing: text + part.lowerBound, count: part.count, at: row)
      } else {
        missing.insert(row)
      }
    }
    return writer.finish(
      result, validity: missing.removed(from: input.validity), sharing: [input.arguments[0]])
  }
}

private func part(
  _ number: Int64, of text: Bytes, _ count: Int, _ delimiter: (bytes: Bytes, count: Int)
) -> Range<Int>? {
  if delimiter.count == 0 {
    guard number <= Int64(count),
      let start = ByteSearch.offset(of: Int(number) - 1, in: text, count: count), start < count
    else { return nil }
    return start..<start + ByteSearch.lengthOfCodePoint(text, at: start, count: count)
  }
  var start = 0
  var left = number
  while true {
    let end = ByteSearch.find(delimiter.bytes, count: delimiter.count, in: text, count: count, from: start)
    left -= 1
    if left == 0 { return start..<(end < 0 ? count : end) }
    if end < 0 { return nil }
    start = end + delimiter.count
  }
}

/// replace: every occurrence of the second text by the third (or by nothing). An empty second text puts the third in
/// front of every character and at the end.
func replaceKernel(_ result: DataType, hasReplacement: Bool, _ origin: Origin) -> Kernel {
  { input in
    let texts = TextOperand(input.arguments[0])
    let needles = TextOperand(input.arguments[1])
    let replacements = hasReplacement ? TextOperand(input.arguments[2]) : nil
    let writer = StringColumnWriter(count: input.count)
    var scratch: [UInt8] = []
    for row in 0..<input.count where input.isPresent(row) {
      let (text, count) = texts[row]
      let needle = needles[row]
      if needle.count > 0,
        ByteSearch.find(needle.bytes, count: needle.count, in: text, count: count) < 0 {
        writer.put(sharing: text, count: count, at: row)
        continue
      }
      scratch.removeAll(keepingCapacity: true)
      let replacement = replacements?[row]
      try replace(
        UnsafeBufferPointer(start: text, count: count),
        UnsafeBufferPointer(start: needle.bytes, count: needle.count),
        UnsafeBufferPointer(start: replacement?.bytes, count: replacement?.count ?? 0), into: &scratch, origin)
      scratch.withUnsafeBufferPointer { buffer in
        if let start = buffer.baseAddress { writer.put(copying: start, count: buffer.count, at: row) }
      }
    }
    return writer.finish(result, validity: input.validity, sharing: [input.arguments[0]])
  }
}

private func replace(
  _ text: UnsafeBufferPointer<UInt8>, _ needle: UnsafeBufferPointer<UInt8>,
  _ replacement: UnsafeBufferPointer<UInt8>, into result: inout [UInt8], _ origin: Origin
) throws {
  guard let bytes = text.baseAddress, let wanted = needle.baseAddress else { return }
  func check() throws {
    guard result.count <= maximumTextByteCount else {
      throw WaterbearError(.invalidFunctionArgument, "Replaced string is too large", at: origin.location)
    }
  }
  var index = 0
  if needle.isEmpty {
    result.append(contentsOf: replacement)
    while index < text.count {
      let length = ByteSearch.lengthOfCodePoint(bytes, at: index, count: text.count)
      result.append(contentsOf: text[index..<index + length])
      result.append(contentsOf: replacement)
      index += length
      try check()
    }
    return
  }
  while true {
    let found = ByteSearch.find(wanted, count: needle.count, in: bytes, count: text.count, from: index)
    if found < 0 { break }
    result.append(contentsOf: text[index..<found])
    result.append(contentsOf: replacement)
    index = found + needle.count
    try check()
  }
  result.append(contentsOf: text[index...])
}

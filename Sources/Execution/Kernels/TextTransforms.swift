// Owns functions from one text to another: lower, upper, trim, reverse, and length and codepoint.

import Base
import Columnar
import Planning

/// Code points of a text, or bytes of a varbinary.
func lengthKernel(_ type: DataType) -> Kernel {
  { input in
    let views = Operand<StringView>(input.arguments[0])
    let output = Buffer(zeroed: input.count * 8)
    let target = output.pointer(to: Int64.self)
    for row in 0..<input.count where input.isPresent(row) {
      let view = views.pointer(row)
      switch type {
      case .varbinary: target[row] = Int64(view.pointee.count)
      // A char counts with its blanks.
      case .char(let length): target[row] = Int64(length)
      default: target[row] = Int64(ByteSearch.countCodePoints(stringBytes(view), count: view.pointee.count))
      }
    }
    return Vector(flat: .bigint, count: input.count, values: output, validity: input.validity)
  }
}

/// A kernel that makes each row's text with `transform`, which gets the bytes and puts the result.
@inline(__always)
private func textKernel(
  _ result: DataType, _ transform: @escaping (Bytes, Int, StringColumnWriter, Int) -> Void
) -> Kernel {
  { input in
    let views = Operand<StringView>(input.arguments[0])
    let writer = StringColumnWriter(count: input.count)
    for row in 0..<input.count where input.isPresent(row) {
      let view = views.pointer(row)
      transform(stringBytes(view), view.pointee.count, writer, row)
    }
    return writer.finish(result, validity: input.validity, sharing: [input.arguments[0]])
  }
}

/// lower and upper: code point by code point, as Java's simple case mappings.
func caseKernel(upper: Bool, _ result: DataType) -> Kernel {
  textKernel(result) { bytes, count, writer, row in
    if ByteSearch.isASCII(bytes, count: count) {
      let (first, last): (UInt8, UInt8) = upper ? (0x61, 0x7a) : (0x41, 0x5a)
      writer.put(count: count, at: row) { target in
        for index in 0..<count {
          let byte = bytes[index]
          target[index] = byte >= first && byte <= last ? byte ^ 0x20 : byte
        }
      }
    } else {
      let mapped = mapCase(UnsafeBufferPointer(start: bytes, count: count), upper: upper)
      mapped.withUnsafeBufferPointer { buffer in
        if let start = buffer.baseAddress { writer.put(copying: start, count: buffer.count, at: row) }
      }
    }
  }
}

/// A code point whose mapping is several code points stays (upper, as ß) or becomes the first (lower, as İ).
private func mapCase(_ text: UnsafeBufferPointer<UInt8>, upper: Bool) -> [UInt8] {
  var result = String.UnicodeScalarView()
  for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
    let mapping = (upper ? scalar.properties.uppercaseMapping : scalar.properties.lowercaseMapping).unicodeScalars
    result.append(mapping.count == 1 || !upper ? mapping.first ?? scalar : scalar)
  }
  return Array(String(result).utf8)
}

/// reverse: the code points in the opposite order.
func reverseKernel(_ result: DataType) -> Kernel {
  textKernel(result) { bytes, count, writer, row in
    writer.put(count: count, at: row) { target in
      var index = 0
      var end = count
      while index < count {
        let length = ByteSearch.lengthOfCodePoint(bytes, at: index, count: count)
        end &-= length
        (target + end).update(from: bytes + index, count: length)
        index &+= length
      }
    }
  }
}

/// Which ends trim cuts.
enum TrimSide {
  case left, right, both
}

/// trim, ltrim and rtrim: white space, or with a second argument any of its characters. Nothing is copied.
func trimKernel(_ side: TrimSide, _ result: DataType, hasCharacters: Bool) -> Kernel {
  { input in
    let views = Operand<StringView>(input.arguments[0])
    let characters = hasCharacters ? Operand<StringView>(input.arguments[1]) : nil
    let writer = StringColumnWriter(count: input.count)
    let isFixed = hasCharacters && input.arguments[1].encoding == .constant
    var set = isFixed ? CharacterSet(characters!.pointer(0)) : CharacterSet.whiteSpace
    for row in 0..<input.count where input.isPresent(row) {
      if let characters, !isFixed { set = CharacterSet(characters.pointer(row)) }
      let bytes = stringBytes(views.pointer(row))
      var start = 0
      var end = views[row].count
      if side != .right { start = set.skipForward(bytes, from: 0, to: end) }
      if side != .left { end = set.skipBackward(bytes, from: end, to: start) }
      writer.put(sharing: bytes + start, count: end - start, at: row)
    }
    return writer.finish(result, validity: input.validity, sharing: [input.arguments[0]])
  }
}

/// Code points to trim.
private struct CharacterSet {
  /// ASCII members as bits.
  private var ascii: (UInt64, UInt64) = (0, 0)
  private var others: Set<UInt32> = []

  /// What Java calls white space: no non-breaking blanks.
  static let whiteSpace: CharacterSet = {
    var set = CharacterSet()
    for code in Array(0x09...0x0d) + Array(0x1c...0x20) { set.insert(UInt32(code)) }
    for code in [0x1680, 0x2028, 0x2029, 0x205f, 0x3000] + Array(0x2000...0x2006) + Array(0x2008...0x200a) {
      set.insert(UInt32(code))
    }
    return set
  }()

  private init() {}

  init(_ view: UnsafePointer<StringView>) {
    let bytes = stringBytes(view)
    let count = view.pointee.count
    var index = 0
    while index < count {
      let length = ByteSearch.lengthOfCodePoint(bytes, at: index, count: count)
      insert(Self.codePoint(bytes + index, length: length))
      index += length
    }
  }

  private mutating func insert(_ code: UInt32) {
    if code < 64 {
      ascii.0 |= 1 << UInt64(code)
    } else if code < 128 {
      ascii.1 |= 1 << UInt64(code - 64)
    } else {
      others.insert(code)
    }
  }

  private func contains(_ bytes: Bytes, length: Int) -> Bool {
    let lead = bytes[0]
    if lead < 64 { return ascii.0 >> UInt64(lead) & 1 != 0 }
    if lead < 128 { return ascii.1 >> UInt64(lead &- 64) & 1 != 0 }
    return !others.isEmpty && others.contains(Self.codePoint(bytes, length: length))
  }

  func skipForward(_ bytes: Bytes, from start: Int, to end: Int) -> Int {
    var index = start
    while index < end {
      let length = ByteSearch.lengthOfCodePoint(bytes, at: index, count: end)
      guard contains(bytes + index, length: length) else { return index }
      index += length
    }
    return index
  }

  func skipBackward(_ bytes: Bytes, from end: Int, to start: Int) -> Int {
    var index = end
    while index > start {
      var lead = index - 1
      while lead > start && bytes[lead] & 0xc0 == 0x80 { lead -= 1 }
      guard contains(bytes + lead, length: index - lead) else { return index }
      index = lead
    }
    return index
  }

  /// The code point of `length` bytes; for malformed bytes some number that is the same each time.
  static func codePoint(_ bytes: Bytes, length: Int) -> UInt32 {
    if length == 1 { return UInt32(bytes[0]) }
    var code = UInt32(bytes[0]) & (0x7f >> UInt32(length))
    for index in 1..<length { code = code << 6 | UInt32(bytes[index] & 0x3f) }
    return code
  }
}

private struct ReadCodePoint: UnaryOperation {
  let origin: Origin
  private var failed = false

  init(origin: Origin) { self.origin = origin }

  mutating func apply(_ view: StringView) -> Int32 {
    view.withBytes { text in
      guard let bytes = text.baseAddress, text.count > 0,
        ByteSearch.lengthOfCodePoint(bytes, at: 0, count: text.count) == text.count
      else {
        failed = true
        return 0
      }
      return Int32(truncatingIfNeeded: CharacterSet.codePoint(bytes, length: text.count))
    }
  }

  var hasFailed: Bool { failed }
  func failure(_ view: StringView) -> WaterbearError {
    WaterbearError(
      .invalidFunctionArgument, "Input string must be a single character string", at: origin.location)
  }
}

/// codepoint: the number of the only character of a text.
func codePointKernel(_ origin: Origin) -> Kernel {
  carefulUnaryKernel(ReadCodePoint(origin: origin), .integer)
}

/// chr: the character of a number.
func characterKernel(_ origin: Origin) -> Kernel {
  { input in
    let codes = Operand<Int64>(input.arguments[0])
    let writer = StringColumnWriter(count: input.count)
    for row in 0..<input.count where input.isPresent(row) {
      guard let code = UInt32(exactly: codes[row]), let scalar = Unicode.Scalar(code) else {
        throw WaterbearError(
          .invalidFunctionArgument, "Not a valid Unicode code point: \(codes[row])", at: origin.location)
      }
      var text = String(Character(scalar))
      text.withUTF8 { bytes in
        if let start = bytes.baseAddress { writer.put(copying: start, count: bytes.count, at: row) }
      }
    }
    return writer.finish(.varchar(length: 1), validity: input.validity)
  }
}

// Owns the undoing of escapes in quoted fields: doubled quotes, an escape character, JSON's backslashes.

/// How a quoted field says what it could not say otherwise.
public enum EscapeRule: Hashable, Codable, Sendable {
  /// The byte that escapes any byte behind it; a quote is its own escape where quotes are doubled.
  case byte(UInt8)
  /// As in JSON (RFC 8259, section 7).
  case json

  /// Writes what `text` stands for at `target`, which has room for as many bytes; returns how many there are, or nil
  /// where an escape is malformed.
  public func unescape(_ text: UnsafeBufferPointer<UInt8>, to target: UnsafeMutablePointer<UInt8>) -> Int? {
    switch self {
    case .byte(let escape): Self.unescape(text, escape: escape, to: target)
    case .json: Self.unescapeJSON(text, to: target)
    }
  }

  private static func unescape(
    _ text: UnsafeBufferPointer<UInt8>, escape: UInt8, to target: UnsafeMutablePointer<UInt8>
  ) -> Int? {
    var read = 0
    var written = 0
    while read < text.count {
      if text[read] == escape, read &+ 1 < text.count { read &+= 1 }
      target[written] = text[read]
      read &+= 1
      written &+= 1
    }
    return written
  }

  private static func unescapeJSON(
    _ text: UnsafeBufferPointer<UInt8>, to target: UnsafeMutablePointer<UInt8>
  ) -> Int? {
    var read = 0
    var written = 0
    while read < text.count {
      let byte = text[read]
      read += 1
      guard byte == UInt8(ascii: "\\") else {
        target[written] = byte
        written += 1
        continue
      }
      guard read < text.count else { return nil }
      let kind = text[read]
      read += 1
      if kind == UInt8(ascii: "u") {
        guard let scalar = scalar(text, &read) else { return nil }
        for unit in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
          target[written] = unit
          written += 1
        }
        continue
      }
      guard let plain = simpleEscape(kind) else { return nil }
      target[written] = plain
      written += 1
    }
    return written
  }

  private static func simpleEscape(_ kind: UInt8) -> UInt8? {
    switch kind {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): kind
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0c
    case UInt8(ascii: "n"): 0x0a
    case UInt8(ascii: "r"): 0x0d
    case UInt8(ascii: "t"): 0x09
    default: nil
    }
  }

  /// The code point of `uXXXX`, or of a surrogate pair; a lone surrogate is the replacement character.
  private static func scalar(_ text: UnsafeBufferPointer<UInt8>, _ read: inout Int) -> Unicode.Scalar? {
    guard let first = fourDigits(text, at: read) else { return nil }
    read += 4
    if (0xd800..<0xdc00).contains(first), read + 6 <= text.count, text[read] == UInt8(ascii: "\\"),
      text[read + 1] == UInt8(ascii: "u"), let second = fourDigits(text, at: read + 2),
      (0xdc00..<0xe000).contains(second)
    {
      read += 6
      return Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
    }
    return Unicode.Scalar(first) ?? Unicode.Scalar(0xfffd)
  }

  private static func fourDigits(_ text: UnsafeBufferPointer<UInt8>, at start: Int) -> UInt32? {
    guard start + 4 <= text.count else { return nil }
    var value: UInt32 = 0
    for index in start..<start + 4 {
      switch text[index] {
      case 0x30...0x39: value = value << 4 | UInt32(text[index] - 0x30)
      case 0x41...0x46: value = value << 4 | UInt32(text[index] - 0x37)
      case 0x61...0x66: value = value << 4 | UInt32(text[index] - 0x57)
      default: return nil
      }
    }
    return value
  }
}

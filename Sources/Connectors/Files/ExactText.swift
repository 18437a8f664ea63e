// Owns what texts are to a file system: bytes. `String` takes texts for equal that look alike, such as a letter with an
// accent in one piece and in two, and counts such pieces as one character; names on a disk are other names then.

/// A text that equals only those of the same bytes. For keys of sets and dictionaries.
struct ExactText: Hashable, Comparable {
  private let bytes: [UInt8]

  init(_ text: some StringProtocol) { bytes = Array(text.utf8) }

  static func < (left: ExactText, right: ExactText) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }
}

extension StringProtocol {
  /// The parts between a byte that is an ASCII character, without empty ones.
  func parts(between separator: Unicode.Scalar) -> [Substring] {
    utf8.split(separator: UInt8(ascii: separator)).map { Substring(self[$0.startIndex..<$0.endIndex]) }
  }

  /// What is behind these bytes, if the text begins with them.
  func rest(behind prefix: some StringProtocol) -> Substring? {
    guard utf8.starts(with: prefix.utf8) else { return nil }
    return Substring(self[utf8.index(startIndex, offsetBy: prefix.utf8.count)...])
  }
}

/// A name in a directory, as the file system has it: any bytes but 0 and `/`.
struct RawName {
  /// With the 0 at the end.
  let bytes: [CChar]

  /// The name, or nil where it is no UTF-8.
  var text: String? { String(validating: bytes.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self) }

  /// For people: bytes that are no UTF-8 as `\xE9`.
  var shown: String {
    if let text { return text }
    return bytes.dropLast().map { byte in
      let byte = UInt8(bitPattern: byte)
      if byte >= 0x20 && byte < 0x7f { return String(UnicodeScalar(byte)) }
      return "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }.joined()
  }

  /// Whether readers pass over it.
  var isHidden: Bool { [UInt8(ascii: "."), UInt8(ascii: "_")].contains(UInt8(bitPattern: bytes[0])) }
}

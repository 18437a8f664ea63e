// Owns how many columns of a terminal a text takes.

/// Widths of text on a terminal: 2 for East Asian wide characters and emoji, 0 for combining marks, 1 for the rest.
enum DisplayWidth {
  static func of(_ text: String) -> Int {
    var text = text
    return text.withUTF8 { of($0) }
  }

  /// The width of UTF-8 text without control characters.
  static func of(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
    var isASCII = true
    for byte in bytes where byte >= 0x80 { isASCII = false }
    if isASCII { return bytes.count }
    var width = 0
    for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars { width += of(scalar) }
    return width
  }

  static func of(_ scalar: Unicode.Scalar) -> Int {
    if scalar.value < 0x300 { return 1 }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: return isWide(scalar.value) ? 2 : 1
    }
  }

  /// East Asian Width W and F in blocks (Unicode Standard Annex 11), and the blocks of emoji.
  private static func isWide(_ value: UInt32) -> Bool {
    switch value {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF,
      0xA960...0xA97C, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF01...0xFF60, 0xFFE0...0xFFE6,
      0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF, 0x1FA70...0x1FAFF, 0x20000...0x3FFFD:
      true
    default: false
    }
  }
}

// Owns the escapes of `U&'…'` texts.
import Base

/// Decodes Unicode escapes: `\XXXX`, `\+XXXXXX` and the doubled escape character.
enum UnicodeText {
  /// Whether a character may serve in `UESCAPE`.
  static func canEscape(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value > 0x20 && scalar.value < 0x7F && scalar != "+" && scalar != "'" && scalar != "\""
      && !Character(scalar).isHexDigit
  }

  static func decode(_ text: String, escape: Unicode.Scalar, at location: SourceLocation) throws -> String {
    var result = ""
    var scalars = text.unicodeScalars.makeIterator()
    while let scalar = scalars.next() {
      if scalar != escape {
        result.unicodeScalars.append(scalar)
        continue
      }
      guard let first = scalars.next() else {
        throw WaterbearError(.syntaxError, "Incomplete escape sequence", at: location)
      }
      if first == escape {
        result.unicodeScalars.append(escape)
        continue
      }
      var digits = first == "+" ? "" : String(first)
      let count = first == "+" ? 6 : 4
      while digits.unicodeScalars.count < count, let next = scalars.next() {
        digits.unicodeScalars.append(next)
      }
      guard digits.unicodeScalars.count == count else {
        throw WaterbearError(.syntaxError, "Incomplete escape sequence: \(digits)", at: location)
      }
      guard let value = UInt32(digits, radix: 16), !digits.hasPrefix("+"), let decoded = Unicode.Scalar(value) else {
        throw WaterbearError(.syntaxError, "Invalid escaped character: \(digits)", at: location)
      }
      result.unicodeScalars.append(decoded)
    }
    return result
  }
}

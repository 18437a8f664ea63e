// Owns the cutting of SQL text into tokens. Never fails: what it does not know becomes an `unrecognized` token, which
// the parser reports together with what it expected there.
import Base

/// Cuts UTF-8 text into tokens in one pass. Comments and white space vanish; the last token is `endOfInput`.
struct Lexer {
  private let text: [UInt8]
  private var offset = 0
  private var line: Int32 = 1
  private var lineStart = 0
  /// Bytes of the current line that continue a character; columns count characters.
  private var continuations = 0
  /// Set once a comment was found that never ends, so that a text full of `/*` is not searched again and again.
  private var hasUnclosedComment = false

  init(_ text: [UInt8]) { self.text = text }

  static func tokens(of text: [UInt8]) -> [Token] {
    var lexer = Lexer(text)
    var tokens: [Token] = []
    tokens.reserveCapacity(text.count / 4 + 2)
    while true {
      let token = lexer.next()
      tokens.append(token)
      if token.kind == .endOfInput { return tokens }
    }
  }

  /// The byte `distance` ahead, 0 behind the end (a zero byte starts no token).
  private func peek(_ distance: Int = 0) -> UInt8 {
    offset + distance < text.count ? text[offset + distance] : 0
  }

  private mutating func advance() {
    let byte = text[offset]
    offset += 1
    if byte == UInt8(ascii: "\n") {
      line += 1
      lineStart = offset
      continuations = 0
    } else if byte & 0xC0 == 0x80 {
      continuations += 1
    }
  }

  private mutating func next() -> Token {
    skipBlanks()
    var token = Token(
      kind: .endOfInput, start: Int32(offset), end: Int32(offset), line: line,
      column: Int32(offset - lineStart - continuations + 1))
    if offset < text.count {
      token.kind = scan()
      token.end = Int32(offset)
    }
    return token
  }

  private mutating func skipBlanks() {
    while offset < text.count {
      let byte = text[offset]
      if byte == 0x20 || (byte >= 0x09 && byte <= 0x0D && byte != 0x0B && byte != 0x0C) {
        advance()
      } else if byte == UInt8(ascii: "-"), peek(1) == UInt8(ascii: "-") {
        while offset < text.count, text[offset] != UInt8(ascii: "\n"), text[offset] != UInt8(ascii: "\r") {
          advance()
        }
      } else if byte == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "*"), let end = commentEnd() {
        while offset < end { advance() }
      } else {
        return
      }
    }
  }

  /// Behind the `*/` of the comment that starts here; nil where it is never closed.
  private mutating func commentEnd() -> Int? {
    if hasUnclosedComment { return nil }
    var position = offset + 2
    while position + 1 < text.count {
      if text[position] == UInt8(ascii: "*"), text[position + 1] == UInt8(ascii: "/") { return position + 2 }
      position += 1
    }
    hasUnclosedComment = true
    return nil
  }

  private mutating func scan() -> Token.Kind {
    let byte = text[offset]
    switch byte {
    case UInt8(ascii: "'"):
      return quoted(from: offset, by: byte) ? .string : unrecognized()
    case UInt8(ascii: "\""):
      return quoted(from: offset, by: byte) ? .quotedIdentifier : unrecognized()
    case UInt8(ascii: "`"):
      return quoted(from: offset, by: byte) ? .backquotedIdentifier : unrecognized()
    case UInt8(ascii: "X"), UInt8(ascii: "x"):
      if peek(1) == UInt8(ascii: "'"), quoted(from: offset + 1, by: peek(1)) { return .binary }
      return word()
    case UInt8(ascii: "U"), UInt8(ascii: "u"):
      if peek(1) == UInt8(ascii: "&"), peek(2) == UInt8(ascii: "'"), quoted(from: offset + 2, by: peek(2)) {
        return .unicodeString
      }
      return word()
    default:
      if Lexer.isLetter(byte) || byte == UInt8(ascii: "_") { return word() }
      if Lexer.isDigit(byte) { return number() }
      if byte == UInt8(ascii: "."), Lexer.isDigit(peek(1)) { return number() }
      return symbol()
    }
  }

  /// Goes behind the closing quote of the text that opens at `start`; false, and no move, where there is none.
  private mutating func quoted(from start: Int, by quote: UInt8) -> Bool {
    var position = start + 1
    while position < text.count {
      if text[position] == quote {
        if position + 1 < text.count, text[position + 1] == quote {
          position += 2
          continue
        }
        while offset <= position { advance() }
        return true
      }
      position += 1
    }
    return false
  }

  private mutating func unrecognized() -> Token.Kind {
    advance()
    while offset < text.count, text[offset] & 0xC0 == 0x80 { advance() }
    return .unrecognized
  }

  private mutating func word() -> Token.Kind {
    let start = offset
    while Lexer.isWordByte(peek()) { offset += 1 }
    // The longest keyword has 17 letters; longer words need no look-up.
    if offset - start > 20 { return .identifier }
    let upper = text[start..<offset].map { $0 >= 0x61 && $0 <= 0x7A ? $0 - 0x20 : $0 }
    return Keyword.named(String(decoding: upper, as: UTF8.self)).map { .keyword($0) } ?? .identifier
  }

  private mutating func number() -> Token.Kind {
    let start = offset
    if peek() == UInt8(ascii: "0"), let radix = prefixedInteger() { return radix }
    var kind = Token.Kind.integer
    digits(withUnderscores: true)
    if peek() == UInt8(ascii: ".") {
      kind = .decimal
      offset += 1
      if Lexer.isDigit(peek()) { digits(withUnderscores: true) }
    }
    if peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E") {
      let sign = peek(1) == UInt8(ascii: "+") || peek(1) == UInt8(ascii: "-")
      if Lexer.isDigit(peek(sign ? 2 : 1)) {
        kind = .double
        offset += sign ? 2 : 1
        digits(withUnderscores: false)
      }
    }
    // Letters right behind an integer make one (forbidden) name of it, unless a point or a signed exponent came first.
    let isOneWord = text[start..<offset].allSatisfy(Lexer.isWordByte)
    if isOneWord, Lexer.isWordByte(peek()) {
      while Lexer.isWordByte(peek()) { offset += 1 }
      return .digitIdentifier
    }
    return kind
  }

  /// `0x1F`, `0o17` and `0b101`.
  private mutating func prefixedInteger() -> Token.Kind? {
    let isAllowed: (UInt8) -> Bool
    switch peek(1) | 0x20 {
    case UInt8(ascii: "x"): isAllowed = { Lexer.isDigit($0) || ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x66) }
    case UInt8(ascii: "o"): isAllowed = { $0 >= 0x30 && $0 <= 0x37 }
    case UInt8(ascii: "b"): isAllowed = { $0 == 0x30 || $0 == 0x31 }
    default: return nil
    }
    guard isAllowed(peek(2)) else { return nil }
    offset += 2
    while isAllowed(peek()) || (peek() == UInt8(ascii: "_") && isAllowed(peek(1))) { offset += 1 }
    guard Lexer.isWordByte(peek()) else { return .integer }
    while Lexer.isWordByte(peek()) { offset += 1 }
    return .digitIdentifier
  }

  private mutating func digits(withUnderscores: Bool) {
    while Lexer.isDigit(peek()) || (withUnderscores && peek() == UInt8(ascii: "_") && Lexer.isDigit(peek(1))) {
      offset += 1
    }
  }

  private mutating func symbol() -> Token.Kind {
    let pair: Symbol? =
      switch (peek(), peek(1)) {
      case (UInt8(ascii: "<"), UInt8(ascii: ">")), (UInt8(ascii: "!"), UInt8(ascii: "=")): .notEqual
      case (UInt8(ascii: "<"), UInt8(ascii: "=")): .lessThanOrEqual
      case (UInt8(ascii: ">"), UInt8(ascii: "=")): .greaterThanOrEqual
      case (UInt8(ascii: "|"), UInt8(ascii: "|")): .concatenation
      case (UInt8(ascii: "-"), UInt8(ascii: ">")): .arrow
      default: nil
      }
    if let pair {
      offset += 2
      return .symbol(pair)
    }
    guard let single = Symbol(rawValue: String(UnicodeScalar(peek()))) else { return unrecognized() }
    offset += 1
    return .symbol(single)
  }

  static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
  static func isLetter(_ byte: UInt8) -> Bool { byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A }
  static func isWordByte(_ byte: UInt8) -> Bool { isLetter(byte) || isDigit(byte) || byte == UInt8(ascii: "_") }
}

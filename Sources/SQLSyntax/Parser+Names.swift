// Owns the grammar of names, string texts and integers.
import Base

extension Parser {
  /// Whether a token of this kind can be a name (perhaps one that Trino then refuses).
  func isIdentifier(_ kind: Token.Kind) -> Bool {
    switch kind {
    case .identifier, .quotedIdentifier, .backquotedIdentifier, .digitIdentifier: true
    case .keyword(let keyword): !keyword.isReserved
    default: false
    }
  }

  mutating func parseIdentifier() throws -> Identifier {
    guard let identifier = try acceptIdentifier() else { throw mismatch() }
    return identifier
  }

  /// The name that stands here, or nil and no move.
  mutating func acceptIdentifier() throws -> Identifier? {
    let token = self.token
    switch token.kind {
    case .identifier: break
    case .keyword(let keyword) where !keyword.isReserved: break
    case .quotedIdentifier:
      let value = unquoted(token, prefix: 0)
      if value.isEmpty { throw failure("Zero-length delimited identifier not allowed") }
      advance()
      return Identifier(value, isDelimited: true, at: token.location)
    case .backquotedIdentifier:
      throw failure("backquoted identifiers are not supported; use double quotes to quote identifiers")
    case .digitIdentifier:
      throw failure("identifiers must not start with a digit; surround the identifier with double quotes")
    default:
      note(.identifier)
      return nil
    }
    advance()
    return Identifier(spelling(token), at: token.location)
  }

  mutating func parseQualifiedName() throws -> QualifiedName {
    var parts = [try parseIdentifier()]
    while accept(.dot) { parts.append(try parseIdentifier()) }
    return QualifiedName(parts)
  }

  /// `[AS] alias`, where what follows is not the start of a clause that only looks like one.
  mutating func acceptAlias() throws -> Identifier? {
    if accept(.as) { return try parseIdentifier() }
    if startsClause() { return nil }
    return try acceptIdentifier()
  }

  /// `(name, …)` or nil.
  mutating func acceptColumnAliases() throws -> [Identifier]? {
    if !at(.leftParenthesis) {
      note(.symbol(.leftParenthesis))
      return nil
    }
    return try parenthesisedList { parser in try parser.parseIdentifier() }
  }

  /// Whether a word that could be an alias starts a clause here, judged by the word behind it.
  private func startsClause() -> Bool {
    guard case .keyword(let keyword) = kind else { return false }
    let next = peek(1)
    switch keyword {
    case .limit: return next == .integer || next == .keyword(.all) || next == .symbol(.question)
    case .offset: return next == .integer || next == .symbol(.question)
    case .fetch: return next == .keyword(.first) || next == .keyword(.next)
    case .tablesample: return next == .keyword(.bernoulli) || next == .keyword(.system)
    case .matchRecognize: return next == .symbol(.leftParenthesis)
    case .window: return isIdentifier(next) && peek(2) == .keyword(.as)
    default: return false
    }
  }

  // MARK: Texts

  /// The text between a token's quotes, doubled quotes made single; `prefix` bytes stand before the opening quote.
  func unquoted(_ token: Token, prefix: Int) -> String {
    let start = Int(token.start) + prefix
    let quote = text[start]
    let inner = text[(start + 1)..<(Int(token.end) - 1)]
    if !inner.contains(quote) { return String(decoding: inner, as: UTF8.self) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(inner.count)
    var isEscape = false
    for byte in inner {
      if byte == quote, !isEscape {
        isEscape = true
        continue
      }
      isEscape = false
      bytes.append(byte)
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  mutating func parseString() throws -> String {
    guard let string = try acceptString() else { throw mismatch() }
    return string
  }

  /// The value of the string literal that stands here, or nil and no move.
  mutating func acceptString() throws -> String? {
    let token = self.token
    switch token.kind {
    case .string:
      advance()
      return unquoted(token, prefix: 0)
    case .unicodeString:
      advance()
      var escape: Unicode.Scalar = "\\"
      if accept(.uescape) {
        guard kind == .string else {
          note(.string)
          throw mismatch()
        }
        let scalars = unquoted(self.token, prefix: 0).unicodeScalars
        guard scalars.count == 1, let first = scalars.first, UnicodeText.canEscape(first) else {
          throw failure("Invalid Unicode escape character")
        }
        escape = first
        advance()
      }
      return try UnicodeText.decode(unquoted(token, prefix: 2), escape: escape, at: token.location)
    default:
      note(.string)
      return nil
    }
  }

  /// The bytes of the hexadecimal literal that stands here.
  mutating func parseBinary() throws -> [UInt8] {
    let token = self.token
    advance()
    var digits: [UInt8] = []
    for character in unquoted(token, prefix: 1).unicodeScalars where character != " " && character != "\n" {
      guard let digit = Character(character).hexDigitValue, character.isASCII else {
        throw failure("Binary literal can only contain hexadecimal digits", at: token.location)
      }
      digits.append(UInt8(digit))
    }
    if digits.count % 2 != 0 {
      throw failure("Binary literal must contain an even number of digits", at: token.location)
    }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }

  /// The integer token that stands here, with `sign` in front.
  mutating func parseInteger(negative: Bool = false) throws -> Int64 {
    guard kind == .integer else {
      note(.integer)
      throw mismatch()
    }
    let place = location
    let spelled = spelling(token)
    let digits = spelled.filter { $0 != "_" }
    let radix: Int
    switch digits.prefix(2).lowercased() {
    case "0x": radix = 16
    case "0o": radix = 8
    case "0b": radix = 2
    default: radix = 10
    }
    let magnitude = radix == 10 ? digits[...] : digits.dropFirst(2)
    guard let value = Int64((negative ? "-" : "") + magnitude, radix: radix) else {
      throw failure("Invalid numeric literal: \(negative ? "-" : "")\(spelled)", at: place)
    }
    advance()
    return value
  }
}

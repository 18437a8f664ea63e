// Owns the parser's position in the tokens, the record of what was expected there, and the limits on depth. The
// grammar itself is in the extensions.
import Base

/// A recursive-descent parser over tokens cut beforehand. Every test for a token that fails is noted, so an error can
/// name all that could have stood at its place.
struct Parser {
  /// Something the grammar allows at a place.
  enum Expectation: Hashable {
    case keyword(Keyword)
    case symbol(Symbol)
    case expression, identifier, query, string, type, integer, predicate, end
    /// The operators that may follow a value.
    case valueOperators
  }

  let text: [UInt8]
  let tokens: [Token]
  let limits: ParserLimits
  /// "statement", "expression" or "type": what an error about size calls the text.
  let what: String
  /// For each opening parenthesis the index of its closing one; -1 elsewhere.
  let partners: [Int32]
  var index = 0
  /// How many `?` were seen.
  var parameterCount = 0

  private var expected: [Expectation] = []
  private var expectedIndex = 0
  private var nesting = 0
  /// The height of the highest tree built since the innermost `measured` began.
  private var height = 0

  init(_ sql: String, limits: ParserLimits, what: String) throws {
    let utf8 = Array(sql.utf8)
    // Counting characters is only needed where the bytes already exceed the limit.
    if utf8.count > limits.maximumLength {
      let length = sql.unicodeScalars.count
      if length > limits.maximumLength {
        throw WaterbearError(
          .syntaxError, "Query text length (\(length)) exceeds the maximum length (\(limits.maximumLength))",
          remedy: "Shorten the statement or raise query.max-length.")
      }
    }
    text = utf8
    tokens = Lexer.tokens(of: utf8)
    partners = Parser.partners(of: tokens)
    self.limits = limits
    self.what = what
  }

  private static func partners(of tokens: [Token]) -> [Int32] {
    var partners = [Int32](repeating: -1, count: tokens.count)
    var open: [Int] = []
    for (index, token) in tokens.enumerated() {
      if token.kind == .symbol(.leftParenthesis) { open.append(index) }
      if token.kind == .symbol(.rightParenthesis), let start = open.popLast() { partners[start] = Int32(index) }
    }
    return partners
  }

  // MARK: Position

  var token: Token { tokens[index] }
  var kind: Token.Kind { tokens[index].kind }
  var location: SourceLocation { tokens[index].location }

  /// The kind of the token `distance` ahead; `endOfInput` behind the end.
  func peek(_ distance: Int) -> Token.Kind {
    index + distance < tokens.count ? tokens[index + distance].kind : .endOfInput
  }

  func at(_ keyword: Keyword) -> Bool { kind == .keyword(keyword) }
  func at(_ symbol: Symbol) -> Bool { kind == .symbol(symbol) }

  mutating func advance() {
    if index + 1 < tokens.count { index += 1 }
  }

  /// The bytes of a token as text.
  func spelling(_ token: Token) -> String {
    String(decoding: text[Int(token.start)..<Int(token.end)], as: UTF8.self)
  }

  // MARK: Expectations

  /// Records that `expectation` was looked for here, and not found.
  mutating func note(_ expectation: Expectation) {
    if expectedIndex != index {
      expected.removeAll(keepingCapacity: true)
      expectedIndex = index
    }
    expected.append(expectation)
  }

  /// Forgets what was looked for here, where one word stands for all of it.
  mutating func forgetExpectations() { expected.removeAll(keepingCapacity: true) }

  /// Goes behind `keyword` where it stands here.
  mutating func accept(_ keyword: Keyword) -> Bool {
    if kind == .keyword(keyword) {
      advance()
      return true
    }
    note(.keyword(keyword))
    return false
  }

  mutating func accept(_ symbol: Symbol) -> Bool {
    if kind == .symbol(symbol) {
      advance()
      return true
    }
    note(.symbol(symbol))
    return false
  }

  mutating func expect(_ keyword: Keyword) throws {
    if !accept(keyword) { throw mismatch() }
  }

  mutating func expect(_ symbol: Symbol) throws {
    if !accept(symbol) { throw mismatch() }
  }

  mutating func expectEnd() throws {
    if kind != .endOfInput {
      note(.end)
      throw mismatch()
    }
  }

  /// The error for the token here, naming all that was looked for at its place.
  func mismatch() -> WaterbearError {
    if let unclosed { return failure(unclosed) }
    var names: Set<String> = []
    for expectation in expectedIndex == index ? expected : [] {
      switch expectation {
      case .keyword(let keyword): names.insert("'\(keyword.rawValue)'")
      case .symbol(let symbol): names.insert("'\(symbol.rawValue)'")
      case .expression: names.insert("<expression>")
      case .identifier: names.insert("<identifier>")
      case .query: names.insert("<query>")
      case .string: names.insert("<string>")
      case .type: names.insert("<type>")
      case .integer: names.insert("<integer>")
      case .predicate: names.insert("<predicate>")
      case .end: names.insert("<EOF>")
      case .valueOperators: names.formUnion(["'%'", "'*'", "'+'", "'-'", "'/'", "'||'", "'AT'"])
      }
    }
    let found = kind == .endOfInput ? "<EOF>" : spelling(token)
    return failure("mismatched input '\(found)'. Expecting: \(names.sorted().joined(separator: ", "))")
  }

  /// What is wrong where the token here is a quote that opens something and nothing closes it.
  private var unclosed: String? {
    guard kind == .unrecognized else { return nil }
    switch spelling(token) {
    case "'": return "the string that begins here has no closing '"
    case "\"": return "the quoted name that begins here has no closing \""
    case "`": return "the quoted name that begins here has no closing `"
    default: return nil
    }
  }

  func failure(_ message: String, at place: SourceLocation? = nil) -> WaterbearError {
    WaterbearError(.syntaxError, message, at: place ?? location)
  }

  func unsupported(_ thing: String, at place: SourceLocation? = nil) -> WaterbearError {
    WaterbearError(.notSupported, "\(thing) is not supported", at: place ?? location)
  }

  // MARK: Limits

  /// Runs `body` one level deeper; the error is Trino's for a statement that overflows its stack.
  mutating func nested<Value>(_ body: (inout Parser) throws -> Value) throws -> Value {
    nesting += 1
    if nesting > limits.maximumNesting { throw tooLarge() }
    let value = try measured { parser in
      let value = try body(&parser)
      try parser.grow()
      return value
    }
    nesting -= 1
    return value
  }

  /// Runs `body`, whose tree stands beside those already built on this level: the higher one counts, not the sum.
  mutating func measured<Value>(_ body: (inout Parser) throws -> Value) throws -> Value {
    let siblings = height
    height = 0
    let value = try body(&self)
    height = max(siblings, height)
    return value
  }

  /// Counts a node put on top of the highest tree of this level.
  mutating func grow() throws {
    height += 1
    if height > limits.maximumHeight { throw tooLarge() }
  }

  private func tooLarge() -> WaterbearError {
    WaterbearError(
      .syntaxError, "\(what) is too large (nested too deeply while parsing)", at: location,
      remedy: "Split the statement, or write long chains as lists (IN, concat, UNION).")
  }

  // MARK: Lists

  /// One element or more, separated by commas.
  mutating func list<Element>(_ element: (inout Parser) throws -> Element) throws -> [Element] {
    var elements = [try element(&self)]
    while accept(.comma) { elements.append(try element(&self)) }
    return elements
  }

  /// A list in parentheses.
  mutating func parenthesisedList<Element>(_ element: (inout Parser) throws -> Element) throws -> [Element] {
    try expect(.leftParenthesis)
    let elements = try list(element)
    try expect(.rightParenthesis)
    return elements
  }
}

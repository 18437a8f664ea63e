// Owns the grammar of primary expressions: literals, names, constructors and special forms.
import Base

extension Parser {
  /// A primary expression with any `[index]` and `.field` behind it.
  mutating func parsePrimary(negative: Bool, at place: SourceLocation) throws -> Expression {
    try measured { parser in try parser.parsePrimaryWithFields(negative: negative, at: place) }
  }

  private mutating func parsePrimaryWithFields(negative: Bool, at place: SourceLocation) throws -> Expression {
    var value = try parsePrimaryBase(negative: negative, at: place)
    while true {
      if at(.leftBracket) {
        advance()
        let index = try nested { parser in try parser.parseValue() }
        try expect(.rightBracket)
        value = Expression(.subscript(value, index), at: value.location)
      } else if at(.dot), peek(1) != .symbol(.asterisk) {
        advance()
        value = Expression(.dereference(value, try parseIdentifier()), at: value.location)
      } else {
        note(.symbol(.leftBracket))
        note(.symbol(.dot))
        return value
      }
      try grow()
    }
  }

  private mutating func parsePrimaryBase(negative: Bool, at place: SourceLocation) throws -> Expression {
    switch kind {
    case .integer:
      return Expression(.integer(try parseInteger(negative: negative)), at: place)
    case .decimal:
      let digits = spelling(token).filter { $0 != "_" }
      advance()
      return Expression(.decimal((negative ? "-" : "") + digits), at: place)
    case .double:
      guard let value = Double(spelling(token).filter { $0 != "_" }) else { throw mismatch() }
      advance()
      return Expression(.double(negative ? -value : value), at: place)
    case .string, .unicodeString:
      return Expression(.string(try parseString()), at: place)
    case .binary:
      return Expression(.binary(try parseBinary()), at: place)
    case .symbol(.question):
      advance()
      parameterCount += 1
      return Expression(.parameter(parameterCount - 1), at: place)
    case .symbol(.leftParenthesis):
      return try parseParenthesised(at: place)
    case .keyword(let keyword):
      if let special = try parseKeywordForm(keyword, at: place) { return special }
      return try parseNamed(at: place)
    default:
      return try parseNamed(at: place)
    }
  }

  /// A lambda, a subquery, a row or an expression in parentheses.
  private mutating func parseParenthesised(at place: SourceLocation) throws -> Expression {
    if isLambda() { return try parseLambda(at: place) }
    if isQuery(at: index) { return Expression(.subquery(try parseSubquery()), at: place) }
    advance()
    note(.query)
    let items = try parseExpressionList()
    try expect(.rightParenthesis)
    return items.count == 1 ? items[0] : Expression(.row(items), at: place)
  }

  /// Whether `(a, b) -> …` starts here.
  private func isLambda() -> Bool {
    let close = Int(partners[index])
    guard close > 0, tokens[close + 1].kind == .symbol(.arrow) else { return false }
    return tokens[(index + 1)..<close].allSatisfy { $0.kind == .symbol(.comma) || isIdentifier($0.kind) }
  }

  private mutating func parseLambda(at place: SourceLocation) throws -> Expression {
    advance()
    var arguments: [Identifier] = []
    if !accept(.rightParenthesis) {
      arguments = try list { parser in try parser.parseIdentifier() }
      try expect(.rightParenthesis)
    }
    try expect(.arrow)
    return Expression(.lambda(arguments, try parseExpression()), at: place)
  }

  /// A form that starts with a word of its own; nil where the word is a plain name here.
  private mutating func parseKeywordForm(_ keyword: Keyword, at place: SourceLocation) throws -> Expression? {
    let opens = peek(1) == .symbol(.leftParenthesis)
    switch keyword {
    case .null:
      advance()
      return Expression(.null, at: place)
    case .true, .false:
      advance()
      return Expression(.boolean(keyword == .true), at: place)
    case .case: return try parseCase(at: place)
    case .cast: return try parseCast(isTry: false, at: place)
    case .tryCast where opens: return try parseCast(isTry: true, at: place)
    case .exists: return try parseExists(at: place)
    case .extract: return try parseExtract(at: place)
    case .trim: return try parseTrim(at: place)
    case .position where opens: return try parsePosition(at: place)
    case .normalize: return try parseNormalize(at: place)
    case .grouping: return try parseGrouping(at: place)
    case .listagg: return try parseListagg(at: place)
    case .row where opens:
      advance()
      return Expression(.row(try parenthesisedList { parser in try parser.parseExpression() }), at: place)
    case .array where peek(1) == .symbol(.leftBracket): return try parseArray(at: place)
    case .interval where isInterval(): return try parseInterval()
    case .double where peek(1) == .keyword(.precision) && peek(2) == .string:
      advance()
      advance()
      return Expression(.typed(type: "double", text: try parseString()), at: place)
    case .currentDate, .currentTime, .currentTimestamp, .localtime, .localtimestamp:
      return try parseCurrentTime(keyword, at: place)
    case .currentUser, .currentCatalog, .currentSchema, .currentPath:
      advance()
      return SessionValue(rawValue: keyword.rawValue).map { Expression(.sessionValue($0), at: place) }
    case .jsonArray, .jsonExists, .jsonObject, .jsonQuery, .jsonValue:
      throw unsupported(keyword.rawValue)
    default: return nil
    }
  }

  // MARK: Names

  /// A column, a typed literal, a lambda or a function call.
  private mutating func parseNamed(at place: SourceLocation) throws -> Expression {
    guard isIdentifier(kind) else {
      note(.expression)
      throw mismatch()
    }
    let first = try parseIdentifier()
    switch kind {
    case .string, .unicodeString:
      return Expression(.typed(type: first.canonical, text: try parseString()), at: place)
    case .symbol(.arrow):
      advance()
      return Expression(.lambda([first], try parseExpression()), at: place)
    case .symbol(.leftParenthesis):
      return try parseCall(QualifiedName([first]), at: place)
    case .symbol(.dot):
      // A dotted name is a function's only where a parenthesis follows it; otherwise it is a column or a field.
      var distance = 0
      while peek(distance) == .symbol(.dot), isIdentifier(peek(distance + 1)) { distance += 2 }
      guard distance > 0, peek(distance) == .symbol(.leftParenthesis) else { break }
      var parts = [first]
      while accept(.dot) { parts.append(try parseIdentifier()) }
      return try parseCall(QualifiedName(parts), at: place)
    default: break
    }
    return Expression(.identifier(first), at: place)
  }

  // MARK: Special forms

  private mutating func parseCase(at place: SourceLocation) throws -> Expression {
    advance()
    let operand = at(.when) ? nil : try parseExpression()
    if operand == nil { note(.keyword(.when)) }
    var clauses: [WhenClause] = []
    while accept(.when) {
      let condition = try parseExpression()
      try expect(.then)
      clauses.append(WhenClause(condition: condition, result: try parseExpression()))
    }
    if clauses.isEmpty { throw mismatch() }
    let otherwise = accept(.else) ? try parseExpression() : nil
    try expect(.end)
    guard let operand else { return Expression(.searchedCase(clauses, otherwise: otherwise), at: place) }
    return Expression(.simpleCase(operand, clauses, otherwise: otherwise), at: place)
  }

  private mutating func parseCast(isTry: Bool, at place: SourceLocation) throws -> Expression {
    advance()
    try expect(.leftParenthesis)
    let value = try parseExpression()
    try expect(.as)
    let type = try parseType()
    try expect(.rightParenthesis)
    return Expression(.cast(value, type, isTry: isTry), at: place)
  }

  private mutating func parseExists(at place: SourceLocation) throws -> Expression {
    advance()
    if at(.leftParenthesis), !isQuery(at: index) {
      advance()
      note(.query)
      throw mismatch()
    }
    return Expression(.exists(try parseSubquery()), at: place)
  }

  private mutating func parseExtract(at place: SourceLocation) throws -> Expression {
    advance()
    try expect(.leftParenthesis)
    let field = try parseIdentifier()
    try expect(.from)
    let value = try nested { parser in try parser.parseValue() }
    try expect(.rightParenthesis)
    return Expression(.extract(field, value), at: place)
  }

  private mutating func parseTrim(at place: SourceLocation) throws -> Expression {
    advance()
    try expect(.leftParenthesis)
    var trimKind = TrimKind.both
    var hasKind = true
    switch kind {
    case .keyword(.leading): trimKind = .leading
    case .keyword(.trailing): trimKind = .trailing
    case .keyword(.both): trimKind = .both
    default: hasKind = false
    }
    if hasKind { advance() }
    if hasKind, accept(.from) {
      let source = try nested { parser in try parser.parseValue() }
      try expect(.rightParenthesis)
      return Expression(.trim(trimKind, character: nil, source), at: place)
    }
    let first = try nested { parser in try parser.parseValue() }
    var result = Expression.Kind.trim(trimKind, character: nil, first)
    if accept(.from) {
      result = .trim(trimKind, character: first, try nested { parser in try parser.parseValue() })
    } else if hasKind {
      throw mismatch()
    } else if accept(.comma) {
      result = .trim(trimKind, character: try nested { parser in try parser.parseValue() }, first)
    }
    try expect(.rightParenthesis)
    return Expression(result, at: place)
  }

  private mutating func parsePosition(at place: SourceLocation) throws -> Expression {
    advance()
    advance()
    let needle = try nested { parser in try parser.parseValue() }
    try expect(.in)
    let haystack = try nested { parser in try parser.parseValue() }
    try expect(.rightParenthesis)
    let name = QualifiedName([Identifier("strpos", at: place)])
    return Expression(.call(FunctionCall(name: name, arguments: [haystack, needle])), at: place)
  }

  private mutating func parseNormalize(at place: SourceLocation) throws -> Expression {
    let name = QualifiedName([Identifier("normalize", at: place)])
    advance()
    try expect(.leftParenthesis)
    var arguments = [try nested { parser in try parser.parseValue() }]
    if accept(.comma) {
      let form = try parseIdentifier()
      arguments.append(Expression(.string(form.value.uppercased()), at: form.location))
    } else {
      arguments.append(Expression(.string("NFC"), at: place))
    }
    try expect(.rightParenthesis)
    return Expression(.call(FunctionCall(name: name, arguments: arguments)), at: place)
  }

  private mutating func parseGrouping(at place: SourceLocation) throws -> Expression {
    advance()
    try expect(.leftParenthesis)
    var columns: [QualifiedName] = []
    if !accept(.rightParenthesis) {
      columns = try list { parser in try parser.parseQualifiedName() }
      try expect(.rightParenthesis)
    }
    return Expression(.grouping(columns), at: place)
  }

  private mutating func parseArray(at place: SourceLocation) throws -> Expression {
    advance()
    advance()
    if accept(.rightBracket) { return Expression(.array([]), at: place) }
    let items = try parseExpressionList()
    try expect(.rightBracket)
    return Expression(.array(items), at: place)
  }

  private func isInterval() -> Bool {
    let first = peek(1)
    if first == .string { return true }
    return (first == .symbol(.plus) || first == .symbol(.minus)) && peek(2) == .string
  }

  mutating func parseInterval() throws -> Expression {
    let place = location
    advance()
    let isNegative = accept(.minus)
    if !isNegative { _ = accept(.plus) }
    let text = try parseString()
    let from = try parseIntervalField()
    let to = accept(.to) ? try parseIntervalField() : nil
    return Expression(
      .interval(IntervalLiteral(isNegative: isNegative, text: text, from: from, to: to)), at: place)
  }

  mutating func parseIntervalField() throws -> IntervalLiteral.Field {
    let fields: [(Keyword, IntervalLiteral.Field)] = [
      (.year, .year), (.month, .month), (.day, .day), (.hour, .hour), (.minute, .minute), (.second, .second),
    ]
    for (keyword, field) in fields where accept(keyword) { return field }
    throw mismatch()
  }

  private mutating func parseCurrentTime(_ keyword: Keyword, at place: SourceLocation) throws -> Expression? {
    guard let function = CurrentTime(rawValue: keyword.rawValue) else { return nil }
    advance()
    var precision: Int?
    if function != .date, accept(.leftParenthesis) {
      precision = Int(try parseInteger())
      try expect(.rightParenthesis)
    }
    return Expression(.currentTime(function, precision: precision), at: place)
  }
}

// Owns the grammar of operators and predicates: from OR, the weakest, down to the signs in front of a value.
import Base

extension Parser {
  /// Any expression.
  mutating func parseExpression() throws -> Expression {
    try nested { parser in try parser.parseOr() }
  }

  mutating func parseExpressionList() throws -> [Expression] {
    try list { parser in try parser.parseExpression() }
  }

  private mutating func parseOr() throws -> Expression {
    let first = try parseAnd()
    guard accept(.or) else { return first }
    var terms = [first]
    repeat { terms.append(try parseAnd()) } while accept(.or)
    try grow()
    return Expression(.logical(.or, terms), at: first.location)
  }

  private mutating func parseAnd() throws -> Expression {
    let first = try parseNot()
    guard accept(.and) else { return first }
    var terms = [first]
    repeat { terms.append(try parseNot()) } while accept(.and)
    try grow()
    return Expression(.logical(.and, terms), at: first.location)
  }

  private mutating func parseNot() throws -> Expression {
    guard at(.not) else { return try measured { parser in try parser.parsePredicated() } }
    let place = location
    advance()
    let operand = try nested { parser in try parser.parseNot() }
    return Expression(.not(operand), at: place)
  }

  // MARK: Predicates

  /// A value, perhaps with one predicate behind it.
  private mutating func parsePredicated() throws -> Expression {
    let value = try parseValue()
    let place = location
    if let comparison = comparisonOperator() {
      advance()
      return try parseComparison(value, comparison, at: place)
    }
    let isNegated = at(.not) && [.keyword(.between), .keyword(.in), .keyword(.like)].contains(peek(1))
    if isNegated { advance() }
    let predicate: Expression?
    switch kind {
    case .keyword(.between): predicate = try parseBetween(value, at: place)
    case .keyword(.in): predicate = try parseIn(value, at: place)
    case .keyword(.like): predicate = try parseLike(value, at: place)
    case .keyword(.is): return try parseIs(value, at: place)
    default:
      note(.predicate)
      predicate = nil
    }
    guard let predicate else { return value }
    try grow()
    return isNegated ? Expression(.not(predicate), at: place) : predicate
  }

  private func comparisonOperator() -> ComparisonOperator? {
    guard case .symbol(let symbol) = kind else { return nil }
    switch symbol {
    case .equal: return .equal
    case .notEqual: return .notEqual
    case .lessThan: return .lessThan
    case .lessThanOrEqual: return .lessThanOrEqual
    case .greaterThan: return .greaterThan
    case .greaterThanOrEqual: return .greaterThanOrEqual
    default: return nil
    }
  }

  private mutating func parseComparison(
    _ value: Expression, _ comparison: ComparisonOperator, at place: SourceLocation
  ) throws -> Expression {
    if peek(1) == .symbol(.leftParenthesis), let quantifier = quantifier(), isQuery(at: index + 1) {
      advance()
      let query = try parseSubquery()
      try grow()
      return Expression(.quantified(comparison, quantifier, value, query), at: place)
    }
    let right = try parseValue()
    try grow()
    return Expression(.comparison(comparison, value, right), at: place)
  }

  private func quantifier() -> Quantifier? {
    switch kind {
    case .keyword(.all): .all
    case .keyword(.any): .any
    case .keyword(.some): .some
    default: nil
    }
  }

  private mutating func parseBetween(_ value: Expression, at place: SourceLocation) throws -> Expression {
    advance()
    let low = try parseValue()
    try expect(.and)
    let high = try parseValue()
    return Expression(.between(value, low: low, high: high), at: place)
  }

  private mutating func parseIn(_ value: Expression, at place: SourceLocation) throws -> Expression {
    advance()
    if at(.leftParenthesis), isQuery(at: index) {
      return Expression(.inSubquery(value, try parseSubquery()), at: place)
    }
    try expect(.leftParenthesis)
    note(.query)
    let items = try parseExpressionList()
    try expect(.rightParenthesis)
    return Expression(.inList(value, items), at: place)
  }

  private mutating func parseLike(_ value: Expression, at place: SourceLocation) throws -> Expression {
    advance()
    let pattern = try parseValue()
    let escape = accept(.escape) ? try parseValue() : nil
    return Expression(.like(value, pattern: pattern, escape: escape), at: place)
  }

  private mutating func parseIs(_ value: Expression, at place: SourceLocation) throws -> Expression {
    advance()
    let isNegated = accept(.not)
    try grow()
    if accept(.null) { return Expression(isNegated ? .isNotNull(value) : .isNull(value), at: place) }
    try expect(.distinct)
    try expect(.from)
    let right = try parseValue()
    let predicate = Expression(.comparison(.isDistinctFrom, value, right), at: place)
    return isNegated ? Expression(.not(predicate), at: place) : predicate
  }

  // MARK: Values

  /// How tightly an operator between two values binds; `||` is the weakest, as in Trino.
  private func valueOperator() -> (strength: Int, arithmetic: ArithmeticOperator?)? {
    guard case .symbol(let symbol) = kind else { return nil }
    switch symbol {
    case .concatenation: return (1, nil)
    case .plus: return (2, .add)
    case .minus: return (2, .subtract)
    case .asterisk: return (3, .multiply)
    case .slash: return (3, .divide)
    case .percent: return (3, .modulus)
    default: return nil
    }
  }

  /// A value: what comparisons and predicates work on.
  mutating func parseValue(minimumStrength: Int = 1) throws -> Expression {
    var left = try parseSigned()
    while let (strength, arithmetic) = valueOperator(), strength >= minimumStrength {
      let place = location
      advance()
      let right = try measured { parser in try parser.parseValue(minimumStrength: strength + 1) }
      try grow()
      if let arithmetic {
        left = Expression(.arithmetic(arithmetic, left, right), at: place)
      } else {
        let name = QualifiedName([Identifier("concat", at: place)])
        left = Expression(.call(FunctionCall(name: name, arguments: [left, right])), at: place)
      }
    }
    note(.valueOperators)
    return left
  }

  private mutating func parseSigned() throws -> Expression {
    let place = location
    if at(.minus) {
      advance()
      // A number takes the sign along, so that the least bigint can be written.
      switch kind {
      case .integer, .decimal, .double:
        return try parseTimeZone(try parsePrimary(negative: true, at: place))
      default:
        let operand = try nested { parser in try parser.parseSigned() }
        return Expression(.negated(operand), at: place)
      }
    }
    if at(.plus) {
      advance()
      let operand = try nested { parser in try parser.parseSigned() }
      return Expression(.plus(operand), at: place)
    }
    return try parseTimeZone(try parsePrimary(negative: false, at: place))
  }

  /// `AT TIME ZONE zone`, any number of times.
  private mutating func parseTimeZone(_ value: Expression) throws -> Expression {
    var value = value
    while at(.at), peek(1) == .keyword(.time) {
      let place = location
      advance()
      advance()
      try expect(.zone)
      let zonePlace = location
      let zone: Expression
      if at(.interval) {
        zone = try parseInterval()
      } else {
        zone = Expression(.string(try parseString()), at: zonePlace)
      }
      try grow()
      value = Expression(.atTimeZone(value, zone), at: place)
    }
    return value
  }

  // MARK: Queries inside expressions

  /// Whether the parenthesis at `start` holds a query rather than an expression or relation. A query may itself start
  /// with parentheses; then what follows the inner ones decides.
  func isQuery(at start: Int) -> Bool {
    var open = start
    while tokens[open].kind == .symbol(.leftParenthesis) { open += 1 }
    guard open > start else { return false }
    switch tokens[open].kind {
    case .keyword(.select), .keyword(.with), .keyword(.values), .keyword(.table): break
    default: return false
    }
    for inner in (start + 1)..<max(open, start + 1) {
      let close = Int(partners[inner])
      guard close > 0 else { return false }
      switch tokens[close + 1].kind {
      case .symbol(.rightParenthesis), .keyword(.union), .keyword(.intersect), .keyword(.except),
        .keyword(.order), .keyword(.offset), .keyword(.limit), .keyword(.fetch):
        continue
      default: return false
      }
    }
    return true
  }

  /// `(query)`.
  mutating func parseSubquery() throws -> Query {
    try expect(.leftParenthesis)
    let query = try parseQuery()
    try expect(.rightParenthesis)
    return query
  }
}

// Owns the grammar of queries: WITH, set operations, SELECT and the clauses behind them.
import Base

extension Parser {
  /// A query with all its clauses.
  mutating func parseQuery() throws -> Query {
    try nested { parser in
      let place = parser.location
      let with = try parser.parseWith()
      var query = try parser.parseQueryWithoutWith()
      query.with = with
      query.location = place
      return query
    }
  }

  private mutating func parseWith() throws -> With? {
    let place = location
    guard accept(.with) else { return nil }
    let isRecursive = accept(.recursive)
    let queries = try list { parser in
      let name = try parser.parseIdentifier()
      let aliases = try parser.acceptColumnAliases()
      try parser.expect(.as)
      return With.NamedQuery(name: name, columnAliases: aliases, query: try parser.parseSubquery())
    }
    return With(isRecursive: isRecursive, queries: queries, location: place)
  }

  private mutating func parseQueryWithoutWith() throws -> Query {
    let place = location
    let body = try parseQueryBody()
    let orderBy = try parseOrderBy()
    var offset: RowCount?
    if accept(.offset) {
      offset = try parseRowCount()
      if !accept(.row) { _ = accept(.rows) }
    }
    return Query(body: body, orderBy: orderBy, offset: offset, limit: try parseLimit(), location: place)
  }

  private mutating func parseLimit() throws -> Limit? {
    let place = location
    if accept(.limit) {
      if accept(.all) { return .all }
      return .rows(try parseRowCount())
    }
    guard accept(.fetch) else { return nil }
    if !accept(.first) { try expect(.next) }
    var count: RowCount?
    if kind == .integer || at(.question) { count = try parseRowCount() } else { note(.integer) }
    if !accept(.row) { try expect(.rows) }
    let withTies = accept(.with)
    try expect(withTies ? .ties : .only)
    return .fetchFirst(count, withTies: withTies, Uncompared(wrappedValue: place))
  }

  private mutating func parseRowCount() throws -> RowCount {
    let place = location
    if accept(.question) {
      parameterCount += 1
      return RowCount(kind: .parameter(parameterCount - 1), location: place)
    }
    return RowCount(kind: .number(try parseInteger()), location: place)
  }

  /// `ORDER BY …` or nothing.
  mutating func parseOrderBy() throws -> [SortItem] {
    guard accept(.order) else { return [] }
    try expect(.by)
    return try list { parser in
      let place = parser.location
      let key = try parser.parseExpression()
      var isAscending = true
      if !parser.accept(.asc), parser.accept(.desc) { isAscending = false }
      var nullsFirst: Bool?
      if parser.accept(.nulls) {
        nullsFirst = parser.accept(.first)
        if nullsFirst == false { try parser.expect(.last) }
      }
      return SortItem(key: key, isAscending: isAscending, nullsFirst: nullsFirst, location: place)
    }
  }

  // MARK: Set operations

  /// UNION and EXCEPT, which bind alike and from the left.
  private mutating func parseQueryBody() throws -> QueryBody {
    var left = try parseIntersection()
    var isChain = false
    while true {
      let place = location
      let kind: SetOperation.Kind
      if accept(.union) {
        kind = .union
      } else if accept(.except) {
        kind = .except
      } else {
        return left
      }
      let isDistinct = parseSetQuantifier()
      let right = try parseIntersection()
      try combine(&left, kind, isDistinct, right, extending: isChain, at: place)
      isChain = true
    }
  }

  private mutating func parseIntersection() throws -> QueryBody {
    var left = try parseQueryTerm()
    var isChain = false
    while true {
      let place = location
      guard accept(.intersect) else { return left }
      let isDistinct = parseSetQuantifier()
      let right = try parseQueryTerm()
      try combine(&left, .intersect, isDistinct, right, extending: isChain, at: place)
      isChain = true
    }
  }

  private mutating func parseSetQuantifier() -> Bool {
    if accept(.distinct) { return true }
    return !accept(.all)
  }

  /// Puts `left` and `right` together; a chain of the same operation becomes one node, so its length is not its height.
  private mutating func combine(
    _ left: inout QueryBody, _ kind: SetOperation.Kind, _ isDistinct: Bool, _ right: QueryBody,
    extending isChain: Bool, at place: SourceLocation
  ) throws {
    if isChain, kind != .except, case .setOperation(var operation) = left, operation.kind == kind,
      operation.isDistinct == isDistinct
    {
      // Emptied first: appending to a shared array would copy it once per input.
      left = right
      operation.inputs.append(right)
      operation.location = place
      left = .setOperation(operation)
      return
    }
    try grow()
    left = .setOperation(
      SetOperation(kind: kind, isDistinct: isDistinct, inputs: [left, right], location: place))
  }

  private mutating func parseQueryTerm() throws -> QueryBody {
    let place = location
    switch kind {
    case .keyword(.select):
      return .select(try measured { parser in try parser.parseSelect() })
    case .keyword(.values):
      advance()
      return .values(try parseExpressionList(), Uncompared(wrappedValue: place))
    case .keyword(.table):
      advance()
      return .table(try parseQualifiedName())
    case .symbol(.leftParenthesis):
      return try nested { parser in
        parser.advance()
        let query = try parser.parseQueryWithoutWithOrWith()
        try parser.expect(.rightParenthesis)
        return .parenthesised(query)
      }
    default:
      for keyword in [Keyword.select, .values, .table] { note(.keyword(keyword)) }
      note(.symbol(.leftParenthesis))
      throw mismatch()
    }
  }

  /// Trino allows WITH only at the start of a whole query; a parenthesised one may be a whole query here.
  private mutating func parseQueryWithoutWithOrWith() throws -> Query {
    at(.with) ? try parseQuery() : try parseQueryWithoutWith()
  }

  // MARK: SELECT

  private mutating func parseSelect() throws -> Select {
    let place = location
    advance()
    var isDistinct = false
    if accept(.distinct) {
      isDistinct = true
    } else if at(.all), !isSelectItemEnd(peek(1)) {
      advance()
    } else {
      note(.keyword(.all))
    }
    let items = try list { parser in try parser.parseSelectItem() }
    var select = Select(isDistinct: isDistinct, items: items, windows: [], location: place)
    if accept(.from) { select.from = try parseRelations() }
    if accept(.where) { select.where = try parseExpression() }
    select.groupBy = try parseGroupBy()
    if accept(.having) { select.having = try parseExpression() }
    if at(.window), isIdentifier(peek(1)) {
      advance()
      select.windows = try list { parser in
        let name = try parser.parseIdentifier()
        try parser.expect(.as)
        return NamedWindow(name: name, specification: try parser.parseWindowSpecification())
      }
    } else {
      note(.keyword(.window))
    }
    return select
  }

  /// Whether ALL was a column, judged by what follows it.
  private func isSelectItemEnd(_ kind: Token.Kind) -> Bool {
    switch kind {
    case .endOfInput, .keyword(.from), .keyword(.as), .symbol(.comma), .symbol(.dot), .symbol(.rightParenthesis): true
    default: false
    }
  }

  private mutating func parseSelectItem() throws -> SelectItem {
    let place = location
    if accept(.asterisk) { return .allColumns(Uncompared(wrappedValue: place)) }
    let expression = try parseExpression()
    if at(.dot), peek(1) == .symbol(.asterisk) {
      advance()
      advance()
      var aliases: [Identifier] = []
      if accept(.as) { aliases = try parenthesisedList { parser in try parser.parseIdentifier() } }
      return .allColumnsOf(expression, aliases: aliases)
    }
    return .expression(expression, alias: try acceptAlias())
  }

  // MARK: GROUP BY

  private mutating func parseGroupBy() throws -> GroupBy? {
    let place = location
    guard accept(.group) else { return nil }
    try expect(.by)
    let isDistinct = accept(.distinct)
    if !isDistinct, at(.all), !isSelectItemEnd(peek(1)) { advance() }
    let elements = try list { parser in try parser.parseGroupingElement() }
    return GroupBy(isDistinct: isDistinct, elements: elements, location: place)
  }

  private mutating func parseGroupingElement() throws -> GroupBy.Element {
    if accept(.rollup) { return .rollup(try parenthesisedList { try $0.parseGroupingSet() }) }
    if accept(.cube) { return .cube(try parenthesisedList { try $0.parseGroupingSet() }) }
    if at(.grouping), peek(1) == .keyword(.sets) {
      advance()
      advance()
      return .groupingSets(try parenthesisedList { try $0.parseGroupingSet() })
    }
    note(.keyword(.grouping))
    return .simple(try parseGroupingSet())
  }

  /// `()`, `(a, b)` or one expression.
  private mutating func parseGroupingSet() throws -> [Expression] {
    let opens = at(.leftParenthesis)
    if opens, peek(1) == .symbol(.rightParenthesis) {
      advance()
      advance()
      return []
    }
    note(.symbol(.leftParenthesis))
    let expression = try parseExpression()
    if opens, case .row(let columns) = expression.kind { return columns }
    return [expression]
  }
}

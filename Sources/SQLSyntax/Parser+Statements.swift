// Owns the grammar of statements other than plain queries.
import Base

extension Parser {
  /// One statement, without the `;` behind it.
  mutating func parseStatement() throws -> Statement {
    let place = location
    switch kind {
    case .keyword(.select), .keyword(.with), .keyword(.values), .keyword(.table), .symbol(.leftParenthesis):
      return .query(try parseQuery())
    case .keyword(.explain): return try nested { parser in try parser.parseExplain(at: place) }
    case .keyword(.show): return .show(try parseShow(at: place))
    case .keyword(.describe), .keyword(.desc): return try parseDescribe(at: place)
    case .keyword(.use): return try parseUse(at: place)
    case .keyword(.set): return try parseSet(at: place)
    case .keyword(.reset) where peek(1) == .keyword(.session):
      advance()
      advance()
      return .resetSession(name: try parseQualifiedName())
    case .keyword(.create): return try parseCreate(at: place)
    case .keyword(.insert): return try parseInsert(at: place)
    case .keyword(.drop) where peek(1) == .keyword(.table): return try parseDropTable(at: place)
    case .keyword(let keyword) where Parser.otherStatements.contains(keyword):
      return parseOther(at: place)
    default:
      for keyword in Parser.knownStatements { note(.keyword(keyword)) }
      note(.query)
      throw mismatch()
    }
  }

  /// Beginnings of statements that can be run, for those who look for the right word.
  private static let knownStatements: [Keyword] = [.create, .desc, .describe, .drop, .explain, .insert, .show, .with]

  /// Statements of Trino's that are known by name only.
  private static let otherStatements: [Keyword] = [
    .alter, .analyze, .call, .comment, .commit, .deallocate, .delete, .deny, .drop, .execute, .grant, .merge,
    .prepare, .refresh, .reset, .revoke, .rollback, .start, .truncate, .update,
  ]

  /// A statement whose text is passed over; its name is its leading keywords that say what it acts on.
  mutating func parseOther(at place: SourceLocation) -> Statement {
    var name = spelling(token).uppercased()
    advance()
    let objects: Set<Keyword> = [
      .table, .view, .schema, .materialized, .role, .function, .catalog, .transaction, .session, .authorization,
      .into, .from, .column,
    ]
    while case .keyword(let keyword) = kind, objects.contains(keyword) {
      name += " " + keyword.rawValue
      advance()
    }
    while kind != .endOfInput, !(at(.semicolon) && peek(1) == .endOfInput) { advance() }
    return .other(OtherStatement(name: name, location: place))
  }

  // MARK: EXPLAIN

  private mutating func parseExplain(at place: SourceLocation) throws -> Statement {
    advance()
    var type = Explain.PlanType.distributed
    var format = Explain.Format.text
    let analyze = accept(.analyze)
    let verbose = analyze && accept(.verbose)
    // `EXPLAIN (SELECT 1)` explains a query in parentheses.
    if at(.leftParenthesis), peek(1) == .keyword(.format) || peek(1) == .keyword(.type) {
      _ = try parenthesisedList { parser in try parser.parseExplainOption(&type, &format) }
    }
    let statement = try parseStatement()
    return .explain(
      Explain(
        type: type, format: format, analyze: analyze, verbose: verbose, statement: statement, at: place))
  }

  private mutating func parseExplainOption(
    _ type: inout Explain.PlanType, _ format: inout Explain.Format
  ) throws {
    if accept(.format) {
      for (keyword, value) in [(Keyword.text, Explain.Format.text), (.graphviz, .graphviz), (.json, .json)]
      where accept(keyword) {
        format = value
        return
      }
      throw mismatch()
    }
    try expect(.type)
    let types: [(Keyword, Explain.PlanType)] = [
      (.logical, .logical), (.distributed, .distributed), (.validate, .validate), (.io, .io),
    ]
    for (keyword, value) in types where accept(keyword) {
      type = value
      return
    }
    throw mismatch()
  }

  // MARK: SHOW and DESCRIBE

  private mutating func parseShow(at place: SourceLocation) throws -> Show {
    advance()
    let subject: Show.Subject
    if accept(.catalogs) {
      subject = .catalogs
    } else if accept(.schemas) {
      subject = .schemas(catalog: acceptFromOrIn() ? try parseIdentifier() : nil)
    } else if accept(.tables) {
      subject = .tables(schema: acceptFromOrIn() ? try parseQualifiedName() : nil)
    } else if accept(.columns) {
      if !acceptFromOrIn() { throw mismatch() }
      subject = .columns(table: try parseQualifiedName())
    } else if accept(.functions) {
      subject = .functions(schema: acceptFromOrIn() ? try parseQualifiedName() : nil)
    } else if accept(.session) {
      subject = .session
    } else if accept(.create) {
      try expect(.table)
      return Show(subject: .createTable(try parseQualifiedName()), location: place)
    } else if accept(.stats) {
      try expect(.for)
      if at(.leftParenthesis) { return Show(subject: .statsForQuery(try parseSubquery()), location: place) }
      return Show(subject: .stats(table: try parseQualifiedName()), location: place)
    } else {
      throw mismatch()
    }
    var show = Show(subject: subject, location: place)
    if accept(.like) {
      show.like = try parseString()
      if accept(.escape) { show.escape = try parseString() }
    }
    return show
  }

  private mutating func acceptFromOrIn() -> Bool {
    if accept(.from) { return true }
    return accept(.in)
  }

  private mutating func parseDescribe(at place: SourceLocation) throws -> Statement {
    advance()
    if at(.input) || at(.output), isIdentifier(peek(1)) {
      let name = at(.input) ? "DESCRIBE INPUT" : "DESCRIBE OUTPUT"
      advance()
      _ = try parseIdentifier()
      return .other(OtherStatement(name: name, location: place))
    }
    return .show(Show(subject: .columns(table: try parseQualifiedName()), location: place))
  }

  // MARK: Session

  private mutating func parseUse(at place: SourceLocation) throws -> Statement {
    advance()
    let first = try parseIdentifier()
    guard accept(.dot) else { return .use(Use(schema: first, location: place)) }
    return .use(Use(catalog: first, schema: try parseIdentifier(), location: place))
  }

  private mutating func parseSet(at place: SourceLocation) throws -> Statement {
    let next = peek(1)
    guard next == .keyword(.session), peek(2) != .keyword(.authorization) else {
      for (kind, name) in [
        (Token.Kind.keyword(.session), "SET SESSION AUTHORIZATION"), (.keyword(.role), "SET ROLE"),
        (.keyword(.time), "SET TIME ZONE"), (.keyword(.path), "SET PATH"),
      ] where next == kind {
        _ = parseOther(at: place)
        return .other(OtherStatement(name: name, location: place))
      }
      advance()
      for keyword in [Keyword.path, .role, .session, .time] { note(.keyword(keyword)) }
      throw mismatch()
    }
    advance()
    advance()
    let name = try parseQualifiedName()
    try expect(.equal)
    return .setSession(SetSession(name: name, value: try parseExpression(), location: place))
  }
}

// Owns the grammar of statements that change tables: CREATE TABLE, INSERT and DROP TABLE.
import Base

extension Parser {
  mutating func parseCreate(at place: SourceLocation) throws -> Statement {
    var distance = 1
    let replaces = peek(1) == .keyword(.or) && peek(2) == .keyword(.replace)
    if replaces { distance = 3 }
    guard peek(distance) == .keyword(.table) else {
      guard case .keyword(let object) = peek(distance),
        [.schema, .view, .materialized, .role, .function, .catalog].contains(object)
      else {
        for _ in 0..<distance { advance() }
        for keyword in [Keyword.catalog, .function, .materialized, .role, .schema, .table, .view] {
          note(.keyword(keyword))
        }
        if distance == 1 { note(.keyword(.or)) }
        throw mismatch()
      }
      _ = parseOther(at: place)
      let name = object == .materialized ? "MATERIALIZED VIEW" : object.rawValue
      return .other(OtherStatement(name: "CREATE \(name)", location: place))
    }
    for _ in 0...distance { advance() }
    let ifNotExists = accept(.if)
    if ifNotExists {
      try expect(.not)
      try expect(.exists)
    }
    let table = try parseQualifiedName()
    if at(.leftParenthesis), !isColumnAliasList() {
      let columns = try parenthesisedList { parser in try parser.parseColumnDefinition() }
      let (comment, properties) = try parseTableOptions()
      return .createTable(
        CreateTable(
          table: table, replaces: replaces, ifNotExists: ifNotExists, columns: columns, comment: comment,
          properties: properties, location: place))
    }
    let aliases = try acceptColumnAliases() ?? []
    let (comment, properties) = try parseTableOptions()
    try expect(.as)
    let query = try parseQuery()
    var withData = true
    if accept(.with) {
      withData = !accept(.no)
      try expect(.data)
    }
    return .createTableAs(
      CreateTableAs(
        table: table, replaces: replaces, ifNotExists: ifNotExists, columnAliases: aliases, comment: comment,
        properties: properties, query: query, withData: withData, location: place))
  }

  /// Whether the parenthesis here holds bare names, not column definitions with types.
  private func isColumnAliasList() -> Bool {
    isIdentifier(peek(1)) && (peek(2) == .symbol(.comma) || peek(2) == .symbol(.rightParenthesis))
  }

  private mutating func parseTableOptions() throws -> (comment: String?, properties: [TableProperty]) {
    let comment = accept(.comment) ? try parseString() : nil
    let properties = accept(.with) ? try parenthesisedList { parser in try parser.parseProperty() } : []
    return (comment, properties)
  }

  private mutating func parseColumnDefinition() throws -> CreateTable.Column {
    if at(.like) { throw unsupported("LIKE in CREATE TABLE") }
    let column = CreateTable.Column(name: try parseIdentifier(), type: try parseType())
    if at(.not) { throw unsupported("NOT NULL") }
    if at(.default) { throw unsupported("DEFAULT of a column") }
    if at(.comment) { throw unsupported("COMMENT of a column") }
    if at(.with) { throw unsupported("WITH of a column") }
    return column
  }

  private mutating func parseProperty() throws -> TableProperty {
    let name = try parseIdentifier()
    try expect(.equal)
    if at(.default), peek(1) == .symbol(.comma) || peek(1) == .symbol(.rightParenthesis) {
      advance()
      return TableProperty(name: name)
    }
    return TableProperty(name: name, value: try parseExpression())
  }

  mutating func parseInsert(at place: SourceLocation) throws -> Statement {
    advance()
    try expect(.into)
    let table = try parseQualifiedName()
    var columns: [Identifier]?
    if at(.leftParenthesis), !isQuery(at: index) {
      columns = try parenthesisedList { parser in try parser.parseIdentifier() }
    } else {
      note(.symbol(.leftParenthesis))
    }
    return .insert(Insert(table: table, columns: columns, query: try parseQuery(), location: place))
  }

  mutating func parseDropTable(at place: SourceLocation) throws -> Statement {
    advance()
    advance()
    let ifExists = accept(.if)
    if ifExists { try expect(.exists) }
    return .dropTable(DropTable(table: try parseQualifiedName(), ifExists: ifExists, location: place))
  }
}

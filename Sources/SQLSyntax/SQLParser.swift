// Owns the entry points of the parser and its limits.
import Base

/// What bounds a statement, so that none can exhaust memory or the stack.
public struct ParserLimits: Hashable, Sendable {
  /// Characters in a statement: Trino's `query.max-length`.
  public var maximumLength: Int
  /// How deep parentheses, subqueries, CASE, NOT and the like may nest.
  public var maximumNesting: Int
  /// How high a syntax tree may grow, which also bounds chains such as `a + b + c + …` and `t JOIN u JOIN v …`.
  /// AND, OR, UNION, INTERSECT and lists of any kind do not count: they are one node however long.
  public var maximumHeight: Int

  public init(maximumLength: Int = 1_000_000, maximumNesting: Int = 256, maximumHeight: Int = 1024) {
    self.maximumLength = maximumLength
    self.maximumNesting = maximumNesting
    self.maximumHeight = maximumHeight
  }
}

/// Turns SQL text into a syntax tree. Every failure is a `WaterbearError`: SYNTAX_ERROR with Trino's wording and place,
/// or NOT_SUPPORTED for syntax of Trino's that Waterbear does not have.
public enum SQLParser {
  /// Parses one statement, which may end in `;`. Time and memory grow with the length of the text.
  public static func parseStatement(_ sql: String, limits: ParserLimits = ParserLimits()) throws -> Statement {
    var parser = try Parser(sql, limits: limits, what: "statement")
    let statement = try parser.parseStatement()
    if parser.at(.semicolon) { parser.advance() }
    try parser.expectEnd()
    return statement
  }

  /// Parses an expression standing alone.
  public static func parseExpression(_ sql: String, limits: ParserLimits = ParserLimits()) throws -> Expression {
    var parser = try Parser(sql, limits: limits, what: "expression")
    let expression = try parser.parseExpression()
    try parser.expectEnd()
    return expression
  }

  /// Parses a type name standing alone, such as `decimal(12, 2)`.
  public static func parseType(_ sql: String, limits: ParserLimits = ParserLimits()) throws -> TypeName {
    var parser = try Parser(sql, limits: limits, what: "type")
    let type = try parser.parseType()
    try parser.expectEnd()
    return type
  }
}

// Owns what the parser's tests share: short ways to parse a text and to read an error.
import Base
import Testing

@testable import SQLSyntax

/// The expression in Trino's spelling, all operations in parentheses.
func formatted(_ sql: String) throws -> String {
  try SQLParser.parseExpression(sql).description
}

/// The query of a statement that is one.
func parsedQuery(_ sql: String) throws -> Query {
  guard case .query(let query) = try SQLParser.parseStatement(sql) else {
    throw WaterbearError(.genericInternalError, "not a query: \(sql)")
  }
  return query
}

/// The SELECT of a query that is nothing else.
func parsedSelect(_ sql: String) throws -> Select {
  guard case .select(let select) = try parsedQuery(sql).body else {
    throw WaterbearError(.genericInternalError, "not a SELECT: \(sql)")
  }
  return select
}

/// The whole text of the error that parsing gives; nil where it gives none.
func parsingError(_ sql: String, limits: ParserLimits = ParserLimits()) -> String? {
  do {
    _ = try SQLParser.parseStatement(sql, limits: limits)
    return nil
  } catch {
    return String(describing: error)
  }
}

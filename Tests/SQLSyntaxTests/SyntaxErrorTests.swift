// Owns the tests of errors: their words, their places, and the limits.
import Base
import Testing

@testable import SQLSyntax

struct SyntaxErrorTests {
  @Test(arguments: [
    ("SELECT * FORM t", "line 1:10: mismatched input 'FORM'. Expecting: ',', 'EXCEPT', 'FETCH', 'FROM', 'GROUP', "
      + "'HAVING', 'INTERSECT', 'LIMIT', 'OFFSET', 'ORDER', 'UNION', 'WHERE', 'WINDOW', <EOF>"),
    ("select * from foo where @what", "line 1:25: mismatched input '@'. Expecting: <expression>"),
    ("select *\nfrom x\nfrom", "line 3:1: mismatched input 'from'. Expecting: ',', '.', 'AS', 'CROSS', 'EXCEPT', "
      + "'FETCH', 'FOR', 'FULL', 'GROUP', 'HAVING', 'INNER', 'INTERSECT', 'JOIN', 'LEFT', 'LIMIT', "
      + "'MATCH_RECOGNIZE', 'NATURAL', 'OFFSET', 'ORDER', 'RIGHT', 'TABLESAMPLE', 'UNION', 'WHERE', 'WINDOW', "
      + "<EOF>, <identifier>"),
    ("select *\nfrom x\nwhere from", "line 3:7: mismatched input 'from'. Expecting: <expression>"),
    ("select * from", "line 1:14: mismatched input '<EOF>'. Expecting: '(', 'LATERAL', 'UNNEST', <identifier>"),
    ("select * from 'oops", "line 1:15: the string that begins here has no closing '"),
    ("select 'it''s", "line 1:8: the string that begins here has no closing '"),
    ("select 1 as \"a b", "line 1:13: the quoted name that begins here has no closing \""),
    ("select `a", "line 1:8: the quoted name that begins here has no closing `"),
    ("select * from `foo`",
      "line 1:15: backquoted identifiers are not supported; use double quotes to quote identifiers"),
    ("select 1x from dual",
      "line 1:8: identifiers must not start with a digit; surround the identifier with double quotes"),
    ("select \"\"", "line 1:8: Zero-length delimited identifier not allowed"),
    ("select fuu from dual limit 10 order by fuu", "line 1:31: mismatched input 'order'. Expecting: <EOF>"),
    ("select CAST(12223222232535343423232435343 AS BIGINT)",
      "line 1:13: Invalid numeric literal: 12223222232535343423232435343"),
    ("select foo(DISTINCT)", "line 1:20: mismatched input ')'. Expecting: <expression>"),
    ("SELECT grouping(a+2) FROM t", "line 1:18: mismatched input '+'. Expecting: ')', ',', '.'"),
    ("SELECT X() OVER (ROWS UNBOUNDED) FROM T",
      "line 1:32: mismatched input ')'. Expecting: 'FOLLOWING', 'PRECEDING'"),
    ("SELECT x() over (ROWS select) FROM t",
      "line 1:23: mismatched input 'select'. Expecting: 'BETWEEN', 'CURRENT', 'UNBOUNDED', <expression>"),
    ("SELECT a FROM x ORDER BY (SELECT b FROM t WHERE ",
      "line 1:49: mismatched input '<EOF>'. Expecting: <expression>"),
    ("SELECT a AS z FROM t WHERE x = 1 + ", "line 1:36: mismatched input '<EOF>'. Expecting: <expression>"),
    ("SELECT a AS z FROM t WHERE a. ", "line 1:31: mismatched input '<EOF>'. Expecting: <identifier>"),
    ("SELECT a AS z FROM t GROUP BY CUBE (a), ",
      "line 1:41: mismatched input '<EOF>'. Expecting: '(', 'CUBE', 'GROUPING', 'ROLLUP', <expression>"),
    ("select fuu from dual order by fuu order by fuu",
      "line 1:35: mismatched input 'order'. Expecting: '%', '*', '+', ',', '-', '.', '/', 'AND', 'ASC', 'AT', "
        + "'DESC', 'FETCH', 'LIMIT', 'NULLS', 'OFFSET', 'OR', '[', '||', <EOF>, <predicate>"),
    ("SELECT if(1)", "line 1:8: Invalid number of arguments for 'if' function"),
    ("SELECT coalesce(1)", "line 1:8: The 'coalesce' function must have at least two arguments"),
    ("SELECT X'0'", "line 1:8: Binary literal must contain an even number of digits"),
    ("SELECT X'zz'", "line 1:8: Binary literal can only contain hexadecimal digits"),
    ("SELECT U&'\\00'", "line 1:8: Incomplete escape sequence: 00"),
    ("SELECT U&'\\D800'", "line 1:8: Invalid escaped character: D800"),
    ("SELECT 1; SELECT 2", "line 1:11: mismatched input 'SELECT'. Expecting: <EOF>"),
    ("SELECT a = b = c", "line 1:14: mismatched input '='. Expecting: '%', '*', '+', ',', '-', '.', '/', "
      + "'AND', 'AS', 'AT', 'EXCEPT', 'FETCH', 'FROM', 'GROUP', 'HAVING', 'INTERSECT', 'LIMIT', 'OFFSET', 'OR', "
      + "'ORDER', 'UNION', 'WHERE', 'WINDOW', '[', '||', <EOF>, <identifier>"),
    ("EXPLAIN (FORMAT xml) SELECT 1", "line 1:17: mismatched input 'xml'. Expecting: 'GRAPHVIZ', 'JSON', 'TEXT'"),
  ]) func messages(sql: String, expected: String) {
    #expect(parsingError(sql) == expected)
  }

  @Test func emptyTextExpectsAStatement() throws {
    let message = try #require(parsingError(""))
    // Only what works is offered.
    let words = "'CREATE', 'DESC', 'DESCRIBE', 'DROP', 'EXPLAIN', 'INSERT', 'SHOW', 'WITH', <query>"
    #expect(message == "line 1:1: mismatched input '<EOF>'. Expecting: \(words)")
  }

  @Test(arguments: [
    "SELECT * FROM t TABLESAMPLE BERNOULLI (10)", "SELECT json_value(a, 'lax $')", "SELECT * FROM TABLE(f(1))",
    "SELECT * FROM t FOR VERSION AS OF 3", "SELECT * FROM t MATCH_RECOGNIZE (PATTERN (a))",
  ]) func syntaxThatIsNotSupportedIsNamed(sql: String) {
    #expect(throws: WaterbearError.self) { try SQLParser.parseStatement(sql) }
    #expect(parsingError(sql)?.contains("not supported") == true)
  }

  @Test func aTextLongerThanTheLimitIsRefused() {
    let limits = ParserLimits(maximumLength: 20)
    #expect(parsingError("SELECT 1 -- 34567890", limits: limits) == nil)
    // Length counts characters, not bytes.
    #expect(parsingError("SELECT 'äöüßäöüßäö'", limits: limits) == nil)
    #expect(parsingError("SELECT 1 -- 345678901", limits: limits)
      == "Query text length (21) exceeds the maximum length (20)")
  }

  @Test(arguments: [
    ("(", ")"), ("NOT ", ""), ("- ", ""), ("f(", ")"), ("CASE WHEN true THEN ", " END"), ("ARRAY[", "]"),
    ("(SELECT ", ")"), ("((SELECT 1), ", ")"), ("x -> ", ""), ("EXISTS (SELECT ", ")"), ("1 IN (", ")"),
    ("trim(", ")"), ("extract(year from ", ")"), ("a[", "]"), ("CAST(", " AS bigint)"), ("f(x) OVER (ORDER BY ", ")"),
  ]) func deepNestingIsAnErrorNotACrash(opening: String, closing: String) throws {
    func nest(_ depth: Int) -> String {
      "SELECT " + String(repeating: opening, count: depth) + "1" + String(repeating: closing, count: depth)
    }
    #expect(parsingError(nest(60)) == nil)
    let message = try #require(parsingError(nest(2000)))
    #expect(message.contains("statement is too large"))
  }

  @Test func longChainsAreBounded() throws {
    for link in [" + 1", " || 'x'", "[1]", ".a", " AT TIME ZONE 'UTC'"] {
      #expect(parsingError("SELECT a" + String(repeating: link, count: 500)) == nil, "\(link)")
      let sql = "SELECT a" + String(repeating: link, count: 4000)
      let message = try #require(parsingError(sql), "\(link)")
      #expect(message.contains("statement is too large"))
    }
    for link in [" CROSS JOIN t", ", t", " JOIN t USING (a)", " EXCEPT TABLE t", " NATURAL JOIN t"] {
      #expect(parsingError("SELECT 1 FROM t" + String(repeating: link, count: 500)) == nil, "\(link)")
      let sql = "SELECT 1 FROM t" + String(repeating: link, count: 3000)
      let message = try #require(parsingError(sql), "\(link)")
      #expect(message.contains("statement is too large"))
    }
    let types = "SELECT CAST(1 AS bigint" + String(repeating: " array", count: 4000) + ")"
    #expect(try #require(parsingError(types)).contains("statement is too large"))
  }

  @Test func chainsInsideNestingAddUp() throws {
    // Each level alone is small; the height of the whole is not.
    var sql = "a"
    for _ in 0..<100 { sql = "(" + sql + String(repeating: " + 1", count: 50) + ")" }
    #expect(try #require(parsingError("SELECT " + sql)).contains("statement is too large"))
  }

  @Test func nestingAtTheLimitFitsTheStack() throws {
    let depth = ParserLimits().maximumNesting - 10
    let parentheses = String(repeating: "(", count: depth) + "1" + String(repeating: ")", count: depth)
    #expect(try SQLParser.parseExpression(parentheses).kind == .integer(1))
    let calls = String(repeating: "f(", count: depth) + "1" + String(repeating: ")", count: depth)
    let tree = try SQLParser.parseExpression(calls)
    #expect(tree == (try SQLParser.parseExpression(tree.description)))
  }
}

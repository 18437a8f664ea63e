// Owns the tests of cutting text into tokens.
import Testing

@testable import SQLSyntax

struct LexerTests {
  private func kinds(_ sql: String) -> [Token.Kind] {
    Lexer.tokens(of: Array(sql.utf8)).map(\.kind)
  }

  @Test func wordsAreKeywordsInAnyCase() {
    #expect(kinds("SELECT select SeLeCt x") == [
      .keyword(.select), .keyword(.select), .keyword(.select), .identifier, .endOfInput,
    ])
  }

  @Test func numbers() {
    #expect(kinds("1 1.5 1. .5 1e3 1.5E-3 .5e+2 1_000 0xFF 0b101 0o17") == [
      .integer, .decimal, .decimal, .decimal, .double, .double, .double, .integer, .integer, .integer, .integer,
      .endOfInput,
    ])
    #expect(kinds("1x 1e5x 0xFFg 0x") == [
      .digitIdentifier, .digitIdentifier, .digitIdentifier, .digitIdentifier, .endOfInput,
    ])
  }

  @Test func texts() {
    #expect(kinds("'a''b' '' \"a b\" X'0A' U&'\\0041' `q`") == [
      .string, .string, .quotedIdentifier, .binary, .unicodeString, .backquotedIdentifier, .endOfInput,
    ])
  }

  @Test func operators() {
    #expect(kinds("<> != <= >= < > || -> - + * / % ( ) [ ] , . ; ?").dropLast() == [
      .symbol(.notEqual), .symbol(.notEqual), .symbol(.lessThanOrEqual), .symbol(.greaterThanOrEqual),
      .symbol(.lessThan), .symbol(.greaterThan), .symbol(.concatenation), .symbol(.arrow), .symbol(.minus),
      .symbol(.plus), .symbol(.asterisk), .symbol(.slash), .symbol(.percent), .symbol(.leftParenthesis),
      .symbol(.rightParenthesis), .symbol(.leftBracket), .symbol(.rightBracket), .symbol(.comma),
      .symbol(.dot), .symbol(.semicolon), .symbol(.question),
    ])
  }

  @Test func commentsVanish() {
    #expect(kinds("a -- b\nc /* d\n e */ f --") == [.identifier, .identifier, .identifier, .endOfInput])
  }

  @Test func unclosedTextAndCommentAreNoTokens() {
    #expect(kinds("'oops") == [.unrecognized, .identifier, .endOfInput])
    #expect(kinds("/* x") == [.symbol(.slash), .symbol(.asterisk), .identifier, .endOfInput])
  }

  @Test func placesCountCharactersNotBytes() {
    let tokens = Lexer.tokens(of: Array("'äöü🐻' x\n  'a\nb' y".utf8))
    #expect(tokens.map { "\($0.line):\($0.column)" } == ["1:1", "1:8", "2:3", "3:4", "3:5"])
  }

  @Test func unclosedCommentsTakeLinearTime() {
    #expect(kinds(String(repeating: "/* ", count: 200_000)).count == 400_001)
    #expect(kinds(String(repeating: "'", count: 100_001)).count <= 100_002)
  }

  @Test func keywordLists() {
    #expect(Keyword.select.isReserved)
    #expect(Keyword.jsonValue.isReserved)
    #expect(!Keyword.date.isReserved)
    #expect(!Keyword.limit.isReserved)
    #expect(Keyword.allCases.filter(\.isReserved).count == 81)
  }
}

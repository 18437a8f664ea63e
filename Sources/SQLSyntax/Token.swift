// Owns the pieces SQL text falls into.
import Base

/// Punctuation and operators.
enum Symbol: String, Sendable {
  case leftParenthesis = "("
  case rightParenthesis = ")"
  case leftBracket = "["
  case rightBracket = "]"
  case comma = ","
  case dot = "."
  case semicolon = ";"
  case question = "?"
  case equal = "="
  case notEqual = "<>"
  case lessThan = "<"
  case lessThanOrEqual = "<="
  case greaterThan = ">"
  case greaterThanOrEqual = ">="
  case plus = "+"
  case minus = "-"
  case asterisk = "*"
  case slash = "/"
  case percent = "%"
  case concatenation = "||"
  case arrow = "->"
}

/// One token: its kind and the bytes of the text it covers.
struct Token: Sendable {
  enum Kind: Equatable, Sendable {
    case keyword(Keyword)
    case symbol(Symbol)
    case identifier
    case quotedIdentifier
    case backquotedIdentifier
    /// Letters behind a digit, which Trino recognises only to say that it will not do.
    case digitIdentifier
    case integer
    case decimal
    case double
    case string
    case unicodeString
    case binary
    /// One character that starts no token.
    case unrecognized
    case endOfInput
  }

  var kind: Kind
  var start: Int32
  var end: Int32
  var line: Int32
  var column: Int32

  var location: SourceLocation { SourceLocation(line: Int(line), column: Int(column)) }
}

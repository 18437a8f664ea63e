// Owns the grammar of type names.
import Base

extension Parser {
  /// A type, such as `decimal(12, 2)`, `timestamp(3) with time zone`, `array(row(x bigint))` or `bigint array`.
  mutating func parseType() throws -> TypeName {
    var type = try nested { parser in try parser.parseSingleType() }
    while at(.array) {
      let place = location
      advance()
      if accept(.leftBracket) {
        _ = try parseInteger()
        try expect(.rightBracket)
      }
      try grow()
      type = TypeName(base: "array", parameters: [.type(type)], at: place)
    }
    return type
  }

  private mutating func parseSingleType() throws -> TypeName {
    let place = location
    switch kind {
    case .keyword(.row) where peek(1) == .symbol(.leftParenthesis):
      advance()
      return TypeName(base: "row", parameters: try parenthesisedList { try $0.parseRowField() }, at: place)
    case .keyword(.time), .keyword(.timestamp):
      return try parseTimeType(at: place)
    case .keyword(.double) where peek(1) == .keyword(.precision):
      advance()
      advance()
      return TypeName(base: "double", at: place)
    case .keyword(.interval):
      return try parseIntervalType(at: place)
    case .keyword(.array) where peek(1) == .symbol(.lessThan), .keyword(.map) where peek(1) == .symbol(.lessThan):
      return try parseAngledType(at: place)
    default:
      guard isIdentifier(kind) else {
        note(.type)
        throw mismatch()
      }
      let name = try parseIdentifier()
      var parameters: [TypeName.Parameter] = []
      if at(.leftParenthesis) {
        parameters = try parenthesisedList { try $0.parseTypeParameter() }
      } else {
        note(.symbol(.leftParenthesis))
      }
      return TypeName(base: TypeName.standard(name.canonical), parameters: parameters, at: place)
    }
  }

  private mutating func parseTypeParameter() throws -> TypeName.Parameter {
    if kind == .integer { return .number(try parseInteger()) }
    note(.integer)
    return .type(try parseType())
  }

  /// `name type` or just `type`: a name is one where another type follows it.
  private mutating func parseRowField() throws -> TypeName.Parameter {
    let next = peek(1)
    let hasName: Bool
    switch kind {
    case .quotedIdentifier: hasName = true
    case .keyword(.double) where next == .keyword(.precision): hasName = peek(2) == .keyword(.precision)
    case .keyword(.time), .keyword(.timestamp):
      hasName = isIdentifier(next) && next != .keyword(.without) && next != .keyword(.array)
    case .keyword(.interval):
      hasName = isIdentifier(next) && peek(2) != .keyword(.to)
    default: hasName = isIdentifier(kind) && isIdentifier(next) && next != .keyword(.array)
    }
    guard hasName else { return .field(nil, try parseType()) }
    return .field(try parseIdentifier(), try parseType())
  }

  private mutating func parseTimeType(at place: SourceLocation) throws -> TypeName {
    let base = at(.time) ? "time" : "timestamp"
    advance()
    var parameters: [TypeName.Parameter] = []
    if accept(.leftParenthesis) {
      parameters = [.number(try parseInteger())]
      try expect(.rightParenthesis)
    }
    var suffix = ""
    if at(.with) || at(.without), peek(1) == .keyword(.time) {
      if at(.with) { suffix = " with time zone" }
      advance()
      advance()
      try expect(.zone)
    } else {
      note(.keyword(.with))
      note(.keyword(.without))
    }
    return TypeName(base: base + suffix, parameters: parameters, at: place)
  }

  private mutating func parseIntervalType(at place: SourceLocation) throws -> TypeName {
    advance()
    let from = try parseIntervalField()
    let to = accept(.to) ? try parseIntervalField() : nil
    let base = ([from, to].compactMap { $0?.rawValue.lowercased() }).joined(separator: " to ")
    return TypeName(base: "interval " + base, at: place)
  }

  /// `array<t>` and `map<k, v>`, which Trino still takes.
  private mutating func parseAngledType(at place: SourceLocation) throws -> TypeName {
    let base = at(.array) ? "array" : "map"
    advance()
    try expect(.lessThan)
    var parameters = [TypeName.Parameter.type(try parseType())]
    if base == "map" {
      try expect(.comma)
      parameters.append(.type(try parseType()))
    }
    try expect(.greaterThan)
    return TypeName(base: base, parameters: parameters, at: place)
  }
}

extension TypeName {
  /// The name by which Trino knows an abbreviated type.
  static func standard(_ name: String) -> String {
    switch name {
    case "int": "integer"
    case "dec", "numeric": "decimal"
    default: name
    }
  }
}

// Owns the grammar of function calls and of the forms that look like them (IF, COALESCE, NULLIF, TRY), with OVER.
import Base

extension Parser {
  /// A call; the parser stands at the opening parenthesis.
  mutating func parseCall(_ name: QualifiedName, at place: SourceLocation) throws -> Expression {
    advance()
    var call = FunctionCall(name: name, arguments: [])
    if at(.asterisk), peek(1) == .symbol(.rightParenthesis) {
      advance()
      advance()
      call.isStar = true
    } else if accept(.rightParenthesis) {
      // No arguments.
    } else {
      note(.symbol(.asterisk))
      if let substring = try parseArguments(into: &call, at: place) { return substring }
      try expect(.rightParenthesis)
    }
    try parseCallSuffix(into: &call)
    try grow()
    return Expression(try special(call, at: place) ?? .call(call), at: place)
  }

  /// The arguments up to the closing parenthesis; a whole expression where the call is `SUBSTRING(a FROM b FOR c)`.
  private mutating func parseArguments(
    into call: inout FunctionCall, at place: SourceLocation
  ) throws -> Expression? {
    if accept(.distinct) {
      call.isDistinct = true
    } else if at(.all), startsExpression(peek(1)) {
      advance()
    } else {
      note(.keyword(.all))
    }
    if !at(.order) {
      if !call.isDistinct { note(.keyword(.order)) }
      call.arguments = [try parseExpression()]
      if call.name.parts.count == 1, call.name.suffix == "substring", accept(.from) {
        call.arguments.append(try nested { parser in try parser.parseValue() })
        if accept(.for) { call.arguments.append(try nested { parser in try parser.parseValue() }) }
        try expect(.rightParenthesis)
        call.name = QualifiedName([Identifier("substr", at: place)])
        return Expression(.call(call), at: place)
      }
      while accept(.comma) { call.arguments.append(try parseExpression()) }
    }
    call.orderBy = try parseOrderBy()
    return nil
  }

  /// Whether an expression can start with this token: tells `ALL x` from a column called `all`.
  private func startsExpression(_ kind: Token.Kind) -> Bool {
    switch kind {
    case .integer, .decimal, .double, .string, .unicodeString, .binary, .symbol(.question): true
    case .keyword(.case), .keyword(.cast), .keyword(.null), .keyword(.true), .keyword(.false): true
    default: isIdentifier(kind)
    }
  }

  private mutating func parseCallSuffix(into call: inout FunctionCall) throws {
    if at(.filter), peek(1) == .symbol(.leftParenthesis) {
      advance()
      advance()
      try expect(.where)
      call.filter = try parseExpression()
      try expect(.rightParenthesis)
    }
    if at(.ignore) || at(.respect), peek(1) == .keyword(.nulls) {
      call.nullTreatment = at(.ignore) ? .ignore : .respect
      advance()
      advance()
    }
    if at(.over), peek(1) == .symbol(.leftParenthesis) || isIdentifier(peek(1)) {
      advance()
      call.window = try parseWindow()
    }
  }

  /// Forms with evaluation rules of their own that are written as calls. The messages are Trino's.
  private func special(_ call: FunctionCall, at place: SourceLocation) throws -> Expression.Kind? {
    guard call.name.parts.count == 1 else { return nil }
    let name = call.name.suffix
    guard ["if", "nullif", "coalesce", "try"].contains(name) else { return nil }
    if call.window != nil { throw failure("OVER clause not valid for '\(name)' function", at: place) }
    if call.isDistinct { throw failure("DISTINCT not valid for '\(name)' function", at: place) }
    if call.nullTreatment != nil {
      throw failure("Null treatment clause not valid for '\(name)' function", at: place)
    }
    if call.filter != nil { throw failure("FILTER not valid for '\(name)' function", at: place) }
    let arguments = call.arguments
    switch (name, arguments.count) {
    case ("if", 2): return .ifThenElse(arguments[0], arguments[1], nil)
    case ("if", 3): return .ifThenElse(arguments[0], arguments[1], arguments[2])
    case ("nullif", 2): return .nullIf(arguments[0], arguments[1])
    case ("coalesce", 2...): return .coalesce(arguments)
    case ("coalesce", _):
      throw failure("The 'coalesce' function must have at least two arguments", at: place)
    case ("try", 1): return .tryExpression(arguments[0])
    case ("try", _): throw failure("The 'try' function must have exactly one argument", at: place)
    default: throw failure("Invalid number of arguments for '\(name)' function", at: place)
    }
  }

  /// `LISTAGG(value [, separator]) WITHIN GROUP (ORDER BY …)`.
  mutating func parseListagg(at place: SourceLocation) throws -> Expression {
    var call = FunctionCall(name: QualifiedName([Identifier("listagg", at: place)]), arguments: [])
    advance()
    try expect(.leftParenthesis)
    if accept(.distinct) { call.isDistinct = true } else { _ = accept(.all) }
    call.arguments = [try parseExpression()]
    if accept(.comma) {
      let separatorPlace = location
      call.arguments.append(Expression(.string(try parseString()), at: separatorPlace))
    }
    if at(.on) { throw unsupported("LISTAGG with ON OVERFLOW") }
    try expect(.rightParenthesis)
    try expect(.within)
    try expect(.group)
    try expect(.leftParenthesis)
    call.orderBy = try parseOrderBy()
    if call.orderBy.isEmpty { throw mismatch() }
    try expect(.rightParenthesis)
    try parseCallSuffix(into: &call)
    return Expression(.call(call), at: place)
  }

  // MARK: Windows

  private mutating func parseWindow() throws -> Window {
    if at(.leftParenthesis) { return .specification(try parseWindowSpecification()) }
    return .reference(try parseIdentifier())
  }

  mutating func parseWindowSpecification() throws -> WindowSpecification {
    let place = location
    try expect(.leftParenthesis)
    var specification = WindowSpecification(partitionBy: [], orderBy: [], location: place)
    if !startsWindowClause() { specification.existingName = try acceptIdentifier() }
    if accept(.partition) {
      try expect(.by)
      specification.partitionBy = try parseExpressionList()
    }
    specification.orderBy = try parseOrderBy()
    specification.frame = try parseFrame()
    try expect(.rightParenthesis)
    return specification
  }

  /// Whether the word here opens a clause of a window rather than naming one.
  private func startsWindowClause() -> Bool {
    switch kind {
    case .keyword(.partition): peek(1) == .keyword(.by)
    case .keyword(.rows), .keyword(.range), .keyword(.groups): peek(1) != .symbol(.rightParenthesis)
    default: false
    }
  }

  private mutating func parseFrame() throws -> WindowFrame? {
    let place = location
    let unit: WindowFrame.Unit
    if accept(.rows) {
      unit = .rows
    } else if accept(.range) {
      unit = .range
    } else if accept(.groups) {
      unit = .groups
    } else {
      return nil
    }
    if accept(.between) {
      let start = try parseFrameBound()
      try expect(.and)
      return WindowFrame(unit: unit, start: start, end: try parseFrameBound(), location: place)
    }
    return WindowFrame(unit: unit, start: try parseFrameBound(), location: place)
  }

  private mutating func parseFrameBound() throws -> WindowFrame.Bound {
    if accept(.unbounded) {
      if accept(.preceding) { return .unboundedPreceding }
      try expect(.following)
      return .unboundedFollowing
    }
    if at(.current), peek(1) == .keyword(.row) {
      advance()
      advance()
      return .currentRow
    }
    note(.keyword(.current))
    let offset = try parseExpression()
    if accept(.preceding) { return .preceding(offset) }
    try expect(.following)
    return .following(offset)
  }
}

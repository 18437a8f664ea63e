// Owns the grammar of FROM: tables, subqueries, UNNEST, LATERAL, aliases and joins.
import Base

extension Parser {
  /// Relations separated by commas.
  mutating func parseRelations() throws -> Relation {
    var left = try parseRelation()
    while true {
      let place = location
      guard accept(.comma) else { return left }
      let right = try parseRelation()
      try grow()
      left = Relation(kind: .join(Join(kind: .implicit, left: left, right: right)), location: place)
    }
  }

  /// A relation with all joins behind it.
  private mutating func parseRelation() throws -> Relation {
    var left = try nested { parser in try parser.parseAliasedRelation() }
    while let joined = try parseJoin(left) {
      try grow()
      left = joined
    }
    return left
  }

  private mutating func parseJoin(_ left: Relation) throws -> Relation? {
    let place = left.location
    if accept(.cross) {
      try expect(.join)
      let right = try nested { parser in try parser.parseAliasedRelation() }
      return Relation(kind: .join(Join(kind: .cross, left: left, right: right)), location: place)
    }
    let isNatural = accept(.natural)
    guard let kind = try parseJoinKind(required: isNatural) else { return nil }
    if isNatural {
      let right = try nested { parser in try parser.parseAliasedRelation() }
      return Relation(kind: .join(Join(kind: kind, left: left, right: right, criteria: .natural)), location: place)
    }
    // The right side takes the joins behind it along while no condition has come: `a JOIN b JOIN c ON … ON …`.
    let right = try nested { parser in try parser.parseRightOfJoin() }
    let criteria: Join.Criteria
    if accept(.on) {
      criteria = .on(try parseExpression())
    } else {
      try expect(.using)
      criteria = .using(try parenthesisedList { parser in try parser.parseIdentifier() })
    }
    return Relation(kind: .join(Join(kind: kind, left: left, right: right, criteria: criteria)), location: place)
  }

  /// What stands between JOIN and its condition.
  private mutating func parseRightOfJoin() throws -> Relation {
    var right = try parseAliasedRelation()
    while !at(.on), !at(.using), let joined = try parseJoin(right) {
      try grow()
      right = joined
    }
    return right
  }

  private mutating func parseJoinKind(required: Bool) throws -> Join.Kind? {
    let kind: Join.Kind
    if accept(.join) { return .inner }
    if accept(.inner) {
      kind = .inner
    } else if accept(.left) {
      kind = .left
    } else if accept(.right) {
      kind = .right
    } else if accept(.full) {
      kind = .full
    } else {
      if required { throw mismatch() }
      return nil
    }
    if kind != .inner { _ = accept(.outer) }
    try expect(.join)
    return kind
  }

  private mutating func parseAliasedRelation() throws -> Relation {
    let place = location
    var relation = try parseRelationPrimary()
    if let alias = try acceptAlias() {
      let columnAliases = try acceptColumnAliases()
      relation = Relation(
        kind: .aliased(relation, alias: alias, columnAliases: columnAliases), location: place)
      try grow()
    }
    if at(.tablesample) { throw unsupported("TABLESAMPLE") }
    note(.keyword(.tablesample))
    if at(.matchRecognize) { throw unsupported("MATCH_RECOGNIZE") }
    note(.keyword(.matchRecognize))
    return relation
  }

  private mutating func parseRelationPrimary() throws -> Relation {
    let place = location
    let opens = peek(1) == .symbol(.leftParenthesis)
    switch kind {
    case .symbol(.leftParenthesis):
      if isQuery(at: index) { return Relation(kind: .subquery(try parseSubquery()), location: place) }
      advance()
      note(.query)
      let relation = try parseRelation()
      try expect(.rightParenthesis)
      return relation
    case .keyword(.lateral) where opens:
      advance()
      return Relation(kind: .lateral(try parseSubquery()), location: place)
    case .keyword(.unnest):
      advance()
      let expressions = try parenthesisedList { parser in try parser.parseExpression() }
      let withOrdinality = at(.with) && peek(1) == .keyword(.ordinality)
      if withOrdinality {
        advance()
        advance()
      }
      return Relation(kind: .unnest(expressions, withOrdinality: withOrdinality), location: place)
    case .keyword(.table) where opens: throw unsupported("TABLE function invocation")
    case .keyword(.jsonTable): throw unsupported("JSON_TABLE")
    default:
      note(.symbol(.leftParenthesis))
      note(.keyword(.lateral))
      note(.keyword(.unnest))
      let name = try parseQualifiedName()
      if at(.for), peek(1) == .keyword(.timestamp) || peek(1) == .keyword(.version) {
        throw unsupported("Querying a table as of a time or version")
      }
      note(.keyword(.for))
      return Relation(kind: .table(name), location: place)
    }
  }
}

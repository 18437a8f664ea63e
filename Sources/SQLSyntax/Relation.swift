// Owns the syntax tree of what stands in FROM.
import Base

/// A source of rows in a FROM clause.
public struct Relation: Hashable, Sendable {
  /// The forms of relations.
  public indirect enum Kind: Hashable, Sendable {
    case table(QualifiedName)
    /// A query in parentheses, VALUES included.
    case subquery(Query)
    case lateral(Query)
    case unnest([Expression], withOrdinality: Bool)
    case aliased(Relation, alias: Identifier, columnAliases: [Identifier]?)
    case join(Join)
  }

  public var kind: Kind
  @Uncompared public var location: SourceLocation
}

/// Two relations joined.
public struct Join: Hashable, Sendable {
  /// Which rows without a partner are kept.
  public enum Kind: String, Hashable, Sendable {
    case inner = "INNER"
    case left = "LEFT"
    case right = "RIGHT"
    case full = "FULL"
    case cross = "CROSS"
    /// A comma in FROM; the same rows as CROSS.
    case implicit = "IMPLICIT"
  }

  /// What makes two rows partners.
  public enum Criteria: Hashable, Sendable {
    case on(Expression)
    case using([Identifier])
    case natural
  }

  public var kind: Kind
  public var left: Relation
  public var right: Relation
  /// Nil for cross and implicit joins only.
  public var criteria: Criteria?
}

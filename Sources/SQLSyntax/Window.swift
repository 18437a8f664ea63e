// Owns the syntax tree of window functions' OVER clauses.
import Base

/// What follows OVER.
public enum Window: Hashable, Sendable {
  /// A name from the WINDOW clause.
  case reference(Identifier)
  case specification(WindowSpecification)
}

/// `([name] [PARTITION BY …] [ORDER BY …] [frame])`.
public struct WindowSpecification: Hashable, Sendable {
  public var existingName: Identifier?
  public var partitionBy: [Expression]
  public var orderBy: [SortItem]
  public var frame: WindowFrame?
  @Uncompared public var location: SourceLocation
}

/// `name AS (specification)` in a WINDOW clause.
public struct NamedWindow: Hashable, Sendable {
  public var name: Identifier
  public var specification: WindowSpecification
}

/// `ROWS | RANGE | GROUPS  start  [AND end]`.
public struct WindowFrame: Hashable, Sendable {
  /// What the bounds of a frame count.
  public enum Unit: String, Hashable, Sendable {
    case rows = "ROWS"
    case range = "RANGE"
    case groups = "GROUPS"
  }

  /// One end of a frame.
  public indirect enum Bound: Hashable, Sendable {
    case unboundedPreceding
    case preceding(Expression)
    case currentRow
    case following(Expression)
    case unboundedFollowing
  }

  public var unit: Unit
  public var start: Bound
  /// Nil where BETWEEN was not written: the frame ends at the current row.
  public var end: Bound?
  @Uncompared public var location: SourceLocation
}

// Owns the syntax tree of queries: WITH, set operations, SELECT and its clauses.
import Base

/// `[WITH …] body [ORDER BY …] [OFFSET …] [LIMIT … | FETCH …]`.
public struct Query: Hashable, Sendable {
  public var with: With?
  public var body: QueryBody
  public var orderBy: [SortItem]
  public var offset: RowCount?
  public var limit: Limit?
  @Uncompared public var location: SourceLocation
}

/// `WITH [RECURSIVE] name [(columns)] AS (query), …`.
public struct With: Hashable, Sendable {
  /// `name [(columns)] AS (query)`.
  public struct NamedQuery: Hashable, Sendable {
    public var name: Identifier
    public var columnAliases: [Identifier]?
    public var query: Query
  }

  public var isRecursive: Bool
  public var queries: [NamedQuery]
  @Uncompared public var location: SourceLocation
}

/// What yields a query's rows.
public indirect enum QueryBody: Hashable, Sendable {
  case select(Select)
  case setOperation(SetOperation)
  /// `VALUES row, …`; a row of several columns is a `.row` expression.
  case values([Expression], Uncompared<SourceLocation>)
  /// `TABLE name`.
  case table(QualifiedName)
  /// A query in parentheses, with clauses of its own.
  case parenthesised(Query)

  /// Where the body starts.
  public var location: SourceLocation {
    switch self {
    case .select(let select): select.location
    case .setOperation(let operation): operation.location
    case .values(_, let location): location.wrappedValue
    case .table(let name): name.location
    case .parenthesised(let query): query.location
    }
  }
}

/// UNION, INTERSECT or EXCEPT. A chain of the same UNION or INTERSECT is one node with many inputs; EXCEPT has two.
public struct SetOperation: Hashable, Sendable {
  /// Which rows of the inputs are the result.
  public enum Kind: String, Hashable, Sendable {
    case union = "UNION"
    case intersect = "INTERSECT"
    case except = "EXCEPT"
  }

  public var kind: Kind
  /// False where `ALL` was written.
  public var isDistinct: Bool
  /// Two or more.
  public var inputs: [QueryBody]
  /// Where the (last) operator stands.
  @Uncompared public var location: SourceLocation
}

/// `SELECT [DISTINCT | ALL] items [FROM …] [WHERE …] [GROUP BY …] [HAVING …] [WINDOW …]`.
public struct Select: Hashable, Sendable {
  public var isDistinct: Bool
  public var items: [SelectItem]
  /// Several relations separated by commas are implicit cross joins.
  public var from: Relation?
  public var `where`: Expression?
  public var groupBy: GroupBy?
  public var having: Expression?
  public var windows: [NamedWindow]
  @Uncompared public var location: SourceLocation
}

/// One entry of a select list.
public enum SelectItem: Hashable, Sendable {
  case expression(Expression, alias: Identifier?)
  /// `*`
  case allColumns(Uncompared<SourceLocation>)
  /// `base.* [AS (names)]`
  case allColumnsOf(Expression, aliases: [Identifier])

  /// Where the item starts.
  public var location: SourceLocation {
    switch self {
    case .expression(let expression, _): expression.location
    case .allColumns(let location): location.wrappedValue
    case .allColumnsOf(let base, _): base.location
    }
  }
}

/// `GROUP BY [ALL | DISTINCT] element, …`.
public struct GroupBy: Hashable, Sendable {
  /// What stands between the commas.
  public enum Element: Hashable, Sendable {
    /// One expression or ordinal; several where written `(a, b)`; none where written `()`.
    case simple([Expression])
    case groupingSets([[Expression]])
    case cube([[Expression]])
    case rollup([[Expression]])
  }

  public var isDistinct: Bool
  public var elements: [Element]
  @Uncompared public var location: SourceLocation
}

/// `expression [ASC | DESC] [NULLS FIRST | LAST]`.
public struct SortItem: Hashable, Sendable {
  public var key: Expression
  public var isAscending: Bool
  /// Nil where not written: Trino then puts nulls last.
  public var nullsFirst: Bool?
  @Uncompared public var location: SourceLocation
}

/// A row count in LIMIT, OFFSET or FETCH.
public struct RowCount: Hashable, Sendable {
  /// A number, a parameter, or all rows.
  public enum Kind: Hashable, Sendable {
    case number(Int64)
    /// The nth `?`, from 0.
    case parameter(Int)
  }

  public var kind: Kind
  @Uncompared public var location: SourceLocation
}

/// How many rows a query gives at most.
public enum Limit: Hashable, Sendable {
  case all
  case rows(RowCount)
  /// `FETCH FIRST [n] ROWS ONLY | WITH TIES`; no count means one row.
  case fetchFirst(RowCount?, withTies: Bool, Uncompared<SourceLocation>)
}

// Owns the syntax tree of expressions. Equality and hashing ignore where an expression stands, as matching against
// GROUP BY needs. The parser bounds the height of every tree, so recursion over one cannot exhaust the stack.
import Base

/// One SQL expression and the place that Trino names in errors about it: the operator of arithmetic and comparisons,
/// the first word of a predicate (`NOT`, `IN`, `IS` …), the first token of everything else.
public struct Expression: Hashable, Sendable, CustomStringConvertible {
  public var kind: Kind
  @Uncompared public var location: SourceLocation

  public init(_ kind: Kind, at location: SourceLocation) {
    self.kind = kind
    self._location = Uncompared(wrappedValue: location)
  }

  /// The forms of expressions.
  public indirect enum Kind: Hashable, Sendable {
    case null
    case boolean(Bool)
    /// `integer` where it fits 32 bits, else `bigint`.
    case integer(Int64)
    /// Digits with a point and perhaps a leading minus, as written.
    case decimal(String)
    case double(Double)
    case string(String)
    case binary([UInt8])
    /// `TYPE 'text'`: DATE, TIME, TIMESTAMP, DECIMAL, JSON and every other type's; the name is in lower case.
    case typed(type: String, text: String)
    case interval(IntervalLiteral)
    case currentTime(CurrentTime, precision: Int?)
    case sessionValue(SessionValue)
    /// The nth `?` of the statement, from 0.
    case parameter(Int)
    case identifier(Identifier)
    case dereference(Expression, Identifier)
    case arithmetic(ArithmeticOperator, Expression, Expression)
    case negated(Expression)
    case plus(Expression)
    case comparison(ComparisonOperator, Expression, Expression)
    /// Two terms or more; a chain of the same operator is one node.
    case logical(LogicalOperator, [Expression])
    case not(Expression)
    case between(Expression, low: Expression, high: Expression)
    case inList(Expression, [Expression])
    case inSubquery(Expression, Query)
    case like(Expression, pattern: Expression, escape: Expression?)
    case isNull(Expression)
    case isNotNull(Expression)
    case exists(Query)
    case subquery(Query)
    case quantified(ComparisonOperator, Quantifier, Expression, Query)
    case simpleCase(Expression, [WhenClause], otherwise: Expression?)
    case searchedCase([WhenClause], otherwise: Expression?)
    case cast(Expression, TypeName, isTry: Bool)
    case extract(Identifier, Expression)
    case trim(TrimKind, character: Expression?, Expression)
    /// A function call; `a || b` is `concat(a, b)`, `SUBSTRING(x FROM a)` is `substr(x, a)` and `POSITION(a IN b)` is
    /// `strpos(b, a)`, as in Trino.
    case call(FunctionCall)
    case ifThenElse(Expression, Expression, Expression?)
    case nullIf(Expression, Expression)
    case coalesce([Expression])
    case tryExpression(Expression)
    case row([Expression])
    case array([Expression])
    case `subscript`(Expression, Expression)
    case lambda([Identifier], Expression)
    case atTimeZone(Expression, Expression)
    case grouping([QualifiedName])
  }

  /// The expression in Trino's spelling; see `ExpressionFormatter`.
  public var description: String { ExpressionFormatter.format(self) }
}

/// `WHEN condition THEN result`.
public struct WhenClause: Hashable, Sendable {
  public var condition: Expression
  public var result: Expression

  public init(condition: Expression, result: Expression) {
    self.condition = condition
    self.result = result
  }
}

/// `+`, `-`, `*`, `/` or `%`.
public enum ArithmeticOperator: String, Hashable, Sendable, CaseIterable {
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case modulus = "%"
}

/// `=`, `<>` and their kin.
public enum ComparisonOperator: String, Hashable, Sendable, CaseIterable {
  case equal = "="
  case notEqual = "<>"
  case lessThan = "<"
  case lessThanOrEqual = "<="
  case greaterThan = ">"
  case greaterThanOrEqual = ">="
  case isDistinctFrom = "IS DISTINCT FROM"
}

/// `AND` or `OR`.
public enum LogicalOperator: String, Hashable, Sendable {
  case and = "AND"
  case or = "OR"
}

/// What stands before the subquery of `value = ALL (query)`.
public enum Quantifier: String, Hashable, Sendable {
  case all = "ALL"
  case any = "ANY"
  case some = "SOME"
}

/// The ends that `TRIM` trims.
public enum TrimKind: String, Hashable, Sendable {
  case both = "BOTH"
  case leading = "LEADING"
  case trailing = "TRAILING"
}

/// Time functions that are written without parentheses.
public enum CurrentTime: String, Hashable, Sendable {
  case date = "CURRENT_DATE"
  case time = "CURRENT_TIME"
  case timestamp = "CURRENT_TIMESTAMP"
  case localTime = "LOCALTIME"
  case localTimestamp = "LOCALTIMESTAMP"
}

/// Session functions that are written without parentheses.
public enum SessionValue: String, Hashable, Sendable {
  case user = "CURRENT_USER"
  case catalog = "CURRENT_CATALOG"
  case schema = "CURRENT_SCHEMA"
  case path = "CURRENT_PATH"
}

/// `INTERVAL [+|-] 'text' from [TO to]`.
public struct IntervalLiteral: Hashable, Sendable {
  /// A unit of time.
  public enum Field: String, Hashable, Sendable, CaseIterable {
    case year = "YEAR"
    case month = "MONTH"
    case day = "DAY"
    case hour = "HOUR"
    case minute = "MINUTE"
    case second = "SECOND"

    /// Whether the field belongs to `interval year to month`.
    public var isYearToMonth: Bool { self == .year || self == .month }
  }

  public var isNegative: Bool
  public var text: String
  public var from: Field
  public var to: Field?
}

/// `name([DISTINCT] arguments [ORDER BY …]) [FILTER (WHERE …)] [IGNORE NULLS] [OVER …]`.
public struct FunctionCall: Hashable, Sendable {
  /// Whether a function sees rows whose argument is NULL.
  public enum NullTreatment: String, Hashable, Sendable {
    case ignore = "IGNORE NULLS"
    case respect = "RESPECT NULLS"
  }

  public var name: QualifiedName
  /// Empty for `name(*)`.
  public var arguments: [Expression]
  /// Whether it was written `name(*)`.
  public var isStar = false
  public var isDistinct = false
  public var orderBy: [SortItem] = []
  public var filter: Expression?
  public var nullTreatment: NullTreatment?
  public var window: Window?

  /// A plain call; the other clauses are set afterwards.
  public init(name: QualifiedName, arguments: [Expression]) {
    self.name = name
    self.arguments = arguments
  }
}

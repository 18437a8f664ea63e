// Owns the part of a filter that a connector can understand: per column, the values that may match.

import Columnar

/// A conjunction of column domains: a row can match only if each listed column's value lies in its domain.
public struct TupleDomain: Hashable, Codable, Sendable {
  public var columns: [ColumnDomain]

  /// No constraint.
  public static let all = TupleDomain(columns: [])

  public init(columns: [ColumnDomain]) { self.columns = columns }

  /// The domain of a column, or nil where every value may match.
  public func domain(of column: String) -> ColumnDomain? { columns.first { $0.column.name == column } }
}

/// The values of one column that may match: a list where one is known, else a range. NULL never matches.
public struct ColumnDomain: Hashable, Codable, Sendable {
  public var column: ColumnHandle
  public var values: [Value]?
  public var lowest: Value?
  public var lowestInclusive: Bool
  public var highest: Value?
  public var highestInclusive: Bool

  public init(
    column: ColumnHandle, values: [Value]? = nil, lowest: Value? = nil, lowestInclusive: Bool = true,
    highest: Value? = nil, highestInclusive: Bool = true
  ) {
    self.column = column
    self.values = values
    self.lowest = lowest
    self.lowestInclusive = lowestInclusive
    self.highest = highest
    self.highestInclusive = highestInclusive
  }
}

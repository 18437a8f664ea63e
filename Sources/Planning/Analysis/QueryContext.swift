// Owns what a query's meaning depends on besides its text: the session and the time it started. No clock is read here.

import Base

/// The session of one query. Times are fixed at its start, so that every attempt of every task sees the same ones.
public struct QueryContext: Sendable {
  /// Names the query to connectors that it writes to.
  public var query: QueryID
  /// Where unqualified names are looked up.
  public var catalog: String?
  public var schema: String?
  public var user: String
  /// Microseconds since 1970-01-01 00:00:00 UTC.
  public var startMicroseconds: Int64
  /// Seconds to add to UTC for the session's local time.
  public var timeZoneOffsetSeconds: Int
  /// How many table references a query may unfold to, WITH queries counted at each use.
  public var maximumRelations: Int

  public init(
    query: QueryID = QueryID(""), catalog: String? = nil, schema: String? = nil, user: String = "",
    startMicroseconds: Int64 = 0, timeZoneOffsetSeconds: Int = 0, maximumRelations: Int = 4096
  ) {
    self.query = query
    self.catalog = catalog
    self.schema = schema
    self.user = user
    self.startMicroseconds = startMicroseconds
    self.timeZoneOffsetSeconds = timeZoneOffsetSeconds
    self.maximumRelations = maximumRelations
  }
}

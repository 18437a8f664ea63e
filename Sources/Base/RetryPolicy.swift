// Owns the names of what is retried after a failure, in Trino's spelling.

/// What a failure repeats. Trino's property is `retry-policy`.
public enum RetryPolicy: String, Codable, Sendable, CaseIterable {
  /// The first failure ends the query.
  case none = "NONE"
  /// The whole query runs again. Outputs that are intact are kept.
  case query = "QUERY"
  /// The task that failed runs again.
  case task = "TASK"
}

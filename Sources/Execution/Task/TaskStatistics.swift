// Owns the figures of a task attempt. Collected per batch, never per row.

/// What one operator did.
public struct OperatorStatistics: Codable, Sendable, Equatable {
  /// The plan node's place in a pre-order walk of the fragment's tree, the root being 0.
  public var node: Int
  /// Trino's operator name, such as `HashAggregationOperator`.
  public var name: String
  public var outputRows: Int64 = 0
  public var outputBatches: Int64 = 0
  /// CPU time spent in the operator and its inputs; 0 where the task has no clock.
  public var inclusiveNanoseconds: Int64 = 0

  public init(node: Int, name: String) {
    self.node = node
    self.name = name
  }
}

/// What a task attempt read, wrote and held.
public struct TaskStatistics: Codable, Sendable, Equatable {
  /// Rows and estimated bytes of their values from scans and remote sources.
  public var inputRows: Int64 = 0
  public var inputBytes: Int64 = 0
  /// Rows and estimated bytes of their values given to the sink.
  public var outputRows: Int64 = 0
  public var outputBytes: Int64 = 0
  public var peakMemoryBytes: Int64 = 0
  /// One entry for each plan node, in pre-order.
  public var operators: [OperatorStatistics] = []
  /// What became of the key sources whose keys were read, in the fragment's order.
  public var keySources: [KeySourceOutcome] = []

  public init() {}
}

/// What a scan made of the keys of another fragment's rows.
public struct KeySourceOutcome: Codable, Sendable, Equatable {
  /// The fragment whose rows hold the keys, and which column of them.
  public var fragment: Int
  public var column: String
  /// How many there are, one for each row; nil where there were too many, so that the scan read everything.
  public var keys: Int?

  public init(fragment: Int, column: String, keys: Int?) {
    self.fragment = fragment
    self.column = column
    self.keys = keys
  }
}

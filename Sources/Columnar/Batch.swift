// Owns the unit of execution: some thousand rows as columns of equal length.

/// Rows as columns. Usually up to `Batch.targetRows` rows; may be empty, and may have rows but no columns.
public struct Batch: Sendable {
  public let columns: [Vector]
  public let count: Int

  /// How many rows producers aim at: enough to pay for a call per column, few enough for the second-level cache.
  public static let targetRows = 8192

  public init(columns: [Vector], count: Int) {
    for column in columns {
      precondition(column.count == count, "a column of \(column.count) rows in a batch of \(count)")
    }
    self.columns = columns
    self.count = count
  }

  public var retainedBytes: Int { columns.reduce(0) { $0 + $1.retainedBytes } }

  /// The batch with only the columns at `positions`, in that order. No row is touched.
  public func selectingColumns(_ positions: [Int]) -> Batch {
    Batch(columns: positions.map { columns[$0] }, count: count)
  }
}

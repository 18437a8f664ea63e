// Owns a filter of rows for tests, which counts what it was asked.

import Columnar
import ConnectorAPI

/// Keeps rows by the values of bigint columns.
public final class IntegerFilter: RowFilter {
  public let columns: [Int]
  private let keeps: ([Int64?]) -> Bool
  /// Rows that were offered.
  public private(set) var seenRows = 0

  public init(_ columns: [Int], _ keeps: @escaping ([Int64?]) -> Bool) {
    self.columns = columns
    self.keeps = keeps
  }

  public func select(_ batch: Batch) -> Selection {
    seenRows += batch.count
    let rows = (0..<batch.count).filter { row in
      keeps(batch.columns.map { $0.value(at: row).asInt128.map { Int64($0) } })
    }
    if rows.count == batch.count { return .all(batch.count) }
    let indices = Buffer(count: rows.count, of: Int32.self)
    for (index, row) in rows.enumerated() { indices.pointer(to: Int32.self)[index] = Int32(row) }
    return withExtendedLifetime(indices) { Selection(indices: indices, count: rows.count) }
  }
}

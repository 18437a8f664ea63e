// Owns rows that an operator keeps: sort buffers, build sides, group keys. Counts them against the task's memory.

import Base
import Columnar

/// Rows as growable flat columns, accounted before they are allocated.
final class RowStore {
  let columns: [ColumnBuilder]
  private(set) var count = 0
  /// Bytes held by all columns.
  private(set) var retainedBytes = 0

  init(types: [DataType]) { columns = types.map { ColumnBuilder(type: $0) } }

  /// Appends rows of `vectors`, one vector for each column: those listed in `rows`, or the first `added`.
  /// `account` is charged for growth first; `others` is what it holds besides this store.
  func append(
    _ vectors: [Vector], rows: UnsafePointer<Int32>? = nil, count added: Int, account: MemoryAccount, others: Int = 0
  ) throws {
    precondition(vectors.count == columns.count, "\(vectors.count) vectors for \(columns.count) columns")
    guard count + added < Int32.max else {
      throw WaterbearError(
        .exceededLocalMemoryLimit, "A task cannot hold more than \(Int32.max) rows in one operator",
        remedy: "more partitions make smaller tasks")
    }
    let growth = columns.reduce(0) { $0 + $1.growth(for: added) }
    if growth > 0 { try account.set(others + retainedBytes + growth) }
    for (column, vector) in zip(columns, vectors) { column.append(vector, rows: rows, count: added) }
    count += added
    retainedBytes = columns.reduce(0) { $0 + $1.retainedBytes }
    try account.set(others + retainedBytes)
  }

  /// The rows as one batch that shares the store's memory.
  func batch() -> Batch { Batch(columns: columns.map { $0.vector() }, count: count) }

  /// A copy of some rows.
  func slice(from start: Int, count length: Int) -> Batch {
    Batch(columns: columns.map { $0.slice(from: start, count: length) }, count: length)
  }
}

// Owns the way of an attempt's rows into its spool file: batches to bytes to pages.

import Columnar
import Exchange
import Execution

/// Encodes batches and appends them to a spool writer. Used by one thread.
final class SpoolSink: PartitionedSink {
  private let writer: SpoolWriter
  private var encoder = BatchEncoder()

  init(_ writer: SpoolWriter) { self.writer = writer }

  /// Rows that are too large for one page become several. The writer refuses a single row that is.
  func append(partition: Int, batch: Batch) throws {
    guard batch.count > 0 else { return }
    let isWritten = try encoder.encode(batch) { bytes in
      guard bytes.count <= writer.pageBytesMax || batch.count == 1 else { return false }
      try writer.append(partition: partition, page: bytes, rows: batch.count)
      return true
    }
    guard !isWritten else { return }
    let middle = batch.count / 2
    try append(partition: partition, batch: Self.rows(0..<middle, of: batch))
    try append(partition: partition, batch: Self.rows(middle..<batch.count, of: batch))
  }

  private static func rows(_ range: Range<Int>, of batch: Batch) -> Batch {
    let rows = range.map { Int32(truncatingIfNeeded: $0) }
    return rows.withUnsafeBufferPointer { rows in
      // Never empty: what is halved has two rows at least.
      let start = rows.baseAddress.unsafelyUnwrapped
      return Batch(columns: batch.columns.map { $0.gather(start, count: rows.count) }, count: rows.count)
    }
  }
}

// Owns the way of an attempt's rows into its spool file: batches to bytes to pages.

import Columnar
import Exchange
import Execution

/// Encodes batches and appends them to a spool writer. Used by one thread.
final class SpoolSink: PartitionedSink {
  private let writer: SpoolWriter
  private var encoder = BatchEncoder()

  init(_ writer: SpoolWriter) { self.writer = writer }

  func append(partition: Int, batch: Batch) throws {
    guard batch.count > 0 else { return }
    try encoder.encode(batch) { bytes in
      try writer.append(partition: partition, page: bytes, rows: batch.count)
    }
  }
}

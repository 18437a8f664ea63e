// Owns what a local task leaves for its readers: encoded pages by partition, in memory.

import Columnar
import ConnectorAPI
import Execution

/// The output of one task. Pages are kept as bytes, so that readers meet what a spool file would give them.
final class TaskOutput: PartitionedSink {
  private var pages: [[[UInt8]]]
  private var encoder = BatchEncoder()
  private(set) var rows = 0
  var partitionCount: Int { pages.count }
  var bytes: Int { pages.reduce(0) { $0 + $1.reduce(0) { $0 + $1.count } } }

  init(partitionCount: Int) { pages = Array(repeating: [], count: partitionCount) }

  func append(partition: Int, batch: Batch) throws {
    rows += batch.count
    pages[partition].append(encoder.encode(batch) { Array($0) })
  }

  /// The batches of `partitions`, or of all.
  func batches(of partitions: Range<Int>?, types: [DataType]) throws -> [Batch] {
    try pages[partitions ?? pages.indices].joined().map { try BatchCodec.decode($0, types: types) }
      .filter { $0.count > 0 }
  }
}

/// Gives batches that are there already.
final class BatchSource: PageSource {
  private var batches: [Batch]

  init(_ batches: [Batch]) { self.batches = batches.reversed() }

  func next() throws -> Batch? { batches.popLast() }
}

extension Batch {
  /// The rows, boxed.
  public var rowValues: [[Value]] { (0..<count).map { row in columns.map { $0.value(at: row) } } }
}

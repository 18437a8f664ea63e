// Owns the way of a fragment's rows into the partitions of its output. Does no I/O: the sink does.

import Columnar
import Planning

/// Spreads batches over partitions, collects them to pages and gives full pages to the sink.
final class OutputPartitioner {
  private let sink: any PartitionedSink
  private let keys: [Int]
  private let builders: [PageBuilder]
  private let account: MemoryAccount
  /// Bytes of unfinished pages to hold at most.
  private let limit: Int
  private(set) var rows: Int64 = 0
  private(set) var bytes: Int64 = 0

  private var hashes: [UInt64] = []
  private let partitions = RowIndices()
  private let ordered = RowIndices()
  private var ends: [Int]

  init(_ fragment: PlanFragment, sink: any PartitionedSink, account: MemoryAccount, limit: Int) {
    self.sink = sink
    self.account = account
    self.limit = limit
    switch fragment.output {
    case .single: keys = []
    case .hash(let symbols, let count):
      precondition(count > 0, "an output of no partitions")
      keys = ColumnLayout(fragment.outputSymbols).positions(of: symbols)
    }
    let types = fragment.outputSymbols.map(\.type)
    builders = (0..<fragment.output.partitionCount).map { _ in PageBuilder(types: types) }
    ends = Array(repeating: 0, count: builders.count)
  }

  func append(_ batch: Batch) throws {
    if builders.count == 1 {
      try appendWhole(batch)
    } else {
      scatter(batch)
      var start = 0
      for partition in builders.indices {
        try append(batch, rows: ordered.base + start, count: ends[partition] - start, to: partition)
        start = ends[partition]
      }
    }
    var held = builders.reduce(0) { $0 + $1.retainedBytes }
    if held > limit {
      // Too many partitions for full pages: the fullest go, until half of the room is free again.
      let fullest = builders.indices.sorted { (builders[$1].count, $0) < (builders[$0].count, $1) }
      for partition in fullest where held > limit / 2 && builders[partition].count > 0 {
        held -= builders[partition].retainedBytes
        try flush(partition)
      }
    }
    try account.set(held)
  }

  /// Gives what is left to the sink.
  func finish() throws {
    for partition in builders.indices where builders[partition].count > 0 { try flush(partition) }
    account.release()
  }

  /// One partition: a page of good size passes untouched.
  private func appendWhole(_ batch: Batch) throws {
    let isGoodPage = batch.count >= PageBuilder.fullRows / 4 && batch.count <= PageBuilder.fullRows * 2
    if isGoodPage && batch.estimatedBytes <= PageBuilder.fullBytes * 2 {
      if builders[0].count > 0 { try flush(0) }
      try give(batch, to: 0)
    } else {
      try append(batch, rows: nil, count: batch.count, to: 0)
    }
  }

  /// Appends in pieces so small that a page does not grow far beyond its bounds.
  private func append(_ batch: Batch, rows: UnsafePointer<Int32>?, count: Int, to partition: Int) throws {
    let piece = max(1, min(PageBuilder.fullRows, PageBuilder.fullBytes / max(1, batch.estimatedRowBytes)))
    if rows == nil && count > piece {
      for start in stride(from: 0, to: count, by: piece) {
        let part = batch.slice(from: start, count: min(piece, count - start))
        try append(part, rows: nil, count: part.count, to: partition)
      }
      return
    }
    var start = 0
    while start < count {
      let length = min(piece, count - start)
      builders[partition].append(batch, rows: rows.map { $0 + start }, count: length)
      if builders[partition].isFull { try flush(partition) }
      start += length
    }
  }

  /// Lists row numbers by partition, in order within each: a counting sort by the hash of the keys.
  private func scatter(_ batch: Batch) {
    let count = batch.count
    let partitionCount = builders.count
    if hashes.count < count { hashes = Array(repeating: 0, count: count) }
    partitions.reserve(count)
    ordered.reserve(count)
    let partitionOf = partitions.base
    let order = ordered.base
    hashes.withUnsafeMutableBufferPointer { hashes in
      ends.withUnsafeMutableBufferPointer { ends in
        guard let hash = hashes.baseAddress else { return }
        hashRows(keys.map { batch.columns[$0] }, count: count, into: hash)
        ends.update(repeating: 0)
        for row in 0..<count {
          let target = partition(ofHash: hash[row], count: partitionCount)
          partitionOf[row] = Int32(truncatingIfNeeded: target)
          ends[target] &+= 1
        }
        var start = 0
        for target in 0..<partitionCount {
          let length = ends[target]
          ends[target] = start
          start += length
        }
        for row in 0..<count {
          let target = Int(partitionOf[row])
          order[ends[target]] = Int32(truncatingIfNeeded: row)
          ends[target] &+= 1
        }
      }
    }
  }

  private func flush(_ partition: Int) throws { try give(builders[partition].take(), to: partition) }

  private func give(_ batch: Batch, to partition: Int) throws {
    rows += Int64(batch.count)
    bytes += Int64(batch.estimatedBytes)
    try sink.append(partition: partition, batch: batch)
  }
}

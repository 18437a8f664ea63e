// Owns the joining of small batches into larger ones behind operators that drop most rows.

import Columnar

/// Passes batches of good size untouched and collects small ones, so that later operators have rows to work on.
/// Order is kept. Rows are not held back for more than a few batches, so that a LIMIT above still ends early.
final class CoalescingOperator: Operator {
  private static let goodRows = Batch.targetRows / 8
  private static let longestWait = 16

  private let source: any Operator
  private let pending: PageBuilder
  private var batchesPending = 0
  /// A batch of good size that came while others were pending.
  private var following: Batch?
  private var sourceHasEnded = false

  init(_ source: any Operator, types: [DataType]) {
    self.source = source
    pending = PageBuilder(types: types)
  }

  func next() throws -> Batch? {
    if let batch = following {
      following = nil
      return batch
    }
    while !sourceHasEnded {
      guard let batch = try source.next() else {
        sourceHasEnded = true
        break
      }
      if batch.count >= Self.goodRows {
        if pending.count == 0 { return batch }
        following = batch
        break
      }
      pending.append(batch, rows: nil, count: batch.count)
      batchesPending += 1
      if pending.count >= Self.goodRows || batchesPending == Self.longestWait { break }
    }
    batchesPending = 0
    return pending.count > 0 ? pending.take() : nil
  }
}

// Owns the merging of sorted sources into one order. Holds a batch of each source and what is given out next.

import Base
import Columnar
import ConnectorAPI
import Planning

/// The rows of sorted sources in order. Equal rows come in the order of their sources, so the result is what a stable
/// sort of all rows would give.
///
/// Works in rounds: of all sources' batches the one that ends first in the order bounds what is safe to give out; the
/// rows up to there are cut from each batch and sorted together. So each row is sorted once, among few, and the work
/// is done on whole columns.
final class MergeOperator: Operator {
  /// A source and what was read of it and not given out yet.
  private struct Run {
    let source: any PageSource
    var batch: Batch?
    /// The flat columns of the orderings.
    var keys: [Vector] = []
    var start = 0
  }

  private let open: () throws -> [any PageSource]
  private let orderings: [Ordering]
  private let order: RowOrder
  private let keyPositions: [Int]
  private let types: [DataType]
  private let input: TaskInput
  private let account: MemoryAccount
  private var runs: [Run]?
  /// Sorted rows, of which `given` were given out.
  private var ready: (rows: Batch, order: RowIndices)?
  private var given = 0

  /// `open` opens the sources, whose batches have the columns `outputs`.
  init(
    orderings: [Ordering], outputs: [Symbol], input: TaskInput, account: MemoryAccount,
    open: @escaping () throws -> [any PageSource]
  ) {
    self.orderings = orderings
    self.input = input
    self.account = account
    self.open = open
    order = RowOrder(orderings)
    types = outputs.map(\.type)
    keyPositions = ColumnLayout(outputs).positions(of: orderings.map(\.symbol))
  }

  func next() throws -> Batch? {
    while true {
      try input.checkStop()
      if let (rows, order) = ready {
        let length = min(Batch.targetRows, order.count - given)
        if length > 0 {
          defer { given += length }
          return rows.gather(order.base + given, count: length)
        }
        ready = nil
      }
      try fill()
      guard try advance() else {
        account.release()
        return nil
      }
    }
  }

  /// Reads the next batch of each source that has none left; drops those at their end.
  private func fill() throws {
    var runs = try self.runs ?? open().map { Run(source: $0) }
    for index in runs.indices {
      while runs[index].batch.map({ runs[index].start >= $0.count }) ?? true {
        guard let batch = try runs[index].source.next() else {
          runs[index].batch = nil
          break
        }
        try input.checkStop()
        input.count(batch)
        runs[index].batch = batch
        runs[index].keys = keyPositions.map { batch.columns[$0].flattened() }
        runs[index].start = 0
      }
    }
    runs.removeAll { $0.batch == nil }
    self.runs = runs
    try account.set(runs.reduce(0) { $0 + ($1.batch?.estimatedBytes ?? 0) })
  }

  /// Sorts all rows that no row to come can precede; false where there is none left.
  private func advance() throws -> Bool {
    guard var runs, !runs.isEmpty else { return false }
    var bound = 0
    for index in runs.indices.dropFirst() where compareLast(runs[index], runs[bound]) < 0 { bound = index }
    let store = RowStore(types: types)
    let held = Int(account.bytes)
    for index in runs.indices {
      guard let batch = runs[index].batch else { continue }
      // Rows like the last one of the bounding batch: its source may have more, which go before those of later sources.
      let end = index == bound ? batch.count : endOfSafe(runs[index], runs[bound], withEqual: index < bound)
      let (start, count) = (runs[index].start, end - runs[index].start)
      if count == 0 { continue }
      let rows = RowIndices(capacity: count)
      rows.fillSequence(from: start, count: count)
      try store.append(batch.columns, rows: rows.base, count: count, account: account, others: held)
      runs[index].start = end
    }
    self.runs = runs
    try account.add(store.count * (RowSorter.bytesPerRow + 4))
    let rows = store.batch()
    let sorted = RowSorter.sortedRows(keyPositions.map { rows.columns[$0] }, orderings, count: rows.count)
    ready = (rows, sorted)
    given = 0
    return true
  }

  private func compareLast(_ left: Run, _ right: Run) -> Int {
    guard let leftBatch = left.batch, let rightBatch = right.batch else { return 0 }
    return order.compare(left.keys, leftBatch.count - 1, right.keys, rightBatch.count - 1)
  }

  /// Where the rows of a run end that come before the last row of the bounding one (or, `withEqual`, are like it).
  private func endOfSafe(_ run: Run, _ bounding: Run, withEqual: Bool) -> Int {
    guard let batch = run.batch, let last = bounding.batch.map({ $0.count - 1 }) else { return run.start }
    var (low, high) = (run.start, batch.count)
    while low < high {
      let middle = (low + high) / 2
      let place = order.compare(run.keys, middle, bounding.keys, last)
      if place < 0 || (withEqual && place == 0) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

// Owns ORDER BY with LIMIT: keeps the best rows so far and drops rows of new batches that cannot be among them.

import Columnar
import Planning

/// The first rows in order, sorted. Among equal rows the earlier ones win.
final class TopNOperator: Operator {
  private let source: any Operator
  private let orderings: [Ordering]
  private let keyPositions: [Int]
  private let types: [DataType]
  private let limit: Int
  /// So many rows are cut to the limit: twice as many, so that each sort drops at least half; never less than a batch.
  private let pruneAt: Int
  private let account: MemoryAccount

  private var store: RowStore
  /// Once there are enough rows: the first piece of the key of the worst one; nil also where that is NULL.
  private var worstKey: UInt64?
  private var candidates = RowIndices()
  private var keys = Buffer(byteCount: 0)
  private var sorted: Batch?
  private var emitted = 0
  private var isDone = false

  init(_ node: TopNNode, source: any Operator, account: MemoryAccount) {
    self.source = source
    self.account = account
    orderings = node.orderings
    limit = node.count
    let (rows, overflow) = limit.addingReportingOverflow(max(limit, Batch.targetRows))
    pruneAt = overflow ? .max : rows
    types = node.source.outputs.map(\.type)
    keyPositions = ColumnLayout(node.source.outputs).positions(of: node.orderings.map(\.symbol))
    store = RowStore(types: types)
  }

  func next() throws -> Batch? {
    if isDone || limit <= 0 { return nil }
    if sorted == nil { sorted = try readAll() }
    guard let rows = sorted, emitted < rows.count else {
      isDone = true
      sorted = nil
      account.release()
      return nil
    }
    let length = min(Batch.targetRows, rows.count - emitted)
    defer { emitted += length }
    return rows.slice(from: emitted, count: length)
  }

  private func readAll() throws -> Batch {
    while let batch = try source.next() {
      let kept = select(batch)
      if kept == 0 { continue }
      try store.append(
        batch.columns, rows: kept == batch.count ? nil : candidates.base, count: kept, account: account)
      if store.count >= pruneAt { try prune() }
    }
    try prune()
    return store.batch()
  }

  /// Sorts what is kept and cuts it to the limit.
  private func prune() throws {
    try account.set(store.retainedBytes + store.count * (RowSorter.bytesPerRow + 4))
    let rows = store.batch()
    let order = RowSorter.sortedRows(keyPositions.map { rows.columns[$0] }, orderings, count: rows.count)
    let kept = min(limit, rows.count)
    let smaller = RowStore(types: types)
    try smaller.append(
      rows.columns, rows: order.base, count: kept, account: account, others: store.retainedBytes)
    store = smaller
    try account.set(store.retainedBytes)
    guard kept == limit, let ordering = orderings.first else { return }
    let column = store.columns[keyPositions[0]].vector()
    worstKey = nil
    if column.isNull(kept - 1) { return }
    var entry = SortEntry(key: 0, row: Int32(truncatingIfNeeded: kept - 1))
    _ = SortKey(column, ordering).fill(&entry, count: 1, piece: 0)
    worstKey = entry.key
  }

  /// Lists the rows of a batch that may be among the first in `candidates`; all rows are not listed.
  private func select(_ batch: Batch) -> Int {
    guard let worstKey, let ordering = orderings.first else { return batch.count }
    let column = batch.columns[keyPositions[0]].flattened()
    candidates.count = 0
    candidates.reserve(batch.count)
    if keys.byteCount < batch.count * MemoryLayout<SortEntry>.stride {
      keys = Buffer(count: batch.count, of: SortEntry.self)
    }
    let entries = keys.pointer(to: SortEntry.self)
    var valid = 0
    for row in 0..<batch.count where column.validity?[row] ?? true {
      entries[valid] = SortEntry(key: 0, row: Int32(truncatingIfNeeded: row))
      valid &+= 1
    }
    let isExact = SortKey(column, ordering).fill(entries, count: valid, piece: 0)
    // An equal row comes later than those kept, so it loses where nothing else is compared. (Keys of text are exact
    // only within a batch.)
    let decides = isExact && orderings.count == 1 && column.type.layout != .string
    let bound = decides ? worstKey : worstKey &+ 1
    let isUnbounded = !decides && worstKey == .max
    let rows = candidates.base
    var kept = 0
    if ordering.nullsFirst, let validity = column.validity {
      for row in 0..<batch.count where !validity[row] {
        rows[kept] = Int32(truncatingIfNeeded: row)
        kept &+= 1
      }
    }
    for index in 0..<valid {
      rows[kept] = entries[index].row
      kept &+= isUnbounded || entries[index].key < bound ? 1 : 0
    }
    return kept
  }
}

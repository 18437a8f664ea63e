// Owns ORDER BY of a task's rows: keeps all of them, sorts row numbers, gives the rows out in order.

import Columnar
import Planning

/// All rows of its source, sorted. Equal rows keep their order.
final class SortOperator: Operator {
  private let source: any Operator
  private let orderings: [Ordering]
  private let keyPositions: [Int]
  private let types: [DataType]
  private let account: MemoryAccount
  private var sorted: (rows: Batch, order: RowIndices)?
  private var emitted = 0
  private var isDone = false

  init(_ node: SortNode, source: any Operator, account: MemoryAccount) {
    self.source = source
    self.account = account
    orderings = node.orderings
    types = node.source.outputs.map(\.type)
    keyPositions = ColumnLayout(node.source.outputs).positions(of: node.orderings.map(\.symbol))
  }

  func next() throws -> Batch? {
    if isDone { return nil }
    if sorted == nil { try readAndSort() }
    guard let (rows, order) = sorted, emitted < order.count else {
      isDone = true
      sorted = nil
      account.release()
      return nil
    }
    let length = min(Batch.targetRows, order.count - emitted)
    defer { emitted += length }
    return rows.gather(order.base + emitted, count: length)
  }

  private func readAndSort() throws {
    let store = RowStore(types: types)
    while let batch = try source.next() { try store.append(batch.columns, count: batch.count, account: account) }
    try account.add(store.count * (RowSorter.bytesPerRow + 4))
    let rows = store.batch()
    let order = RowSorter.sortedRows(keyPositions.map { rows.columns[$0] }, orderings, count: rows.count)
    try account.set(store.retainedBytes + rows.count * 4)
    sorted = (rows, order)
  }
}

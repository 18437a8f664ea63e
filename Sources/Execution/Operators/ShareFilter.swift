// Owns leaving out the rows of a task that other tasks have: those of other shares.

import Columnar
import ConnectorAPI

/// Keeps the rows of one share, by the hash of some columns.
final class ShareFilter {
  private let share: RowShare
  private let keys: [Int]
  private let keepsNulls: Bool
  private var hashes: [UInt64] = []
  private let rows = RowIndices()
  private var isFirst = true

  /// `keys`: columns of the batches. `keepsNulls`: rows with a NULL among the keys are in every share, and so is the
  /// very first row, by which a join knows that there are any.
  init(_ share: RowShare, keys: [Int], keepsNulls: Bool = false) {
    self.share = share
    self.keys = keys
    self.keepsNulls = keepsNulls
  }

  /// The rows of the share, in their order.
  func apply(_ batch: Batch) -> Batch {
    let count = batch.count
    let columns = keys.map { batch.columns[$0] }
    if hashes.count < count { hashes = Array(repeating: 0, count: count) }
    rows.count = 0
    rows.reserve(count)
    let target = rows.base
    let (index, shares) = (share.index, share.count)
    var kept = 0
    hashes.withUnsafeMutableBufferPointer { buffer in
      guard let hash = buffer.baseAddress else { return }
      hashRows(columns, count: count, into: hash)
      for row in 0..<count {
        target[kept] = Int32(truncatingIfNeeded: row)
        kept &+= Execution.share(ofHash: hash[row], count: shares) == index ? 1 : 0
      }
    }
    rows.count = kept
    if keepsNulls { addNulls(of: columns, count: count) }
    isFirst = isFirst && count == 0
    return rows.count == count ? batch : batch.gather(rows.base, count: rows.count)
  }

  private func addNulls(of columns: [Vector], count: Int) {
    var isKept = [Bool](repeating: false, count: count)
    for index in 0..<rows.count { isKept[Int(rows.base[index])] = true }
    if isFirst, count > 0 { isKept[0] = true }
    for column in columns {
      for row in 0..<count where column.isNull(row) { isKept[row] = true }
    }
    var kept = 0
    for row in 0..<count where isKept[row] {
      rows.base[kept] = Int32(truncatingIfNeeded: row)
      kept += 1
    }
    rows.count = kept
  }
}

/// The rows of a share among those of an operator.
final class ShareOperator: Operator {
  private let source: any Operator
  private let filter: ShareFilter

  init(_ source: any Operator, _ filter: ShareFilter) {
    self.source = source
    self.filter = filter
  }

  func next() throws -> Batch? {
    while let batch = try source.next() {
      let kept = filter.apply(batch)
      if kept.count > 0 { return kept }
    }
    return nil
  }
}

/// The rows of a share among those of a page source. A batch may be left without rows.
final class SharePageSource: PageSource {
  private let source: any PageSource
  private let filter: ShareFilter

  init(_ source: any PageSource, _ filter: ShareFilter) {
    self.source = source
    self.filter = filter
  }

  func next() throws -> Batch? { try source.next().map(filter.apply) }
}

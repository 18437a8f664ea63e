// Owns lists of row numbers, the currency between operators and gather kernels. Knows no columns.

import Columnar

/// A growable list of row numbers in flat memory. Not copied; reused from batch to batch by its operator.
final class RowIndices {
  private(set) var base: UnsafeMutablePointer<Int32>
  private(set) var capacity: Int
  /// How many entries are valid. The user writes through `base` and sets this.
  var count = 0

  init(capacity: Int = Batch.targetRows) {
    self.capacity = max(capacity, 1)
    base = .allocate(capacity: self.capacity)
  }

  deinit { base.deallocate() }

  /// Makes room for `needed` entries in all; what is there stays.
  func reserve(_ needed: Int) {
    guard needed > capacity else { return }
    let larger = UnsafeMutablePointer<Int32>.allocate(capacity: max(needed, capacity * 2))
    larger.update(from: base, count: count)
    base.deallocate()
    base = larger
    capacity = max(needed, capacity * 2)
  }

  /// Makes the list 0, 1, … `newCount` - 1, plus `start`.
  func fillSequence(from start: Int = 0, count newCount: Int) {
    count = 0
    reserve(newCount)
    for row in 0..<newCount { base[row] = Int32(truncatingIfNeeded: start &+ row) }
    count = newCount
  }
}

extension Batch {
  /// The rows at `rows`, in that order.
  func gather(_ rows: UnsafePointer<Int32>, count newCount: Int) -> Batch {
    Batch(columns: columns.map { $0.gather(rows, count: newCount) }, count: newCount)
  }

  /// Rows `start` ..< `start + length`. The whole batch costs nothing, else the rows are copied.
  func slice(from start: Int, count length: Int) -> Batch {
    if start == 0 && length == count { return self }
    let rows = RowIndices(capacity: length)
    rows.fillSequence(from: start, count: length)
    return gather(rows.base, count: length)
  }
}

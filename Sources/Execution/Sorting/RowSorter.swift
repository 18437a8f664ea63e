// Owns the order of rows: sorts row numbers by any orderings, column by column. Stable, so that it is deterministic.

import Columnar
import Planning

/// Sorts the rows of flat columns. Equal rows keep their order.
///
/// Rows are sorted by the first 64 bits of their first key; runs of equal keys are sorted by the next 64 bits, and so
/// on through all orderings. Each step is a radix sort, or an insertion sort of few rows.
struct RowSorter {
  /// Rows start ..< end, still to be sorted by piece `piece` of ordering `ordering`.
  private struct Run {
    var start: Int
    var end: Int
    var ordering: Int
    var piece: Int
  }

  /// Bytes needed to sort one row.
  static let bytesPerRow = 2 * MemoryLayout<SortEntry>.stride

  private let keys: [SortKey]
  private let entries: UnsafeMutablePointer<SortEntry>
  private let scratch: UnsafeMutablePointer<SortEntry>
  private var runs: [Run] = []

  /// The rows of `columns` in the order of `orderings`; `columns[i]`, flat, belongs to `orderings[i]`.
  static func sortedRows(_ columns: [Vector], _ orderings: [Ordering], count: Int) -> RowIndices {
    let entries = UnsafeMutablePointer<SortEntry>.allocate(capacity: count)
    let scratch = UnsafeMutablePointer<SortEntry>.allocate(capacity: count)
    defer {
      entries.deallocate()
      scratch.deallocate()
    }
    var sorter = RowSorter(
      keys: zip(columns, orderings).map { SortKey($0, $1) }, entries: entries, scratch: scratch)
    for row in 0..<count { entries[row] = SortEntry(key: 0, row: Int32(truncatingIfNeeded: row)) }
    sorter.sort(count)
    let rows = RowIndices(capacity: count)
    for index in 0..<count { rows.base[index] = entries[index].row }
    rows.count = count
    return rows
  }

  private init(
    keys: [SortKey], entries: UnsafeMutablePointer<SortEntry>, scratch: UnsafeMutablePointer<SortEntry>
  ) {
    self.keys = keys
    self.entries = entries
    self.scratch = scratch
  }

  private mutating func sort(_ count: Int) {
    push(Run(start: 0, end: count, ordering: 0, piece: 0))
    while let run = runs.popLast() { sort(run) }
  }

  private mutating func push(_ run: Run) {
    if run.end - run.start > 1 && run.ordering < keys.count { runs.append(run) }
  }

  private mutating func sort(_ run: Run) {
    let key = keys[run.ordering]
    var start = run.start
    var end = run.end
    if run.piece == 0, let validity = key.column.validity {
      let nulls = separateNulls(validity, key.nullsFirst, &start, &end)
      push(Run(start: nulls.lowerBound, end: nulls.upperBound, ordering: run.ordering + 1, piece: 0))
    }
    guard end - start > 0 else { return }
    let isExact = key.fill(entries + start, count: end - start, piece: run.piece)
    sortByKey(entries + start, scratch + start, end - start)
    var first = start
    while first < end {
      let value = entries[first].key
      var next = first + 1
      while next < end && entries[next].key == value { next += 1 }
      push(Run(
        start: first, end: next, ordering: isExact ? run.ordering + 1 : run.ordering,
        piece: isExact ? 0 : run.piece + 1))
      first = next
    }
  }

  /// Moves rows of NULL to one end, keeping the order; narrows `start` ..< `end` to the others.
  private func separateNulls(
    _ validity: Bitmap, _ nullsFirst: Bool, _ start: inout Int, _ end: inout Int
  ) -> Range<Int> {
    var kept = start
    var nulls = 0
    for index in start..<end {
      let entry = entries[index]
      if validity[Int(entry.row)] {
        entries[kept] = entry
        kept += 1
      } else {
        scratch[nulls] = entry
        nulls += 1
      }
    }
    if nullsFirst {
      (entries + start + nulls).update(from: entries + start, count: kept - start)
      (entries + start).update(from: scratch, count: nulls)
      defer { start += nulls }
      return start..<(start + nulls)
    }
    (entries + kept).update(from: scratch, count: nulls)
    defer { end = kept }
    return kept..<end
  }
}

/// Sorts entries by key, keeping the order of equal ones.
private func sortByKey(
  _ entries: UnsafeMutablePointer<SortEntry>, _ scratch: UnsafeMutablePointer<SortEntry>, _ count: Int
) {
  if count <= 48 {
    insertionSort(entries, count)
  } else {
    radixSort(entries, scratch, count)
  }
}

private func insertionSort(_ entries: UnsafeMutablePointer<SortEntry>, _ count: Int) {
  for index in 1..<max(1, count) {
    let entry = entries[index]
    var place = index
    while place > 0 && entries[place &- 1].key > entry.key {
      entries[place] = entries[place &- 1]
      place &-= 1
    }
    entries[place] = entry
  }
}

/// From the lowest byte to the highest; bytes that all keys share are skipped.
private func radixSort(
  _ entries: UnsafeMutablePointer<SortEntry>, _ scratch: UnsafeMutablePointer<SortEntry>, _ count: Int
) {
  var differing: UInt64 = 0
  let first = entries[0].key
  var isSorted = true
  for index in 1..<count {
    differing |= entries[index].key ^ first
    if entries[index].key < entries[index &- 1].key { isSorted = false }
  }
  if isSorted { return }
  var from = entries
  var to = scratch
  withUnsafeTemporaryAllocation(of: Int.self, capacity: 256) { counts in
    for byte in 0..<8 {
      let shift = UInt64(byte * 8)
      if (differing &>> shift) & 0xff == 0 { continue }
      counts.update(repeating: 0)
      for index in 0..<count { counts[Int((from[index].key &>> shift) & 0xff)] &+= 1 }
      var place = 0
      for value in 0..<256 {
        let length = counts[value]
        counts[value] = place
        place &+= length
      }
      for index in 0..<count {
        let value = Int((from[index].key &>> shift) & 0xff)
        to[counts[value]] = from[index]
        counts[value] &+= 1
      }
      swap(&from, &to)
    }
  }
  if from != entries { entries.update(from: from, count: count) }
}

// Owns the listing of the pairs of a probe batch and its matches, in pieces that make good output batches.

import Columnar

/// Walks the matches of one probe batch: for each row in order, the build rows of its group in order.
struct MatchCursor {
  private let groups: UnsafePointer<Int32>
  private let count: Int
  /// Gives a row without a match once, with -1 for the build row.
  private let keepsUnmatched: Bool
  private var row = 0
  private var offset: Int32 = 0

  /// `groups` are the groups of `count` probe rows, -1 for none; they must stay in place while the cursor is used.
  init(groups: UnsafePointer<Int32>, count: Int, keepsUnmatched: Bool) {
    self.groups = groups
    self.count = count
    self.keepsUnmatched = keepsUnmatched
  }

  /// Sets `probe` and `build` to the next pairs, about `Batch.targetRows` at most. False at the end.
  /// Rows with a set bit in `skipped` are left out from now on.
  mutating func next(
    in table: JoinTable, probe: RowIndices, build: RowIndices, skipped: UnsafePointer<Bool>? = nil
  ) -> Bool {
    guard let starts = table.starts, let rows = table.groupRows?.base else {
      preconditionFailure("matches of a table without rows")
    }
    let limit = max(Batch.targetRows, count)
    probe.reserve(limit)
    build.reserve(limit)
    if table.isUnique {
      if row == count { return false }
      fillUnique(table.isIdentity, starts, rows, probe, build)
      row = count
      return probe.count > 0
    }
    let left = probe.base
    let right = build.base
    var found = 0
    while row < count && found < limit {
      let group = Int(groups[row])
      if group < 0 {
        if keepsUnmatched {
          left[found] = Int32(truncatingIfNeeded: row)
          right[found] = -1
          found &+= 1
        }
        row &+= 1
        continue
      }
      if let skipped, skipped[row] {
        row &+= 1
        offset = 0
        continue
      }
      let start = starts[group] &+ offset
      let length = starts[group &+ 1] &- start
      let taken = min(Int(length), limit &- found)
      for index in 0..<taken {
        left[found &+ index] = Int32(truncatingIfNeeded: row)
        right[found &+ index] = rows[Int(start) &+ index]
      }
      found &+= taken
      if taken == Int(length) {
        row &+= 1
        offset = 0
      } else {
        offset &+= Int32(truncatingIfNeeded: taken)
      }
    }
    probe.count = found
    build.count = found
    return found > 0
  }

  /// At most one match for each row: one pass without branches.
  private func fillUnique(
    _ isIdentity: Bool, _ starts: UnsafePointer<Int32>, _ rows: UnsafePointer<Int32>, _ probe: RowIndices,
    _ build: RowIndices
  ) {
    let left = probe.base
    let right = build.base
    var found = 0
    if keepsUnmatched {
      for row in 0..<count {
        let group = Int(groups[row])
        left[row] = Int32(truncatingIfNeeded: row)
        right[row] = group < 0 || isIdentity ? groups[row] : rows[Int(starts[group])]
      }
      found = count
    } else {
      for row in 0..<count {
        left[found] = Int32(truncatingIfNeeded: row)
        right[found] = groups[row]
        found &+= groups[row] < 0 ? 0 : 1
      }
      if !isIdentity { for index in 0..<found { right[index] = rows[Int(starts[Int(right[index])])] } }
    }
    probe.count = found
    build.count = found
  }
}

// Owns the semi join whose left side is the smaller one: the left is the table, and the right streams past it.

import Columnar

/// Finds the left rows that have a match among all right rows, then gives the left's batches out in their order.
final class FlippedSemiJoin: Operator {
  private let output: SemiJoinOutput
  private let left: [Batch]
  private let leftKeys: [Int]
  private let table: JoinTable
  private let finder: JoinFinder
  private let right: any Operator
  private let rightKeys: [Int]
  /// Its probe side is the right one.
  private let filter: PairFilter?
  private let input: TaskInput
  /// Holds the table's bytes.
  private let account: MemoryAccount

  private let rightRows = RowIndices()
  private let leftRows = RowIndices()
  private var matchedRows: [Bool]
  private var rightHasRows = false
  private var rightHasNullKey = false
  private var hasRead = false
  private var nextBatch = 0
  private var rowsGiven = 0

  /// `table` has the rows of `left` by their keys, with the columns that the filter reads. Not for null-aware modes
  /// with a filter.
  init(
    _ output: SemiJoinOutput, left: [Batch], leftKeys: [Int], table: JoinTable, right: any Operator,
    rightKeys: [Int], filter: PairFilter?, input: TaskInput, account: MemoryAccount
  ) {
    precondition(!output.mode.isNullAware || filter == nil, "open answers with a filter need the right side's rows")
    self.output = output
    self.left = left
    self.leftKeys = leftKeys
    self.table = table
    self.right = right
    self.rightKeys = rightKeys
    self.filter = filter
    self.input = input
    self.account = account
    finder = table.makeFinder()
    matchedRows = Array(repeating: false, count: table.rowCount)
  }

  func next() throws -> Batch? {
    if !hasRead {
      hasRead = true
      if let filter { try readRight(filter) } else { try readRight() }
    }
    while nextBatch < left.count {
      let batch = left[nextBatch]
      let matched = Array(matchedRows[rowsGiven..<(rowsGiven + batch.count)])
      nextBatch += 1
      rowsGiven += batch.count
      if let rows = output.rows(of: batch, matched: matched, open: openRows(batch)) { return rows }
    }
    return nil
  }

  private func note(_ batch: Batch) {
    rightHasRows = rightHasRows || batch.count > 0
    if output.mode.isNullAware, finder.nullRows?.contains(true) == true { rightHasNullKey = true }
  }

  /// Without a filter it is enough to know which keys came.
  private func readRight() throws {
    guard let starts = table.starts, let rows = table.groupRows?.base else { return }
    var matchedGroups = [Bool](repeating: false, count: table.groupCount)
    while let batch = try right.next() {
      let groups = finder.find(rightKeys.map { batch.columns[$0] }, count: batch.count)
      note(batch)
      matchedGroups.withUnsafeMutableBufferPointer { matched in
        for row in 0..<batch.count where groups[row] >= 0 { matched[Int(groups[row])] = true }
      }
    }
    for group in 0..<table.groupCount where matchedGroups[group] {
      for index in Int(starts[group])..<Int(starts[group + 1]) { matchedRows[Int(rows[index])] = true }
    }
  }

  private func readRight(_ filter: PairFilter) throws {
    while let batch = try right.next() {
      let groups = finder.find(rightKeys.map { batch.columns[$0] }, count: batch.count)
      var cursor = MatchCursor(groups: groups, count: batch.count, keepsUnmatched: false)
      while cursor.next(in: table, probe: rightRows, build: leftRows) {
        try input.checkStop()
        dropMatched()
        if leftRows.count == 0 { continue }
        try filter.apply(batch, table.payload, probe: rightRows, build: leftRows)
        for index in 0..<leftRows.count { matchedRows[Int(leftRows.base[index])] = true }
      }
    }
  }

  /// Drops the pairs whose left row has a match already.
  private func dropMatched() {
    let (right, left) = (rightRows.base, leftRows.base)
    let count = leftRows.count
    var kept = 0
    matchedRows.withUnsafeBufferPointer { matched in
      for index in 0..<count {
        let row = left[index]
        right[kept] = right[index]
        left[kept] = row
        kept &+= matched[Int(row)] ? 0 : 1
      }
    }
    rightRows.count = kept
    leftRows.count = kept
  }

  private func openRows(_ batch: Batch) -> [Bool]? {
    guard output.mode.isNullAware, rightHasRows else { return nil }
    return (0..<batch.count).map { row in
      rightHasNullKey || leftKeys.contains { batch.columns[$0].isNull(row) }
    }
  }
}

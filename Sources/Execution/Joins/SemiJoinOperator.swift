// Owns the joins that only ask whether a row has a match: semi, anti, NOT IN, and the mark of IN and EXISTS.

import Columnar
import Planning

/// Builds the right side into a table, then asks it about each row of the left side.
final class SemiJoinOperator: Operator {
  private let left: any Operator
  private let buildTable: () throws -> JoinTable
  private let output: SemiJoinOutput
  private let probeKeys: [Int]
  private let filter: PairFilter?
  private let input: TaskInput
  private let account: MemoryAccount

  private var table: JoinTable?
  private var finder: JoinFinder?
  private let probeRows = RowIndices()
  private let buildRows = RowIndices()
  private var isDone = false

  init(
    _ output: SemiJoinOutput, left: any Operator, probeKeys: [Int], filter: PairFilter?, input: TaskInput,
    account: MemoryAccount, table: @escaping () throws -> JoinTable
  ) {
    self.output = output
    self.left = left
    self.probeKeys = probeKeys
    self.filter = filter
    self.input = input
    self.account = account
    buildTable = table
  }

  func next() throws -> Batch? {
    if isDone { return nil }
    if table == nil {
      let built = try buildTable()
      table = built
      finder = built.makeFinder()
    }
    while let table, let finder, !cannotGiveMore(table), let batch = try left.next() {
      if let rows = try answer(batch, table, finder) { return rows }
    }
    isDone = true
    table = nil
    finder = nil
    account.release()
    return nil
  }

  private func cannotGiveMore(_ table: JoinTable) -> Bool {
    switch output.mode {
    case .semi: table.rowCount == 0
    // A NULL on the right: NOT IN is never true, unless a filter decides row by row.
    case .nullAwareAnti: filter == nil && table.nullKeyRows.count > 0
    case .anti, .mark: false
    }
  }

  private func answer(_ batch: Batch, _ table: JoinTable, _ finder: JoinFinder) throws -> Batch? {
    let groups = finder.find(probeKeys.map { batch.columns[$0] }, count: batch.count)
    var matched = [Bool](repeating: false, count: batch.count)
    if let filter {
      try matched.withUnsafeMutableBufferPointer { matched in
        guard let flags = matched.baseAddress else { return }
        var cursor = MatchCursor(groups: groups, count: batch.count, keepsUnmatched: false)
        while cursor.next(in: table, probe: probeRows, build: buildRows, skipped: flags) {
          try input.checkStop()
          try filter.apply(batch, table.payload, probe: probeRows, build: buildRows)
          for index in 0..<probeRows.count { flags[Int(probeRows.base[index])] = true }
        }
      }
    } else {
      for row in 0..<batch.count { matched[row] = groups[row] >= 0 }
    }
    let open = output.mode.isNullAware ? try openRows(batch, table, nullRows: finder.nullRows, matched) : nil
    return output.rows(of: batch, matched: matched, open: open)
  }

  /// Rows without a match for which a NULL leaves open whether there is one: a NULL key against any row that passes the
  /// filter, or any key against a NULL key that passes the filter. Nil where there are none.
  private func openRows(
    _ batch: Batch, _ table: JoinTable, nullRows: [Bool]?, _ matched: [Bool]
  ) throws -> [Bool]? {
    guard table.rowCount > 0, nullRows != nil || table.nullKeyRows.count > 0 else { return nil }
    var open = [Bool](repeating: false, count: batch.count)
    guard let filter else {
      for row in 0..<batch.count { open[row] = table.nullKeyRows.count > 0 || nullRows?[row] == true }
      return open
    }
    let candidates = table.nullKeyRows
    let passesMany = candidates.count > 0 && candidates.count <= Batch.targetRows / 2
    for row in 0..<batch.count where !matched[row] {
      if nullRows?[row] == true {
        open[row] = try hasPassing(row, batch, table, filter, candidates: nil)
      } else if candidates.count > 0 && !passesMany {
        open[row] = try hasPassing(row, batch, table, filter, candidates: candidates)
      }
    }
    if passesMany { try markPassing(batch, table, filter, candidates, matched, &open) }
    return open
  }

  /// Sets the flags of the rows without a match for which the filter is true with any of the few candidates. A filter
  /// costs as much to start as to run over hundreds of pairs, so that several rows share a run.
  private func markPassing(
    _ batch: Batch, _ table: JoinTable, _ filter: PairFilter, _ candidates: RowIndices, _ matched: [Bool],
    _ open: inout [Bool]
  ) throws {
    var row = 0
    while row < batch.count {
      try input.checkStop()
      probeRows.reserve(Batch.targetRows)
      buildRows.reserve(Batch.targetRows)
      var count = 0
      while row < batch.count && count + candidates.count <= Batch.targetRows {
        if !matched[row] && !open[row] {
          (probeRows.base + count).update(repeating: Int32(truncatingIfNeeded: row), count: candidates.count)
          (buildRows.base + count).update(from: candidates.base, count: candidates.count)
          count += candidates.count
        }
        row += 1
      }
      probeRows.count = count
      buildRows.count = count
      if count == 0 { continue }
      try filter.apply(batch, table.payload, probe: probeRows, build: buildRows)
      for index in 0..<probeRows.count { open[Int(probeRows.base[index])] = true }
    }
  }

  /// Whether the filter is true for `row` and any of the candidates, nil for all build rows.
  private func hasPassing(
    _ row: Int, _ batch: Batch, _ table: JoinTable, _ filter: PairFilter, candidates: RowIndices?
  ) throws -> Bool {
    let total = candidates?.count ?? table.rowCount
    for start in stride(from: 0, to: total, by: Batch.targetRows) {
      try input.checkStop()
      let length = min(Batch.targetRows, total - start)
      probeRows.reserve(length)
      probeRows.base.update(repeating: Int32(truncatingIfNeeded: row), count: length)
      probeRows.count = length
      if let candidates {
        buildRows.reserve(length)
        buildRows.base.update(from: candidates.base + start, count: length)
        buildRows.count = length
      } else {
        buildRows.fillSequence(from: start, count: length)
      }
      try filter.apply(batch, table.payload, probe: probeRows, build: buildRows)
      if probeRows.count > 0 { return true }
    }
    return false
  }
}

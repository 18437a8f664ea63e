// Owns the joins that put rows of both sides together: inner, left, right, full, with keys or without (cross product).

import Columnar
import Planning

/// Builds the right side into a table, then streams the left side past it.
final class HashJoinOperator: Operator {
  private enum Output {
    case probe(Int)
    case build(Int)
  }

  private let left: any Operator
  private let buildTable: () throws -> JoinTable
  private let account: MemoryAccount
  private let probeKeys: [Int]
  private let outputs: [Output]
  private let types: [DataType]
  private let filter: PairFilter?
  private let keepsLeft: Bool
  private let keepsRight: Bool
  private let input: TaskInput

  private var table: JoinTable?
  private var finder: JoinFinder?
  /// The probe batch at work; nil when the next one is to be read.
  private var batch: Batch?
  private var cursor: MatchCursor?
  private let probeRows = RowIndices()
  private let buildRows = RowIndices()
  /// Left and full with a filter: which rows of the probe batch have had a match.
  private var matchedProbe: [Bool] = []
  /// Right and full: which build rows have had a match, and how far unmatched ones have been given out.
  private var matchedBuild: [Bool] = []
  private var unmatchedFrom: Int?
  private var isDone = false

  /// `table` gives the build side, whose payload has the columns `buildLayout`.
  init(
    _ node: JoinNode, left: any Operator, filter: PairFilter?, buildLayout: ColumnLayout, input: TaskInput,
    account: MemoryAccount, table: @escaping () throws -> JoinTable
  ) {
    self.left = left
    self.filter = filter
    self.input = input
    self.account = account
    buildTable = table
    keepsLeft = node.kind == .left || node.kind == .full
    keepsRight = node.kind == .right || node.kind == .full
    let probeLayout = ColumnLayout(node.left.outputs)
    probeKeys = probeLayout.positions(of: node.criteria.map(\.left))
    outputs = node.outputs.map { symbol in
      probeLayout.contains(symbol)
        ? .probe(probeLayout.position(of: symbol)) : .build(buildLayout.position(of: symbol))
    }
    types = node.outputs.map(\.type)
  }

  func next() throws -> Batch? {
    if isDone { return nil }
    let table = try self.table ?? prepare()
    while !isDone {
      if let start = unmatchedFrom {
        if let rows = try unmatchedBuildRows(of: table, from: start) { return rows }
        finish()
      } else if let batch {
        try input.checkStop()
        if let pairs = try nextPairs(of: batch, in: table) { return pairs }
      } else if let next = try left.next() {
        start(next)
      } else if keepsRight {
        unmatchedFrom = 0
      } else {
        finish()
      }
    }
    return nil
  }

  private func prepare() throws -> JoinTable {
    let table = try buildTable()
    self.table = table
    finder = table.makeFinder()
    // Nothing on the right: only the left's own rows can come out.
    if table.rowCount == 0 && !keepsLeft { finish() }
    if keepsRight {
      try account.add(table.rowCount)
      matchedBuild = Array(repeating: false, count: table.rowCount)
    }
    return table
  }

  private func finish() {
    isDone = true
    table = nil
    finder = nil
    matchedBuild = []
    account.release()
  }

  private func start(_ batch: Batch) {
    guard let finder else { return }
    self.batch = batch
    let groups = finder.find(probeKeys.map { batch.columns[$0] }, count: batch.count)
    cursor = MatchCursor(groups: groups, count: batch.count, keepsUnmatched: keepsLeft && filter == nil)
    if keepsLeft && filter != nil { matchedProbe = Array(repeating: false, count: batch.count) }
  }

  /// The next output of a probe batch; nil where it has given everything or the filter left nothing of a piece.
  private func nextPairs(of batch: Batch, in table: JoinTable) throws -> Batch? {
    if cursor?.next(in: table, probe: probeRows, build: buildRows) == true {
      if let filter { try filter.apply(batch, table.payload, probe: probeRows, build: buildRows) }
      if probeRows.count == 0 { return nil }
      noteMatches()
      return pairs(batch, table)
    }
    cursor = nil
    self.batch = nil
    guard keepsLeft, filter != nil else { return nil }
    var count = 0
    probeRows.reserve(batch.count)
    buildRows.reserve(batch.count)
    for row in 0..<batch.count where !matchedProbe[row] {
      probeRows.base[count] = Int32(truncatingIfNeeded: row)
      buildRows.base[count] = -1
      count += 1
    }
    probeRows.count = count
    buildRows.count = count
    return count > 0 ? pairs(batch, table) : nil
  }

  private func noteMatches() {
    if keepsLeft && filter != nil {
      matchedProbe.withUnsafeMutableBufferPointer { matched in
        for index in 0..<probeRows.count { matched[Int(probeRows.base[index])] = true }
      }
    }
    if keepsRight {
      matchedBuild.withUnsafeMutableBufferPointer { matched in
        for index in 0..<buildRows.count where buildRows.base[index] >= 0 {
          matched[Int(buildRows.base[index])] = true
        }
      }
    }
  }

  /// The output columns of the listed pairs.
  private func pairs(_ batch: Batch, _ table: JoinTable) -> Batch {
    let count = probeRows.count
    // As many pairs as rows, each row once: the probe columns pass untouched.
    let isWhole = count == batch.count && isSequence(probeRows)
    let columns = outputs.map { output in
      switch output {
      case .probe(let position):
        let column = batch.columns[position]
        return isWhole ? column : column.gather(probeRows.base, count: count)
      case .build(let position):
        let column = table.payload.columns[position]
        guard column.count > 0 else { return .repeating(.null, type: column.type, count: count) }
        if table.rowCount == 1 && !keepsLeft { return Vector(constant: column, count: count) }
        return keepsLeft
          ? column.gatherNullable(buildRows.base, count: count) : column.gather(buildRows.base, count: count)
      }
    }
    return Batch(columns: columns, count: count)
  }

  private func isSequence(_ rows: RowIndices) -> Bool {
    var difference: Int32 = 0
    for index in 0..<rows.count { difference |= rows.base[index] ^ Int32(truncatingIfNeeded: index) }
    return difference == 0
  }

  private func unmatchedBuildRows(of table: JoinTable, from start: Int) throws -> Batch? {
    var row = start
    var count = 0
    buildRows.reserve(Batch.targetRows)
    while row < table.rowCount && count < Batch.targetRows {
      if !matchedBuild[row] {
        buildRows.base[count] = Int32(truncatingIfNeeded: row)
        count += 1
      }
      row += 1
    }
    unmatchedFrom = row
    if count == 0 { return nil }
    try input.checkStop()
    let columns = zip(outputs, types).map { output, type in
      switch output {
      case .probe: Vector.repeating(.null, type: type, count: count)
      case .build(let position): table.payload.columns[position].gather(buildRows.base, count: count)
      }
    }
    return Batch(columns: columns, count: count)
  }
}

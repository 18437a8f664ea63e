// Owns the operators that number rows: a number for each row of a query, and one within the rows of equal keys.

import Columnar
import Planning

/// Adds a number to each row that no other row of the stage has: the task's in the upper bits, a count below.
final class UniqueIDOperator: Operator {
  /// A task numbers up to 2^40 rows, of up to 2^23 tasks.
  private static let taskShift: Int64 = 40

  private let source: any Operator
  private var upcoming: Int64

  init(source: any Operator, taskNumber: Int) {
    self.source = source
    upcoming = Int64(taskNumber) << Self.taskShift
  }

  func next() throws -> Batch? {
    guard let batch = try source.next() else { return nil }
    let numbers = Buffer(count: batch.count, of: Int64.self)
    let target = numbers.pointer(to: Int64.self)
    for row in 0..<batch.count { target[row] = upcoming &+ Int64(truncatingIfNeeded: row) }
    upcoming += Int64(batch.count)
    let column = Vector(flat: .bigint, count: batch.count, values: numbers)
    return Batch(columns: batch.columns + [column], count: batch.count)
  }
}

/// Numbers the rows of equal keys from 1 on, in the order in which they come; drops those beyond the most it gives.
final class RowNumberOperator: Operator {
  private let source: any Operator
  private let keyPositions: [Int]
  private let most: Int64
  private let account: MemoryAccount
  private var table: GroupTable?
  /// How many rows each group has had.
  private var counts: [Int64] = [0]
  private let kept = RowIndices()

  init(_ node: RowNumberNode, source: any Operator, account: MemoryAccount) {
    self.source = source
    self.account = account
    most = node.most.map { Int64($0) } ?? .max
    keyPositions = ColumnLayout(node.source.outputs).positions(of: node.partition)
    table = node.partition.isEmpty ? nil : GroupTable(types: node.partition.map(\.type))
  }

  func next() throws -> Batch? {
    while let batch = try source.next() {
      let numbers = try number(batch)
      if kept.count == batch.count { return Batch(columns: batch.columns + [numbers], count: batch.count) }
      if kept.count > 0 {
        return Batch(columns: batch.columns + [numbers], count: batch.count).gather(kept.base, count: kept.count)
      }
    }
    table = nil
    account.release()
    return nil
  }

  /// The rows' numbers; lists in `kept` the rows that are not too many.
  private func number(_ batch: Batch) throws -> Vector {
    let count = batch.count
    if let table {
      try account.set(table.retainedBytes + counts.count * 8 + table.growth(for: count) + count * 8)
      try table.assign(keyPositions.map { batch.columns[$0] }, count: count)
      if counts.count < table.groupCount {
        counts += Array(repeating: 0, count: max(table.groupCount, counts.count * 2) - counts.count)
      }
      try account.set(table.retainedBytes + counts.count * 8)
    }
    let numbers = Buffer(count: count, of: Int64.self)
    let target = numbers.pointer(to: Int64.self)
    kept.count = 0
    kept.reserve(count)
    let keptRows = kept.base
    let groups = table?.ids.base
    var keptCount = 0
    counts.withUnsafeMutableBufferPointer { counts in
      for row in 0..<count {
        let group = groups.map { Int($0[row]) } ?? 0
        counts[group] &+= 1
        target[row] = counts[group]
        keptRows[keptCount] = Int32(truncatingIfNeeded: row)
        keptCount &+= counts[group] <= most ? 1 : 0
      }
    }
    kept.count = keptCount
    return Vector(flat: .bigint, count: count, values: numbers)
  }
}

// Owns GROUP BY: numbers the groups, feeds the accumulators, gives the results out. One operator for all three steps.

import Base
import Columnar
import Planning

/// Groups rows and aggregates them. Groups come out in the order of their first row.
final class AggregateOperator: Operator {
  private let source: any Operator
  private let step: AggregationStep
  private let keyPositions: [Int]
  private var aggregates: [Aggregate]
  private var table: GroupTable?
  private let account: MemoryAccount
  private let limits: PartialAggregationLimits
  private let zeros = RowIndices()

  private var sourceHasEnded = false
  /// Rows read, and groups made of them, since the start.
  private var rowsSeen = 0
  private var groupsMade = 0
  /// Partial only: rows pass through as groups of one row.
  private var passesThrough = false
  /// The next group to give out; nil while reading.
  private var emitted: Int?
  private var hasRows = false
  private var isDone = false

  init(
    _ node: AggregateNode, source: any Operator, account: MemoryAccount, limits: PartialAggregationLimits
  ) {
    self.source = source
    self.account = account
    self.limits = limits
    step = node.step
    let layout = ColumnLayout(node.source.outputs)
    keyPositions = layout.positions(of: node.keys)
    aggregates = node.aggregations.map { Aggregate($0, step: node.step, layout: layout, isKeyless: node.keys.isEmpty) }
    table = node.keys.isEmpty ? nil : GroupTable(types: node.keys.map(\.type))
  }

  func next() throws -> Batch? {
    while !isDone {
      if let start = emitted {
        if let batch = try emit(from: start) { return batch }
        emitted = nil
        if sourceHasEnded { finish() }
      } else if passesThrough {
        if let batch = try source.next() { return try passThrough(batch) }
        finish()
      } else {
        try read()
        emitted = 0
      }
    }
    return nil
  }

  /// Frees all memory; operators above may have much to do still.
  private func finish() {
    isDone = true
    table = nil
    aggregates = []
    account.release()
  }

  private var groupCount: Int {
    guard let table else { return hasRows || step != .partial ? 1 : 0 }
    return table.groupCount
  }

  /// Reads until the source ends, or a partial step's table is full or found to be of no use.
  private func read() throws {
    while let batch = try source.next() {
      hasRows = true
      rowsSeen += batch.count
      try add(batch)
      guard step == .partial, let table else { continue }
      let made = groupsMade + table.groupCount
      if rowsSeen >= limits.minimumRows, Double(made) > limits.uniqueRowsRatio * Double(rowsSeen) {
        passesThrough = true
        return
      }
      if retainedBytes >= limits.memoryBytes { return }
    }
    sourceHasEnded = true
  }

  private var retainedBytes: Int {
    aggregates.reduce(table?.retainedBytes ?? 0) { $0 + $1.retainedBytes }
  }

  private func add(_ batch: Batch) throws {
    guard let table else {
      if zeros.count < batch.count {
        zeros.reserve(batch.count)
        zeros.count = zeros.capacity
        zeros.base.update(repeating: 0, count: zeros.capacity)
      }
      try prepare(groups: 1, rows: batch.count)
      for aggregate in aggregates {
        try aggregate.addAll(batch, zeros: zeros.base)
      }
      return try account.set(retainedBytes)
    }
    try account.set(retainedBytes + table.growth(for: batch.count))
    try table.assign(keyPositions.map { batch.columns[$0] }, count: batch.count)
    try prepare(groups: table.groupCount, rows: batch.count)
    let rows = GroupedRows(ids: table.ids.base, count: batch.count, groups: table.groupCount, isWholeBatch: true)
    for aggregate in aggregates { try aggregate.add(batch, rows) }
    try account.set(retainedBytes)
  }

  /// Asks for what the aggregates may need for a batch.
  private func prepare(groups: Int, rows: Int) throws {
    let growth = aggregates.reduce(0) { $0 + $1.growth(to: groups, rows: rows) }
    if growth > 0 { try account.set(retainedBytes + growth) }
  }

  private func emit(from start: Int) throws -> Batch? {
    let total = groupCount
    guard start < total else {
      groupsMade += total
      if sourceHasEnded || table == nil { return nil }
      table?.reset()
      for aggregate in aggregates { aggregate.reset() }
      try account.set(retainedBytes)
      return nil
    }
    let length = min(Batch.targetRows, total - start)
    for aggregate in aggregates { aggregate.grow(to: total) }
    var columns = table.map { $0.keys.map { $0.slice(from: start, count: length) } } ?? []
    for aggregate in aggregates {
      columns += try aggregate.outputs(from: start, count: length, partial: step == .partial)
    }
    emitted = start + length
    return Batch(columns: columns, count: length)
  }

  /// Each row as a group of its own.
  private func passThrough(_ batch: Batch) throws -> Batch {
    zeros.fillSequence(count: batch.count)
    let rows = GroupedRows(ids: zeros.base, count: batch.count, groups: batch.count, isWholeBatch: true)
    var columns = keyPositions.map { batch.columns[$0] }
    for aggregate in aggregates {
      aggregate.reset()
      aggregate.grow(to: batch.count)
      try aggregate.add(batch, rows)
      columns += try aggregate.outputs(from: 0, count: batch.count, partial: true)
    }
    return Batch(columns: columns, count: batch.count)
  }
}

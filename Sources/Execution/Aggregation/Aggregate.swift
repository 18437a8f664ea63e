// Owns one aggregate of a GROUP BY: which rows of a batch reach its accumulator (FILTER, DISTINCT) and which columns.

import Columnar
import Planning

/// An accumulator with its arguments, mask and distinct rows.
final class Aggregate {
  private let accumulator: any Accumulator
  private let isMerging: Bool
  private let arguments: [Int]
  private let mask: Int?
  private let distinct: DistinctRows?
  private let masked = RowIndices()
  private let maskedIDs = RowIndices()

  init(_ aggregation: Aggregation, step: AggregationStep, layout: ColumnLayout, isKeyless: Bool) {
    accumulator = makeAccumulator(aggregation.function, aggregation.arguments.map(\.type))
    isMerging = step == .final
    arguments = layout.positions(of: isMerging ? aggregation.intermediates : aggregation.arguments)
    mask = isMerging ? nil : aggregation.filter.map(layout.position(of:))
    let mustBeDistinct = aggregation.isDistinct && !aggregation.function.ignoresDuplicates && !isMerging
    precondition(!mustBeDistinct || step == .single, "DISTINCT cannot be aggregated in parts: \(aggregation)")
    distinct = mustBeDistinct
      ? DistinctRows(types: aggregation.arguments.map(\.type), isKeyless: isKeyless) : nil
  }

  var retainedBytes: Int { accumulator.retainedBytes + (distinct?.retainedBytes ?? 0) }
  /// Bytes that a batch of `rows` rows may allocate which brings the number of groups to `groups`, without text.
  func growth(to groups: Int, rows: Int) -> Int {
    accumulator.growth(to: groups) + (distinct?.growth(for: rows) ?? 0)
  }
  func grow(to groups: Int) { accumulator.grow(to: groups) }
  func reset() { accumulator.reset() }

  /// The result column, or the partial result's columns.
  func outputs(from start: Int, count: Int, partial: Bool) throws -> [Vector] {
    partial
      ? try accumulator.intermediates(from: start, count: count)
      : [try accumulator.results(from: start, count: count)]
  }

  /// Adds a batch whose rows have groups.
  func add(_ batch: Batch, _ rows: GroupedRows) throws {
    let columns = arguments.map { batch.columns[$0] }
    if isMerging { return try accumulator.merge(columns, rows) }
    guard let mask else { return try addDistinct(columns, rows) }
    guard let selected = select(batch.columns[mask], count: batch.count) else {
      return try addDistinct(columns, rows)
    }
    maskedIDs.reserve(selected)
    for index in 0..<selected { maskedIDs.base[index] = rows.ids[Int(masked.base[index])] }
    let part = GroupedRows(ids: maskedIDs.base, count: selected, groups: rows.groups, isWholeBatch: false)
    try addDistinct(columns.map { $0.gather(masked.base, count: selected) }, part)
  }

  /// Adds a batch to the only group there is.
  func addAll(_ batch: Batch, zeros: UnsafePointer<Int32>) throws {
    if isMerging || mask != nil || distinct != nil {
      return try add(batch, GroupedRows(ids: zeros, count: batch.count, groups: 1, isWholeBatch: batch.count > 0))
    }
    try accumulator.addAll(arguments.map { batch.columns[$0] }, count: batch.count, zeros: zeros)
  }

  private func addDistinct(_ columns: [Vector], _ rows: GroupedRows) throws {
    guard let distinct else { return try accumulator.add(columns, rows) }
    let new = try distinct.newRows(columns, rows)
    maskedIDs.reserve(rows.count)
    let ids = RowIndices(capacity: new.count)
    for index in 0..<new.count { ids.base[index] = rows.ids[Int(new.base[index])] }
    let part = GroupedRows(ids: ids.base, count: new.count, groups: rows.groups, isWholeBatch: false)
    try accumulator.add(columns.map { $0.gather(new.base, count: new.count) }, part)
  }

  /// Lists the rows where the mask is true; nil where all are.
  private func select(_ mask: Vector, count: Int) -> Int? {
    masked.reserve(count)
    let rows = masked.base
    var selected = 0
    forEachValue(of: mask.flattened(), as: UInt8.self, count: count) { row, flag in
      rows[selected] = Int32(truncatingIfNeeded: row)
      selected &+= flag == 0 ? 0 : 1
    }
    return selected == count ? nil : selected
  }
}

/// Finds the rows whose combination of group and arguments has not come before.
final class DistinctRows {
  private let table: GroupTable
  private let isKeyless: Bool
  private let rows = RowIndices()
  private var marks: [UInt8] = []

  init(types: [DataType], isKeyless: Bool) {
    self.isKeyless = isKeyless
    table = GroupTable(types: (isKeyless ? [] : [.integer]) + types)
  }

  var retainedBytes: Int { table.retainedBytes }
  /// Bytes that a batch of `rows` rows may allocate, without text.
  func growth(for rows: Int) -> Int { table.growth(for: rows) }

  /// The new rows of a batch, ascending. Valid until the next call.
  func newRows(_ columns: [Vector], _ grouped: GroupedRows) throws -> RowIndices {
    let known = table.groupCount
    var keys = columns
    if !isKeyless {
      let ids = Buffer(count: grouped.count, of: Int32.self)
      ids.pointer(to: Int32.self).update(from: grouped.ids, count: grouped.count)
      keys.insert(Vector(flat: .integer, count: grouped.count, values: ids), at: 0)
    }
    try table.assign(keys, count: grouped.count)
    rows.reserve(grouped.count)
    marks = Array(repeating: 0, count: table.groupCount - known)
    var found = 0
    marks.withUnsafeMutableBufferPointer { marks in
      for row in 0..<grouped.count {
        let number = Int(table.ids.base[row]) - known
        guard number >= 0, marks[number] == 0 else { continue }
        marks[number] = 1
        rows.base[found] = Int32(truncatingIfNeeded: row)
        found &+= 1
      }
    }
    rows.count = found
    return rows
  }
}

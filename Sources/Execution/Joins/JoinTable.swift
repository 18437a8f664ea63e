// Owns the build side of a join: its rows by key, ready to be looked up. Built once, then only read.

import Base
import Columnar
import Planning

/// The rows of a join's right side, grouped by key.
///
/// Unchecked Sendable: after `build` has returned nothing changes; lookups work on `makeFinder`'s copies.
final class JoinTable: @unchecked Sendable {
  /// The columns that leave the join or that its filter reads, flat.
  let payload: Batch
  /// All rows, also those with a NULL key.
  let rowCount: Int
  /// Rows that have a NULL key.
  let nullKeyRows: RowIndices
  /// Which values a key column has, by key: for those asked for when the table was built, where they are not too many.
  let summaries: [Int: KeySummary]
  /// Bytes held, with the summaries.
  let retainedBytes: Int

  private let table: GroupTable?
  /// Rows by group, ascending in each: group g has `groupRows[groupStarts[g]..<groupStarts[g + 1]]`. Nil where no
  /// rows are needed.
  private let groupStarts: RowIndices?
  let groupRows: RowIndices?
  /// Whether no group has more than one row.
  let isUnique: Bool
  /// Whether group g is row g: keys are unique and none is NULL.
  let isIdentity: Bool

  fileprivate init(
    payload: Batch, rowCount: Int, nullKeyRows: RowIndices, table: GroupTable?, groups: RowGroups?,
    summaries: [Int: KeySummary], retainedBytes: Int
  ) {
    self.payload = payload
    self.rowCount = rowCount
    self.nullKeyRows = nullKeyRows
    self.table = table
    groupStarts = groups?.starts
    groupRows = groups?.rows
    isUnique = groups?.isUnique ?? true
    isIdentity = groups?.isIdentity ?? false
    self.summaries = summaries
    self.retainedBytes = retainedBytes
  }

  var groupCount: Int { table?.groupCount ?? (rowCount > 0 ? 1 : 0) }

  /// Where the rows of group g start and, as entry g + 1, end.
  var starts: UnsafePointer<Int32>? { groupStarts.map { UnsafePointer($0.base) } }

  /// Something that looks keys up. One for each thread.
  func makeFinder() -> JoinFinder {
    JoinFinder(table: table.map { GroupTable(probing: $0) }, hasRows: rowCount > 0)
  }

  /// Reads `source` to its end. `keyPositions` are the key columns, none for a cross product; `payloadPositions` the
  /// columns to keep. Without `needsRows` only the keys are kept. `summarizing` are the keys to be told of, by their
  /// place in `keyPositions`.
  static func build(
    from source: any Operator, keyPositions: [Int], payloadPositions: [Int], types: [DataType], needsRows: Bool,
    summarizing: Set<Int> = [], account: MemoryAccount
  ) throws -> JoinTable {
    var builder = JoinTableBuilder(
      keyPositions: keyPositions, payloadPositions: payloadPositions, types: types, needsRows: needsRows)
    while let batch = try source.next() { try builder.add(batch, account: account) }
    return try builder.finish(summarizing: summarizing, account: account)
  }
}

/// Looks up the groups of probe rows. Holds the working memory for that.
final class JoinFinder {
  private let table: GroupTable?
  private let hasRows: Bool
  private let ids = RowIndices()
  /// Rows of the last batch whose key is NULL.
  private(set) var nullRows: [Bool]?

  fileprivate init(table: GroupTable?, hasRows: Bool) {
    self.table = table
    self.hasRows = hasRows
  }

  /// The group of each row of a batch with these keys, -1 where none matches. Valid until the next call.
  func find(_ keys: [Vector], count: Int) -> UnsafePointer<Int32> {
    nullRows = nil
    guard let table else {
      ids.reserve(count)
      ids.base.update(repeating: hasRows ? 0 : -1, count: count)
      return UnsafePointer(ids.base)
    }
    guard let matchable = matchableRows(keys, count: count) else {
      table.find(keys, count: count)
      return UnsafePointer(table.ids.base)
    }
    nullRows = (0..<count).map { row in keys.contains { $0.isNull(row) } }
    ids.reserve(count)
    ids.base.update(repeating: -1, count: count)
    table.find(keys.map { $0.gather(matchable.base, count: matchable.count) }, count: matchable.count)
    for index in 0..<matchable.count { ids.base[Int(matchable.base[index])] = table.ids.base[index] }
    return UnsafePointer(ids.base)
  }
}

/// The rows whose keys can equal others: none NULL, none NaN. Nil where all can.
private func matchableRows(_ keys: [Vector], count: Int) -> RowIndices? {
  var excluded: [Bool]?
  for key in keys {
    let isFloat = key.type.layout == .float64 || key.type.layout == .float32
    guard key.mayHaveNulls || isFloat else { continue }
    for row in 0..<count where key.isNull(row) || isFloat && key.isNaN(row) {
      if excluded == nil { excluded = Array(repeating: false, count: count) }
      excluded?[row] = true
    }
  }
  guard let excluded else { return nil }
  let rows = RowIndices(capacity: count)
  for row in 0..<count where !excluded[row] {
    rows.base[rows.count] = Int32(truncatingIfNeeded: row)
    rows.count += 1
  }
  return rows
}

extension Vector {
  fileprivate func isNaN(_ row: Int) -> Bool {
    switch type.layout {
    case .float64: values.pointer(to: Double.self)[position(of: row)].isNaN
    case .float32: values.pointer(to: Float.self)[position(of: row)].isNaN
    default: false
    }
  }
}

/// Rows listed by group.
private struct RowGroups {
  let starts: RowIndices
  let rows: RowIndices
  let isUnique: Bool
  /// Whether group g is row g. Groups are numbered as their keys are found to be new, which is not always the order of
  /// the rows: a row whose hash meets another key's is looked at again after those behind it.
  let isIdentity: Bool

  /// A counting sort of row numbers by `groupOf`, -1 for rows that are in no group.
  init(groupOf: RowIndices, groupCount: Int) {
    starts = RowIndices(capacity: groupCount + 1)
    starts.count = groupCount + 1
    rows = RowIndices(capacity: groupOf.count)
    let starts = starts.base
    starts.update(repeating: 0, count: groupCount + 1)
    for row in 0..<groupOf.count where groupOf.base[row] >= 0 { starts[Int(groupOf.base[row]) + 1] += 1 }
    var isUnique = true
    for group in 0..<groupCount {
      if starts[group + 1] > 1 { isUnique = false }
      starts[group + 1] += starts[group]
    }
    self.isUnique = isUnique
    var isIdentity = groupCount == groupOf.count
    if isIdentity { for row in 0..<groupCount where Int(groupOf.base[row]) != row { isIdentity = false } }
    self.isIdentity = isIdentity
    // The starts move to the ends while rows are placed, and are moved back afterwards.
    for row in 0..<groupOf.count where groupOf.base[row] >= 0 {
      let group = Int(groupOf.base[row])
      rows.base[Int(starts[group])] = Int32(truncatingIfNeeded: row)
      starts[group] += 1
    }
    for group in stride(from: groupCount, to: 0, by: -1) { starts[group] = starts[group - 1] }
    starts[0] = 0
    rows.count = groupCount == 0 ? 0 : Int(starts[groupCount])
  }
}

private struct JoinTableBuilder {
  private let keyPositions: [Int]
  private let payloadPositions: [Int]
  private let needsRows: Bool
  private let store: RowStore
  private let table: GroupTable?
  private let groupOf = RowIndices()
  private let nullKeyRows = RowIndices(capacity: 16)
  private var rowCount = 0

  init(keyPositions: [Int], payloadPositions: [Int], types: [DataType], needsRows: Bool) {
    self.keyPositions = keyPositions
    self.payloadPositions = payloadPositions
    self.needsRows = needsRows
    store = RowStore(types: payloadPositions.map { types[$0] })
    table = keyPositions.isEmpty ? nil : GroupTable(types: keyPositions.map { types[$0] })
  }

  private var retainedBytes: Int {
    (table?.retainedBytes ?? 0) + groupOf.capacity * 4 + nullKeyRows.capacity * 4
  }

  mutating func add(_ batch: Batch, account: MemoryAccount) throws {
    if let table {
      try account.set(store.retainedBytes + retainedBytes + table.growth(for: batch.count))
      try addKeys(keyPositions.map { batch.columns[$0] }, count: batch.count, to: table)
    } else if needsRows {
      groupOf.reserve(rowCount + batch.count)
      (groupOf.base + rowCount).update(repeating: 0, count: batch.count)
      groupOf.count = rowCount + batch.count
    }
    rowCount += batch.count
    guard needsRows else { return try account.set(retainedBytes) }
    try store.append(
      payloadPositions.map { batch.columns[$0] }, count: batch.count, account: account, others: retainedBytes)
  }

  private func addKeys(_ keys: [Vector], count: Int, to table: GroupTable) throws {
    let matchable = matchableRows(keys, count: count)
    if let matchable {
      try table.assign(keys.map { $0.gather(matchable.base, count: matchable.count) }, count: matchable.count)
      for row in 0..<count where keys.contains(where: { $0.isNull(row) }) {
        nullKeyRows.reserve(nullKeyRows.count + 1)
        nullKeyRows.base[nullKeyRows.count] = Int32(truncatingIfNeeded: rowCount + row)
        nullKeyRows.count += 1
      }
    } else {
      try table.assign(keys, count: count)
    }
    guard needsRows else { return }
    groupOf.reserve(rowCount + count)
    let target = groupOf.base + rowCount
    if let matchable {
      target.update(repeating: -1, count: count)
      for index in 0..<matchable.count { target[Int(matchable.base[index])] = table.ids.base[index] }
    } else {
      target.update(from: table.ids.base, count: count)
    }
    groupOf.count = rowCount + count
  }

  func finish(summarizing: Set<Int>, account: MemoryAccount) throws -> JoinTable {
    let groupCount = table?.groupCount ?? (rowCount > 0 ? 1 : 0)
    var groups: RowGroups?
    try table?.finish(account: account, others: store.retainedBytes + groupOf.capacity * 4 + nullKeyRows.capacity * 4)
    var bytes = store.retainedBytes + retainedBytes
    if needsRows {
      let groupBytes = (groupCount + 1 + rowCount) * 4
      try account.set(bytes + groupBytes)
      groups = RowGroups(groupOf: groupOf, groupCount: groupCount)
      bytes += groupBytes - groupOf.capacity * 4
    }
    try account.set(bytes)
    let summaries = try summaries(of: summarizing, account: account)
    bytes += summaries.values.reduce(0) { $0 + $1.retainedBytes }
    return JoinTable(
      payload: needsRows ? store.batch() : Batch(columns: [], count: 0), rowCount: rowCount,
      nullKeyRows: nullKeyRows, table: table, groups: groups, summaries: summaries, retainedBytes: bytes)
  }

  private func summaries(of keys: Set<Int>, account: MemoryAccount) throws -> [Int: KeySummary] {
    guard let table, table.groupCount <= KeySummary.keysMax else { return [:] }
    return try Dictionary(
      uniqueKeysWithValues: keys.sorted().map { ($0, try KeySummary(table.keys[$0].vector(), account: account)) })
  }
}

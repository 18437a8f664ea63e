// Owns the comparison of candidate pairs (row of a batch, group of a table), a column at a time.

import Columnar

/// The working lists of one resolution by hash, and the comparison of keys.
struct KeyMatcher {
  /// Rows still without a group.
  let open = RowIndices()
  /// Rows with a group whose key is still to be compared.
  let candidates = RowIndices()
  /// Rows that made a group in this round.
  let created = RowIndices()
  /// The slot each row has reached.
  let places = RowIndices()
  private(set) var isFirstRound = true

  var retainedBytes: Int { (open.capacity + candidates.capacity + created.capacity + places.capacity) * 4 }

  mutating func start(count: Int) {
    for list in [candidates, created, places] { list.reserve(count) }
    open.fillSequence(count: count)
    isFirstRound = true
  }

  /// Leaves in `open` the candidates whose key differs from that of their group.
  mutating func compare(_ columns: [Vector], _ keys: [ColumnBuilder], _ ids: UnsafePointer<Int32>) {
    open.count = 0
    for (index, column) in columns.enumerated() where candidates.count > 0 {
      split(candidates, mismatches: open, column, keys[index], ids)
    }
    isFirstRound = false
  }
}

/// Moves the rows of `candidates` whose value differs from their group's to `mismatches`. `column` is flat.
private func split(
  _ candidates: RowIndices, mismatches: RowIndices, _ column: Vector, _ key: ColumnBuilder,
  _ ids: UnsafePointer<Int32>
) {
  switch column.type.layout {
  case .boolean, .int8: splitRows(candidates, mismatches, column, key, ids, UInt8.self) { $0 == $1 }
  case .int16: splitRows(candidates, mismatches, column, key, ids, UInt16.self) { $0 == $1 }
  case .int32: splitRows(candidates, mismatches, column, key, ids, UInt32.self) { $0 == $1 }
  case .int64: splitRows(candidates, mismatches, column, key, ids, UInt64.self) { $0 == $1 }
  case .int128: splitRows(candidates, mismatches, column, key, ids, UInt128.self) { $0 == $1 }
  case .float32: splitRows(candidates, mismatches, column, key, ids, Float.self) { $0 == $1 || $0 != $0 && $1 != $1 }
  case .float64: splitRows(candidates, mismatches, column, key, ids, Double.self) { $0 == $1 || $0 != $0 && $1 != $1 }
  case .string: splitRows(candidates, mismatches, column, key, ids, StringView.self) { StringView.equal($0, $1) }
  }
}

@inline(__always)
private func splitRows<Element: BitwiseCopyable>(
  _ candidates: RowIndices, _ mismatches: RowIndices, _ column: Vector, _ key: ColumnBuilder,
  _ ids: UnsafePointer<Int32>, _: Element.Type, _ isEqual: (Element, Element) -> Bool
) {
  let values = UnsafePointer(column.values.pointer(to: Element.self))
  let known = UnsafePointer(key.valuesBase.assumingMemoryBound(to: Element.self))
  let rows = candidates.base
  let others = mismatches.base
  var kept = 0
  var moved = mismatches.count
  let keyValidity = key.validityBits
  if column.validity == nil && keyValidity == nil {
    for index in 0..<candidates.count {
      let row = rows[index]
      let isSame = isEqual(values[Int(row)], known[Int(ids[Int(row)])])
      rows[kept] = row
      others[moved] = row
      kept &+= isSame ? 1 : 0
      moved &+= isSame ? 0 : 1
    }
  } else {
    for index in 0..<candidates.count {
      let row = rows[index]
      let group = Int(ids[Int(row)])
      let isValid = column.validity?[Int(row)] ?? true
      let isKeyValid = keyValidity?[group] ?? true
      let isSame = isValid == isKeyValid && (!isValid || isEqual(values[Int(row)], known[group]))
      rows[kept] = row
      others[moved] = row
      kept &+= isSame ? 1 : 0
      moved &+= isSame ? 0 : 1
    }
  }
  candidates.count = kept
  mismatches.count = moved
}

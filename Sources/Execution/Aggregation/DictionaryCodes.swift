// Owns the shortcut for keys of few distinct values: rows are looked up by their combined dictionary positions.

import Columnar

/// Combines the dictionary positions of all key columns of a batch into one code per row, and remembers the group of
/// each code. Used where the codes are so few that an array of them is smaller than a batch.
struct DictionaryCodes {
  private static let maximumCodes = 4096
  private static let unknown: Int32 = -2

  /// Rows whose code has no group yet, one for each code, in order.
  let newRows = RowIndices(capacity: 16)
  private let codes = RowIndices()
  /// The group of each code.
  private let groups = RowIndices(capacity: 64)
  /// What the codes stand for: a dictionary for each column, nil for a constant, that the codes were made from.
  private var known: [Vector?] = []
  private var hasConstant = false

  var retainedBytes: Int { (newRows.capacity + codes.capacity + groups.capacity) * 4 }

  /// Makes the codes of a batch's keys. False where the keys are not of that kind.
  mutating func encode(_ columns: [Vector], count: Int) -> Bool {
    guard !columns.isEmpty else { return false }
    var codeCount = 1
    for column in columns {
      switch column.encoding {
      case .flat: return false
      case .constant: continue
      case .dictionary:
        codeCount *= max(1, column.dictionary?.count ?? 1)
        if codeCount > Self.maximumCodes { return false }
      }
    }
    guard codeCount <= count || isKnown(columns) else { return false }
    if !isKnown(columns) {
      known = columns.map(\.dictionary)
      hasConstant = columns.contains { $0.encoding == .constant }
      groups.count = 0
      groups.reserve(codeCount)
      groups.base.update(repeating: Self.unknown, count: codeCount)
      groups.count = codeCount
    }
    combine(columns, count: count)
    findNew(count: count)
    return true
  }

  private func isKnown(_ columns: [Vector]) -> Bool {
    guard !hasConstant, known.count == columns.count else { return false }
    return zip(known, columns).allSatisfy { $0 != nil && $0 === $1.dictionary }
  }

  private func combine(_ columns: [Vector], count: Int) {
    codes.count = 0
    codes.reserve(count)
    codes.count = count
    let codes = codes.base
    var isFirst = true
    for column in columns {
      guard let dictionary = column.dictionary, let indices = column.indices else { continue }
      let positions = UnsafePointer(indices.pointer(to: Int32.self))
      if isFirst {
        codes.update(from: positions, count: count)
      } else {
        let factor = Int32(truncatingIfNeeded: dictionary.count)
        for row in 0..<count { codes[row] = codes[row] &* factor &+ positions[row] }
      }
      isFirst = false
    }
    if isFirst { codes.update(repeating: 0, count: count) }
  }

  private func findNew(count: Int) {
    newRows.count = 0
    newRows.reserve(groups.count)
    let codes = codes.base
    let groups = groups.base
    for row in 0..<count where groups[Int(codes[row])] == Self.unknown {
      // Marked so that the code is listed once; `learn` sets the group.
      groups[Int(codes[row])] = -1
      newRows.base[newRows.count] = Int32(truncatingIfNeeded: row)
      newRows.count &+= 1
    }
  }

  /// Takes the groups of `newRows`; -1 where the table has none (and then it does not grow any more).
  func learn(_ found: UnsafePointer<Int32>) {
    for index in 0..<newRows.count { groups.base[Int(codes.base[Int(newRows.base[index])])] = found[index] }
  }

  /// Writes the group of each row of the batch.
  func decode(into ids: UnsafeMutablePointer<Int32>, count: Int) {
    let codes = codes.base
    let groups = groups.base
    for row in 0..<count { ids[row] = groups[Int(codes[row])] }
  }
}

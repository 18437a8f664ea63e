// Owns what a semi join gives for a row, once it is known whether the row has a match.

import Columnar

/// What becomes of a row of the left side.
enum SemiJoinMode {
  /// Rows with a match leave.
  case semi
  /// Rows without a match leave.
  case anti
  /// Rows leave whose NOT IN is true, neither false nor NULL.
  case nullAwareAnti
  /// All rows leave, with a column that is true, false or, where a NULL leaves the answer open, NULL.
  case mark(isNullAware: Bool)

  var isNullAware: Bool {
    switch self {
    case .semi, .anti: false
    case .nullAwareAnti: true
    case .mark(let isNullAware): isNullAware
    }
  }
}

/// Turns the answers for a batch into output.
struct SemiJoinOutput {
  let mode: SemiJoinMode
  /// Which columns of the left side leave.
  let columns: [Int]
  private let rows = RowIndices()

  init(mode: SemiJoinMode, columns: [Int]) {
    self.mode = mode
    self.columns = columns
  }

  /// `matched`: rows with a match. `open`: rows for which a NULL leaves open whether there is one; nil for none.
  func rows(of batch: Batch, matched: [Bool], open: [Bool]?) -> Batch? {
    switch mode {
    case .semi: select(batch) { matched[$0] }
    case .anti: select(batch) { !matched[$0] }
    case .nullAwareAnti: select(batch) { !matched[$0] && !(open?[$0] ?? false) }
    case .mark: mark(batch, matched, open)
    }
  }

  @inline(__always)
  private func select(_ batch: Batch, _ isKept: (Int) -> Bool) -> Batch? {
    rows.reserve(batch.count)
    let base = rows.base
    var count = 0
    for row in 0..<batch.count {
      base[count] = Int32(truncatingIfNeeded: row)
      count &+= isKept(row) ? 1 : 0
    }
    if count == 0 { return nil }
    let kept = batch.selectingColumns(columns)
    return count == batch.count ? kept : kept.gather(base, count: count)
  }

  private func mark(_ batch: Batch, _ matched: [Bool], _ open: [Bool]?) -> Batch {
    let flags = Buffer(count: batch.count, of: UInt8.self)
    var validity: Bitmap?
    for row in 0..<batch.count {
      flags.pointer(to: UInt8.self)[row] = matched[row] ? 1 : 0
      guard !matched[row], let open, open[row] else { continue }
      let bits = validity ?? Bitmap(repeating: true, count: batch.count)
      bits.clear(row)
      validity = bits
    }
    let column = Vector(flat: .boolean, count: batch.count, values: flags, validity: validity)
    return Batch(columns: columns.map { batch.columns[$0] } + [column], count: batch.count)
  }
}

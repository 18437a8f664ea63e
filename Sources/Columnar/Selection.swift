// Owns the outcome of a filter: which rows of a batch go on. Knows nothing of predicates.

/// Ascending positions of rows in a batch, or all of its rows.
public struct Selection: Sendable {
  /// `count` positions (Int32), ascending; nil where all rows are selected.
  public let indices: Buffer?
  /// Selected rows.
  public let count: Int

  /// The rows at `indices`, which holds `count` ascending Int32.
  public init(indices: Buffer, count: Int) {
    precondition(indices.byteCount >= count * 4, "\(count) indices do not fit")
    self.indices = indices
    self.count = count
  }

  private init(allOf count: Int) {
    indices = nil
    self.count = count
  }

  /// Every row of a batch of `count` rows.
  public static func all(_ count: Int) -> Selection { Selection(allOf: count) }
  /// No row.
  public static let none = Selection(indices: Buffer(byteCount: 0), count: 0)

  /// Whether every row of the batch is selected.
  public var isAll: Bool { indices == nil }

  /// The positions in memory, also where all rows are selected. Cost: an allocation and a pass in that case.
  public func materialised() -> Buffer {
    if let indices { return indices }
    let all = Buffer(count: count, of: Int32.self)
    let target = all.pointer(to: Int32.self)
    for row in 0..<count { target[row] = Int32(truncatingIfNeeded: row) }
    return all
  }
}

extension Batch {
  /// The selected rows. Dictionary columns stay dictionaries, constants stay constants. Cost: a pass per column; none
  /// where everything is selected.
  public func gather(_ selection: Selection) -> Batch {
    guard let indices = selection.indices else {
      precondition(selection.count == count, "a selection of all \(selection.count) rows of a batch of \(count)")
      return self
    }
    let positions = UnsafePointer(indices.pointer(to: Int32.self))
    return Batch(columns: columns.map { $0.gather(positions, count: selection.count) }, count: selection.count)
  }
}

// Owns what an expression is evaluated on: a batch, or some of its rows with columns gathered only when asked for.

import Columnar

/// The rows an expression node sees. Made once per batch and once per subset; used by one thread.
final class Rows {
  let batch: Batch
  /// Rows in this set.
  let count: Int
  /// Where these rows lie in `batch`; nil for all of them.
  private let positions: Buffer?
  /// The rows of which these are some, and where they lie there.
  private let parent: (rows: Rows, chosen: Buffer)?
  private var gathered: [Vector?]
  /// Values of shared subexpressions on these rows, by slot.
  var shared: [Vector?]

  init(_ batch: Batch, sharedSlots: Int = 0) {
    self.batch = batch
    count = batch.count
    positions = nil
    parent = nil
    gathered = []
    shared = Array(repeating: nil, count: sharedSlots)
  }

  private init(_ parent: Rows, chosen: Buffer, positions: Buffer, count: Int) {
    self.parent = (parent, chosen)
    batch = parent.batch
    self.positions = positions
    self.count = count
    gathered = Array(repeating: nil, count: batch.columns.count)
    shared = Array(repeating: nil, count: parent.shared.count)
  }

  /// The value of a shared subexpression on these rows, where it is known here or on the rows around.
  func sharedValue(_ slot: Int) -> Vector? {
    if let known = shared[slot] { return known }
    guard let parent, let outer = parent.rows.sharedValue(slot) else { return nil }
    let vector = outer.gather(UnsafePointer(parent.chosen.pointer(to: Int32.self)), count: count)
    shared[slot] = vector
    return vector
  }

  /// Column `index` on these rows. Cost: a pass the first time where this is a subset.
  func column(_ index: Int) -> Vector {
    guard let positions else { return batch.columns[index] }
    if let known = gathered[index] { return known }
    let vector = batch.columns[index].gather(UnsafePointer(positions.pointer(to: Int32.self)), count: count)
    gathered[index] = vector
    return vector
  }

  /// The rows of this set at `selection`'s positions.
  func subset(_ selection: Selection) -> Rows {
    guard let chosen = selection.indices else { return self }
    let indices: Buffer
    if let positions {
      indices = Buffer(count: selection.count, of: Int32.self)
      let from = positions.pointer(to: Int32.self)
      let through = chosen.pointer(to: Int32.self)
      let target = indices.pointer(to: Int32.self)
      for row in 0..<selection.count { target[row] = from[Int(through[row])] }
    } else {
      indices = chosen
    }
    return Rows(self, chosen: chosen, positions: indices, count: selection.count)
  }
}

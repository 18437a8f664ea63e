// Owns the distinct values of a column chunk as vectors that all its batches share.

import Columnar

/// The dictionary of a chunk.
final class ChunkDictionary {
  /// Distinct values.
  let count: Int
  /// The values, without NULLs.
  let vector: Vector
  private let storage: Vector
  private var nullable: Vector?

  /// `values` holds `count` values and one more, of which nothing is expected.
  init(type: DataType, count: Int, values: Buffer, heaps: [StringHeap]) {
    self.count = count
    storage = Vector(flat: type, count: count + 1, values: values, heaps: heaps)
    vector = Vector(flat: type, count: count, values: values, heaps: heaps)
  }

  /// The values and NULL behind them, at position `count`.
  var vectorWithNull: Vector {
    if let nullable { return nullable }
    let present = Bitmap(repeating: true, count: count + 1)
    present.clear(count)
    let made = Vector(
      flat: vector.type, count: count + 1, values: storage.values, validity: present, heaps: storage.heaps)
    nullable = made
    return made
  }
}

// Owns the comment columns: which part of the pool each row's comment is, and the views of a batch.

import Columnar

/// Comments of a table: two draws a row, the offset in the pool and the length.
struct CommentColumn: Sendable {
  let stream: RandomStream
  let offsets: ValueRange
  let lengths: ValueRange

  /// Lengths lie between 0.4 and 1.6 times the average.
  init(origin: UInt32, averageLength: Double) {
    let longest = Int32(averageLength * 1.6)
    stream = RandomStream(origin: origin)
    lengths = ValueRange(Int32(averageLength * 0.4), longest)
    offsets = ValueRange(0, Int32(TextPool.size) - longest)
  }

  /// The comments of `count` rows from `row` on.
  func vector(of type: DataType, row: Int64, count: Int, pool: TextPool, scratch: Scratch) -> Vector {
    stream.fill(scratch[0].draws, count: count, first: row * 2 + 1, stride: 2)
    stream.fill(scratch[1].draws, count: count, first: row * 2 + 2, stride: 2)
    return vector(of: type, count: count, pool: pool, scratch: scratch)
  }

  /// The comments whose draws lie in the first two lanes of `scratch`.
  func vector(of type: DataType, count: Int, pool: TextPool, scratch: Scratch) -> Vector {
    offsets.apply(to: scratch[0].draws, count: count)
    lengths.apply(to: scratch[1].draws, count: count)
    let starts = scratch[0].values
    let sizes = scratch[1].values
    var total = 0
    for row in 0..<count { total &+= Int(sizes[row]) }
    let heap = StringHeap()
    var cursor = heap.allocate(total + Grammar.slot)
    let views = Buffer(count: count, of: StringView.self)
    let target = views.pointer(to: StringView.self)
    let grammar = Grammar.shared
    for row in 0..<count {
      let size = Int(sizes[row])
      pool.copy(cursor, offset: Int(starts[row]), count: size, grammar: grammar)
      target[row] = StringView(cursor, count: size)
      cursor += size
    }
    return Vector(flat: type, count: count, values: views, heaps: [heap])
  }
}

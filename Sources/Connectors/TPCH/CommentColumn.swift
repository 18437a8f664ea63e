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
    let views = Buffer(count: count, of: StringView.self)
    var cursor = heap.allocate(total + Grammar.slot)
    withUnsafeTemporaryAllocation(of: TextBlock.Place.self, capacity: Self.groupRows) { places in
      for first in stride(from: 0, to: count, by: Self.groupRows) {
        let group = first..<min(first + Self.groupRows, count)
        cursor = copy(group, starts, sizes, places.baseAddress!, pool, to: cursor, views.pointer(to: StringView.self))
      }
    }
    return Vector(flat: type, count: count, values: views, heaps: [heap])
  }

  /// Rows whose text is looked for at once.
  private static let groupRows = 64

  /// Copies the comments of `rows` to `target` and returns its end.
  ///
  /// The text is scattered over more memory than the caches hold. All places of a group are found and fetched before
  /// the first is copied: so the waits for memory overlap.
  @inline(__always)
  private func copy(
    _ rows: Range<Int>, _ starts: UnsafePointer<Int32>, _ sizes: UnsafePointer<Int32>,
    _ places: UnsafeMutablePointer<TextBlock.Place>, _ pool: TextPool, to target: UnsafeMutablePointer<UInt8>,
    _ views: UnsafeMutablePointer<StringView>
  ) -> UnsafeMutablePointer<UInt8> {
    let grammar = Grammar.shared
    let first = rows.lowerBound
    for row in rows { places[row &- first] = pool.place(Int(starts[row])) }
    for index in 0..<rows.count { places[index].fetch() }
    var cursor = target
    for row in rows {
      let size = Int(sizes[row])
      TextBlock.copy(cursor, from: places[row &- first], count: size, grammar: grammar)
      views[row] = StringView(cursor, count: size)
      cursor += size
    }
    return cursor
  }
}

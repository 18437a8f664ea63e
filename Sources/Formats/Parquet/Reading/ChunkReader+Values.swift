// Owns moving values of the current page into a vector under construction: dictionary positions and decoded values,
// with and without NULLs, all of them or chosen ones. Knows nothing of pages before and after.

import Columnar

extension ChunkReader {
  /// Dictionaries of more values are put in place of their positions right away, unless they are texts: hardly any
  /// kernel gains from them.
  private static let keptDictionaryMax = 1 << 12

  /// How many of the next `rows` have values; which, where not all do, is in `presence`.
  private func present(_ rows: Int) throws(Damage) -> Int {
    guard page?.levels != nil else { return rows }
    // There is a page with levels.
    return try page!.levels!.matches(rows, of: page!.levelMax, into: presence)
  }

  /// Passes over rows of the current page.
  func pass(_ rows: Int) throws(Damage) {
    var rest = rows
    while rest > 0 {
      let part = min(rest, Self.rowsMax)
      let present = try present(part)
      rest -= part
      switch page?.values {
      case .indices(var runs):
        try runs.skip(present)
        page?.values = .indices(runs)
      case .decoder(let decoder): try decoder.skip(present)
      case nil, .some(.none): try Self.expectNone(present)
      }
    }
  }

  private static func expectNone(_ present: Int) throws(Damage) {
    guard present == 0 else { throw Damage("a page with fewer values than it counts") }
  }

  /// Adds the next rows of the current page.
  func append(_ rows: Int, to sink: ColumnSink) throws(Damage) {
    try append(rows, present: try present(rows), to: sink)
  }

  private func append(_ rows: Int, present: Int, to sink: ColumnSink) throws(Damage) {
    if present == 0 { return sink.appendNulls(rows) }
    switch page?.values {
    case .indices(var runs):
      guard let dictionary else { return try Self.expectNone(present) }
      try append(&runs, dictionary, rows, present: present, to: sink)
      page?.values = .indices(runs)
    case .decoder(let decoder):
      let target = sink.flatTarget()
      try convert(decoder, present, into: target, heap: sink.ownHeap)
      keepHeaps(decoder, sink)
      finishFlat(target, rows, present: present, sink)
    case nil, .some(.none): try Self.expectNone(present)
    }
  }

  /// Makes `sink` keep what views of this page's values point to.
  private func keepHeaps(_ decoder: ValueDecoder, _ sink: ColumnSink) {
    guard mapping.isString else { return }
    if mapping.conversion != .none { return sink.keep(sink.ownHeap) }
    if let heap = decoder.heap { sink.keep(heap) }
    if let heap = page?.heap { sink.keep(heap) }
  }

  /// Moves `present` values apart where rows without values are between them, and counts them.
  private func finishFlat(_ target: UnsafeMutableRawPointer, _ rows: Int, present: Int, _ sink: ColumnSink) {
    if present == rows { return sink.advance(rows) }
    StridedCopy.spread(
      target, stride: mapping.type.layout.stride, bits: presence, count: rows, present: present)
    sink.advanceFlat(rows, present: presence)
  }

  private func append(
    _ runs: inout HybridRuns, _ dictionary: ChunkDictionary, _ rows: Int, present: Int, to sink: ColumnSink
  ) throws(Damage) {
    if mapping.isString || dictionary.count <= Self.keptDictionaryMax, let target = sink.indexTarget(dictionary) {
      try runs.decode(present, into: target)
      try Self.check(target, count: present, runs.width, dictionary)
      if present == rows { return sink.advance(rows) }
      Self.spread(target, bits: presence, count: rows, present: present, null: Int32(dictionary.count))
      return sink.advanceNullableIndices(rows)
    }
    let target = sink.flatTarget()
    try Self.withScratch(present) { (scratch) throws(Damage) in
      try runs.decode(present, into: scratch)
      try Self.check(scratch, count: present, runs.width, dictionary)
      StridedCopy.gather(
        dictionary.vector.values.base, stride: mapping.type.layout.stride, scratch, count: present, base: 0,
        into: target)
    }
    for heap in dictionary.vector.heaps { sink.keep(heap) }
    finishFlat(target, rows, present: present, sink)
  }

  /// Adds the rows at `positions`, counted from `base`, of the next `span` rows of the current page.
  func append(
    _ positions: UnsafePointer<Int32>, _ count: Int, base: Int, span: Int, to sink: ColumnSink
  ) throws(Damage) {
    if count == 0 { return try pass(span) }
    let present = try present(span)
    if present == 0 { return sink.appendNulls(count) }
    guard present == span else {
      // With NULLs between, values are not where their rows are: all are decoded.
      let whole = ColumnSink(mapping, capacity: span)
      try append(span, present: present, to: whole)
      try Self.withScratch(count) { (scratch) throws(Damage) in
        for index in 0..<count { scratch[index] = positions[index] &- Int32(truncatingIfNeeded: base) }
        sink.append(whole.finish().gather(scratch, count: count))
      }
      return
    }
    switch page?.values {
    case .indices(var runs):
      guard let dictionary else { return try Self.expectNone(present) }
      try gather(&runs, dictionary, positions, count, base: base, span: span, to: sink)
      page?.values = .indices(runs)
    case .decoder(let decoder):
      let target = sink.flatTarget()
      try gather(decoder, positions, count, base: base, span: span, into: target, heap: sink.ownHeap)
      keepHeaps(decoder, sink)
      sink.advance(count)
    case nil, .some(.none): try Self.expectNone(present)
    }
  }

  private func gather(
    _ runs: inout HybridRuns, _ dictionary: ChunkDictionary, _ positions: UnsafePointer<Int32>, _ count: Int, base: Int,
    span: Int, to sink: ColumnSink
  ) throws(Damage) {
    if mapping.isString || dictionary.count <= Self.keptDictionaryMax, let target = sink.indexTarget(dictionary) {
      try runs.gather(positions, count: count, base: base, span: span, into: target)
      try Self.check(target, count: count, runs.width, dictionary)
      return sink.advance(count)
    }
    let target = sink.flatTarget()
    try Self.withScratch(count) { (scratch) throws(Damage) in
      try runs.gather(positions, count: count, base: base, span: span, into: scratch)
      try Self.check(scratch, count: count, runs.width, dictionary)
      StridedCopy.gather(
        dictionary.vector.values.base, stride: mapping.type.layout.stride, scratch, count: count, base: 0, into: target)
    }
    for heap in dictionary.vector.heaps { sink.keep(heap) }
    sink.advance(count)
  }

  private func gather(
    _ decoder: ValueDecoder, _ positions: UnsafePointer<Int32>, _ count: Int, base: Int, span: Int,
    into target: UnsafeMutableRawPointer, heap: StringHeap
  ) throws(Damage) {
    if mapping.conversion == .none {
      return try decoder.gather(positions, count: count, base: base, span: span, into: target)
    }
    let scratch = UnsafeMutableRawPointer.allocate(byteCount: count * decoder.stride, alignment: 16)
    defer { scratch.deallocate() }
    try decoder.gather(positions, count: count, base: base, span: span, into: scratch)
    try mapping.conversion.apply(scratch, target, count: count, heap: heap)
  }

  private static func withScratch(
    _ count: Int, _ body: (UnsafeMutablePointer<Int32>) throws(Damage) -> Void
  ) throws(Damage) {
    let scratch = UnsafeMutablePointer<Int32>.allocate(capacity: count)
    defer { scratch.deallocate() }
    try body(scratch)
  }

  /// Refuses positions behind the dictionary's end.
  private static func check(
    _ indices: UnsafePointer<Int32>, count: Int, _ width: Int, _ dictionary: ChunkDictionary
  ) throws(Damage) {
    if width < 31, 1 &<< width <= dictionary.count { return }
    var largest: UInt32 = 0
    for index in 0..<count { largest = max(largest, UInt32(bitPattern: indices[index])) }
    guard Int(largest) < dictionary.count else {
      throw Damage("position \(largest) in a dictionary of \(dictionary.count) values")
    }
  }

  /// As `StridedCopy.spread`, with `null` under clear bits.
  private static func spread(
    _ target: UnsafeMutablePointer<Int32>, bits: UnsafePointer<UInt64>, count: Int, present: Int, null: Int32
  ) {
    var source = present &- 1
    var row = count &- 1
    while row >= 0 {
      let bit = (bits[row &>> 6] &>> UInt64(row & 63)) & 1
      target[row] = bit == 1 ? target[max(source, 0)] : null
      source &-= Int(bit)
      row &-= 1
    }
  }
}

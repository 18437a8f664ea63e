// Owns the vector under construction of one column and one batch: flat values, or positions in a dictionary for as long
// as all pages have one.

import Columnar

/// Takes the values of a column page by page.
final class ColumnSink {
  private let mapping: ValueMapping
  private let capacity: Int
  private let stride: Int
  private var count = 0
  private var values: Buffer?
  private var indices: Buffer?
  private var dictionary: ChunkDictionary?
  /// Whether a position is that of NULL.
  private var hasNullIndices = false
  private var validity: Bitmap?
  private var heaps: [StringHeap] = []
  /// For texts that conversions make.
  private(set) lazy var ownHeap = StringHeap()

  /// Room for `capacity` values.
  init(_ mapping: ValueMapping, capacity: Int) {
    self.mapping = mapping
    self.capacity = capacity
    stride = mapping.type.layout.stride
  }

  /// Where the next values go, converted. Afterwards the column is flat, whatever it was.
  func flatTarget() -> UnsafeMutableRawPointer {
    if let dictionary, let indices { flatten(indices, dictionary) }
    let buffer = values ?? Buffer(byteCount: capacity * stride)
    values = buffer
    return buffer.base + count * stride
  }

  /// Where the next positions in `dictionary` go; nil where the column is flat already or better so.
  func indexTarget(_ dictionary: ChunkDictionary) -> UnsafeMutablePointer<Int32>? {
    if values != nil { return nil }
    let buffer = indices ?? Buffer(count: capacity, of: Int32.self)
    indices = buffer
    self.dictionary = dictionary
    return buffer.pointer(to: Int32.self) + count
  }

  /// Keeps `heap` as long as the vector.
  func keep(_ heap: StringHeap) {
    if heaps.last !== heap { heaps.append(heap) }
  }

  /// Counts values that were written to a target, all of them present.
  func advance(_ added: Int) { count += added }

  /// Counts values that were written to the flat target; `bits` tell which are present.
  func advanceFlat(_ added: Int, present bits: UnsafePointer<UInt64>) {
    let target = bitmap()
    var row = 0
    // All are set so far: absent ones are cleared.
    while row < added {
      let part = min(64, added - row)
      var absent = ~bits[row &>> 6]
      if part < 64 { absent &= (1 &<< UInt64(part)) &- 1 }
      let at = count + row
      let offset = UInt64(at & 63)
      target.words[at &>> 6] &= ~(absent &<< offset)
      if offset > 0, absent &>> (64 &- offset) != 0 { target.words[at &>> 6 &+ 1] &= ~(absent &>> (64 &- offset)) }
      row += 64
    }
    count += added
  }

  /// Counts positions that were written to the index target; some are those of NULL.
  func advanceNullableIndices(_ added: Int) {
    hasNullIndices = true
    count += added
  }

  /// Adds NULLs.
  func appendNulls(_ added: Int) {
    guard added > 0 else { return }
    if let dictionary, let indices {
      (indices.pointer(to: Int32.self) + count).update(repeating: Int32(dictionary.count), count: added)
      advanceNullableIndices(added)
      return
    }
    let target = flatTarget()
    target.initializeMemory(as: UInt8.self, repeating: 0, count: added * stride)
    let bits = bitmap()
    for row in count..<count + added { bits.clear(row) }
    count += added
  }

  /// Adds the rows of a vector of the same type. The column is flat from then on.
  func append(_ vector: Vector) {
    let rows = vector.flattened()
    let target = flatTarget()
    target.copyMemory(from: rows.values.base, byteCount: rows.count * stride)
    for heap in rows.heaps { keep(heap) }
    guard let bits = rows.validity else { return advance(rows.count) }
    advanceFlat(rows.count, present: bits.words)
    withExtendedLifetime(bits) {}
  }

  /// The vector of all values added.
  func finish() -> Vector {
    if let dictionary, let indices {
      return Vector(
        dictionary: hasNullIndices ? dictionary.vectorWithNull : dictionary.vector, indices: indices, count: count)
    }
    let bits = validity.map { Bitmap(buffer: $0.buffer, count: count) }
    return Vector(
      flat: mapping.type, count: count, values: values ?? Buffer(byteCount: 0), validity: bits, heaps: heaps)
  }

  private func bitmap() -> Bitmap {
    if let validity { return validity }
    let made = Bitmap(repeating: true, count: capacity)
    validity = made
    return made
  }

  /// Puts the dictionary's values where positions stand.
  private func flatten(_ indices: Buffer, _ dictionary: ChunkDictionary) {
    let buffer = Buffer(byteCount: capacity * stride)
    let positions = indices.pointer(to: Int32.self)
    let source = dictionary.vectorWithNull
    let flat = source.gather(positions, count: count)
    buffer.base.copyMemory(from: flat.values.base, byteCount: count * stride)
    if hasNullIndices, let present = flat.validity {
      let bits = bitmap()
      for row in 0..<count where !present[row] { bits.clear(row) }
    }
    withExtendedLifetime((indices, flat)) {}
    heaps += dictionary.vector.heaps
    values = buffer
    self.indices = nil
    self.dictionary = nil
    hasNullIndices = false
  }
}

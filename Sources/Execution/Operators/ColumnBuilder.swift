// Owns the collecting of rows from many vectors into one flat column. Copies everything it is given, text included, so
// that what it holds is exactly what it counts. Knows no operators.

#if canImport(Glibc)
import Glibc
#endif
import Columnar

/// A growable flat column. Appends cost one pass over the rows; growth doubles.
final class ColumnBuilder {
  let type: DataType
  private(set) var count = 0
  private var capacity = 0
  private var values = Buffer(byteCount: 0)
  /// Nil until the first NULL; then bits for `capacity` rows.
  private var validity: Bitmap?
  private var heap: StringHeap?
  /// The last dictionary of text appended from, and its views moved into `heap`.
  private var knownDictionary: Vector?
  private var knownViews: Buffer?

  init(type: DataType) { self.type = type }

  /// Bytes held.
  var retainedBytes: Int {
    values.byteCount + (validity?.buffer.byteCount ?? 0) + (heap?.byteCount ?? 0) + (knownViews?.byteCount ?? 0)
  }

  /// Bytes that growing for `extra` more rows would allocate now, without text.
  func growth(for extra: Int) -> Int {
    guard count + extra > capacity else { return 0 }
    return grownCapacity(count + extra) * type.layout.stride
  }

  /// All values so far; shares the builder's memory, which later appends leave alone up to this row.
  func vector() -> Vector {
    Vector(
      flat: type, count: count, values: values,
      validity: validity.map { Bitmap(buffer: $0.buffer, count: count) }, heaps: heap.map { [$0] } ?? [])
  }

  /// All values so far, leaving the builder empty.
  func take() -> Vector {
    let result = vector()
    count = 0
    capacity = 0
    values = Buffer(byteCount: 0)
    validity = nil
    heap = nil
    knownDictionary = nil
    knownViews = nil
    return result
  }

  /// A copy of rows `start` ..< `start + length`, sharing text.
  func slice(from start: Int, count length: Int) -> Vector {
    let stride = type.layout.stride
    let copy = Buffer(byteCount: length * stride)
    copy.base.copyMemory(from: values.base + start * stride, byteCount: length * stride)
    var bits: Bitmap?
    if let validity {
      let copied = Bitmap(repeating: true, count: length)
      var hasNull = false
      for row in 0..<length where !validity[start &+ row] {
        copied.clear(row)
        hasNull = true
      }
      bits = hasNull ? copied : nil
    }
    return Vector(flat: type, count: length, values: copy, validity: bits, heaps: heap.map { [$0] } ?? [])
  }

  /// Where the values lie. Valid until the next append.
  var valuesBase: UnsafeMutableRawPointer { values.base }
  var validityBits: Bitmap? { validity }

  /// Appends the rows of `vector` listed in `rows`, or its first `added` rows where `rows` is nil.
  func append(_ vector: Vector, rows: UnsafePointer<Int32>?, count added: Int) {
    precondition(vector.type.layout == type.layout, "\(vector.type) is not laid out as \(type)")
    guard added > 0 else { return }
    reserve(count + added)
    switch type.layout {
    case .boolean, .int8: copyValues(of: UInt8.self, vector, rows, added)
    case .int16: copyValues(of: UInt16.self, vector, rows, added)
    case .int32, .float32: copyValues(of: UInt32.self, vector, rows, added)
    case .int64, .float64: copyValues(of: UInt64.self, vector, rows, added)
    case .int128: copyValues(of: UInt128.self, vector, rows, added)
    case .string: copyStrings(vector, rows, added)
    }
    copyValidity(vector, rows, added)
    count += added
  }

  /// Appends `added` NULLs.
  func appendNulls(count added: Int) {
    guard added > 0 else { return }
    reserve(count + added)
    memset(values.base + count * type.layout.stride, 0, added * type.layout.stride)
    let bits = validityForWriting()
    for row in count..<(count + added) { bits.clear(row) }
    count += added
  }

  /// Counts `added` rows that were written to `valuesBase` behind the last one, within what was reserved.
  func advance(by added: Int) {
    precondition(count + added <= capacity, "\(added) rows were written beyond \(capacity)")
    count += added
  }

  /// Makes a row NULL.
  func markNull(_ row: Int) { validityForWriting().clear(row) }

  /// Makes room for `needed` rows in all.
  func reserve(_ needed: Int) {
    guard needed > capacity else { return }
    let newCapacity = grownCapacity(needed)
    let stride = type.layout.stride
    let larger = Buffer(byteCount: newCapacity * stride)
    larger.base.copyMemory(from: values.base, byteCount: count * stride)
    values = larger
    if let old = validity {
      let bits = Bitmap(repeating: true, count: newCapacity)
      bits.buffer.base.copyMemory(from: old.buffer.base, byteCount: Bitmap.wordCount(capacity) * 8)
      validity = bits
    }
    capacity = newCapacity
  }

  /// A multiple of 64, so that whole words of validity are copied.
  private func grownCapacity(_ needed: Int) -> Int {
    let larger = capacity < 1 << 22 ? capacity * 2 : capacity + capacity / 2
    return (max(needed, larger, 64) + 63) & ~63
  }

  private func validityForWriting() -> Bitmap {
    if let validity { return validity }
    let bits = Bitmap(repeating: true, count: capacity)
    validity = bits
    return bits
  }

  private func copyValues<Element: BitwiseCopyable>(
    of element: Element.Type, _ vector: Vector, _ rows: UnsafePointer<Int32>?, _ added: Int
  ) {
    copyGathered(
      from: vector.values.pointer(to: Element.self), vector, rows, added,
      to: values.pointer(to: Element.self) + count)
  }

  private func copyValidity(_ vector: Vector, _ rows: UnsafePointer<Int32>?, _ added: Int) {
    guard let source = vector.validity else { return }
    let bits = validityForWriting()
    switch vector.encoding {
    case .constant:
      if !source[0] { for row in 0..<added { bits.clear(count &+ row) } }
    case .flat:
      for row in 0..<added where !source[rows.map { Int($0[row]) } ?? row] { bits.clear(count &+ row) }
    case .dictionary:
      // A dictionary vector has indices by construction.
      let indices = vector.indices!.pointer(to: Int32.self)
      for row in 0..<added where !source[Int(indices[rows.map { Int($0[row]) } ?? row])] { bits.clear(count &+ row) }
    }
  }

  private func copyStrings(_ vector: Vector, _ rows: UnsafePointer<Int32>?, _ added: Int) {
    let target = values.pointer(to: StringView.self) + count
    if let dictionary = vector.dictionary, dictionary === knownDictionary || dictionary.count <= added {
      if dictionary !== knownDictionary { adopt(dictionary) }
      if let knownViews {
        copyGathered(from: knownViews.pointer(to: StringView.self), vector, rows, added, to: target)
        return
      }
    }
    copyGathered(from: vector.values.pointer(to: StringView.self), vector, rows, added, to: target)
    clearNullViews(vector, rows, added, target)
    if vector.encoding == .constant {
      ownText(target, 1)
      target.update(repeating: target[0], count: added)
    } else {
      ownText(target, added)
    }
  }

  /// Moves the text of a whole dictionary into the heap once.
  private func adopt(_ dictionary: Vector) {
    let views = Buffer(count: dictionary.count, of: StringView.self)
    let base = views.pointer(to: StringView.self)
    base.update(from: dictionary.values.pointer(to: StringView.self), count: dictionary.count)
    clearNullViews(dictionary, nil, dictionary.count, base)
    ownText(base, dictionary.count)
    knownDictionary = dictionary
    knownViews = views
  }

  /// A NULL's view may hold anything, also a pointer to nowhere.
  private func clearNullViews(
    _ vector: Vector, _ rows: UnsafePointer<Int32>?, _ added: Int, _ target: UnsafeMutablePointer<StringView>
  ) {
    guard vector.mayHaveNulls else { return }
    for row in 0..<added where vector.isNull(rows.map { Int($0[row]) } ?? row) { target[row] = .empty }
  }

  /// Copies the text of long views into the heap, with one allocation for all.
  private func ownText(_ views: UnsafeMutablePointer<StringView>, _ count: Int) {
    var bytes = 0
    for row in 0..<count where !views[row].isInline { bytes &+= views[row].count }
    guard bytes > 0 else { return }
    let heap = self.heap ?? StringHeap()
    self.heap = heap
    var cursor = heap.allocate(bytes)
    for row in 0..<count where !views[row].isInline {
      let length = views[row].count
      memcpy(cursor, views[row].farPointer, length)
      views[row].tail = UInt64(UInt(bitPattern: cursor))
      cursor += length
    }
  }
}

/// Copies values found through `vector`'s encoding from `source`, its (possibly moved) values, to `target`.
private func copyGathered<Element: BitwiseCopyable>(
  from source: UnsafePointer<Element>, _ vector: Vector, _ rows: UnsafePointer<Int32>?, _ added: Int,
  to target: UnsafeMutablePointer<Element>
) {
  switch (vector.encoding, rows) {
  case (.constant, _): target.update(repeating: source[0], count: added)
  case (.flat, nil): target.update(from: source, count: added)
  case (.flat, let rows?):
    for row in 0..<added { target[row] = source[Int(rows[row])] }
  case (.dictionary, nil):
    // A dictionary vector has indices by construction.
    let indices = vector.indices!.pointer(to: Int32.self)
    for row in 0..<added { target[row] = source[Int(indices[row])] }
  case (.dictionary, let rows?):
    let indices = vector.indices!.pointer(to: Int32.self)
    for row in 0..<added { target[row] = source[Int(indices[Int(rows[row])])] }
  }
}

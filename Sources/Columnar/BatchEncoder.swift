// Owns turning batches into bytes. It must not know where the bytes go. The layout is in docs/batch-format.md.

#if canImport(Glibc)
import Glibc
#endif

/// Turns batches into bytes, reusing its memory from batch to batch. For one thread at a time.
///
/// Equal batches give equal bytes: padding is zero and what lies under NULLs is not written.
public struct BatchEncoder {
  private var output = ByteBuilder()

  public init() {}

  /// Calls `body` with the bytes of `batch`, valid during the call only; `BatchCodec.decode` undoes it.
  /// Cost: about two passes over the values; memory about the size of the largest batch so far.
  public mutating func encode<Result>(
    _ batch: Batch, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    precondition(batch.count <= BatchFormat.maxRows, "a batch of \(batch.count) rows")
    output.clear()
    output.append(UInt64(BatchFormat.version) | UInt64(batch.count) << 32)
    output.append(UInt64(batch.columns.count))
    for column in batch.columns { encode(column) }
    let bytes = output
    return try withExtendedLifetime(bytes) { try body(bytes.contents) }
  }

  private mutating func encode(_ vector: Vector) {
    switch vector.encoding {
    case .constant: encodeFlat(vector.single, as: .constant)
    case .flat: encodeFlat(vector, as: .flat)
    case .dictionary: encodeDictionary(vector)
    }
  }

  /// Writes the entries that are used, in the order of their first use, and narrow indices; flat where that would
  /// save little.
  private mutating func encodeDictionary(_ vector: Vector) {
    // A dictionary vector has both parts by construction.
    let dictionary = vector.dictionary!
    guard vector.count > 0, dictionary.count <= 4 * vector.count else {
      return encodeFlat(vector.flattened(), as: .flat)
    }
    let (positions, used, usedCount) = compact(vector.indices!, count: vector.count, entries: dictionary.count)
    guard usedCount <= vector.count / 2 || usedCount == 1 else {
      return encodeFlat(vector.flattened(), as: .flat)
    }
    let entries = withExtendedLifetime(used) {
      dictionary.gather(UnsafePointer(used.pointer(to: Int32.self)), count: usedCount)
    }
    if usedCount == 1 || entries.validity?.setCount == 0 { return encodeFlat(entries, as: .constant) }
    let width = narrowWidth(of: UInt64(usedCount - 1))
    output.append(
      BlockHeader(
        encoding: .dictionary, layout: vector.type.layout, width: width, hasValidity: false, count: vector.count
      ).word)
    withExtendedLifetime(positions) {
      narrow(
        UnsafePointer(positions.pointer(to: Int32.self)), count: vector.count, base: 0, width: width,
        to: output.grow(vector.count * width))
    }
    output.align()
    encodeFlat(entries, as: .flat)
  }

  /// Renumbers indices by first use: the new indices, and the old index of each entry in use.
  private func compact(_ indices: Buffer, count: Int, entries: Int) -> (positions: Buffer, used: Buffer, count: Int) {
    let numbers = Buffer(zeroed: entries * 4)
    let positions = Buffer(count: count, of: Int32.self)
    let used = Buffer(count: min(count, entries), of: Int32.self)
    let usedCount = withExtendedLifetime((indices, numbers, positions, used)) {
      let indices = indices.pointer(to: Int32.self)
      let numbers = numbers.pointer(to: Int32.self)
      let positions = positions.pointer(to: Int32.self)
      let used = used.pointer(to: Int32.self)
      var usedCount: Int32 = 0
      for row in 0..<count {
        let index = indices[row]
        // Numbers count from 1 here, so that 0 means not seen yet.
        if numbers[Int(index)] == 0 {
          used[Int(usedCount)] = index
          usedCount &+= 1
          numbers[Int(index)] = usedCount
        }
        positions[row] = numbers[Int(index)] &- 1
      }
      return Int(usedCount)
    }
    return (positions, used, usedCount)
  }

  private mutating func encodeFlat(_ vector: Vector, as encoding: Encoding) {
    var validity = vector.validity
    if let bits = validity {
      let present = bits.setCount
      if present == vector.count { validity = nil }
      if present == 0 && vector.count > 0 { return encodeNull(vector.type.layout) }
    }
    switch vector.type.layout {
    case .boolean: encodeIntegers(UInt8.self, vector, validity, encoding)
    case .int8: encodeIntegers(Int8.self, vector, validity, encoding)
    case .int16: encodeIntegers(Int16.self, vector, validity, encoding)
    case .int32: encodeIntegers(Int32.self, vector, validity, encoding)
    case .int64: encodeIntegers(Int64.self, vector, validity, encoding)
    case .int128: encodeIntegers(Int128.self, vector, validity, encoding)
    case .float32: encodePlain(UInt32.self, vector, validity, encoding)
    case .float64: encodePlain(UInt64.self, vector, validity, encoding)
    case .string: encodeStrings(vector, validity, encoding)
    }
  }

  /// A column of NULLs alone becomes a constant, whatever it was.
  private mutating func encodeNull(_ layout: Layout) {
    output.append(
      BlockHeader(encoding: .constant, layout: layout, width: 0, hasValidity: true, count: 1).word)
    output.append(UInt64(0))
    // A base, a value, or a string's length and total.
    output.appendZeros(layout.stride == 16 ? 16 : 8)
  }

  private mutating func appendValidity(_ validity: Bitmap?, count: Int) {
    guard let validity else { return }
    let words = Bitmap.wordCount(count)
    let target = output.grow(words * 8)
    memcpy(target, validity.words, words * 8)
    // Bits behind the last value may be anything.
    if count & 63 != 0 {
      target.assumingMemoryBound(to: UInt64.self)[words - 1] &= ~(~0 << UInt64(count & 63))
    }
  }

  @inline(__always)
  private mutating func encodeIntegers<Number: FixedWidthInteger & BitwiseCopyable>(
    _ type: Number.Type, _ vector: Vector, _ validity: Bitmap?, _ encoding: Encoding
  ) {
    let count = vector.count
    var values = vector.values
    if let validity {
      values = Buffer(count: count, of: type)
      let source = UnsafePointer(vector.values.pointer(to: type))
      scrub(source, count: count, validity: validity, to: values.pointer(to: type))
    }
    withExtendedLifetime((values, vector)) {
      let pointer = UnsafePointer(values.pointer(to: type))
      let (low, high) = count == 0 ? (0, 0) : bounds(pointer, count: count)
      let distance = Number.Magnitude(truncatingIfNeeded: high &- low)
      let narrowed = distance > UInt64.max ? 16 : narrowWidth(of: UInt64(distance))
      let width = min(narrowed, MemoryLayout<Number>.size)
      output.append(
        BlockHeader(
          encoding: encoding, layout: vector.type.layout, width: width, hasValidity: validity != nil, count: count
        ).word)
      appendValidity(validity, count: count)
      if width == MemoryLayout<Number>.size {
        memcpy(output.grow(count * width), pointer, count * width)
      } else {
        output.append(UInt64(truncatingIfNeeded: low))
        if Number.bitWidth > 64 { output.append(UInt64(truncatingIfNeeded: low >> 64)) }
        narrow(pointer, count: count, base: low, width: width, to: output.grow(count * width))
      }
      output.align()
    }
  }

  /// Values as they are.
  @inline(__always)
  private mutating func encodePlain<Element: BitwiseCopyable>(
    _ type: Element.Type, _ vector: Vector, _ validity: Bitmap?, _ encoding: Encoding
  ) {
    let width = MemoryLayout<Element>.size
    output.append(
      BlockHeader(
        encoding: encoding, layout: vector.type.layout, width: width, hasValidity: validity != nil,
        count: vector.count
      ).word)
    appendValidity(validity, count: vector.count)
    let target = output.grow(vector.count * width).assumingMemoryBound(to: type)
    let values = UnsafePointer(vector.values.pointer(to: type))
    if let validity {
      scrub(values, count: vector.count, validity: validity, to: target)
    } else {
      memcpy(target, values, vector.count * width)
    }
    withExtendedLifetime(vector) {}
    output.align()
  }

  /// Narrow lengths, then all bytes one behind the other. NULLs have no bytes.
  private mutating func encodeStrings(_ vector: Vector, _ validity: Bitmap?, _ encoding: Encoding) {
    let count = vector.count
    let lengths = Buffer(count: count, of: UInt32.self)
    withExtendedLifetime((vector, lengths)) {
      let views = UnsafePointer(vector.values.pointer(to: StringView.self))
      let lengths = lengths.pointer(to: UInt32.self)
      var total: UInt64 = 0
      for row in 0..<count {
        var length = UInt32(truncatingIfNeeded: views[row].head)
        if let validity, !validity[row] { length = 0 }
        lengths[row] = length
        total &+= UInt64(length)
      }
      let (low, high) = count == 0 ? (0, 0) : bounds(UnsafePointer(lengths), count: count)
      let width = narrowWidth(of: UInt64(high - low))
      output.append(
        BlockHeader(
          encoding: encoding, layout: .string, width: width, hasValidity: validity != nil, count: count
        ).word)
      appendValidity(validity, count: count)
      output.append(UInt64(low))
      output.append(total)
      narrow(UnsafePointer(lengths), count: count, base: low, width: width, to: output.grow(count * width))
      output.align()
      // A short string is copied as 12 bytes whatever its length; the next one overwrites what is too much.
      let start = output.grow(Int(total), slack: StringView.inlineCapacity)
      copyStrings(views, lengths, count: count, to: start)
      output.align()
    }
  }

  @inline(__always)
  private func copyStrings(
    _ views: UnsafePointer<StringView>, _ lengths: UnsafePointer<UInt32>, count: Int,
    to start: UnsafeMutableRawPointer
  ) {
    var target = start
    for row in 0..<count {
      let view = views[row]
      let length = Int(lengths[row])
      if length <= StringView.inlineCapacity {
        target.storeBytes(of: UInt32(truncatingIfNeeded: view.head &>> 32), as: UInt32.self)
        target.storeBytes(of: view.tail, toByteOffset: 4, as: UInt64.self)
      } else {
        memcpy(target, view.farPointer, length)
      }
      target += length
    }
  }
}

/// Bytes that grow at the end, 64-byte aligned at the start.
struct ByteBuilder {
  private var buffer = Buffer(byteCount: 64 << 10)
  private var used = 0

  /// What was appended since `clear`.
  var contents: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: buffer.base, count: used) }

  mutating func clear() { used = 0 }

  mutating func append(_ word: UInt64) {
    grow(8).storeBytes(of: word.littleEndian, as: UInt64.self)
  }

  mutating func appendZeros(_ count: Int) { memset(grow(count), 0, count) }

  /// Zeros up to the next aligned place.
  mutating func align() { appendZeros(BatchFormat.aligned(used) - used) }

  /// Appends `count` bytes that the caller fills, and keeps room for `slack` more behind them. The place is valid
  /// until the next call.
  @discardableResult
  mutating func grow(_ count: Int, slack: Int = 0) -> UnsafeMutableRawPointer {
    if used + count + slack > buffer.byteCount {
      let larger = Buffer(byteCount: max(2 * buffer.byteCount, used + count + slack))
      memcpy(larger.base, buffer.base, used)
      buffer = larger
    }
    let start = buffer.base + used
    used += count
    return start
  }
}

// Owns what a join's table tells of one of its key columns: which values may have a partner. Built once, then read.

import Columnar

/// The values of a key column: exactly, as a bit for each value of their range, where they are integers that lie close
/// together; else a Bloom filter whose bits for a key lie in one 64-bit word.
///
/// Unchecked Sendable: immutable once made.
final class KeySummary: @unchecked Sendable {
  /// The smallest and the largest key, for integer layouts; nil for others and where there is no key.
  let bounds: ClosedRange<Int64>?
  /// Keys that it was made of, each as often as it was there.
  let count: Int
  /// Whether there is no key, so that no row has a partner.
  var isEmpty: Bool { count == 0 }
  private let words: Buffer
  private let form: Form

  private enum Form {
    /// Bit `value - lowest`; `range` bits.
    case exact(lowest: Int64, range: UInt64)
    /// Words by the upper bits of the hash.
    case bloom(shift: UInt64)

    var byteCount: Int {
      switch self {
      case .exact(_, let range): Bitmap.wordCount(Int(range)) * 8
      case .bloom(let shift): 8 << Int(64 - shift)
      }
    }
  }

  /// Up to this many bits a range is worth an exact answer however few keys it has: it stays in a core's own cache.
  private static let smallRange: UInt64 = 1 << 21
  /// Up to this many, 16 MB, it is where the Bloom filter would not stay there either. Scans often find keys in order,
  /// and neighbours lie side by side here, while the Bloom filter misses the cache for each of them.
  private static let largeRange: UInt64 = 1 << 27
  private static let bloomBitsPerKey = 16
  /// Of more keys than this no summary is made: a Bloom filter of so many has 32 MB and misses the cache for each row.
  static let keysMax = 16 << 20

  /// Bytes held.
  var retainedBytes: Int { words.byteCount }

  /// `keys` is a flat vector of up to `keysMax` rows in which no row is NULL; a bitmap that says so of every row is
  /// fine. `account` is charged for the summary, in addition to what it holds, before that is allocated. Cost: two
  /// passes.
  init(_ keys: Vector, account: MemoryAccount) throws {
    precondition(keys.encoding == .flat, "keys of a table are flat")
    precondition(keys.count <= Self.keysMax, "a summary of \(keys.count) keys")
    count = keys.count
    bounds = Self.bounds(of: keys)
    form = Self.form(of: keys.count, bounds)
    let byteCount = form.byteCount
    try account.add(byteCount)
    words = Buffer(zeroed: byteCount)
    mark(keys)
  }

  private static func form(of count: Int, _ bounds: ClosedRange<Int64>?) -> Form {
    if let bounds {
      let range = UInt64(bitPattern: bounds.upperBound) &- UInt64(bitPattern: bounds.lowerBound)
      let isBloomLarge = UInt64(count * bloomBitsPerKey) > smallRange
      if range < (isBloomLarge ? largeRange : smallRange) {
        return .exact(lowest: bounds.lowerBound, range: range + 1)
      }
    }
    var bits: UInt64 = 6
    while 64 << bits < bloomBitsPerKey * count { bits += 1 }
    return .bloom(shift: 64 - bits)
  }

  /// Writes 1 for each value that may be a key, 0 for each that cannot be. `values` is flat; what stands for NULLs is
  /// of no meaning.
  func test(_ values: Vector, into flags: UnsafeMutablePointer<UInt8>) {
    precondition(values.encoding == .flat, "only flat values are tested")
    switch values.type.layout {
    case .int8: test(values, of: Int8.self, flags)
    case .int16: test(values, of: Int16.self, flags)
    case .int32: test(values, of: Int32.self, flags)
    case .int64: test(values, of: Int64.self, flags)
    default:
      let hashes = Buffer(count: values.count, of: UInt64.self)
      let hash = hashes.pointer(to: UInt64.self)
      hashRows([values], count: values.count, into: hash)
      testHashes(values.count, flags) { hash[$0] }
      withExtendedLifetime(hashes) {}
    }
  }

  private func mark(_ keys: Vector) {
    switch keys.type.layout {
    case .int8: mark(keys, of: Int8.self)
    case .int16: mark(keys, of: Int16.self)
    case .int32: mark(keys, of: Int32.self)
    case .int64: mark(keys, of: Int64.self)
    default:
      // A batch at a time, so that the hashes need no memory to speak of.
      let rows = RowIndices()
      let hashes = Buffer(count: rows.capacity, of: UInt64.self)
      let hash = hashes.pointer(to: UInt64.self)
      for start in stride(from: 0, to: keys.count, by: rows.capacity) {
        rows.fillSequence(from: start, count: min(rows.capacity, keys.count - start))
        hashRows([keys.gather(rows.base, count: rows.count)], count: rows.count, into: hash)
        markHashes(rows.count) { hash[$0] }
      }
      withExtendedLifetime(hashes) {}
    }
  }

  private func mark<Key: FixedWidthInteger & BitwiseCopyable>(_ keys: Vector, of type: Key.Type) {
    let values = keys.values.pointer(to: type)
    guard case .exact(let lowest, _) = form else {
      return markHashes(keys.count) { Self.hash(values[$0]) }
    }
    let bits = words.pointer(to: UInt64.self)
    for row in 0..<keys.count {
      let offset = UInt64(bitPattern: Int64(values[row]) &- lowest)
      bits[Int(truncatingIfNeeded: offset &>> 6)] |= 1 &<< (offset & 63)
    }
  }

  private func test<Key: FixedWidthInteger & BitwiseCopyable>(
    _ keys: Vector, of type: Key.Type, _ flags: UnsafeMutablePointer<UInt8>
  ) {
    let values = UnsafePointer(keys.values.pointer(to: type))
    guard case .exact(let lowest, let range) = form else {
      return testHashes(keys.count, flags) { Self.hash(values[$0]) }
    }
    let bits = UnsafePointer(words.pointer(to: UInt64.self))
    for row in 0..<keys.count {
      let offset = UInt64(bitPattern: Int64(values[row]) &- lowest)
      let isInside = offset < range
      let place = isInside ? offset : 0
      let bit = bits[Int(truncatingIfNeeded: place &>> 6)] &>> (place & 63) & 1
      flags[row] = UInt8(truncatingIfNeeded: isInside ? bit : 0)
    }
  }

  // The closures are literals at the call sites above and inlined.
  @inline(__always)
  private func markHashes(_ count: Int, _ hash: (Int) -> UInt64) {
    guard case .bloom(let shift) = form else { return }
    let target = words.pointer(to: UInt64.self)
    for row in 0..<count {
      let value = hash(row)
      target[Int(truncatingIfNeeded: value &>> shift)] |= Self.bits(value)
    }
  }

  @inline(__always)
  private func testHashes(_ count: Int, _ flags: UnsafeMutablePointer<UInt8>, _ hash: (Int) -> UInt64) {
    guard case .bloom(let shift) = form else { return }
    let source = UnsafePointer(words.pointer(to: UInt64.self))
    for row in 0..<count {
      let value = hash(row)
      let bits = Self.bits(value)
      flags[row] = source[Int(truncatingIfNeeded: value &>> shift)] & bits == bits ? 1 : 0
    }
  }

  /// Three bits of a word, from the lower part of the hash; the upper part chooses the word.
  @inline(__always)
  private static func bits(_ hash: UInt64) -> UInt64 {
    1 &<< (hash & 63) | 1 &<< (hash &>> 6 & 63) | 1 &<< (hash &>> 12 & 63)
  }

  @inline(__always)
  private static func hash<Key: FixedWidthInteger>(_ key: Key) -> UInt64 {
    let product = UInt64(truncatingIfNeeded: Int64(truncatingIfNeeded: key)) &* 0x9e37_79b9_7f4a_7c15
    return product ^ product &>> 32
  }

  private static func bounds(of keys: Vector) -> ClosedRange<Int64>? {
    switch keys.type.layout {
    case .int8: bounds(of: keys, Int8.self)
    case .int16: bounds(of: keys, Int16.self)
    case .int32: bounds(of: keys, Int32.self)
    case .int64: bounds(of: keys, Int64.self)
    default: nil
    }
  }

  private static func bounds<Key: FixedWidthInteger & BitwiseCopyable>(
    of keys: Vector, _ type: Key.Type
  ) -> ClosedRange<Int64>? {
    guard keys.count > 0 else { return nil }
    let values = UnsafePointer(keys.values.pointer(to: type))
    var lowest = values[0]
    var highest = values[0]
    for row in 1..<keys.count {
      lowest = min(lowest, values[row])
      highest = max(highest, values[row])
    }
    return Int64(lowest)...Int64(highest)
  }
}

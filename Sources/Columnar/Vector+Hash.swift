// Owns the 64-bit hash of rows, for partitions and for hash tables. It never changes: spooled partitions depend on it.

#if canImport(Glibc)
  import Glibc
#endif

/// Hashes `count` rows over `columns` into `target`.
///
/// The same on every machine and in every build. Equal values of the same type hash equal in every encoding, NULL has a
/// hash of its own, -0.0 hashes as 0.0, and all NaNs hash alike. Integers of different widths and decimals of
/// different precision (but one scale) hash alike too. All bits are well mixed: partitions take the high ones, tables
/// the low ones. With no columns every row has the same hash. Cost: one pass per column, no allocation for flat
/// columns.
public func hashRows(_ columns: [Vector], count: Int, into target: UnsafeMutablePointer<UInt64>) {
  guard let first = columns.first else {
    target.update(repeating: nullHash, count: count)
    return
  }
  hashColumn(first, count: count, FirstColumn(target: target))
  for column in columns.dropFirst() { hashColumn(column, count: count, LaterColumn(target: target)) }
}

/// The hash of NULL; an arbitrary odd constant.
private let nullHash: UInt64 = 0x9ae1_6a3b_2f90_404f

/// Where a column's hashes go.
private protocol HashSink {
  var target: UnsafeMutablePointer<UInt64> { get }
  func put(_ hash: UInt64, _ row: Int)
}

private struct FirstColumn: HashSink {
  let target: UnsafeMutablePointer<UInt64>
  @inline(__always)
  func put(_ hash: UInt64, _ row: Int) { target[row] = hash }
}

private struct LaterColumn: HashSink {
  let target: UnsafeMutablePointer<UInt64>
  @inline(__always)
  func put(_ hash: UInt64, _ row: Int) {
    let before = target[row]
    // Not symmetric, so that (a, b) and (b, a) differ.
    var mixed = ((before &<< 23 | before &>> 41) ^ hash) &* 0x9fb2_1c65_1e98_df25
    mixed ^= mixed &>> 32
    target[row] = mixed
  }
}

@inline(__always)
private func mix(_ value: UInt64) -> UInt64 {
  // Pelle Evensen's and David Stafford's kind of finaliser: two multiplications, full avalanche.
  var x = value ^ 0x2545_f491_4f6c_dd1d
  x ^= x &>> 32
  x = x &* 0xd6e8_feb8_6659_fd93
  x ^= x &>> 32
  x = x &* 0xd6e8_feb8_6659_fd93
  return x ^ (x &>> 32)
}

private func hashColumn(_ column: Vector, count: Int, _ sink: some HashSink) {
  switch column.encoding {
  case .flat:
    hashFlat(column, count: count, sink)
  case .constant:
    var hash: UInt64 = 0
    withUnsafeMutablePointer(to: &hash) { hashFlat(column.single, count: 1, FirstColumn(target: $0)) }
    for row in 0..<count { sink.put(hash, row) }
  case .dictionary:
    // A dictionary vector has both parts by construction.
    let dictionary = column.dictionary!
    let indices = column.indices!.pointer(to: Int32.self)
    guard dictionary.count <= 2 * count else { return hashFlat(column.flattened(), count: count, sink) }
    let hashes = Buffer(count: dictionary.count, of: UInt64.self)
    let values = hashes.pointer(to: UInt64.self)
    hashFlat(dictionary, count: dictionary.count, FirstColumn(target: values))
    for row in 0..<count { sink.put(values[Int(indices[row])], row) }
    withExtendedLifetime(hashes) {}
  }
}

@inline(__always)
private func hashFlat(_ column: Vector, count: Int, _ sink: some HashSink) {
  switch column.type.layout {
  case .boolean: hashValues(column, count: count, sink, ByteHash.self)
  case .int8: hashValues(column, count: count, sink, IntegerHash<Int8>.self)
  case .int16: hashValues(column, count: count, sink, IntegerHash<Int16>.self)
  case .int32: hashValues(column, count: count, sink, IntegerHash<Int32>.self)
  case .int64: hashValues(column, count: count, sink, IntegerHash<Int64>.self)
  case .int128: hashValues(column, count: count, sink, Int128Hash.self)
  case .float32: hashValues(column, count: count, sink, FloatHash.self)
  case .float64: hashValues(column, count: count, sink, DoubleHash.self)
  case .string: hashValues(column, count: count, sink, StringHash.self)
  }
}

@inline(__always)
private func hashValues<Rule: ValueHash>(
  _ column: Vector, count: Int, _ sink: some HashSink, _ rule: Rule.Type
) {
  let values = column.values.pointer(to: Rule.Element.self)
  guard let validity = column.validity else {
    for row in 0..<count { sink.put(Rule.hash(values[row]), row) }
    return
  }
  for row in 0..<count { sink.put(validity[row] ? Rule.hash(values[row]) : nullHash, row) }
}

private protocol ValueHash {
  associatedtype Element: BitwiseCopyable
  static func hash(_ value: Element) -> UInt64
}

private enum ByteHash: ValueHash {
  @inline(__always)
  static func hash(_ value: UInt8) -> UInt64 { mix(UInt64(value)) }
}

private enum IntegerHash<Element: FixedWidthInteger & BitwiseCopyable>: ValueHash {
  @inline(__always)
  static func hash(_ value: Element) -> UInt64 { mix(UInt64(truncatingIfNeeded: Int64(truncatingIfNeeded: value))) }
}

private enum Int128Hash: ValueHash {
  @inline(__always)
  static func hash(_ value: Int128) -> UInt64 {
    let low = Int64(truncatingIfNeeded: value)
    // Zero where the value fits in 64 bits, so that such a value hashes as its 64-bit twin.
    let high = UInt64(truncatingIfNeeded: Int64(truncatingIfNeeded: value >> 64) ^ (low &>> 63))
    let spread = high &* 0x9e37_79b9_7f4a_7c15
    return mix(UInt64(bitPattern: low) ^ spread ^ (spread &>> 29))
  }
}

private enum FloatHash: ValueHash {
  @inline(__always)
  static func hash(_ value: Float) -> UInt64 { DoubleHash.hash(Double(value)) }
}

private enum DoubleHash: ValueHash {
  @inline(__always)
  static func hash(_ value: Double) -> UInt64 {
    // Adding zero turns -0.0 into 0.0.
    mix(value == value ? (value + 0.0).bitPattern : 0x7ff8_0000_0000_0000)
  }
}

private enum StringHash: ValueHash {
  @inline(__always)
  static func hash(_ value: StringView) -> UInt64 {
    if value.isInline {
      // No inline string has these low bits of the length, so that the first factor is never zero.
      let folded = (value.head ^ 0x9e37_79b9_ffff_ffff).multipliedFullWidth(by: value.tail ^ 0xd6e8_feb8_6659_fd93)
      return finish(folded.high ^ folded.low)
    }
    return hashLong(value.farPointer, count: value.count)
  }

  /// One multiplication more, so that low and high bits are both well mixed.
  @inline(__always)
  private static func finish(_ value: UInt64) -> UInt64 {
    var x = value ^ (value &>> 32)
    x = x &* 0x9fb2_1c65_1e98_df25
    return x ^ (x &>> 29)
  }

  /// More than 12 bytes, eight at a time; the last eight overlap.
  @inline(never)
  static func hashLong(_ bytes: UnsafePointer<UInt8>, count: Int) -> UInt64 {
    let raw = UnsafeRawPointer(bytes)
    var state = UInt64(count) &* 0x9e37_79b9_7f4a_7c15
    var offset = 0
    while offset &+ 8 < count {
      state = fold(state ^ raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      offset &+= 8
    }
    return finish(fold(state ^ raw.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)))
  }

  /// Both halves of a 128-bit product, folded.
  @inline(__always)
  static func fold(_ value: UInt64) -> UInt64 {
    let product = (value ^ 0xa076_1d64_78bd_642f).multipliedFullWidth(by: 0xe703_7ed1_a0b4_28db)
    return product.high ^ product.low
  }
}

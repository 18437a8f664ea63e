// Owns what distinguishes the physical types when they are written: bytes, equality, hash and order of a value.
import Columnar
import Glibc

/// A value as it is encoded. Everything here is called in loops and must be specialised.
protocol PhysicalValue: BitwiseCopyable {
  /// Whether two values are written with the same bytes.
  static func isSame(_ left: Self, _ right: Self) -> Bool
  /// 32 well mixed bits.
  static func hash(_ value: Self) -> UInt32
  /// The value with its bytes in memory that `heap` owns.
  static func kept(_ value: Self, in heap: StringHeap) -> Self
  /// Bytes that a value takes in PLAIN encoding.
  static func plainByteCount(_ value: Self) -> Int
  /// Appends values in PLAIN encoding.
  static func appendPlain(_ values: UnsafePointer<Self>, count: Int, to bytes: PageBytes)
  /// The least and the greatest of `values` and of what `range` had before.
  static func extend(_ range: inout ValueRange<Self>, by values: UnsafePointer<Self>, count: Int)
  /// How many of the first values have at most `byteCount` bytes together; at least one.
  static func countWithin(_ byteCount: Int, _ values: UnsafePointer<Self>, count: Int) -> Int
  /// A bound as it stands in statistics: at most `limit` bytes, and whether it is exact; nil where there is none.
  static func bound(_ value: Self, isUpper: Bool, limit: Int) -> (bytes: [UInt8], isExact: Bool)?
}

/// The least and the greatest of some values. Empty at first, and where all values were NaN.
struct ValueRange<Element: PhysicalValue> {
  var bounds: (least: Element, greatest: Element)?

  mutating func merge(_ other: ValueRange<Element>) {
    guard let bounds = other.bounds else { return }
    withUnsafePointer(to: bounds.least) { Element.extend(&self, by: $0, count: 1) }
    withUnsafePointer(to: bounds.greatest) { Element.extend(&self, by: $0, count: 1) }
  }

  mutating func keep(in heap: StringHeap) {
    if let held = bounds { bounds = (Element.kept(held.least, in: heap), Element.kept(held.greatest, in: heap)) }
  }
}

extension PhysicalValue {
  static func kept(_ value: Self, in heap: StringHeap) -> Self { value }
  @inline(__always)
  static func plainByteCount(_ value: Self) -> Int { MemoryLayout<Self>.size }
  static func appendPlain(_ values: UnsafePointer<Self>, count: Int, to bytes: PageBytes) {
    bytes.append(values, count: count * MemoryLayout<Self>.size)
  }
  static func countWithin(_ byteCount: Int, _ values: UnsafePointer<Self>, count: Int) -> Int { count }

  /// Folds the halves, so that numbers that differ in their high bits only are told apart too.
  @inline(__always)
  static func mixed(_ bits: UInt64) -> UInt32 {
    let folded = (bits ^ (bits &>> 32)) &* 0x9e37_79b9_7f4a_7c15
    return UInt32(truncatingIfNeeded: folded &>> 32)
  }

  /// `value` as it lies in memory, which is little-endian.
  static func rawBytes(_ value: Self) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }
}

extension PhysicalValue where Self: Comparable {
  @inline(__always)
  fileprivate static func extendComparable(
    _ range: inout ValueRange<Self>, by values: UnsafePointer<Self>, count: Int
  ) {
    guard count > 0 else { return }
    var (least, greatest) = range.bounds ?? (values[0], values[0])
    for row in 0..<count {
      let value = values[row]
      least = value < least ? value : least
      greatest = value > greatest ? value : greatest
    }
    range.bounds = (least, greatest)
  }
}

extension Int32: PhysicalValue {
  @inline(__always)
  static func isSame(_ left: Int32, _ right: Int32) -> Bool { left == right }
  @inline(__always)
  static func hash(_ value: Int32) -> UInt32 { mixed(UInt64(UInt32(bitPattern: value))) }
  static func extend(_ range: inout ValueRange<Int32>, by values: UnsafePointer<Int32>, count: Int) {
    extendComparable(&range, by: values, count: count)
  }
  static func bound(_ value: Int32, isUpper: Bool, limit: Int) -> (bytes: [UInt8], isExact: Bool)? {
    (rawBytes(value), true)
  }
}

extension Int64: PhysicalValue {
  @inline(__always)
  static func isSame(_ left: Int64, _ right: Int64) -> Bool { left == right }
  @inline(__always)
  static func hash(_ value: Int64) -> UInt32 { mixed(UInt64(bitPattern: value)) }
  static func extend(_ range: inout ValueRange<Int64>, by values: UnsafePointer<Int64>, count: Int) {
    extendComparable(&range, by: values, count: count)
  }
  static func bound(_ value: Int64, isUpper: Bool, limit: Int) -> (bytes: [UInt8], isExact: Bool)? {
    (rawBytes(value), true)
  }
}

/// Decimals of more than 18 digits: 16 bytes, the highest first.
extension Int128: PhysicalValue {
  @inline(__always)
  static func isSame(_ left: Int128, _ right: Int128) -> Bool { left == right }
  @inline(__always)
  static func hash(_ value: Int128) -> UInt32 {
    mixed(UInt64(truncatingIfNeeded: value) ^ (UInt64(truncatingIfNeeded: value >> 64) &* 0xd6e8_feb8_6659_fd93))
  }
  static func appendPlain(_ values: UnsafePointer<Int128>, count: Int, to bytes: PageBytes) {
    let target = bytes.room(count * 16)
    for row in 0..<count { target.storeBytes(of: values[row].bigEndian, toByteOffset: row &* 16, as: Int128.self) }
    bytes.advance(count * 16)
  }
  static func extend(_ range: inout ValueRange<Int128>, by values: UnsafePointer<Int128>, count: Int) {
    extendComparable(&range, by: values, count: count)
  }
  static func bound(_ value: Int128, isUpper: Bool, limit: Int) -> (bytes: [UInt8], isExact: Bool)? {
    (rawBytes(value.bigEndian), true)
  }
}

/// Floating point numbers: NaN counts in no statistics, and a zero bound has the sign that includes both zeros.
extension PhysicalValue where Self: BinaryFloatingPoint {
  @inline(__always)
  fileprivate static func extendFloating(
    _ range: inout ValueRange<Self>, by values: UnsafePointer<Self>, count: Int
  ) {
    var (least, greatest) = range.bounds ?? (Self.infinity, -Self.infinity)
    for row in 0..<count {
      let value = values[row]
      // Comparisons with NaN are false.
      least = value < least ? value : least
      greatest = value > greatest ? value : greatest
    }
    if least <= greatest { range.bounds = (least, greatest) }
  }

  fileprivate static func floatingBound(_ value: Self, isUpper: Bool) -> (bytes: [UInt8], isExact: Bool)? {
    (rawBytes(value != 0 ? value : isUpper ? 0 : -0.0), true)
  }
}

extension Float: PhysicalValue {
  @inline(__always)
  static func isSame(_ left: Float, _ right: Float) -> Bool { left.bitPattern == right.bitPattern }
  @inline(__always)
  static func hash(_ value: Float) -> UInt32 { mixed(UInt64(value.bitPattern)) }
  static func extend(_ range: inout ValueRange<Float>, by values: UnsafePointer<Float>, count: Int) {
    extendFloating(&range, by: values, count: count)
  }
  static func bound(_ value: Float, isUpper: Bool, limit: Int) -> (bytes: [UInt8], isExact: Bool)? {
    floatingBound(value, isUpper: isUpper)
  }
}

extension Double: PhysicalValue {
  @inline(__always)
  static func isSame(_ left: Double, _ right: Double) -> Bool { left.bitPattern == right.bitPattern }
  @inline(__always)
  static func hash(_ value: Double) -> UInt32 { mixed(value.bitPattern) }
  static func extend(_ range: inout ValueRange<Double>, by values: UnsafePointer<Double>, count: Int) {
    extendFloating(&range, by: values, count: count)
  }
  static func bound(_ value: Double, isUpper: Bool, limit: Int) -> (bytes: [UInt8], isExact: Bool)? {
    floatingBound(value, isUpper: isUpper)
  }
}

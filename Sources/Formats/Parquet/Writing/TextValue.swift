// Owns text and bytes as physical values: length and bytes in PLAIN encoding, byte-wise order, cut bounds.
import Columnar
import Glibc

extension StringView: PhysicalValue {
  @inline(__always)
  static func isSame(_ left: StringView, _ right: StringView) -> Bool { StringView.equal(left, right) }

  @inline(__always)
  static func hash(_ value: StringView) -> UInt32 {
    if value.isInline {
      let product = (value.head ^ 0x9e37_79b9_ffff_ffff).multipliedFullWidth(by: value.tail ^ 0xd6e8_feb8_6659_fd93)
      return mixed(product.high ^ product.low)
    }
    return hashLong(UnsafeRawPointer(value.farPointer), count: value.count)
  }

  /// More than 12 bytes, eight at a time; the last eight overlap.
  @inline(never)
  private static func hashLong(_ bytes: UnsafeRawPointer, count: Int) -> UInt32 {
    var state = UInt64(count) &* 0x9e37_79b9_7f4a_7c15
    var offset = 0
    while offset &+ 8 < count {
      state = folded(state ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      offset &+= 8
    }
    return mixed(folded(state ^ bytes.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)))
  }

  @inline(__always)
  private static func folded(_ value: UInt64) -> UInt64 {
    let product = (value ^ 0xa076_1d64_78bd_642f).multipliedFullWidth(by: 0xe703_7ed1_a0b4_28db)
    return product.high ^ product.low
  }

  static func kept(_ value: StringView, in heap: StringHeap) -> StringView {
    value.isInline ? value : heap.store(UnsafeBufferPointer(start: value.farPointer, count: value.count))
  }

  @inline(__always)
  static func plainByteCount(_ value: StringView) -> Int { value.count &+ 4 }

  static func appendPlain(_ values: UnsafePointer<StringView>, count: Int, to bytes: PageBytes) {
    var total = 0
    for row in 0..<count { total &+= plainByteCount(values[row]) }
    // An inline view is the length and the bytes already; what is too much of it the next one overwrites.
    let start = bytes.room(total + MemoryLayout<StringView>.size)
    var target = start
    for row in 0..<count {
      let view = values[row]
      if view.isInline {
        target.storeBytes(of: view, as: StringView.self)
      } else {
        target.storeBytes(of: UInt32(truncatingIfNeeded: view.count), as: UInt32.self)
        memcpy(target + 4, view.farPointer, view.count)
      }
      target += plainByteCount(view)
    }
    bytes.advance(total)
  }

  static func extend(_ range: inout ValueRange<StringView>, by values: UnsafePointer<StringView>, count: Int) {
    guard count > 0 else { return }
    var (least, greatest) = range.bounds ?? (values[0], values[0])
    var low = prefix(least)
    var high = prefix(greatest)
    for row in 0..<count {
      let view = values[row]
      let start = prefix(view)
      // Most values are told apart from the bounds by their first bytes.
      if start <= low, compare(view, least) < 0 {
        least = view
        low = start
      }
      if start >= high, compare(view, greatest) > 0 {
        greatest = view
        high = start
      }
    }
    range.bounds = (least, greatest)
  }

  /// The first four bytes as a number in their order.
  @inline(__always)
  private static func prefix(_ view: StringView) -> UInt32 { UInt32(truncatingIfNeeded: view.head &>> 32).byteSwapped }

  static func countWithin(_ byteCount: Int, _ values: UnsafePointer<StringView>, count: Int) -> Int {
    var total = 0
    for row in 0..<count {
      total &+= plainByteCount(values[row])
      if total > byteCount { return max(row, 1) }
    }
    return count
  }

  static func bound(_ value: StringView, isUpper: Bool, limit: Int) -> (bytes: [UInt8], isExact: Bool)? {
    let bytes = value.withBytes { Array($0.prefix(limit + 1)) }
    guard bytes.count > limit else { return (bytes, true) }
    var cut = limit
    // No code point is cut in two where the bytes are text.
    while cut > 0, cut > limit - 4, bytes[cut] & 0xc0 == 0x80 { cut -= 1 }
    if bytes[cut] & 0xc0 == 0x80 { cut = limit }
    let prefix = Array(bytes[..<cut])
    return isUpper ? successor(of: prefix).map { ($0, false) } : (prefix, false)
  }

  /// The least text that is greater than all that begin with `prefix`: its last ASCII character that has a successor is
  /// raised, and the rest dropped. Nil where there is no such character.
  private static func successor(of prefix: [UInt8]) -> [UInt8]? {
    guard let last = prefix.lastIndex(where: { $0 < 0x7f }) else { return nil }
    return Array(prefix[..<last]) + [prefix[last] + 1]
  }
}

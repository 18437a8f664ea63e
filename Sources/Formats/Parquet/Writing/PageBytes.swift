// Owns growing raw memory for what is being encoded. Knows nothing of what the bytes mean.
import Glibc

/// Bytes that are appended to and later used or dropped as a whole. Keeps its memory for the next use. One thread.
final class PageBytes {
  private(set) var base: UnsafeMutableRawPointer
  private(set) var count = 0
  /// Bytes allocated.
  private(set) var capacity: Int
  /// Behind what was asked for there is room for one more store of this size, so that loops may write whole words.
  static let slack = 64

  init(capacity: Int = 1024) {
    self.capacity = capacity
    base = .allocate(byteCount: capacity + Self.slack, alignment: 64)
  }

  deinit { base.deallocate() }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

  /// Where the next `size` bytes go; `advance` then says how many there are. Valid until the next call.
  @inline(__always)
  func room(_ size: Int) -> UnsafeMutableRawPointer {
    if count &+ size > capacity { grow(by: size) }
    return base + count
  }

  @inline(__always)
  func advance(_ size: Int) { count &+= size }

  func append(_ source: UnsafeRawPointer, count size: Int) {
    memcpy(room(size), source, size)
    count += size
  }

  func append(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { if let start = $0.baseAddress { append(start, count: $0.count) } }
  }

  @inline(__always)
  func append(_ byte: UInt8) {
    room(1).storeBytes(of: byte, as: UInt8.self)
    count &+= 1
  }

  /// An unsigned number in groups of seven bits, the lowest first.
  func append(varint value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(rest))
  }

  func removeAll() { count = 0 }

  private func grow(by size: Int) {
    capacity = max(capacity + capacity / 2, count + size)
    let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity + Self.slack, alignment: 64)
    memcpy(larger, base, count)
    base.deallocate()
    base = larger
  }
}

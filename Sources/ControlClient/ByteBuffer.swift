// Owns growing raw memory for text on its way out. Knows nothing of what the bytes mean.
import Glibc

/// Bytes that are appended to and then used or thrown away as a whole. Used by one thread.
final class ByteBuffer {
  private(set) var base: UnsafeMutablePointer<UInt8>
  private(set) var count = 0
  private var capacity: Int

  init(capacity: Int = 4096) {
    self.capacity = max(capacity, 64)
    base = UnsafeMutablePointer.allocate(capacity: self.capacity)
  }

  deinit { base.deallocate() }

  var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: base, count: count) }

  /// Where the next `size` bytes go; `advance` then says how many were written. Valid until the next call.
  func room(_ size: Int) -> UnsafeMutablePointer<UInt8> {
    if count + size > capacity { grow(by: size) }
    return base + count
  }

  func advance(_ written: Int) { count += written }

  func append(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard let start = bytes.baseAddress else { return }
    memcpy(room(bytes.count), start, bytes.count)
    count += bytes.count
  }

  func append(_ text: String) {
    var text = text
    text.withUTF8 { append($0) }
  }

  func append(_ byte: UInt8) {
    room(1)[0] = byte
    count += 1
  }

  func removeAll() { count = 0 }

  private func grow(by size: Int) {
    capacity = max(capacity * 2, count + size)
    let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    memcpy(larger, base, count)
    base.deallocate()
    base = larger
  }
}

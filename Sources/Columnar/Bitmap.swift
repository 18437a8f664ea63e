// Owns validity bitmaps in Arrow's form: one bit per value, least significant first, 1 for a value and 0 for NULL.

#if canImport(Glibc)
import Glibc
#endif

/// A bitmap over `count` values. Immutable once a vector holds it.
@frozen
public struct Bitmap: Sendable {
  public let buffer: Buffer
  public let count: Int

  /// Takes over `buffer`, which holds at least `wordCount(count)` 64-bit words.
  @inlinable
  public init(buffer: Buffer, count: Int) {
    self.buffer = buffer
    self.count = count
  }

  /// A bitmap with every bit set to `bit`. Cost: one allocation.
  public init(repeating bit: Bool, count: Int) {
    let bytes = Self.wordCount(count) * 8
    buffer = Buffer(byteCount: bytes)
    memset(buffer.base, bit ? 0xff : 0, bytes)
    self.count = count
  }

  /// The 64-bit words that `count` bits take.
  @inlinable
  public static func wordCount(_ count: Int) -> Int { (count + 63) >> 6 }

  /// The bits, lowest first in each word; valid while the buffer lives.
  @inlinable
  @inline(__always)
  public var words: UnsafeMutablePointer<UInt64> { buffer.pointer(to: UInt64.self) }

  /// Whether a bit is set. The index is not checked.
  @inlinable
  @inline(__always)
  public subscript(index: Int) -> Bool {
    (words[index &>> 6] &>> UInt64(index & 63)) & 1 != 0
  }

  /// Marks a value as present. Only for the thread that builds the bitmap.
  @inlinable
  @inline(__always)
  public func set(_ index: Int) { words[index &>> 6] |= 1 &<< UInt64(index & 63) }

  /// Marks a value as NULL. Only for the thread that builds the bitmap.
  @inlinable
  @inline(__always)
  public func clear(_ index: Int) { words[index &>> 6] &= ~(1 &<< UInt64(index & 63)) }

  /// How many of the `count` bits are set. Cost: one pass over the words.
  public var setCount: Int {
    var total = 0
    let whole = count >> 6
    for word in 0..<whole { total += words[word].nonzeroBitCount }
    let rest = count & 63
    if rest > 0 { total += (words[whole] & ((1 << UInt64(rest)) - 1)).nonzeroBitCount }
    return total
  }

  /// The values that are present in both. Cost: one allocation, one pass over the words.
  public func and(_ other: Bitmap) -> Bitmap {
    precondition(count == other.count, "bitmaps of \(count) and \(other.count) values")
    let result = Bitmap(buffer: Buffer(byteCount: Self.wordCount(count) * 8), count: count)
    for word in 0..<Self.wordCount(count) { result.words[word] = words[word] & other.words[word] }
    return result
  }
}

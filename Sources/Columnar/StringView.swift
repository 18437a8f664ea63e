// Owns text in vectors: a 16-byte view that is moved instead of the bytes, and the heaps that keep the bytes alive.

#if canImport(Glibc)
import Glibc
#endif

/// A string of bytes: up to 12 lie in the view itself; longer ones are a 4-byte prefix and a pointer.
///
/// The pointer stays valid as long as the vector that holds the view keeps its `StringHeap`s. Bytes behind the length
/// of an inline string are zero, so that two inline strings are equal exactly if their 16 bytes are.
/// The form is Umbra's (Neumann and Freitag, CIDR 2020); Arrow's Utf8View has an index in place of the pointer.
@frozen
public struct StringView: BitwiseCopyable, Sendable {
  /// Low half: the length; high half: the first four bytes.
  public var head: UInt64
  /// Bytes 4 to 11 of an inline string, else the address of the whole string.
  public var tail: UInt64

  @inlinable
  public init(head: UInt64, tail: UInt64) {
    self.head = head
    self.tail = tail
  }

  /// The longest string that lies in the view itself, in bytes.
  @inlinable public static var inlineCapacity: Int { 12 }
  /// The string without bytes.
  public static let empty = StringView(head: 0, tail: 0)

  /// A view of `count` bytes at `bytes`. A string of more than 12 bytes is not copied: `bytes` must outlive the view.
  @inlinable
  public init(_ bytes: UnsafePointer<UInt8>, count: Int) {
    var prefix: UInt32 = 0
    if count <= Self.inlineCapacity {
      var rest: UInt64 = 0
      memcpy(&prefix, bytes, min(count, 4))
      if count > 4 { memcpy(&rest, bytes + 4, count &- 4) }
      tail = rest
    } else {
      memcpy(&prefix, bytes, 4)
      tail = UInt64(UInt(bitPattern: bytes))
    }
    head = UInt64(UInt32(truncatingIfNeeded: count)) | UInt64(prefix) &<< 32
  }

  @inlinable
  @inline(__always)
  public var count: Int { Int(truncatingIfNeeded: head & 0xffff_ffff) }

  /// Whether the bytes lie in the view itself.
  @inlinable
  @inline(__always)
  public var isInline: Bool { head & 0xffff_ffff <= 12 }

  /// Calls `body` with the bytes, which are valid during the call only.
  @inlinable
  @inline(__always)
  public func withBytes<Result, Failure: Error>(
    _ body: (UnsafeBufferPointer<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    if isInline {
      var copy = self
      // The view itself holds the bytes: they start behind the 4-byte length.
      return try withUnsafePointer(to: &copy) { (pointer) throws(Failure) in
        let start = UnsafeRawPointer(pointer).advanced(by: 4).assumingMemoryBound(to: UInt8.self)
        return try body(UnsafeBufferPointer(start: start, count: count))
      }
    }
    return try body(UnsafeBufferPointer(start: farPointer, count: count))
  }

  /// Where a string of more than 12 bytes lies.
  @inlinable
  @inline(__always)
  public var farPointer: UnsafePointer<UInt8> {
    UnsafePointer(bitPattern: UInt(tail)).unsafelyUnwrapped
  }

  /// Copies the bytes to `target`, which has room for `count` of them.
  @inlinable
  public func copyBytes(to target: UnsafeMutablePointer<UInt8>) {
    withBytes { bytes in
      if let start = bytes.baseAddress { memcpy(target, start, bytes.count) }
    }
  }

  /// Whether two strings have the same bytes.
  @inlinable
  @inline(__always)
  public static func equal(_ left: StringView, _ right: StringView) -> Bool {
    guard left.head == right.head else { return false }
    if left.tail == right.tail { return true }
    guard !left.isInline else { return false }
    return memcmp(left.farPointer, right.farPointer, left.count) == 0
  }

  /// Byte-wise order, which is code point order for UTF-8: negative, zero or positive.
  @inlinable
  public static func compare(_ left: StringView, _ right: StringView) -> Int {
    let leftPrefix = UInt32(truncatingIfNeeded: left.head &>> 32).byteSwapped
    let rightPrefix = UInt32(truncatingIfNeeded: right.head &>> 32).byteSwapped
    if leftPrefix != rightPrefix { return leftPrefix < rightPrefix ? -1 : 1 }
    return left.withBytes { a in
      right.withBytes { b in
        let shared = min(a.count, b.count)
        // A buffer with bytes has a base address.
        let order = shared == 0
          ? 0 : Int(memcmp(a.baseAddress.unsafelyUnwrapped, b.baseAddress.unsafelyUnwrapped, shared))
        return order != 0 ? order : a.count - b.count
      }
    }
  }

  /// The text; bytes that are no UTF-8 are replaced. Slow, for messages and tests.
  public var text: String { withBytes { String(decoding: $0, as: UTF8.self) } }
}

/// An arena that owns the bytes of long strings. Append-only; nothing moves once it is written.
///
/// Unchecked Sendable: written by one thread while a vector is built, read-only afterwards.
public final class StringHeap: @unchecked Sendable {
  private var chunks: [UnsafeMutablePointer<UInt8>] = []
  @usableFromInline var cursor: UnsafeMutablePointer<UInt8>
  @usableFromInline var room = 0
  /// Bytes allocated so far.
  public private(set) var byteCount: Int
  /// Something that must live as long as the views into it do, such as a decoded page.
  private let owner: AnyObject?

  /// A heap that starts with the `byteCount` bytes that `owner` holds.
  public init(keepingAlive owner: AnyObject? = nil, byteCount: Int = 0) {
    self.owner = owner
    self.byteCount = byteCount
    cursor = UnsafeMutablePointer(bitPattern: 1).unsafelyUnwrapped
  }

  deinit { for chunk in chunks { chunk.deallocate() } }

  /// Room for `count` bytes that stays in place as long as the heap lives.
  @inlinable
  public func allocate(_ count: Int) -> UnsafeMutablePointer<UInt8> {
    if count > room { grow(count) }
    let start = cursor
    cursor += count
    room &-= count
    return start
  }

  /// A view of a copy of `bytes`; short strings need no room in the heap.
  @inlinable
  public func store(_ bytes: UnsafeBufferPointer<UInt8>) -> StringView {
    guard let start = bytes.baseAddress, bytes.count > 0 else { return .empty }
    if bytes.count <= StringView.inlineCapacity { return StringView(start, count: bytes.count) }
    let copy = allocate(bytes.count)
    memcpy(copy, start, bytes.count)
    return StringView(copy, count: bytes.count)
  }

  /// Copies a text and gives a view of the copy.
  public func store(_ text: String) -> StringView {
    var copy = text
    return copy.withUTF8 { store($0) }
  }

  @usableFromInline
  func grow(_ count: Int) {
    let size = max(count, min(1 << 20, max(4096, byteCount)))
    let chunk = UnsafeMutablePointer<UInt8>.allocate(capacity: size)
    chunks.append(chunk)
    byteCount += size
    cursor = chunk
    room = size
  }
}

// Owns where the fields of rows lie in a block of text: column by column, found before any value is parsed.

import Columnar

/// Where one field's text lies in its block, and how it is written.
///
/// 32 bits of offset, 30 of length, two flags.
public struct FieldRef: BitwiseCopyable, Sendable {
  @usableFromInline let bits: UInt64

  /// The field is not there: NULL.
  public static let absent = FieldRef(bits: .max)

  /// The longest text of a field, and the largest block, in bytes.
  public static let longest = 1 << 29

  @inlinable
  init(bits: UInt64) { self.bits = bits }

  /// `count` bytes at `start`, without the quotes around them. `isEscaped`: something in them stands for something
  /// else.
  @inlinable
  @inline(__always)
  public init(start: Int, count: Int, isQuoted: Bool = false, isEscaped: Bool = false) {
    bits =
      UInt64(truncatingIfNeeded: start) | UInt64(truncatingIfNeeded: count) &<< 32
      | (isQuoted ? 1 &<< 62 : 0) | (isEscaped ? 1 &<< 63 : 0)
  }

  /// Whether there is no field.
  @inlinable @inline(__always) public var isAbsent: Bool { bits == .max }
  /// Offset of the first byte in the block.
  @inlinable @inline(__always) public var start: Int { Int(bits & 0xffff_ffff) }
  /// Bytes.
  @inlinable @inline(__always) public var count: Int { Int((bits &>> 32) & 0x3fff_ffff) }
  /// Whether quotes are around it.
  @inlinable @inline(__always) public var isQuoted: Bool { bits & (1 &<< 62) != 0 }
  /// Whether something in it stands for something else.
  @inlinable @inline(__always) public var isEscaped: Bool { bits & (1 &<< 63) != 0 }
}

/// Fields of up to `capacity` rows, each column's together. Used by one thread.
public final class FieldTable {
  public let columnCount: Int
  /// Rows that fit.
  public let capacity: Int
  private let storage: Buffer

  /// Rows that a table of so many columns should have room for: `atMost`, fewer where that were more than 16 MB.
  public static func capacity(columns: Int, atMost: Int) -> Int {
    max(1, min(atMost, (2 << 20) / max(columns, 1)))
  }

  public init(columnCount: Int, capacity: Int) {
    self.columnCount = columnCount
    self.capacity = capacity
    storage = Buffer(count: max(columnCount * capacity, 1), of: FieldRef.self)
  }

  /// All fields: that of column `c` in row `r` at `c * capacity + r`. Valid while the table lives.
  public var fields: UnsafeMutablePointer<FieldRef> { storage.pointer(to: FieldRef.self) }

  /// The fields of one column. Valid while the table lives.
  public func column(_ index: Int) -> UnsafePointer<FieldRef> { UnsafePointer(fields + index * capacity) }
}

/// A block of text in memory that fields point into.
public struct TextBlock {
  /// Padded, so that whole lanes can be read behind the last byte.
  public let buffer: Buffer
  /// Bytes of text in it.
  public let count: Int
  /// Whether all bytes are ASCII.
  public let isASCII: Bool

  public init(buffer: Buffer, count: Int, isASCII: Bool) {
    self.buffer = buffer
    self.count = count
    self.isASCII = isASCII
  }

  /// The first byte; valid while the buffer lives.
  public var base: UnsafePointer<UInt8> { UnsafePointer(buffer.pointer(to: UInt8.self)) }
}

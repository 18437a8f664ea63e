// Owns undoing Snappy's block format. Knows nothing of pages.

/// Decompresses Snappy (google/snappy, format_description.txt).
///
/// Debian's library does the same, but calls memmove for each of the short copies that the format consists of, which
/// takes half of the time of reading a column of numbers; here copies are 16 bytes wide and end where they end.
enum SnappyBlock {
  /// What must lie readable behind the input and writable behind the output: what a `Buffer` is padded with.
  static let padding = 64

  /// Fills `output`; false where `input` is no block of exactly so many bytes. Behind both must be `padding` bytes;
  /// what is written there means nothing. Safe on any input.
  static func decompress(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Bool {
    guard let inputStart = input.baseAddress, let outputStart = output.baseAddress,
      let (length, header) = length(input), length == output.count
    else { return false }
    return decompress(
      inputStart + header, inputStart + input.count, outputStart, outputStart + output.count, Copies.table)
  }

  /// The uncompressed length, and how many bytes it takes in front of the block.
  private static func length(_ input: UnsafeRawBufferPointer) -> (length: Int, bytes: Int)? {
    var value = 0
    for index in 0..<min(5, input.count) {
      value |= Int(input[index] & 0x7f) << (7 * index)
      if input[index] < 0x80 { return (value, index + 1) }
    }
    return nil
  }

  private static func decompress(
    _ inputStart: UnsafeRawPointer, _ inputEnd: UnsafeRawPointer, _ outputStart: UnsafeMutableRawPointer,
    _ outputEnd: UnsafeMutableRawPointer, _ table: UnsafePointer<UInt16>
  ) -> Bool {
    var from = inputStart
    var to = outputStart
    while from < inputEnd {
      let tag = Int(from.load(as: UInt8.self))
      if tag & 3 == 0 {
        var length = tag &>> 2 &+ 1
        from += 1
        if length > 60 {
          // The length lies behind the tag, in one to four bytes; what is read beyond them is there or padding.
          let bytes = length &- 60
          let behind = UInt64(from.loadUnaligned(as: UInt32.self))
          length = Int(behind & ((1 &<< UInt64(8 &* bytes)) &- 1)) &+ 1
          from += bytes
        }
        guard length <= inputEnd - from, length <= outputEnd - to else { return false }
        if length <= 64 { copyShort(from, to, length) } else { to.copyMemory(from: from, byteCount: length) }
        from += length
        to += length
      } else {
        let entry = Int(table[tag])
        let behind = UInt64((from + 1).loadUnaligned(as: UInt32.self))
        let extra = entry &>> 11
        let trailer = behind & ((1 &<< UInt64(truncatingIfNeeded: 8 &* extra)) &- 1)
        let offset = (entry & 0x700) &+ Int(trailer)
        let length = entry & 0xff
        from += 1 &+ extra
        guard offset > 0, offset <= to - outputStart, length <= outputEnd - to else { return false }
        if offset >= 16 {
          copyShort(UnsafeRawPointer(to - offset), to, length)
        } else {
          repeatPattern(to, offset, length)
        }
        to += length
      }
    }
    return from == inputEnd && to == outputEnd
  }

  /// A copy of at most 64 bytes, from at least 16 bytes before where it goes.
  @inline(__always)
  private static func copyShort(_ from: UnsafeRawPointer, _ to: UnsafeMutableRawPointer, _ length: Int) {
    move16(from, to)
    if length > 16 {
      move16(from + 16, to + 16)
      if length > 32 {
        move16(from + 32, to + 32)
        move16(from + 48, to + 48)
      }
    }
  }

  @inline(__always)
  private static func move16(_ from: UnsafeRawPointer, _ to: UnsafeMutableRawPointer) {
    to.storeBytes(of: from.loadUnaligned(as: SIMD2<UInt64>.self), as: SIMD2<UInt64>.self)
  }

  /// Repeats the last `offset` bytes, fewer than 16, for `length` bytes, at most 64.
  @inline(__always)
  private static func repeatPattern(_ start: UnsafeMutableRawPointer, _ offset: Int, _ length: Int) {
    let pattern = UnsafeRawPointer(start - offset)
    let end = start + length
    var to = start
    // Each copy doubles what is there to be copied, until eight bytes are.
    while to - UnsafeMutableRawPointer(mutating: pattern) < 8, to < end {
      let there = to - UnsafeMutableRawPointer(mutating: pattern)
      to.storeBytes(of: pattern.loadUnaligned(as: UInt64.self), as: UInt64.self)
      to += there
    }
    // The pattern as a whole lies in front of where it goes, a multiple of its length away.
    var from = pattern
    while to < end {
      to.storeBytes(of: from.loadUnaligned(as: UInt64.self), as: UInt64.self)
      to += 8
      from += 8
    }
  }

  /// What the tags of copies say: the length in bits 0 to 7, the offset's high bits in 8 to 10, and how many bytes of
  /// the offset follow from 11 on.
  private enum Copies {
    // Unchecked: filled once, when it is first used, and read-only from then on.
    nonisolated(unsafe) static let table: UnsafePointer<UInt16> = {
      let table = UnsafeMutablePointer<UInt16>.allocate(capacity: 256)
      for tag in 0..<256 {
        let upper = UInt16(tag &>> 2)
        switch tag & 3 {
        case 1:
          let (length, high) = ((upper & 7) + 4, UInt16(tag &>> 5))
          table[tag] = length | high &<< 8 | 1 &<< 11
        case 2: table[tag] = (upper + 1) | 2 &<< 11
        case 3: table[tag] = (upper + 1) | 4 &<< 11
        default: table[tag] = 0
        }
      }
      return UnsafePointer(table)
    }()
  }
}

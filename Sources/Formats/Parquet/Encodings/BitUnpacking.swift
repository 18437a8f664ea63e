// Owns taking numbers of few bits out of a run of bits, least significant first. Knows no runs and no pages.

/// Unpacks numbers that take `width` bits each, as RLE/bit-packed runs and deltas have them (parquet-format,
/// Encodings.md).
///
/// Up to 7 bytes behind the last number may be read, so the bytes must lie in a padded `Buffer`.
enum BitUnpacking {
  /// Writes `count` numbers of `width` bits, 0 to 32, starting at number `first` of `source`.
  static func unpack(
    _ source: UnsafePointer<UInt8>, width: Int, first: Int, count: Int, into target: UnsafeMutablePointer<Int32>
  ) {
    if width == 0 {
      target.update(repeating: 0, count: count)
      return
    }
    // Groups of eight begin at a byte: the loops over them know every shift.
    let lead = min((8 &- first) & 7, count)
    single(source, width: width, first: first, count: lead, into: target)
    let groups = (count &- lead) / 8
    let start = source + ((first &+ lead) / 8) &* width
    unpackGroups(start, width: width, groups: groups, into: target + lead)
    let done = lead &+ groups &* 8
    single(source, width: width, first: first &+ done, count: count &- done, into: target + done)
  }

  /// One number of `width` bits, 1 to 57.
  @inline(__always)
  static func number(_ source: UnsafePointer<UInt8>, width: Int, at index: Int) -> UInt64 {
    let bit = index &* width
    let word = UnsafeRawPointer(source + bit &>> 3).loadUnaligned(as: UInt64.self)
    return (word &>> UInt64(truncatingIfNeeded: bit & 7)) & ((1 &<< UInt64(truncatingIfNeeded: width)) &- 1)
  }

  @inline(__always)
  private static func single(
    _ source: UnsafePointer<UInt8>, width: Int, first: Int, count: Int, into target: UnsafeMutablePointer<Int32>
  ) {
    for index in 0..<count {
      target[index] = Int32(truncatingIfNeeded: number(source, width: width, at: first &+ index))
    }
  }

  /// Eight numbers at a time with shifts known to the compiler.
  @inline(__always)
  private static func groups<let width: Int>(
    _ bits: Bits<width>, _ source: UnsafePointer<UInt8>, _ groups: Int, _ target: UnsafeMutablePointer<Int32>
  ) {
    let mask: UInt64 = (1 &<< UInt64(width)) &- 1
    var from = UnsafeRawPointer(source)
    var to = target
    for _ in 0..<groups {
      if width <= 8 {
        let word = from.loadUnaligned(as: UInt64.self)
        to[0] = Int32(truncatingIfNeeded: word & mask)
        to[1] = Int32(truncatingIfNeeded: (word &>> UInt64(width)) & mask)
        to[2] = Int32(truncatingIfNeeded: (word &>> UInt64(2 &* width)) & mask)
        to[3] = Int32(truncatingIfNeeded: (word &>> UInt64(3 &* width)) & mask)
        to[4] = Int32(truncatingIfNeeded: (word &>> UInt64(4 &* width)) & mask)
        to[5] = Int32(truncatingIfNeeded: (word &>> UInt64(5 &* width)) & mask)
        to[6] = Int32(truncatingIfNeeded: (word &>> UInt64(6 &* width)) & mask)
        to[7] = Int32(truncatingIfNeeded: (word &>> UInt64(7 &* width)) & mask)
      } else {
        to[0] = part(from, 0, mask)
        to[1] = part(from, width, mask)
        to[2] = part(from, 2 &* width, mask)
        to[3] = part(from, 3 &* width, mask)
        to[4] = part(from, 4 &* width, mask)
        to[5] = part(from, 5 &* width, mask)
        to[6] = part(from, 6 &* width, mask)
        to[7] = part(from, 7 &* width, mask)
      }
      from += width
      to += 8
    }
  }

  @inline(__always)
  private static func part(_ from: UnsafeRawPointer, _ bit: Int, _ mask: UInt64) -> Int32 {
    let word = from.loadUnaligned(fromByteOffset: bit &>> 3, as: UInt64.self)
    return Int32(truncatingIfNeeded: (word &>> UInt64(truncatingIfNeeded: bit & 7)) & mask)
  }

  private struct Bits<let width: Int> {}

  private static func unpackGroups(
    _ source: UnsafePointer<UInt8>, width: Int, groups count: Int, into target: UnsafeMutablePointer<Int32>
  ) {
    switch width {
    case 1: groups(Bits<1>(), source, count, target)
    case 2: groups(Bits<2>(), source, count, target)
    case 3: groups(Bits<3>(), source, count, target)
    case 4: groups(Bits<4>(), source, count, target)
    case 5: groups(Bits<5>(), source, count, target)
    case 6: groups(Bits<6>(), source, count, target)
    case 7: groups(Bits<7>(), source, count, target)
    case 8: groups(Bits<8>(), source, count, target)
    case 9: groups(Bits<9>(), source, count, target)
    case 10: groups(Bits<10>(), source, count, target)
    case 11: groups(Bits<11>(), source, count, target)
    case 12: groups(Bits<12>(), source, count, target)
    case 13: groups(Bits<13>(), source, count, target)
    case 14: groups(Bits<14>(), source, count, target)
    case 15: groups(Bits<15>(), source, count, target)
    case 16: groups(Bits<16>(), source, count, target)
    case 17: groups(Bits<17>(), source, count, target)
    case 18: groups(Bits<18>(), source, count, target)
    case 19: groups(Bits<19>(), source, count, target)
    case 20: groups(Bits<20>(), source, count, target)
    default: single(source, width: width, first: 0, count: count &* 8, into: target)
    }
  }
}

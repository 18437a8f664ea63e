// Owns the RLE / bit-packed hybrid: how definition levels and dictionary indices are written. Knows no pages.
// The encoding: https://parquet.apache.org/docs/file-format/data-pages/encodings/#RLE

/// Numbers of few bits as runs of equal ones and packed groups of eight.
enum HybridEncoder {
  /// Bits that hold every number below `count`; at least one.
  static func width(below count: Int) -> Int { max(1, Int.bitWidth - (max(count, 1) - 1).leadingZeroBitCount) }

  /// Appends `values`, each of at most `width` bits (1 to 32). Cost: one pass; runs of eight equal values are found
  /// where they start at a multiple of eight behind the last run.
  static func append(_ values: UnsafePointer<UInt32>, count: Int, width: Int, to bytes: PageBytes) {
    var row = 0
    var packedStart = 0
    while row &+ 8 <= count {
      guard isRun(values + row) else {
        row &+= 8
        continue
      }
      let value = values[row]
      var end = row &+ 8
      while end < count, values[end] == value { end &+= 1 }
      pack(values + packedStart, count: row &- packedStart, width: width, to: bytes)
      appendRun(of: value, count: end &- row, width: width, to: bytes)
      row = end
      packedStart = end
    }
    pack(values + packedStart, count: count &- packedStart, width: width, to: bytes)
  }

  /// Appends one run of `count` equal values.
  static func appendRun(of value: UInt32, count: Int, width: Int, to bytes: PageBytes) {
    bytes.append(varint: UInt64(count) << 1)
    bytes.room(4).storeBytes(of: value.littleEndian, as: UInt32.self)
    bytes.advance((width + 7) / 8)
  }

  @inline(__always)
  private static func isRun(_ values: UnsafePointer<UInt32>) -> Bool {
    let eight = UnsafeRawPointer(values).loadUnaligned(as: SIMD8<UInt32>.self)
    return eight == SIMD8(repeating: eight[0])
  }

  /// Appends `count` values in groups of eight, the last one filled up with zeros.
  private static func pack(_ values: UnsafePointer<UInt32>, count: Int, width: Int, to bytes: PageBytes) {
    guard count > 0 else { return }
    let groups = (count + 7) / 8
    bytes.append(varint: UInt64(groups) << 1 | 1)
    // The words are stored whole: the last one may reach into the slack.
    let target = bytes.room(groups * width + 8)
    var bits: UInt64 = 0
    var used = 0
    var place = 0
    for row in 0..<count {
      let value = UInt64(values[row])
      bits |= value &<< UInt64(used)
      used &+= width
      if used >= 64 {
        target.storeBytes(of: bits.littleEndian, toByteOffset: place, as: UInt64.self)
        place &+= 8
        used &-= 64
        // What did not fit; nothing where all bits did, which a shift by all of the width gives.
        bits = used == 0 ? 0 : value &>> UInt64(width &- used)
      }
    }
    let end = groups * width
    while place < end {
      target.storeBytes(of: bits.littleEndian, toByteOffset: place, as: UInt64.self)
      bits = 0
      place &+= 8
    }
    bytes.advance(end)
  }
}

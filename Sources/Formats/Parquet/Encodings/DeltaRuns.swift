// Owns reading numbers in DELTA_BINARY_PACKED. Knows nothing of what they are: values, or lengths of values.

import Columnar

/// A cursor over deltas in blocks of miniblocks (parquet-format, Encodings.md, "Delta Encoding"). Arithmetic wraps at
/// 64 bits; numbers of 32 bits are those modulo 2 to the power of 32.
///
/// The bytes must lie in a padded buffer that outlives it.
struct DeltaRuns {
  /// Numbers in all.
  private(set) var total = 0
  /// Numbers not yet given.
  private(set) var left = 0
  private var next: UnsafePointer<UInt8>
  private let end: UnsafePointer<UInt8>
  private var valuesPerMiniblock = 0
  private var miniblocks = 0
  /// The last number given, or the first before it is given.
  private var value: Int64 = 0
  private var isFirst = true
  private var minimumDelta: Int64 = 0
  /// Widths of the current block's miniblocks.
  private var widths: UnsafePointer<UInt8>
  private var miniblock = 0
  /// The current miniblock, its width, and how many of its numbers are consumed.
  private var packed: UnsafePointer<UInt8>
  private var width = 0
  private var consumed = 0
  private var room = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>) throws(Damage) {
    next = bytes.baseAddress ?? UnsafePointer(bitPattern: 1)!
    end = next + bytes.count
    widths = next
    packed = next
    let blockSize = try varint()
    let count = try varint()
    let total = try varint()
    guard count > 0, count <= 1 << 16, blockSize <= 1 << 20, blockSize % count == 0, (blockSize / count) % 8 == 0,
      blockSize > 0
    else { throw Damage("deltas in blocks of \(blockSize) numbers and \(count) miniblocks") }
    guard total <= UInt64(Int32.max) else { throw Damage("\(total) deltas in a page") }
    miniblocks = Int(count)
    valuesPerMiniblock = Int(blockSize / count)
    miniblock = miniblocks
    self.total = Int(total)
    left = Int(total)
    value = try zigzag()
  }

  /// Where the bytes behind the last number begin. Cost: a step for each miniblock that is left.
  func end(of bytes: UnsafeBufferPointer<UInt8>) throws(Damage) -> Int {
    var copy = self
    try copy.skipMiniblocks()
    return copy.next - bytes.baseAddress!
  }

  private mutating func skipMiniblocks() throws(Damage) {
    var rest = left - (isFirst ? 1 : 0) - room
    while rest > 0 {
      try advance()
      rest -= room
    }
  }

  /// Opens the next miniblock.
  private mutating func advance() throws(Damage) {
    if miniblock == miniblocks {
      minimumDelta = try zigzag()
      guard miniblocks <= end - next else { throw Damage("an end in the middle of deltas") }
      widths = next
      next += miniblocks
      miniblock = 0
    }
    width = Int(widths[miniblock])
    miniblock += 1
    guard width <= 64 else { throw Damage("deltas of \(width) bits") }
    let bytes = valuesPerMiniblock / 8 * width
    guard bytes <= end - next else { throw Damage("an end in the middle of deltas") }
    packed = next
    next += bytes
    consumed = 0
    room = valuesPerMiniblock
  }

  /// The next `count` numbers, cut to the width of `Number`.
  @inline(__always)
  mutating func decode<Number: FixedWidthInteger & BitwiseCopyable>(
    _ count: Int, into target: UnsafeMutablePointer<Number>
  ) throws(Damage) {
    guard count <= left else { throw Damage("a page with fewer values than it counts") }
    left -= count
    var done = 0
    if isFirst, count > 0 {
      isFirst = false
      target[0] = Number(truncatingIfNeeded: value)
      done = 1
    }
    while done < count {
      if room == 0 { try advance() }
      let part = min(room, count &- done)
      var sum = value
      if width == 0 {
        for index in 0..<part {
          sum &+= minimumDelta
          target[done &+ index] = Number(truncatingIfNeeded: sum)
        }
      } else if width <= 57 {
        for index in 0..<part {
          let delta = BitUnpacking.number(packed, width: width, at: consumed &+ index)
          sum &+= minimumDelta &+ Int64(bitPattern: delta)
          target[done &+ index] = Number(truncatingIfNeeded: sum)
        }
      } else {
        for index in 0..<part {
          sum &+= minimumDelta &+ Int64(bitPattern: wideNumber(at: consumed &+ index))
          target[done &+ index] = Number(truncatingIfNeeded: sum)
        }
      }
      value = sum
      consumed &+= part
      room &-= part
      done &+= part
    }
  }

  /// A number of 58 to 64 bits, which may lie in nine bytes.
  private func wideNumber(at index: Int) -> UInt64 {
    let bit = index &* width
    let source = UnsafeRawPointer(packed + bit &>> 3)
    let low = source.loadUnaligned(as: UInt64.self) &>> UInt64(bit & 7)
    let high = bit & 7 == 0 ? 0 : UInt64(packed[bit &>> 3 &+ 8]) &<< UInt64(64 &- bit & 7)
    let both = low | high
    return width == 64 ? both : both & ((1 &<< UInt64(width)) &- 1)
  }

  private mutating func varint() throws(Damage) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while shift < 70 {
      guard next < end else { throw Damage("an end in the middle of deltas") }
      let byte = next[0]
      next += 1
      value |= UInt64(byte & 0x7f) &<< (shift & 63)
      if byte < 0x80 { return value }
      shift += 7
    }
    throw Damage("a number of more than ten bytes")
  }

  private mutating func zigzag() throws(Damage) -> Int64 {
    let value = try varint()
    return Int64(bitPattern: value &>> 1) ^ -Int64(bitPattern: value & 1)
  }
}

// Owns reading the hybrid of repeated and bit-packed runs that levels, dictionary indices and booleans are written in.
// Knows nothing of what the numbers mean.

/// A cursor over runs (parquet-format, Encodings.md, "Run Length Encoding / Bit-Packing Hybrid").
///
/// The bytes must lie in a padded buffer that outlives it.
struct HybridRuns {
  /// Bits of a number, 0 to 32.
  let width: Int
  private var next: UnsafePointer<UInt8>
  private let end: UnsafePointer<UInt8>
  /// Numbers left in the current run.
  private var left = 0
  /// The number that the current run repeats, where it is no packed one.
  private var repeated: Int32 = 0
  /// The current packed run and how many of its numbers are consumed.
  private var packed: UnsafePointer<UInt8>?
  private var consumed = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>, width: Int) throws(Damage) {
    guard width >= 0, width <= 32 else { throw Damage("numbers of \(width) bits") }
    self.width = width
    next = bytes.baseAddress ?? UnsafePointer(bitPattern: 1)!
    end = next + bytes.count
  }

  /// Opens the next run.
  private mutating func advance() throws(Damage) {
    let header = try varint()
    if header & 1 == 1 {
      // Groups of eight. A writer may leave the last group incomplete.
      let bytes = end - next
      let groups = Int(header &>> 1)
      guard groups > 0, groups <= 1 << 28 else { throw Damage("a run of \(groups) groups") }
      packed = next
      consumed = 0
      if groups &* width <= bytes {
        left = groups &* 8
        next += groups &* width
      } else {
        left = bytes &* 8 / width
        next = end
        guard left > 0 else { throw Damage("a run that ends before its first number") }
      }
      return
    }
    left = Int(header &>> 1)
    guard left > 0 else { throw Damage("a run of no numbers") }
    let bytes = (width + 7) / 8
    guard bytes <= end - next else { throw Damage("a run that ends before its number") }
    var value: UInt32 = 0
    for index in 0..<bytes { value |= UInt32(next[index]) &<< UInt32(8 &* index) }
    next += bytes
    guard width == 32 || value < 1 &<< UInt32(width) else { throw Damage("a number of more than \(width) bits") }
    repeated = Int32(bitPattern: value)
    packed = nil
  }

  private mutating func varint() throws(Damage) -> UInt32 {
    var value: UInt32 = 0
    var shift: UInt32 = 0
    while shift < 35 {
      guard next < end else { throw Damage("an end in the middle of runs of numbers") }
      let byte = next[0]
      next += 1
      value |= UInt32(byte & 0x7f) &<< shift
      if byte < 0x80 { return value }
      shift += 7
    }
    throw Damage("a run header of more than five bytes")
  }

  /// The next `count` numbers.
  mutating func decode(_ count: Int, into target: UnsafeMutablePointer<Int32>) throws(Damage) {
    var done = 0
    while done < count {
      if left == 0 { try advance() }
      let part = min(left, count &- done)
      if let packed {
        BitUnpacking.unpack(packed, width: width, first: consumed, count: part, into: target + done)
        consumed &+= part
      } else {
        (target + done).update(repeating: repeated, count: part)
      }
      left &-= part
      done &+= part
    }
  }

  /// The numbers at `positions`, ascending and counted from `base`; the cursor moves on by `span` numbers.
  mutating func gather(
    _ positions: UnsafePointer<Int32>, count: Int, base: Int, span: Int, into target: UnsafeMutablePointer<Int32>
  ) throws(Damage) {
    var start = base
    let last = base &+ span
    var index = 0
    while start < last {
      if left == 0 { try advance() }
      let part = min(left, last &- start)
      let limit = start &+ part
      if let packed {
        let shift = consumed &- start
        while index < count, Int(positions[index]) < limit {
          let at = Int(positions[index]) &+ shift
          target[index] =
            width == 0 ? 0 : Int32(truncatingIfNeeded: BitUnpacking.number(packed, width: width, at: at))
          index &+= 1
        }
        consumed &+= part
      } else {
        while index < count, Int(positions[index]) < limit {
          target[index] = repeated
          index &+= 1
        }
      }
      left &-= part
      start = limit
    }
  }

  /// Passes over numbers.
  mutating func skip(_ count: Int) throws(Damage) {
    var rest = count
    while rest > 0 {
      if left == 0 { try advance() }
      let part = min(left, rest)
      consumed &+= part
      left &-= part
      rest &-= part
    }
  }

  /// Sets the bits from 0 on of those of the next `count` numbers that equal `wanted`, clears the others, and returns
  /// how many are set. Where all are, the bits may be left as they were. Damage where a number is larger.
  mutating func matches(
    _ count: Int, of wanted: Int32, into words: UnsafeMutablePointer<UInt64>
  ) throws(Damage) -> Int {
    if left == 0, count > 0 { try advance() }
    if packed == nil, repeated == wanted, left >= count {
      left &-= count
      return count
    }
    for word in 0..<(count &+ 63) / 64 { words[word] = 0 }
    var done = 0
    var found = 0
    while done < count {
      if left == 0 { try advance() }
      let part = min(left, count &- done)
      if let packed {
        found &+= try packedMatches(packed, part, of: wanted, into: words, from: done)
        consumed &+= part
      } else if repeated == wanted {
        BitRange.set(words, from: done, count: part)
        found &+= part
      } else if repeated > wanted {
        throw Self.tooLarge(Int(repeated), wanted)
      }
      left &-= part
      done &+= part
    }
    return found
  }

  private func packedMatches(
    _ packed: UnsafePointer<UInt8>, _ count: Int, of wanted: Int32, into words: UnsafeMutablePointer<UInt64>, from: Int
  ) throws(Damage) -> Int {
    var found = 0
    if width == 1, wanted == 1 {
      var index = 0
      while index < count {
        let part = min(count &- index, 56)
        let bit = consumed &+ index
        let word = UnsafeRawPointer(packed + bit &>> 3).loadUnaligned(as: UInt64.self)
        let bits = (word &>> UInt64(truncatingIfNeeded: bit & 7)) & ((1 &<< UInt64(truncatingIfNeeded: part)) &- 1)
        found &+= bits.nonzeroBitCount
        BitRange.merge(bits, count: part, into: words, at: from &+ index)
        index &+= part
      }
      return found
    }
    var largest: UInt64 = 0
    for index in 0..<count {
      let number = width == 0 ? 0 : BitUnpacking.number(packed, width: width, at: consumed &+ index)
      largest = max(largest, number)
      let bit: UInt64 = Int32(truncatingIfNeeded: number) == wanted ? 1 : 0
      words[(from &+ index) &>> 6] |= bit &<< UInt64((from &+ index) & 63)
      found &+= Int(bit)
    }
    if largest > UInt64(wanted) { throw Self.tooLarge(Int(largest), wanted) }
    return found
  }

  private static func tooLarge(_ number: Int, _ wanted: Int32) -> Damage {
    Damage("a level of \(number) where \(wanted) is the highest")
  }
}

/// Stretches of bits in words.
enum BitRange {
  /// Sets bits.
  static func set(_ words: UnsafeMutablePointer<UInt64>, from: Int, count: Int) {
    var position = from
    let end = from &+ count
    while position < end {
      let offset = position & 63
      let part = min(64 &- offset, end &- position)
      let ones = part == 64 ? ~0 : (1 &<< UInt64(part)) &- 1
      words[position &>> 6] |= ones &<< UInt64(offset)
      position &+= part
    }
  }

  /// Adds `count` bits, at most 64, where there are zeros.
  @inline(__always)
  static func merge(_ bits: UInt64, count: Int, into words: UnsafeMutablePointer<UInt64>, at position: Int) {
    let offset = position & 63
    words[position &>> 6] |= bits &<< UInt64(offset)
    if offset &+ count > 64 { words[position &>> 6 &+ 1] |= bits &>> UInt64(64 &- offset) }
  }
}

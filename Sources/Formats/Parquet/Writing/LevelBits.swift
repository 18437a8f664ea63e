// Owns the definition levels of one page: which rows are NULL. Columns are flat, so a level is one bit.
import Columnar

/// Collects a bit for each row, 1 for a value, as the hybrid encoding packs them. Costs nothing without NULLs.
struct LevelBits {
  private(set) var rows = 0
  private(set) var nulls = 0
  /// The bits, from the first NULL on.
  private var words: [UInt64] = []

  /// Adds `count` rows with values.
  mutating func appendPresent(_ count: Int) {
    if nulls > 0 { extend(count) { ~0 } }
    rows += count
  }

  /// Adds `count` NULLs.
  mutating func appendNulls(_ count: Int) {
    guard count > 0 else { return }
    materialise()
    extend(count) { 0 }
    rows += count
    nulls += count
  }

  /// Adds rows `start..<start + count` of `validity`; returns how many of them have values.
  mutating func append(_ validity: Bitmap, from start: Int, count: Int) -> Int {
    let source = UnsafePointer(validity.words)
    return withExtendedLifetime(validity) {
      var position = start
      var present = 0
      let end = start + count
      while position < end {
        let size = min(64, end &- position)
        present &+= (Self.window(source, at: position) & Self.mask(size)).nonzeroBitCount
        position &+= 64
      }
      guard present < count else {
        appendPresent(count)
        return count
      }
      materialise()
      position = start
      extend(count) {
        defer { position &+= 64 }
        return Self.window(source, at: position)
      }
      rows += count
      nulls += count - present
      return present
    }
  }

  /// Appends the levels as version 1 of data pages has them: a length of four bytes, then the runs.
  func encode(to bytes: PageBytes) {
    let start = bytes.count
    _ = bytes.room(4)
    bytes.advance(4)
    if nulls == 0 || nulls == rows {
      HybridEncoder.appendRun(of: nulls == 0 ? 1 : 0, count: rows, width: 1, to: bytes)
    } else {
      let groups = (rows + 7) / 8
      bytes.append(varint: UInt64(groups) << 1 | 1)
      words.withUnsafeBytes { if let start = $0.baseAddress { bytes.append(start, count: groups) } }
    }
    (bytes.base + start).storeBytes(of: UInt32(bytes.count - start - 4).littleEndian, as: UInt32.self)
  }

  mutating func removeAll() {
    rows = 0
    nulls = 0
    words.removeAll(keepingCapacity: true)
  }

  /// Ones for the rows before the first NULL.
  private mutating func materialise() {
    guard nulls == 0 else { return }
    words.removeAll(keepingCapacity: true)
    words.append(contentsOf: repeatElement(~0, count: rows / 64))
    if rows & 63 > 0 { words.append(Self.mask(rows & 63)) }
  }

  /// Adds `count` bits behind the `rows` bits that are there; `next` gives 64 of them at a time.
  @inline(__always)
  private mutating func extend(_ count: Int, _ next: () -> UInt64) {
    let shift = rows & 63
    var left = count
    while left > 0 {
      let size = min(64, left)
      let bits = next() & Self.mask(size)
      if shift == 0 {
        words.append(bits)
      } else {
        words[words.count - 1] |= bits &<< UInt64(shift)
        if shift + size > 64 { words.append(bits &>> UInt64(64 - shift)) }
      }
      left -= 64
    }
  }

  /// `size` ones, 1 to 64.
  @inline(__always)
  private static func mask(_ size: Int) -> UInt64 { ~0 &>> UInt64(64 &- size) }

  /// The 64 bits from `position` on. A bitmap's buffer is padded, so one word more may be read.
  @inline(__always)
  private static func window(_ words: UnsafePointer<UInt64>, at position: Int) -> UInt64 {
    let shift = UInt64(position & 63)
    let low = words[position &>> 6] &>> shift
    return shift == 0 ? low : low | words[position &>> 6 &+ 1] &<< (64 &- shift)
  }
}

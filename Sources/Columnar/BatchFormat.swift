// Owns the layout of a batch as bytes: the parts that encoder and decoder share. Described in docs/batch-format.md.

/// Numbers of the format.
enum BatchFormat {
  static let version: UInt32 = 1
  /// Version, rows, columns, and four bytes of zero.
  static let headerByteCount = 16
  /// Every part starts at a multiple of this.
  static let alignment = 8
  /// Far above any batch: bounds what a decoder allocates for values that take no bytes.
  static let maxRows = 1 << 24

  static func aligned(_ count: Int) -> Int { (count + alignment - 1) & ~(alignment - 1) }
}

/// What stands in front of each column, and of the dictionary within a column: 8 bytes.
struct BlockHeader {
  static let byteCount = 8

  var encoding: Encoding
  var layout: Layout
  /// Bytes of one stored integer, string length or index; 0 where all are equal to the base.
  var width: Int
  var hasValidity: Bool
  /// Values that follow: rows of a flat block, 1 of a constant, indices of a dictionary.
  var count: Int

  /// The header as one little-endian number.
  var word: UInt64 {
    UInt64(encoding.rawValue) | UInt64(layout.rawValue) << 8 | UInt64(width) << 16
      | (hasValidity ? 1 : 0) << 24 | UInt64(count) << 32
  }

  init(encoding: Encoding, layout: Layout, width: Int, hasValidity: Bool, count: Int) {
    self.encoding = encoding
    self.layout = layout
    self.width = width
    self.hasValidity = hasValidity
    self.count = count
  }

  /// Nil where `word` is no header.
  init?(word: UInt64) {
    guard let encoding = Encoding(rawValue: UInt8(truncatingIfNeeded: word)),
      let layout = Layout(rawValue: UInt8(truncatingIfNeeded: word >> 8)), (word >> 24) & 0xff <= 1
    else { return nil }
    self.encoding = encoding
    self.layout = layout
    width = Int(word >> 16 & 0xff)
    hasValidity = (word >> 24) & 0xff == 1
    count = Int(word >> 32)
  }
}

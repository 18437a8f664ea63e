// Owns turning bytes back into batches. Bytes may be anything: every length is checked before it is believed.

#if canImport(Glibc)
import Glibc
#endif

import Base

/// Batches as bytes, for the exchange and for the wire. `BatchEncoder` makes what is read here.
public enum BatchCodec {
  /// The batch in a page. Long strings stay where they are: the batch keeps `page` alive and must be its only user.
  ///
  /// Throws EXCHANGE_DATA_UNRECOVERABLE where the bytes are no batch with columns of `types`. Cost: one pass over the
  /// values; allocates the columns.
  public static func decode(_ page: Buffer, types: [DataType]) throws -> Batch {
    var reader = BatchReader(page)
    let (rows, columns) = try reader.header()
    guard columns == types.count else { throw malformed("it has \(columns) columns, not \(types.count)") }
    let vectors = try types.map { try reader.column($0, rows: rows) }
    guard reader.isAtEnd else { throw malformed("bytes follow its last column") }
    return Batch(columns: vectors, count: rows)
  }

  /// The batch in `bytes`, which are copied first.
  public static func decode(_ bytes: UnsafeRawBufferPointer, types: [DataType]) throws -> Batch {
    let page = Buffer(byteCount: bytes.count)
    if let start = bytes.baseAddress { memcpy(page.base, start, bytes.count) }
    return try decode(page, types: types)
  }

  /// The batch in `bytes`, which are copied first.
  public static func decode(_ bytes: [UInt8], types: [DataType]) throws -> Batch {
    try bytes.withUnsafeBytes { try decode($0, types: types) }
  }

  static func malformed(_ finding: String) -> WaterbearError {
    WaterbearError(
      .exchangeDataUnrecoverable, "A page is no well-formed batch: \(finding)",
      remedy: "The task that wrote it runs again.")
  }
}

/// Walks through a page front to back.
private struct BatchReader {
  private let page: Buffer
  private var position = 0

  init(_ page: Buffer) { self.page = page }

  var isAtEnd: Bool { position == page.byteCount }

  /// The next `count` bytes, followed by padding up to the next aligned place.
  private mutating func take(_ count: Int) throws -> UnsafeRawPointer {
    guard count <= page.byteCount - position else {
      throw BatchCodec.malformed("it is cut short at byte \(position)")
    }
    let start = UnsafeRawPointer(page.base + position)
    position = min(BatchFormat.aligned(position + count), page.byteCount)
    return start
  }

  private mutating func word() throws -> UInt64 {
    UInt64(littleEndian: try take(8).load(as: UInt64.self))
  }

  mutating func header() throws -> (rows: Int, columns: Int) {
    let first = try word()
    guard first & 0xffff_ffff == UInt64(BatchFormat.version) else {
      throw BatchCodec.malformed("its format version is \(first & 0xffff_ffff), not \(BatchFormat.version)")
    }
    let columns = try word()
    guard first >> 32 <= UInt64(BatchFormat.maxRows), columns <= UInt64(page.byteCount) else {
      throw BatchCodec.malformed("it has \(first >> 32) rows and \(columns) columns")
    }
    return (Int(first >> 32), Int(columns))
  }

  mutating func column(_ type: DataType, rows: Int) throws -> Vector {
    let header = try blockHeader(type)
    switch header.encoding {
    case .flat:
      guard header.count == rows else { throw BatchCodec.malformed("a column has \(header.count) rows, not \(rows)") }
      // All values are the base.
      if header.width == 0 && !header.hasValidity && rows > 1 && type.layout != .string {
        var one = header
        one.count = 1
        return Vector(constant: try flat(type, one), count: rows)
      }
      return try flat(type, header)
    case .constant:
      guard header.count == 1 else { throw BatchCodec.malformed("a constant has \(header.count) values") }
      return Vector(constant: try flat(type, header), count: rows)
    case .dictionary:
      guard header.count == rows else { throw BatchCodec.malformed("a column has \(header.count) rows, not \(rows)") }
      return try dictionary(type, header)
    }
  }

  private mutating func blockHeader(_ type: DataType) throws -> BlockHeader {
    guard let header = BlockHeader(word: try word()) else { throw BatchCodec.malformed("a column has no header") }
    guard header.layout == type.layout else {
      throw BatchCodec.malformed("a column of \(type) is laid out as \(header.layout)")
    }
    guard header.count <= BatchFormat.maxRows else {
      throw BatchCodec.malformed("a column has \(header.count) values")
    }
    return header
  }

  private mutating func dictionary(_ type: DataType, _ header: BlockHeader) throws -> Vector {
    guard [1, 2, 4].contains(header.width), !header.hasValidity else {
      throw BatchCodec.malformed("indices of \(header.width) bytes")
    }
    let source = try take(header.count * header.width)
    let indices = Buffer(count: header.count, of: Int32.self)
    let inner = try blockHeader(type)
    guard inner.encoding == .flat else { throw BatchCodec.malformed("a dictionary is not flat") }
    let entries = try flat(type, inner)
    let target = indices.pointer(to: Int32.self)
    widen(source, count: header.count, base: Int32(0), width: header.width, to: target)
    var highest: UInt32 = 0
    for row in 0..<header.count {
      let index = UInt32(bitPattern: target[row])
      highest = index > highest ? index : highest
    }
    guard header.count == 0 || Int(highest) < entries.count else {
      throw BatchCodec.malformed("index \(highest) in a dictionary of \(entries.count)")
    }
    return Vector(dictionary: entries, indices: indices, count: header.count)
  }

  private mutating func flat(_ type: DataType, _ header: BlockHeader) throws -> Vector {
    let validity = try validity(header)
    if type.layout == .string { return try strings(type, header, validity) }
    let values =
      switch type.layout {
      case .boolean: try booleans(header)
      case .int8: try integers(Int8.self, header)
      case .int16: try integers(Int16.self, header)
      case .int32: try integers(Int32.self, header)
      case .int64: try integers(Int64.self, header)
      case .int128: try integers(Int128.self, header)
      case .float32, .float64, .string: try plain(type.layout.stride, header)
      }
    return Vector(flat: type, count: header.count, values: values, validity: validity)
  }

  private mutating func validity(_ header: BlockHeader) throws -> Bitmap? {
    guard header.hasValidity else { return nil }
    let bytes = Bitmap.wordCount(header.count) * 8
    let source = try take(bytes)
    let buffer = Buffer(byteCount: bytes)
    memcpy(buffer.base, source, bytes)
    return Bitmap(buffer: buffer, count: header.count)
  }

  private mutating func plain(_ stride: Int, _ header: BlockHeader) throws -> Buffer {
    // A constant NULL has no width.
    guard header.width == stride || header.width == 0 && header.hasValidity && header.count == 1 else {
      throw BatchCodec.malformed("values of \(header.width) bytes, not \(stride)")
    }
    let source = try take(header.count * stride)
    let values = Buffer(byteCount: header.count * stride)
    memcpy(values.base, source, header.count * stride)
    return values
  }

  /// Bytes that are 0 or 1, whatever the page says.
  private mutating func booleans(_ header: BlockHeader) throws -> Buffer {
    let values = try integers(UInt8.self, header)
    let pointer = values.pointer(to: UInt8.self)
    for row in 0..<header.count { pointer[row] &= 1 }
    return withExtendedLifetime(values) { values }
  }

  private mutating func integers<Number: FixedWidthInteger & BitwiseCopyable>(
    _ type: Number.Type, _ header: BlockHeader
  ) throws -> Buffer {
    let stride = MemoryLayout<Number>.size
    if header.width == stride { return try plain(stride, header) }
    guard [0, 1, 2, 4, 8].contains(header.width), header.width < stride else {
      throw BatchCodec.malformed("integers of \(header.width) bytes for \(stride)")
    }
    var base = Number(truncatingIfNeeded: try word())
    if Number.bitWidth > 64 { base |= Number(truncatingIfNeeded: try word()) << 64 }
    let source = try take(header.count * header.width)
    let values = Buffer(count: header.count, of: type)
    widen(source, count: header.count, base: base, width: header.width, to: values.pointer(to: type))
    return withExtendedLifetime(values) { values }
  }

  private mutating func strings(_ type: DataType, _ header: BlockHeader, _ validity: Bitmap?) throws -> Vector {
    guard [0, 1, 2, 4].contains(header.width) else {
      throw BatchCodec.malformed("string lengths of \(header.width) bytes")
    }
    let count = header.count
    let base = try word()
    let total = try word()
    let source = try take(count * header.width)
    guard base <= total || count == 0, total <= UInt64(page.byteCount) else {
      throw BatchCodec.malformed("strings of \(total) bytes")
    }
    let lengths = Buffer(count: count, of: UInt32.self)
    widen(source, count: count, base: UInt32(truncatingIfNeeded: base), width: header.width,
      to: lengths.pointer(to: UInt32.self))
    let start = try take(Int(total))
    let values = Buffer(count: count, of: StringView.self)
    let longest = try withExtendedLifetime((lengths, values)) {
      let lengths = UnsafePointer(lengths.pointer(to: UInt32.self))
      var sum: UInt64 = 0
      var longest: UInt32 = 0
      for row in 0..<count {
        sum &+= UInt64(lengths[row])
        longest = lengths[row] > longest ? lengths[row] : longest
      }
      guard sum == total else { throw BatchCodec.malformed("strings of \(sum) bytes instead of \(total)") }
      makeViews(lengths, count: count, bytes: start, to: values.pointer(to: StringView.self))
      return Int(longest)
    }
    let heaps = longest > StringView.inlineCapacity ? [StringHeap(keepingAlive: page, byteCount: Int(total))] : []
    return Vector(flat: type, count: count, values: values, validity: validity, heaps: heaps)
  }

  /// Views of strings that lie one behind the other. Reads up to 12 bytes behind the last one: a buffer is padded.
  @inline(__always)
  private func makeViews(
    _ lengths: UnsafePointer<UInt32>, count: Int, bytes: UnsafeRawPointer,
    to views: UnsafeMutablePointer<StringView>
  ) {
    var cursor = bytes
    for row in 0..<count {
      let length = UInt64(lengths[row])
      let prefix = UInt64(cursor.loadUnaligned(as: UInt32.self))
      if length <= 12 {
        let rest = cursor.loadUnaligned(fromByteOffset: 4, as: UInt64.self)
        let prefixBits = min(length, 4) &* 8
        let restBits = (length &- min(length, 4)) &* 8
        views[row] = StringView(
          head: length | (prefix & ~(~0 << prefixBits)) &<< 32, tail: rest & ~(~0 << restBits))
      } else {
        views[row] = StringView(head: length | prefix &<< 32, tail: UInt64(UInt(bitPattern: cursor)))
      }
      cursor += Int(length)
    }
  }
}

// Owns decoding BYTE_STREAM_SPLIT: all first bytes of a page's values, then all second bytes, and so on.

import Columnar

/// Puts values together again from their bytes' streams (parquet-format, Encodings.md). Byte arrays of a fixed length
/// get memory of their own.
final class ByteStreamSplitDecoder: ValueDecoder {
  private let bytes: UnsafeBufferPointer<UInt8>
  /// Bytes of a stored value, which is the number of streams.
  private let width: Int
  /// Values in the page.
  private let count: Int
  private var position = 0
  private let texts: StringHeap?

  override var heap: StringHeap? { texts }

  init(_ bytes: UnsafeBufferPointer<UInt8>, width: Int, isBytes: Bool) throws(Damage) {
    guard bytes.count % width == 0 else { throw Damage("\(bytes.count) bytes that are no values of \(width) bytes") }
    self.bytes = bytes
    self.width = width
    count = bytes.count / width
    texts = isBytes ? StringHeap() : nil
    super.init(stride: isBytes ? 16 : width)
  }

  override func decode(_ wanted: Int, into target: UnsafeMutableRawPointer) throws(Damage) {
    let first = position
    try skip(wanted)
    guard let texts else {
      collect(first, wanted, into: target.assumingMemoryBound(to: UInt8.self))
      return
    }
    let copies = texts.allocate(wanted * width)
    collect(first, wanted, into: copies)
    let views = target.assumingMemoryBound(to: StringView.self)
    for index in 0..<wanted { views[index] = StringView(copies + index &* width, count: width) }
  }

  override func skip(_ wanted: Int) throws(Damage) {
    guard wanted <= count - position else { throw Damage("a page with fewer values than it counts") }
    position += wanted
  }

  private func collect(_ first: Int, _ wanted: Int, into target: UnsafeMutablePointer<UInt8>) {
    let start = bytes.baseAddress! + first
    switch width {
    case 4: collect4(start, wanted, target)
    case 8: collect8(start, wanted, target)
    default:
      for stream in 0..<width {
        let source = start + stream &* count
        for index in 0..<wanted { target[index &* width &+ stream] = source[index] }
      }
    }
  }

  private func collect4(_ start: UnsafePointer<UInt8>, _ wanted: Int, _ target: UnsafeMutablePointer<UInt8>) {
    let raw = UnsafeMutableRawPointer(target)
    let (b, c, d) = (start + count, start + 2 * count, start + 3 * count)
    for index in 0..<wanted {
      let low = UInt32(start[index]) | UInt32(b[index]) &<< 8
      let high = UInt32(c[index]) | UInt32(d[index]) &<< 8
      raw.storeBytes(of: low | high &<< 16, toByteOffset: index &* 4, as: UInt32.self)
    }
  }

  private func collect8(_ start: UnsafePointer<UInt8>, _ wanted: Int, _ target: UnsafeMutablePointer<UInt8>) {
    let raw = UnsafeMutableRawPointer(target)
    for index in 0..<wanted {
      var value: UInt64 = 0
      var source = start + index
      for stream in 0..<8 {
        value |= UInt64(source.pointee) &<< UInt64(8 &* stream)
        source += count
      }
      raw.storeBytes(of: value, toByteOffset: index &* 8, as: UInt64.self)
    }
  }
}

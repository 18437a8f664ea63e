// Owns what all decoders of a page's values can do.

import Columnar

/// Decodes the values of one page in order, in their stored form: `Int32`, `Int64`, `Float`, `Double`, 12 bytes of an
/// INT96, a byte per boolean, or a `StringView` per byte array. Called some thousand values at a time.
///
/// The page's bytes lie in a padded buffer that outlives it.
class ValueDecoder {
  /// Bytes of a decoded value.
  let stride: Int
  /// What keeps alive the bytes behind the views that it hands out, where that is not the page.
  var heap: StringHeap? { nil }

  init(stride: Int) { self.stride = stride }

  /// Decodes the next `count` values.
  func decode(_ count: Int, into target: UnsafeMutableRawPointer) throws(Damage) {
    preconditionFailure("each decoder decodes")
  }

  /// Passes over values. Here by decoding them.
  func skip(_ count: Int) throws(Damage) {
    var rest = count
    let block = min(count, 1024)
    let scratch = UnsafeMutableRawPointer.allocate(byteCount: block * stride, alignment: 16)
    defer { scratch.deallocate() }
    while rest > 0 {
      let part = min(rest, block)
      try decode(part, into: scratch)
      rest -= part
    }
  }

  /// Decodes the values at `positions`, ascending and counted from `base`, and passes over the others of the next
  /// `span` values. Here by decoding all.
  func gather(
    _ positions: UnsafePointer<Int32>, count: Int, base: Int, span: Int, into target: UnsafeMutableRawPointer
  ) throws(Damage) {
    let scratch = UnsafeMutableRawPointer.allocate(byteCount: span * stride, alignment: 16)
    defer { scratch.deallocate() }
    try decode(span, into: scratch)
    StridedCopy.gather(scratch, stride: stride, positions, count: count, base: base, into: target)
  }
}

/// Copying values of a stride that is known at run time.
enum StridedCopy {
  /// `target[i] = source[positions[i] - base]`.
  static func gather(
    _ source: UnsafeRawPointer, stride: Int, _ positions: UnsafePointer<Int32>, count: Int, base: Int,
    into target: UnsafeMutableRawPointer
  ) {
    switch stride {
    case 1: gather(UInt8.self, source, positions, count, base, target)
    case 2: gather(UInt16.self, source, positions, count, base, target)
    case 4: gather(UInt32.self, source, positions, count, base, target)
    case 8: gather(UInt64.self, source, positions, count, base, target)
    case 16: gather(SIMD2<UInt64>.self, source, positions, count, base, target)
    default:
      for index in 0..<count {
        (target + index * stride).copyMemory(
          from: source + (Int(positions[index]) - base) * stride, byteCount: stride)
      }
    }
  }

  @inline(__always)
  private static func gather<Element: BitwiseCopyable>(
    _ type: Element.Type, _ source: UnsafeRawPointer, _ positions: UnsafePointer<Int32>, _ count: Int, _ base: Int,
    _ target: UnsafeMutableRawPointer
  ) {
    let size = MemoryLayout<Element>.size
    for index in 0..<count {
      let value = source.loadUnaligned(fromByteOffset: (Int(positions[index]) &- base) &* size, as: type)
      target.storeBytes(of: value, toByteOffset: index &* size, as: type)
    }
  }

  /// Moves the first values apart, from the last to the first, so that each set bit of the `count` has its own.
  /// Under clear bits, copies of neighbours lie; at least one bit is set.
  static func spread(
    _ values: UnsafeMutableRawPointer, stride: Int, bits: UnsafePointer<UInt64>, count: Int, present: Int
  ) {
    switch stride {
    case 1: spread(UInt8.self, values, bits, count, present)
    case 2: spread(UInt16.self, values, bits, count, present)
    case 4: spread(UInt32.self, values, bits, count, present)
    case 8: spread(UInt64.self, values, bits, count, present)
    default: spread(SIMD2<UInt64>.self, values, bits, count, present)
    }
  }

  @inline(__always)
  private static func spread<Element: BitwiseCopyable>(
    _ type: Element.Type, _ values: UnsafeMutableRawPointer, _ bits: UnsafePointer<UInt64>, _ count: Int,
    _ present: Int
  ) {
    let target = values.assumingMemoryBound(to: type)
    var source = present &- 1
    var row = count &- 1
    while row >= 0, source < row {
      target[row] = target[max(source, 0)]
      source &-= Int((bits[row &>> 6] &>> UInt64(row & 63)) & 1)
      row &-= 1
    }
  }
}

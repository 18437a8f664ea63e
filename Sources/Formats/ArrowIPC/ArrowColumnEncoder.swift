// Owns turning vectors into Arrow's buffers. Knows nothing of messages and metadata.
import Columnar
import Glibc

/// A stretch of memory that goes into the body of a record batch.
struct BodyPart {
  let buffer: Buffer
  let byteCount: Int

  static let empty = BodyPart(buffer: Buffer(byteCount: 0), byteCount: 0)
}

/// Vectors as Arrow lays them out: always flat, booleans as bits, text behind offsets.
enum ArrowColumnEncoder {
  /// NULLs of a column and its buffers. `vector` has at most `Int32.max` bytes of text (see `textByteCount`).
  /// Cost: none for numbers that Arrow has in the same form, else a pass.
  static func parts(of vector: Vector) -> (nulls: Int, parts: [BodyPart]) {
    if vector.type == .unknown { return (vector.count, []) }
    let flat = vector.flattened()
    let (nulls, validity) = validity(of: flat)
    return (nulls, [validity] + values(of: flat))
  }

  /// Bytes of text that a column takes once it is flat and padded. Zero for types other than text.
  static func textByteCount(of vector: Vector) -> Int {
    guard vector.type.layout == .string, vector.count > 0 else { return 0 }
    if vector.encoding == .constant { return textByteCount(ofFlat: vector.single) * vector.count }
    return textByteCount(ofFlat: vector.flattened())
  }

  private static func textByteCount(ofFlat vector: Vector) -> Int {
    if case .char(let length) = vector.type {
      // No code point has more than 4 bytes.
      return vector.count * length * 4
    }
    return withExtendedLifetime(vector) {
      let views = UnsafePointer(vector.values.pointer(to: StringView.self))
      let presence = Presence(vector)
      var total = 0
      for row in 0..<vector.count where presence[row] { total &+= views[row].count }
      return total
    }
  }

  private static func validity(of flat: Vector) -> (Int, BodyPart) {
    guard let bits = flat.validity else { return (0, .empty) }
    let nulls = flat.count - bits.setCount
    guard nulls > 0 else { return (0, .empty) }
    let byteCount = (flat.count + 7) >> 3
    guard flat.count & 7 != 0 else { return (nulls, BodyPart(buffer: bits.buffer, byteCount: byteCount)) }
    // Bits behind the last row may be anything; equal rows should be equal bytes.
    let copy = Buffer(byteCount: byteCount)
    memcpy(copy.base, bits.buffer.base, byteCount)
    let present = (UInt8(1) << UInt8(flat.count & 7)) - 1
    copy.pointer(to: UInt8.self)[byteCount - 1] &= present
    return (nulls, BodyPart(buffer: copy, byteCount: byteCount))
  }

  private static func values(of flat: Vector) -> [BodyPart] {
    switch flat.type {
    case .boolean: [bits(of: flat)]
    case .decimal(let precision, _) where precision <= 18: [widened(flat)]
    case .timestamp(let precision) where precision <= 3:
      [divided(flat, by: TimestampUnit(precision: precision).microseconds)]
    case .varchar, .varbinary: text(of: flat)
    case .char(let length): paddedText(of: flat, length: length)
    default: [BodyPart(buffer: flat.values, byteCount: flat.count * flat.type.layout.stride)]
    }
  }

  /// Bytes of 0 or 1 as bits, the first in the lowest place.
  private static func bits(of flat: Vector) -> BodyPart {
    let result = Buffer(byteCount: (flat.count + 7) >> 3)
    withExtendedLifetime((flat, result)) {
      // A buffer is padded to whole lanes, so the last load stays within it.
      let source = UnsafeRawPointer(flat.values.base)
      let target = result.pointer(to: UInt8.self)
      for byte in 0..<result.byteCount {
        let eight = source.loadUnaligned(fromByteOffset: byte &* 8, as: UInt64.self) & 0x0101_0101_0101_0101
        // The product gathers bit 0 of each byte in the highest byte.
        target[byte] = UInt8(truncatingIfNeeded: (eight &* 0x0102_0408_1020_4080) &>> 56)
      }
      let rest = flat.count & 7
      if rest > 0 { target[result.byteCount - 1] &= (1 << UInt8(rest)) - 1 }
    }
    return BodyPart(buffer: result, byteCount: result.byteCount)
  }

  /// 64-bit decimals as 128-bit ones.
  private static func widened(_ flat: Vector) -> BodyPart {
    let result = Buffer(count: flat.count, of: SIMD2<Int64>.self)
    withExtendedLifetime((flat, result)) {
      let source = UnsafePointer(flat.values.pointer(to: Int64.self))
      let target = result.pointer(to: SIMD2<Int64>.self)
      for row in 0..<flat.count {
        let value = source[row]
        target[row] = SIMD2(value, value &>> 63)
      }
    }
    return BodyPart(buffer: result, byteCount: result.byteCount)
  }

  /// Microseconds as a coarser unit, rounded down.
  private static func divided(_ flat: Vector, by divisor: Int64) -> BodyPart {
    let result = Buffer(count: flat.count, of: Int64.self)
    withExtendedLifetime((flat, result)) {
      let source = UnsafePointer(flat.values.pointer(to: Int64.self))
      let target = result.pointer(to: Int64.self)
      for row in 0..<flat.count {
        let quotient = source[row] / divisor
        target[row] = quotient &- (quotient &* divisor > source[row] ? 1 : 0)
      }
    }
    return BodyPart(buffer: result, byteCount: result.byteCount)
  }

  /// Offsets (Int32) and bytes. NULLs take no bytes.
  private static func text(of flat: Vector) -> [BodyPart] {
    let offsets = Buffer(count: flat.count + 1, of: Int32.self)
    // Short strings are written as the whole 12 bytes of their view; the next one overwrites what is too much.
    let bytes = Buffer(byteCount: textByteCount(ofFlat: flat) + StringView.inlineCapacity)
    let end = withExtendedLifetime((flat, offsets, bytes)) {
      let views = UnsafePointer(flat.values.pointer(to: StringView.self))
      let presence = Presence(flat)
      let places = offsets.pointer(to: Int32.self)
      var end = 0
      places[0] = 0
      for row in 0..<flat.count {
        if presence[row] {
          let view = views[row]
          let target = bytes.base + end
          if view.isInline {
            target.storeBytes(of: UInt32(truncatingIfNeeded: view.head &>> 32), as: UInt32.self)
            (target + 4).storeBytes(of: view.tail, as: UInt64.self)
          } else {
            memcpy(target, view.farPointer, view.count)
          }
          end &+= view.count
        }
        places[row &+ 1] = Int32(truncatingIfNeeded: end)
      }
      return end
    }
    return [
      BodyPart(buffer: offsets, byteCount: offsets.byteCount), BodyPart(buffer: bytes, byteCount: end),
    ]
  }

  /// As `text`, with blanks up to `length` code points.
  private static func paddedText(of flat: Vector, length: Int) -> [BodyPart] {
    let offsets = Buffer(count: flat.count + 1, of: Int32.self)
    let bytes = Buffer(byteCount: flat.count * length * 4)
    let end = withExtendedLifetime((flat, offsets, bytes)) {
      let views = UnsafePointer(flat.values.pointer(to: StringView.self))
      let presence = Presence(flat)
      let places = offsets.pointer(to: Int32.self)
      let start = bytes.pointer(to: UInt8.self)
      var end = 0
      places[0] = 0
      for row in 0..<flat.count {
        if presence[row] {
          let count = views[row].count
          views[row].copyBytes(to: start + end)
          var codePoints = 0
          for byte in end..<end &+ count { codePoints &+= start[byte] & 0xc0 != 0x80 ? 1 : 0 }
          let blanks = max(0, length &- codePoints)
          memset(start + end + count, 0x20, blanks)
          end &+= count &+ blanks
        }
        places[row &+ 1] = Int32(truncatingIfNeeded: end)
      }
      return end
    }
    return [
      BodyPart(buffer: offsets, byteCount: offsets.byteCount), BodyPart(buffer: bytes, byteCount: end),
    ]
  }
}

/// Which rows of a flat vector are no NULLs: for loops, without references to count. Valid while the vector lives.
private struct Presence {
  private let words: UnsafePointer<UInt64>?

  init(_ flat: Vector) { words = flat.validity.map { UnsafePointer($0.words) } }

  @inline(__always)
  subscript(row: Int) -> Bool {
    guard let words else { return true }
    return (words[row &>> 6] &>> UInt64(row & 63)) & 1 != 0
  }
}

// Owns the turning of values into 64-bit numbers that sort as the values do. One pass per column and piece of it.

import Columnar
import Planning

/// A row with a piece of its sort key.
struct SortEntry: BitwiseCopyable {
  var key: UInt64
  var row: Int32
}

/// Computes the keys of one ordering. A value has one piece of 64 bits, or several: the first decides, ties go to the
/// next. Text has a piece for each eight bytes and a last one for its length.
struct SortKey {
  let column: Vector
  private let flip: UInt64
  private let unordered: UInt64
  private let isPadded: Bool
  let nullsFirst: Bool

  /// `column` is flat.
  init(_ column: Vector, _ ordering: Ordering) {
    precondition(column.encoding == .flat, "keys of an encoded vector")
    self.column = column
    nullsFirst = ordering.nullsFirst
    flip = ordering.ascending ? 0 : .max
    // NaN lies between the other values and NULL in either direction, as in Trino.
    unordered = ordering.nullsFirst ? 0 : .max
    if case .char = column.type { isPadded = true } else { isPadded = false }
  }

  /// Sets the keys of entries whose rows are not NULL to piece `piece`. Returns whether equal keys mean equal values.
  func fill(_ entries: UnsafeMutablePointer<SortEntry>, count: Int, piece: Int) -> Bool {
    switch column.type.layout {
    case .boolean: fillIntegers(UInt8.self, entries, count)
    case .int8: fillIntegers(Int8.self, entries, count)
    case .int16: fillIntegers(Int16.self, entries, count)
    case .int32: fillIntegers(Int32.self, entries, count)
    case .int64: fillIntegers(Int64.self, entries, count)
    case .int128: fillWide(entries, count, isUpper: piece == 0)
    case .float32: fillFloats(Float.self, entries, count)
    case .float64: fillFloats(Double.self, entries, count)
    case .string: return fillText(entries, count, piece)
    }
    return column.type.layout != .int128 || piece == 1
  }

  private func fillIntegers<Element: FixedWidthInteger & BitwiseCopyable>(
    _: Element.Type, _ entries: UnsafeMutablePointer<SortEntry>, _ count: Int
  ) {
    let values = UnsafePointer(column.values.pointer(to: Element.self))
    for index in 0..<count {
      let wide = Int64(truncatingIfNeeded: values[Int(entries[index].row)])
      entries[index].key = (UInt64(bitPattern: wide) ^ 1 &<< 63) ^ flip
    }
  }

  private func fillWide(_ entries: UnsafeMutablePointer<SortEntry>, _ count: Int, isUpper: Bool) {
    let values = UnsafePointer(column.values.pointer(to: Int128.self))
    for index in 0..<count {
      let value = values[Int(entries[index].row)]
      let part = isUpper
        ? UInt64(truncatingIfNeeded: value &>> 64) ^ 1 &<< 63 : UInt64(truncatingIfNeeded: value)
      entries[index].key = part ^ flip
    }
  }

  private func fillFloats<Element: BinaryFloatingPoint & BitwiseCopyable>(
    _: Element.Type, _ entries: UnsafeMutablePointer<SortEntry>, _ count: Int
  ) {
    let values = UnsafePointer(column.values.pointer(to: Element.self))
    for index in 0..<count {
      // Adding zero turns -0.0, which equals 0.0, into 0.0.
      let value = Double(values[Int(entries[index].row)]) + 0.0
      let bits = Int64(bitPattern: value.bitPattern)
      let ordered = UInt64(bitPattern: bits) ^ (UInt64(bitPattern: bits &>> 63) | 1 &<< 63)
      entries[index].key = value == value ? ordered ^ flip : unordered
    }
  }

  private func fillText(_ entries: UnsafeMutablePointer<SortEntry>, _ count: Int, _ piece: Int) -> Bool {
    let views = UnsafePointer(column.values.pointer(to: StringView.self))
    let start = piece * 8
    let padding: UInt64 = isPadded ? 0x2020_2020_2020_2020 : 0
    var longest = 0
    for index in 0..<count { longest = max(longest, views[Int(entries[index].row)].count) }
    if start >= longest {
      for index in 0..<count {
        let length = UInt64(truncatingIfNeeded: views[Int(entries[index].row)].count)
        entries[index].key = (isPadded ? padding : length) ^ flip
      }
      return true
    }
    for index in 0..<count {
      let part = views[Int(entries[index].row)].withBytes { bytes in
        eightBytes(bytes, from: start, padding: padding)
      }
      entries[index].key = part ^ flip
    }
    return false
  }
}

/// Eight bytes from `start` on, the first one in the highest place, padded where the text ends.
@inline(__always)
private func eightBytes(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int, padding: UInt64) -> UInt64 {
  let rest = bytes.count &- start
  if rest >= 8 {
    // A buffer with bytes has a base address.
    return UInt64(bigEndian: UnsafeRawPointer(bytes.baseAddress.unsafelyUnwrapped)
      .loadUnaligned(fromByteOffset: start, as: UInt64.self))
  }
  guard rest > 0 else { return padding }
  var part: UInt64 = 0
  for offset in 0..<rest { part = part &<< 8 | UInt64(bytes[start &+ offset]) }
  let missing = UInt64(truncatingIfNeeded: (8 &- rest) &* 8)
  return part &<< missing | padding &>> (64 &- missing)
}

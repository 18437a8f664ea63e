// Owns three-valued logic over whole columns: two bytes per row, combined without branches.

import Columnar

/// A boolean column as two byte columns: is the row true, and is it not false. Without NULLs both are the same buffer.
///
/// AND is a byte-wise AND of both parts, OR a byte-wise OR of both, NOT swaps and inverts them.
struct Truth {
  let isTrue: Buffer
  let isNotFalse: Buffer
  let count: Int

  init(isTrue: Buffer, isNotFalse: Buffer, count: Int) {
    self.isTrue = isTrue
    self.isNotFalse = isNotFalse
    self.count = count
  }

  /// Whether NULLs are ruled out.
  var isTwoValued: Bool { isTrue === isNotFalse }

  /// Every row with the one value `value`.
  init(repeating value: Bool, count: Int) {
    let bytes = Buffer(byteCount: count)
    bytes.pointer(to: UInt8.self).update(repeating: value ? 1 : 0, count: count)
    self.init(isTrue: bytes, isNotFalse: bytes, count: count)
  }

  /// Takes apart a boolean vector. Cost: none for a flat one without NULLs.
  init(_ vector: Vector) {
    let flat = vector.flattened()
    count = vector.count
    guard let validity = flat.validity else {
      isTrue = flat.values
      isNotFalse = flat.values
      return
    }
    isTrue = Buffer(byteCount: count)
    isNotFalse = Buffer(byteCount: count)
    let present = validity.expandedBytes()
    let values = flat.values.pointer(to: UInt8.self)
    let valid = present.pointer(to: UInt8.self)
    let yes = isTrue.pointer(to: UInt8.self)
    let maybe = isNotFalse.pointer(to: UInt8.self)
    for row in 0..<count {
      yes[row] = values[row] & valid[row]
      maybe[row] = values[row] | (valid[row] ^ 1)
    }
    withExtendedLifetime((present, flat)) {}
  }

  /// As a boolean vector: NULL where the row is neither true nor false.
  func vector() -> Vector {
    if isTwoValued { return Vector(flat: .boolean, count: count, values: isTrue) }
    let known = Buffer(byteCount: count)
    let bytes = known.pointer(to: UInt8.self)
    let yes = isTrue.pointer(to: UInt8.self)
    let maybe = isNotFalse.pointer(to: UInt8.self)
    var unknown: UInt8 = 0
    for row in 0..<count {
      bytes[row] = yes[row] ^ maybe[row] ^ 1
      unknown |= bytes[row] ^ 1
    }
    let validity = unknown == 0 ? nil : Bitmap(bytes: known, count: count)
    return Vector(flat: .boolean, count: count, values: isTrue, validity: validity)
  }

  func and(_ other: Truth) -> Truth { combine(other) { $0 & $1 } }

  func or(_ other: Truth) -> Truth { combine(other) { $0 | $1 } }

  func not() -> Truth {
    let inverted = Self.invert(isNotFalse, count: count)
    return Truth(
      isTrue: inverted, isNotFalse: isTwoValued ? inverted : Self.invert(isTrue, count: count), count: count)
  }

  /// The rows whose byte in `flags` is `wanted` (0 or 1), which must be the only values there.
  static func positions(in flags: Buffer, equal wanted: UInt8, count: Int) -> Selection {
    let indices = Buffer(count: count, of: Int32.self)
    let target = indices.pointer(to: Int32.self)
    let bytes = UnsafePointer(flags.pointer(to: UInt8.self))
    let flip = wanted ^ 1
    var found = 0
    for row in 0..<count {
      target[found] = Int32(truncatingIfNeeded: row)
      found &+= Int(bytes[row] ^ flip)
    }
    return found == count ? .all(count) : Selection(indices: indices, count: found)
  }

  /// How many of the bytes, each 0 or 1, are 1.
  static func countOnes(_ flags: Buffer, count: Int) -> Int {
    let bytes = UnsafePointer(flags.pointer(to: UInt8.self))
    var total = 0
    for row in 0..<count { total &+= Int(bytes[row]) }
    return total
  }

  // The closures are literals at the two call sites and inlined; the loop runs over eight rows at a time.
  @inline(__always)
  private func combine(_ other: Truth, _ operation: (UInt64, UInt64) -> UInt64) -> Truth {
    precondition(count == other.count, "truth of \(count) and of \(other.count) rows")
    let yes = Self.combine(isTrue, other.isTrue, count: count, operation)
    if isTwoValued && other.isTwoValued { return Truth(isTrue: yes, isNotFalse: yes, count: count) }
    let maybe = Self.combine(isNotFalse, other.isNotFalse, count: count, operation)
    return Truth(isTrue: yes, isNotFalse: maybe, count: count)
  }

  @inline(__always)
  private static func combine(
    _ left: Buffer, _ right: Buffer, count: Int, _ operation: (UInt64, UInt64) -> UInt64
  ) -> Buffer {
    let result = Buffer(byteCount: count)
    let a = UnsafePointer(left.pointer(to: UInt64.self))
    let b = UnsafePointer(right.pointer(to: UInt64.self))
    let target = result.pointer(to: UInt64.self)
    // Buffers are padded, so the last word may be read and written whole.
    for word in 0..<((count &+ 7) &>> 3) { target[word] = operation(a[word], b[word]) }
    return result
  }

  private static func invert(_ flags: Buffer, count: Int) -> Buffer {
    let result = Buffer(byteCount: count)
    let bytes = UnsafePointer(flags.pointer(to: UInt8.self))
    let target = result.pointer(to: UInt8.self)
    for row in 0..<count { target[row] = bytes[row] ^ 1 }
    return result
  }
}

extension Bitmap {
  /// One byte, 0 or 1, per bit. Cost: one allocation, one pass.
  func expandedBytes() -> Buffer {
    let result = Buffer(byteCount: (count + 63) & ~63)
    let target = result.pointer(to: UInt64.self)
    let bits = UnsafePointer(buffer.pointer(to: UInt8.self))
    for group in 0..<((count &+ 7) &>> 3) {
      // Spreads eight bits over eight bytes: each copy of the byte keeps its own bit, which then moves to bit 0.
      let copies = UInt64(bits[group]) &* 0x0101_0101_0101_0101
      let kept = copies & 0x8040_2010_0804_0201
      target[group] = ((kept &+ 0x7f7f_7f7f_7f7f_7f7f) | kept) &>> 7 & 0x0101_0101_0101_0101
    }
    return result
  }

  /// The bitmap of `count` bytes that are 0 or 1. Cost: one allocation, one pass.
  init(bytes: Buffer, count: Int) {
    let result = Buffer(zeroed: Bitmap.wordCount(count) * 8)
    let target = result.pointer(to: UInt8.self)
    let words = UnsafePointer(bytes.pointer(to: UInt64.self))
    for group in 0..<((count &+ 7) &>> 3) {
      // The multiplication gathers the lowest bit of each byte in the topmost byte.
      let packed = (words[group] & 0x0101_0101_0101_0101) &* 0x0102_0408_1020_4080
      target[group] = UInt8(truncatingIfNeeded: packed &>> 56)
    }
    self.init(buffer: result, count: count)
  }
}

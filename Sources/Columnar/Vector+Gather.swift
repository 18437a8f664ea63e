// Owns taking rows out of vectors by position, and undoing encodings. One pass per call, never a call per row.

extension Vector {
  /// A flat vector of one row with the value of a constant vector.
  public var single: Vector {
    precondition(encoding == .constant, "only a constant has a single value")
    return Vector(flat: type, count: 1, values: values, validity: validity, heaps: heaps)
  }

  /// The rows at `indices`, each from 0 to below the vector's count. Encodings are kept: a dictionary is shared, a
  /// constant stays one. Cost: one allocation and one pass.
  public func gather(_ indices: UnsafePointer<Int32>, count: Int) -> Vector {
    switch encoding {
    case .constant:
      return Vector(constant: single, count: count)
    case .dictionary:
      // A dictionary vector has both parts by construction.
      let gathered = gatherValues(UInt32.self, from: self.indices!, at: indices, count: count)
      return Vector(dictionary: dictionary!, indices: gathered, count: count)
    case .flat:
      return Vector(
        flat: type, count: count,
        values: gatherBytes(stride: type.layout.stride, from: values, at: indices, count: count),
        validity: validity?.gather(indices, count: count), heaps: heaps)
    }
  }

  /// As `gather`, with -1 giving NULL. Without any -1 this is `gather`; otherwise dictionaries are flattened.
  public func gatherNullable(_ indices: UnsafePointer<Int32>, count: Int) -> Vector {
    var signs: Int32 = 0
    for row in 0..<count { signs |= indices[row] }
    if signs >= 0 { return gather(indices, count: count) }
    let safe = Buffer(count: count, of: Int32.self)
    let positions = safe.pointer(to: Int32.self)
    if encoding == .constant {
      for row in 0..<count { positions[row] = indices[row] < 0 ? 1 : 0 }
      return Vector(dictionary: singleAndNull(), indices: safe, count: count)
    }
    guard self.count > 0 else { return Vector.repeating(.null, type: type, count: count) }
    let present = Bitmap(repeating: false, count: count)
    let words = present.words
    for row in 0..<count {
      let index = indices[row]
      positions[row] = max(index, 0)
      words[row &>> 6] |= (index < 0 ? 0 : 1) &<< UInt64(row & 63)
    }
    let rows = gather(UnsafePointer(positions), count: count).flattened()
    withExtendedLifetime(safe) {}
    return Vector(
      flat: type, count: count, values: rows.values, validity: rows.validity.map { $0.and(present) } ?? present,
      heaps: heaps)
  }

  /// The same rows without a dictionary or a constant. Cost: none for a flat vector, else one pass.
  public func flattened() -> Vector {
    switch encoding {
    case .flat: return self
    case .dictionary:
      // A dictionary vector has both parts by construction.
      return dictionary!.gather(UnsafePointer(indices!.pointer(to: Int32.self)), count: count)
    case .constant:
      let bits = validity.map { Bitmap(repeating: $0[0], count: count) }
      return Vector(
        flat: type, count: count, values: repeatBytes(stride: type.layout.stride, of: values, count: count),
        validity: bits, heaps: heaps)
    }
  }

  /// A dictionary of this constant's value and NULL.
  private func singleAndNull() -> Vector {
    let both = Buffer(zeroed: 2 * type.layout.stride)
    both.base.copyMemory(from: values.base, byteCount: type.layout.stride)
    let bits = Bitmap(repeating: false, count: 2)
    if !isNull(0) { bits.set(0) }
    return Vector(flat: type, count: 2, values: both, validity: bits, heaps: heaps)
  }
}

extension Bitmap {
  /// The bits at `indices`; nil where all of them are set. Cost: one allocation and one pass.
  public func gather(_ indices: UnsafePointer<Int32>, count: Int) -> Bitmap? {
    let result = Bitmap(buffer: Buffer(byteCount: Bitmap.wordCount(count) * 8), count: count)
    let source = words
    let target = result.words
    var present = ~UInt64(0)
    var row = 0
    for word in 0..<Bitmap.wordCount(count) {
      let end = min(row &+ 64, count)
      var bits = row &+ 64 <= count ? UInt64(0) : ~UInt64(0) &<< UInt64(count & 63)
      let start = row
      while row < end {
        let index = Int(indices[row])
        bits |= ((source[index &>> 6] &>> UInt64(index & 63)) & 1) &<< UInt64(row &- start)
        row &+= 1
      }
      present &= bits
      target[word] = bits
    }
    return present == ~0 ? nil : result
  }
}

/// The values of `stride` bytes at `indices`. Cost: one allocation and one pass.
func gatherBytes(stride: Int, from source: Buffer, at indices: UnsafePointer<Int32>, count: Int) -> Buffer {
  switch stride {
  case 1: gatherValues(UInt8.self, from: source, at: indices, count: count)
  case 2: gatherValues(UInt16.self, from: source, at: indices, count: count)
  case 4: gatherValues(UInt32.self, from: source, at: indices, count: count)
  case 8: gatherValues(UInt64.self, from: source, at: indices, count: count)
  default: gatherValues(SIMD2<UInt64>.self, from: source, at: indices, count: count)
  }
}

@inline(__always)
private func gatherValues<Element: BitwiseCopyable>(
  _ type: Element.Type, from source: Buffer, at indices: UnsafePointer<Int32>, count: Int
) -> Buffer {
  let result = Buffer(count: count, of: type)
  let values = UnsafePointer(source.pointer(to: type))
  let target = result.pointer(to: type)
  for row in 0..<count { target[row] = values[Int(indices[row])] }
  return result
}

/// `count` copies of the first value of `source`.
private func repeatBytes(stride: Int, of source: Buffer, count: Int) -> Buffer {
  @inline(__always)
  func fill<Element: BitwiseCopyable>(_ type: Element.Type) -> Buffer {
    let result = Buffer(count: count, of: type)
    result.pointer(to: type).update(repeating: source.pointer(to: type)[0], count: count)
    return result
  }
  return switch stride {
  case 1: fill(UInt8.self)
  case 2: fill(UInt16.self)
  case 4: fill(UInt32.self)
  case 8: fill(UInt64.self)
  default: fill(SIMD2<UInt64>.self)
  }
}

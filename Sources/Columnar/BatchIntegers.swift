// Owns the narrowing of integers: stored as distances from a base in as few whole bytes as the largest needs.
// Loops here are concrete per pair of widths, and simple enough for the compiler to vectorise.

/// Bytes that hold a distance: 0, 1, 2, 4 or 8.
func narrowWidth(of distance: UInt64) -> Int {
  if distance == 0 { return 0 }
  if distance <= 0xff { return 1 }
  if distance <= 0xffff { return 2 }
  return distance <= 0xffff_ffff ? 4 : 8
}

/// The smallest and the largest of `count` values, at least one.
@inline(__always)
func bounds<Number: FixedWidthInteger>(
  _ values: UnsafePointer<Number>, count: Int
) -> (low: Number, high: Number) {
  var low = values[0]
  var high = low
  for row in 1..<count {
    let value = values[row]
    low = value < low ? value : low
    high = value > high ? value : high
  }
  return (low, high)
}

/// Writes the distances of `count` values from `base` in `width` bytes each, which hold them.
@inline(__always)
func narrow<Number: FixedWidthInteger>(
  _ values: UnsafePointer<Number>, count: Int, base: Number, width: Int, to target: UnsafeMutableRawPointer
) {
  @inline(__always)
  func run<Narrow: FixedWidthInteger & BitwiseCopyable>(_ type: Narrow.Type) {
    let target = target.assumingMemoryBound(to: type)
    for row in 0..<count { target[row] = Narrow(truncatingIfNeeded: values[row] &- base) }
  }
  switch width {
  case 0: break
  case 1: run(UInt8.self)
  case 2: run(UInt16.self)
  case 4: run(UInt32.self)
  default: run(UInt64.self)
  }
}

/// Undoes `narrow` for width 0, 1, 2, 4 or 8. Wraps around on distances that no encoder writes.
@inline(__always)
func widen<Number: FixedWidthInteger>(
  _ source: UnsafeRawPointer, count: Int, base: Number, width: Int, to values: UnsafeMutablePointer<Number>
) {
  @inline(__always)
  func run<Narrow: FixedWidthInteger & BitwiseCopyable>(_ type: Narrow.Type) {
    let source = source.assumingMemoryBound(to: type)
    for row in 0..<count { values[row] = base &+ Number(truncatingIfNeeded: source[row]) }
  }
  switch width {
  case 0: values.update(repeating: base, count: count)
  case 1: run(UInt8.self)
  case 2: run(UInt16.self)
  case 4: run(UInt32.self)
  default: run(UInt64.self)
  }
}

/// Copies values, giving NULLs the value of the first row that is none, so that they widen no range and say nothing
/// of what lay there. At least one value is present.
@inline(__always)
func scrub<Element: BitwiseCopyable>(
  _ values: UnsafePointer<Element>, count: Int, validity: Bitmap, to target: UnsafeMutablePointer<Element>
) {
  let words = validity.words
  var first = 0
  while first < count, !validity[first] { first += 1 }
  let filler = values[first]
  for row in 0..<count {
    let present = (words[row &>> 6] &>> UInt64(row & 63)) & 1 != 0
    target[row] = present ? values[row] : filler
  }
}

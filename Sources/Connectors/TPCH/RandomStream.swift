// Owns the random numbers of the benchmark's data: where a column's stream stands after any number of draws, and how
// a draw becomes a value of a range. Knows no table. Facts: dbgen of the TPC-H kit (rnd.c, speed_seed.c).

/// One column's stream: draw `n` is `origin * 16807^n mod (2^31 - 1)`.
///
/// A row owns a fixed number of draws, used or not, so any row's draws are found without making those before it.
struct RandomStream: Sendable {
  /// The state before the first draw.
  let origin: UInt32

  static let multiplier: UInt32 = 16807
  static let modulus: UInt32 = 0x7fff_ffff

  /// The state after `draws` draws; 1 gives the first. Cost: one multiplication for each bit of `draws`.
  func state(after draws: Int64) -> UInt32 { Self.times(origin, Self.power(draws)) }

  /// `a * b mod (2^31 - 1)`: as 2^31 is 1 there, the product's upper bits are added to its lower ones.
  @inline(__always)
  static func times(_ a: UInt32, _ b: UInt32) -> UInt32 {
    let product = UInt64(a) &* UInt64(b)
    let folded = UInt32(truncatingIfNeeded: product & 0x7fff_ffff) &+ UInt32(truncatingIfNeeded: product &>> 31)
    // Below twice the modulus; the difference wraps to a huge number where there is nothing to take off.
    return min(folded, folded &- modulus)
  }

  /// `16807^exponent mod (2^31 - 1)`.
  static func power(_ exponent: Int64) -> UInt32 {
    precondition(exponent >= 0, "a stream cannot be turned back by \(exponent)")
    var result: UInt32 = 1
    var square = multiplier
    var rest = exponent
    while rest > 0 {
      if rest & 1 != 0 { result = times(result, square) }
      square = times(square, square)
      rest >>= 1
    }
    return result
  }

  /// Writes draws `first`, `first + stride`, `first + 2 * stride`, … to `target`.
  ///
  /// Eight chains run side by side, so that no multiplication waits for the one before it.
  func fill(_ target: UnsafeMutablePointer<UInt32>, count: Int, first: Int64, stride: Int = 1) {
    let lanes = 8
    let step = Self.power(Int64(stride))
    var draw = state(after: first)
    for row in 0..<min(lanes, count) {
      target[row] = draw
      draw = Self.times(draw, step)
    }
    guard count > lanes else { return }
    let leap = Self.power(Int64(stride * lanes))
    for row in lanes..<count { target[row] = Self.times(target[row &- lanes], leap) }
  }

  /// Writes draw `call` (counted from 1) of every line of `orders` consecutive orders, packed without gaps.
  ///
  /// An order owns `7 * drawsPerLine` draws and uses those of its `lineCounts[order]` lines. Seven are written for
  /// every order and the next order overwrites what was too much, so `target` needs room for 7 more than all lines.
  func fillLines(
    _ target: UnsafeMutablePointer<UInt32>, lineCounts: UnsafePointer<UInt8>, orders: Int, firstOrder: Int64,
    drawsPerLine: Int = 1, call: Int = 1
  ) {
    let line = Self.power(Int64(drawsPerLine))
    let p2 = Self.times(line, line)
    let p3 = Self.times(p2, line)
    let p4 = Self.times(p3, line)
    let p5 = Self.times(p4, line)
    let p6 = Self.times(p5, line)
    let order = Self.times(p6, line)
    var draw = state(after: firstOrder * Int64(7 * drawsPerLine) + Int64(call))
    var cursor = target
    for index in 0..<orders {
      cursor[0] = draw
      cursor[1] = Self.times(draw, line)
      cursor[2] = Self.times(draw, p2)
      cursor[3] = Self.times(draw, p3)
      cursor[4] = Self.times(draw, p4)
      cursor[5] = Self.times(draw, p5)
      cursor[6] = Self.times(draw, p6)
      draw = Self.times(draw, order)
      cursor += Int(lineCounts[index])
    }
  }
}

/// The whole numbers from `low` on that a draw picks from.
struct ValueRange: Sendable {
  let low: Int32
  /// How many numbers there are.
  let span: Int32

  init(_ low: Int32, _ high: Int32) {
    precondition(low <= high, "an empty range has no value to draw")
    self.low = low
    span = high - low + 1
  }

  /// Up to this span, `draw * span / (2^31 - 1)` in whole numbers equals dbgen's arithmetic in doubles: the exact
  /// quotient is at least 2^-31 away from the next whole number, and two roundings move it by less than that.
  static let widestExact: Int32 = 1_500_000

  /// The value a draw stands for; only where `span <= widestExact`.
  @inline(__always)
  func narrow(_ draw: UInt32) -> Int32 {
    let scaled = UInt64(draw) &* UInt64(UInt32(bitPattern: span))
    // Division by 2^31 - 1: the quotient by 2^31, corrected by what the smaller divisor adds.
    let quotient = (scaled &+ (scaled &>> 31) &+ 1) &>> 31
    return low &+ Int32(truncatingIfNeeded: quotient)
  }

  /// The value a draw stands for, in dbgen's own arithmetic; right for every span.
  @inline(__always)
  func wide(_ draw: UInt32) -> Int32 {
    let share = Double(Int32(bitPattern: draw)) / 2_147_483_647.0
    return low &+ Int32(share * Double(span))
  }

  /// Turns `count` draws into values where they lie.
  func apply(to draws: UnsafeMutablePointer<UInt32>, count: Int) {
    if span <= Self.widestExact {
      for row in 0..<count { draws[row] = UInt32(bitPattern: narrow(draws[row])) }
    } else {
      for row in 0..<count { draws[row] = UInt32(bitPattern: wide(draws[row])) }
    }
  }
}

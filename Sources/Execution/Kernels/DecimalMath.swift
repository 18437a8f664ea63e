// Owns exact arithmetic on unscaled decimals of up to 38 digits, one value at a time, with 256-bit intermediates.

/// Powers of ten, and products and quotients that need more than 128 bits.
enum DecimalMath {
  /// 10^0 to 10^38; the last is the first number of 39 digits.
  static let powersOfTen: [Int128] = {
    var powers: [Int128] = [1]
    for _ in 0..<38 { powers.append(powers[powers.count - 1] * 10) }
    return powers
  }()

  /// 10^`exponent`, 0 to 38.
  static func powerOfTen(_ exponent: Int) -> Int128 { powersOfTen[exponent] }

  /// Whether `value` has more than `precision` digits.
  @inline(__always)
  static func exceeds(_ value: Int128, precision: Int) -> Bool {
    value.magnitude >= powersOfTen[precision].magnitude
  }

  /// `left` × `right`, or nil where it has more than 38 digits.
  static func multiply(_ left: Int128, _ right: Int128) -> Int128? {
    let product = left.magnitude.multipliedFullWidth(by: right.magnitude)
    guard product.high == 0, product.low < powersOfTen[38].magnitude else { return nil }
    let value = Int128(product.low)
    return (left < 0) != (right < 0) ? -value : value
  }

  /// `value` × 10^`exponent` (which may be above 38), or nil where it has more than 38 digits.
  static func scaleUp(_ value: Int128, by exponent: Int) -> Int128? {
    if value == 0 { return 0 }
    guard exponent <= 38 else { return nil }
    return multiply(value, powersOfTen[exponent])
  }

  /// `value` / 10^`exponent`, rounded half away from zero (Java's HALF_UP).
  static func scaleDown(_ value: Int128, by exponent: Int) -> Int128 {
    guard exponent <= 38 else { return 0 }
    return divideHalfUp(value, powersOfTen[exponent])
  }

  /// `value` at another scale, `shift` digits more (or fewer, rounded half up); nil for more than 38 digits.
  static func rescale(_ value: Int128, by shift: Int) -> Int128? {
    shift >= 0 ? scaleUp(value, by: shift) : scaleDown(value, by: -shift)
  }

  /// `dividend` / `divisor`, rounded half away from zero. `divisor` is not zero.
  @inline(__always)
  static func divideHalfUp(_ dividend: Int128, _ divisor: Int128) -> Int128 {
    let unsigned = divisor.magnitude
    let magnitude = dividend.magnitude
    let isNegative = (dividend < 0) != (divisor < 0)
    if (magnitude | unsigned) >> 64 == 0 {
      // One instruction instead of a call.
      let short = UInt64(truncatingIfNeeded: unsigned)
      let (quotient, remainder) = UInt64(truncatingIfNeeded: magnitude).quotientAndRemainder(dividingBy: short)
      let rounded = Int128(UInt128(quotient) &+ (remainder >= short &- remainder ? 1 : 0))
      return isNegative ? 0 &- rounded : rounded
    }
    let (quotient, remainder) = magnitude.quotientAndRemainder(dividingBy: unsigned)
    let rounded = Int128(quotient &+ (remainder >= unsigned &- remainder ? 1 : 0))
    return isNegative ? 0 &- rounded : rounded
  }

  /// `dividend` × 10^`exponent` / `divisor`, rounded half away from zero; nil for more than 38 digits.
  /// `divisor` is not zero, `exponent` is at most 76.
  static func divideScaledUp(_ dividend: Int128, by exponent: Int, _ divisor: Int128) -> Int128? {
    if exponent <= 38, let scaled = scaleUp(dividend, by: exponent) {
      let quotient = divideHalfUp(scaled, divisor)
      return exceeds(quotient, precision: 38) ? nil : quotient
    }
    let first = min(exponent, 38)
    let wide = dividend.magnitude.multipliedFullWidth(by: powersOfTen[first].magnitude)
    let unsigned = divisor.magnitude
    // A quotient of more than 128 bits has more than 38 digits, before or after the rest of the scaling.
    guard wide.high < unsigned else { return nil }
    var (quotient, remainder) = unsigned.dividingFullWidth(wide)
    // The rest of the scaling goes through quotient and remainder digit by digit.
    for _ in first..<exponent {
      guard quotient < powersOfTen[38].magnitude else { return nil }
      let next = unsigned.dividingFullWidth(remainder.multipliedFullWidth(by: 10))
      quotient = quotient &* 10 &+ next.quotient
      remainder = next.remainder
    }
    guard quotient < powersOfTen[38].magnitude else { return nil }
    if remainder >= unsigned &- remainder { quotient += 1 }
    guard quotient < powersOfTen[38].magnitude else { return nil }
    return (dividend < 0) != (divisor < 0) ? -Int128(quotient) : Int128(quotient)
  }

  /// The remainder of `dividend` × 10^`dividendShift` by `divisor` × 10^`divisorShift`, with the dividend's sign.
  /// One of the shifts is 0. `divisor` is not zero.
  static func remainder(
    _ dividend: Int128, shiftedBy dividendShift: Int, _ divisor: Int128, shiftedBy divisorShift: Int
  ) -> Int128 {
    let unsigned = divisor.magnitude
    let result: UInt128
    if divisorShift == 0 {
      // (a × 10^n) mod b, ten at a time, never leaves the range of b.
      var rest = dividend.magnitude % unsigned
      for _ in 0..<dividendShift {
        rest = unsigned.dividingFullWidth(rest.multipliedFullWidth(by: 10)).remainder
      }
      result = rest
    } else if let scaled = scaleUp(divisor, by: divisorShift) {
      result = dividend.magnitude % scaled.magnitude
    } else {
      // The divisor has more digits than any dividend.
      result = dividend.magnitude
    }
    return dividend < 0 ? -Int128(result) : Int128(result)
  }
}

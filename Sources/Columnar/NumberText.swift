// Owns the text of numbers, written as ASCII straight into memory: integers, decimals and floating-point numbers.

/// Writes numbers as text. Every function writes at `target`, which has room for `maximumByteCount` bytes, and returns
/// how many bytes it wrote.
public enum NumberText {
  /// No number, date, time or interval is longer.
  public static let maximumByteCount = 64

  /// An integer in decimal.
  public static func write(_ value: Int64, to target: UnsafeMutablePointer<UInt8>) -> Int {
    guard value < 0 else { return writeDigits(value.magnitude, to: target) }
    target[0] = UInt8(ascii: "-")
    return 1 + writeDigits(value.magnitude, to: target + 1)
  }

  /// A decimal: `unscaled` × 10^-`scale`, with exactly `scale` digits behind the point and no point without any.
  public static func write(_ unscaled: Int128, scale: Int, to target: UnsafeMutablePointer<UInt8>) -> Int {
    var at = target
    if unscaled < 0 {
      at[0] = UInt8(ascii: "-")
      at += 1
    }
    let magnitude = unscaled.magnitude
    if magnitude <= UInt128(UInt64.max) {
      at += writeScaled(UInt64(truncatingIfNeeded: magnitude), scale: scale, to: at)
    } else {
      at += writeLong(magnitude, scale: scale, to: at)
    }
    return at - target
  }

  /// A double as Java's `Double.toString` has it: `1.5`, `1.0E10`, `NaN`, `-Infinity`.
  public static func write(_ value: Double, to target: UnsafeMutablePointer<UInt8>) -> Int {
    if let count = writeFixed(value, to: target) ?? writeSpecial(value, to: target) { return count }
    return writeJava(ShortestDigits(value.description), isNegative: value.sign == .minus, to: target)
  }

  /// A double of plain notation that has at most four digits behind the point, as prices and shares have; nil for
  /// others. No allocation.
  @inline(__always)
  private static func writeFixed(_ value: Double, to target: UnsafeMutablePointer<UInt8>) -> Int? {
    let magnitude = value.magnitude
    guard magnitude < 1e7, magnitude >= 1e-3 || magnitude == 0 else { return nil }
    let units = (magnitude * 1e4).rounded(.toNearestOrEven)
    // Both are whole numbers below 2^53, so the quotient is the double nearest to the decimal. Decimals of up to 15
    // digits are nearest to a double each of their own: no other one as short gives this double.
    guard units / 1e4 == magnitude else { return nil }
    let (whole, fraction) = UInt64(units).quotientAndRemainder(dividingBy: 10_000)
    var at = target
    if value.sign == .minus {
      at[0] = UInt8(ascii: "-")
      at += 1
    }
    at += writeDigits(whole, to: at)
    at[0] = UInt8(ascii: ".")
    writePadded(fraction, digits: 4, to: at + 1)
    var digits = 4
    while digits > 1, at[digits] == UInt8(ascii: "0") { digits &-= 1 }
    return at - target + 1 + digits
  }

  /// A real as Java's `Float.toString` has it.
  public static func write(_ value: Float, to target: UnsafeMutablePointer<UInt8>) -> Int {
    if let count = writeSpecial(Double(value), to: target) { return count }
    return writeJava(ShortestDigits(value.description), isNegative: value.sign == .minus, to: target)
  }

  /// A number as a cast to varchar has it in Trino: one digit, a point, at least one more digit, an exponent; `0E0`
  /// for zero. At most `maximumDigits` digits, rounded half to even: 17 keep a double, Trino gives a real 7.
  public static func writeScientific(
    _ value: Double, maximumDigits: Int = 17, to target: UnsafeMutablePointer<UInt8>
  ) -> Int {
    if value.isNaN || value.isInfinite { return writeSpecial(value, to: target)! }
    var at = target
    func put(_ text: StaticString) {
      for index in 0..<text.utf8CodeUnitCount { at[index] = text.utf8Start[index] }
      at += text.utf8CodeUnitCount
    }
    if value.sign == .minus { put("-") }
    if value == 0 {
      put("0E0")
      return at - target
    }
    var digits = ShortestDigits(value.description)
    digits.round(to: maximumDigits)
    at += writeMantissa(digits, to: at)
    return at - target
  }

  /// The digits of `value`, without sign or leading zeros.
  @inline(__always)
  static func writeDigits(_ value: UInt64, to target: UnsafeMutablePointer<UInt8>) -> Int {
    var count = 1
    var limit: UInt64 = 10
    while count < 20 && value >= limit {
      count &+= 1
      limit = limit &* 10
      // 10^20 does not fit; a number with 20 digits ends the loop by its count.
    }
    writePadded(value, digits: count, to: target)
    return count
  }

  /// The last `digits` digits of `value`, with leading zeros.
  @inline(__always)
  static func writePadded(_ value: UInt64, digits: Int, to target: UnsafeMutablePointer<UInt8>) {
    var rest = value
    var index = digits
    while index > 0 {
      index &-= 1
      target[index] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
  }

  private static func writeScaled(_ value: UInt64, scale: Int, to target: UnsafeMutablePointer<UInt8>) -> Int {
    if scale == 0 { return writeDigits(value, to: target) }
    guard scale <= 18 else { return writeLong(UInt128(value), scale: scale, to: target) }
    var unit: UInt64 = 1
    for _ in 0..<scale { unit = unit &* 10 }
    let (whole, fraction) = value.quotientAndRemainder(dividingBy: unit)
    let count = writeDigits(whole, to: target)
    target[count] = UInt8(ascii: ".")
    writePadded(fraction, digits: scale, to: target + count + 1)
    return count + 1 + scale
  }

  /// Any magnitude and scale, 18 digits at a time.
  private static func writeLong(_ value: UInt128, scale: Int, to target: UnsafeMutablePointer<UInt8>) -> Int {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { scratch in
      let digits = scratch.baseAddress.unsafelyUnwrapped
      let unit: UInt128 = 1_000_000_000_000_000_000
      let (upper, low) = value.quotientAndRemainder(dividingBy: unit)
      let (high, middle) = upper.quotientAndRemainder(dividingBy: unit)
      writePadded(UInt64(high), digits: 6, to: digits)
      writePadded(UInt64(middle), digits: 18, to: digits + 6)
      writePadded(UInt64(low), digits: 18, to: digits + 24)
      // 42 digits, of which the leading zeros in front of the unit position go.
      var start = 0
      while start < 41 - scale && digits[start] == UInt8(ascii: "0") { start += 1 }
      let wholeCount = 42 - scale - start
      for index in 0..<wholeCount { target[index] = digits[start + index] }
      if scale == 0 { return wholeCount }
      target[wholeCount] = UInt8(ascii: ".")
      for index in 0..<scale { target[wholeCount + 1 + index] = digits[42 - scale + index] }
      return wholeCount + 1 + scale
    }
  }

  private static func writeSpecial(_ value: Double, to target: UnsafeMutablePointer<UInt8>) -> Int? {
    let text: StaticString
    if value.isNaN {
      text = "NaN"
    } else if value.isInfinite {
      text = value < 0 ? "-Infinity" : "Infinity"
    } else {
      return nil
    }
    for index in 0..<text.utf8CodeUnitCount { target[index] = text.utf8Start[index] }
    return text.utf8CodeUnitCount
  }

  /// Plain notation from 10^-3 to below 10^7, else with an exponent.
  private static func writeJava(
    _ digits: ShortestDigits, isNegative: Bool, to target: UnsafeMutablePointer<UInt8>
  ) -> Int {
    var at = target
    func put(_ byte: UInt8) {
      at[0] = byte
      at += 1
    }
    if isNegative { put(UInt8(ascii: "-")) }
    let exponent = digits.exponent
    if digits.count > 0 && (exponent < -3 || exponent >= 7) {
      at += writeMantissa(digits, to: at)
      return at - target
    }
    let zero = UInt8(ascii: "0")
    if digits.count == 0 || exponent < 0 {
      put(zero)
    } else {
      for index in 0...exponent { put(index < digits.count ? digits[index] : zero) }
    }
    put(UInt8(ascii: "."))
    if digits.count == 0 || digits.count <= exponent + 1 {
      put(zero)
    } else {
      if exponent < -1 { for _ in 0..<(-exponent - 1) { put(zero) } }
      for index in max(exponent + 1, 0)..<digits.count { put(digits[index]) }
    }
    return at - target
  }

  /// `d.ddE±x`, with at least one digit behind the point.
  private static func writeMantissa(_ digits: ShortestDigits, to target: UnsafeMutablePointer<UInt8>) -> Int {
    target[0] = digits[0]
    target[1] = UInt8(ascii: ".")
    var count = 2
    if digits.count == 1 {
      target[2] = UInt8(ascii: "0")
      count = 3
    }
    for index in 1..<max(digits.count, 1) {
      target[count] = digits[index]
      count += 1
    }
    target[count] = UInt8(ascii: "E")
    return count + 1 + write(Int64(digits.exponent), to: target + count + 1)
  }
}

/// The significant digits of a finite number without leading or trailing zeros; none for zero.
/// Swift's description has the fewest digits that give the number back, as Java's has since JDK 19.
private struct ShortestDigits {
  private var digits: [UInt8] = []
  /// The power of ten of the first digit.
  private(set) var exponent = 0

  init(_ description: String) {
    var pointAt: Int?
    var written = 0
    var tens = 0
    var inExponent = false
    var exponentSign = 1
    for byte in description.utf8 {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9") where inExponent: written = written * 10 + Int(byte - 48)
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digits.append(byte)
      case UInt8(ascii: "."): pointAt = digits.count
      case UInt8(ascii: "e"): inExponent = true
      case UInt8(ascii: "-") where inExponent: exponentSign = -1
      default: break
      }
    }
    tens = (pointAt ?? digits.count) - 1 + exponentSign * written
    let leading = digits.prefix { $0 == UInt8(ascii: "0") }.count
    digits.removeFirst(leading)
    exponent = tens - leading
    dropTrailingZeros()
  }

  var count: Int { digits.count }
  subscript(index: Int) -> UInt8 { digits[index] }

  private mutating func dropTrailingZeros() {
    while digits.last == UInt8(ascii: "0") { digits.removeLast() }
    if digits.isEmpty { exponent = 0 }
  }

  /// Keeps at most `limit` digits, rounding half to even.
  mutating func round(to limit: Int) {
    guard digits.count > limit else { return }
    let rest = digits[limit...]
    let half = rest.first! > UInt8(ascii: "5") || (rest.first! == UInt8(ascii: "5") && rest.count > 1)
    let isTie = rest.first! == UInt8(ascii: "5") && rest.count == 1
    let roundsUp = half || (isTie && digits[limit - 1] % 2 == 1)
    digits.removeLast(digits.count - limit)
    var index = limit - 1
    while roundsUp {
      if digits[index] < UInt8(ascii: "9") {
        digits[index] += 1
        break
      }
      digits[index] = UInt8(ascii: "0")
      if index == 0 {
        digits.insert(UInt8(ascii: "1"), at: 0)
        exponent += 1
        break
      }
      index -= 1
    }
    dropTrailingZeros()
  }
}

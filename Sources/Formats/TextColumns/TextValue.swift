// Owns the reading of one value from text: numbers, dates, times, booleans. Blanks around a value do not count.

import Columnar

/// Parsers of single values. Nil for text that is no such value or does not fit.
public enum TextValue {
  /// An integer of 64 bits, with an optional sign.
  @inline(__always)
  public static func integer(_ text: UnsafePointer<UInt8>, _ count: Int) -> Int64? {
    var index = 0
    var isNegative = false
    if count > 0, text[0] == UInt8(ascii: "-") || text[0] == UInt8(ascii: "+") {
      isNegative = text[0] == UInt8(ascii: "-")
      index = 1
    }
    guard index < count else { return nil }
    var value: UInt64 = 0
    let safe = min(count, index &+ 18)
    while index < safe {
      let digit = text[index] &- 48
      if digit > 9 { return nil }
      value = value &* 10 &+ UInt64(digit)
      index &+= 1
    }
    while index < count {
      let digit = text[index] &- 48
      let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(UInt64(digit))
      if digit > 9 || overflow || carry { return nil }
      value = sum
      index &+= 1
    }
    if isNegative { return value <= 1 &<< 63 ? 0 &- Int64(truncatingIfNeeded: value) : nil }
    return Int64(exactly: value)
  }

  /// A decimal as its unscaled integer, with at most `scale` digits behind the point that are not 0. `tenth` is the
  /// smallest number of as many digits as the type has: nothing that may take one more digit reaches it.
  @inline(__always)
  public static func decimal<Integer: FixedWidthInteger & SignedInteger>(
    _ text: UnsafePointer<UInt8>, _ count: Int, scale: Int, tenth: Integer
  ) -> Integer? {
    var index = 0
    var isNegative = false
    if count > 0, text[0] == UInt8(ascii: "-") || text[0] == UInt8(ascii: "+") {
      isNegative = text[0] == UInt8(ascii: "-")
      index = 1
    }
    var value: Integer = 0
    var digits = 0
    var fraction = -1
    while index < count {
      let byte = text[index]
      index &+= 1
      if byte == UInt8(ascii: "."), fraction < 0 {
        fraction = 0
        continue
      }
      let digit = byte &- 48
      if digit > 9 { return nil }
      digits &+= 1
      if fraction >= scale {
        if digit != 0 { return nil }
        continue
      }
      if fraction >= 0 { fraction &+= 1 }
      if value >= tenth { return nil }
      value = value &* 10 &+ Integer(truncatingIfNeeded: digit)
    }
    if digits == 0 { return nil }
    var missing = scale &- max(fraction, 0)
    while missing > 0 {
      if value >= tenth { return nil }
      value = value &* 10
      missing &-= 1
    }
    return isNegative ? 0 &- value : value
  }

  private static let powers: [Double] = [
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
  ]

  /// A double: decimal with or without exponent, `NaN`, `Infinity` or `inf` in any case.
  public static func double(_ text: UnsafePointer<UInt8>, _ count: Int) -> Double? {
    var index = 0
    var isNegative = false
    if count > 0, text[0] == UInt8(ascii: "-") || text[0] == UInt8(ascii: "+") {
      isNegative = text[0] == UInt8(ascii: "-")
      index = 1
    }
    var mantissa: UInt64 = 0
    var digits = 0
    var scale = 0
    var hasPoint = false
    while index < count {
      let byte = text[index]
      let digit = byte &- 48
      if digit <= 9 {
        mantissa = mantissa &* 10 &+ UInt64(digit)
        digits &+= 1
        if hasPoint { scale &+= 1 }
      } else if byte == UInt8(ascii: "."), !hasPoint {
        hasPoint = true
      } else {
        return slowDouble(text, count)
      }
      index &+= 1
    }
    // Both the digits and the power of ten are exact doubles, so that one division rounds once (Clinger 1990).
    guard digits > 0, digits <= 15, scale <= 22 else { return digits == 0 ? nil : slowDouble(text, count) }
    let value = Double(mantissa) / powers[scale]
    return isNegative ? -value : value
  }

  private static func slowDouble(_ text: UnsafePointer<UInt8>, _ count: Int) -> Double? {
    guard count <= 400, count > 0 else { return nil }
    let string = String(decoding: UnsafeBufferPointer(start: text, count: count), as: UTF8.self)
    // Hexadecimal numbers and names like nan(0x1) are Swift's, not a file's.
    guard string.utf8.allSatisfy({ $0 != UInt8(ascii: "(") && $0 | 0x20 != UInt8(ascii: "x") }) else { return nil }
    return Double(string)
  }

  /// Days since 1970-01-01 of `2024-01-31`.
  @inline(__always)
  public static func date(_ text: UnsafePointer<UInt8>, _ count: Int) -> Int32? {
    guard count == 10, text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-") else {
      return DateTimeText.parseDate(UnsafeBufferPointer(start: text, count: count))
    }
    var bad: UInt8 = 0
    @inline(__always)
    func digit(_ index: Int) -> Int {
      let value = text[index] &- 48
      bad |= value > 9 ? 1 : 0
      return Int(value)
    }
    let year = digit(0) &* 1000 &+ digit(1) &* 100 &+ digit(2) &* 10 &+ digit(3)
    let month = digit(5) &* 10 &+ digit(6)
    let day = digit(8) &* 10 &+ digit(9)
    guard bad == 0, month >= 1, month <= 12, day >= 1 else { return nil }
    if day > 28, day > CivilDate.lengthOfMonth(month, year: year) { return nil }
    return Int32(truncatingIfNeeded: CivilDate(year: year, month: month, day: day).daysSinceEpoch)
  }

  /// Microseconds since 1970-01-01 of `2024-01-31 12:34:56.789`, with a blank or a T between, seconds and fraction as
  /// wanted, and an optional Z at the end. The fraction is rounded half up to `precision` digits, as casts round it.
  public static func timestamp(_ text: UnsafePointer<UInt8>, _ count: Int, precision: Int = 6) -> Int64? {
    guard count >= 10, count <= 40 else { return nil }
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 40) { copy -> Int64? in
      var length = 0
      while length < count {
        copy[length] = text[length]
        length += 1
      }
      if length > 10, copy[length - 1] | 0x20 == UInt8(ascii: "z") { length -= 1 }
      if length > 10, copy[10] | 0x20 == UInt8(ascii: "t") { copy[10] = UInt8(ascii: " ") }
      return DateTimeText.parseTimestamp(UnsafeBufferPointer(rebasing: copy[..<length]), precision: precision)
    }
  }

  /// `true` or `false`, in any case.
  public static func boolean(_ text: UnsafePointer<UInt8>, _ count: Int) -> Bool? {
    if count == 4, equals(text, "true") { return true }
    if count == 5, equals(text, "false") { return false }
    return nil
  }

  private static func equals(_ text: UnsafePointer<UInt8>, _ word: StaticString) -> Bool {
    for index in 0..<word.utf8CodeUnitCount where text[index] | 0x20 != word.utf8Start[index] { return false }
    return true
  }

  /// The text without blanks around it.
  public static func trimmed(_ text: UnsafePointer<UInt8>, _ count: Int) -> (UnsafePointer<UInt8>, Int) {
    var start = 0
    var end = count
    while start < end, text[start] == 0x20 || text[start] == 0x09 { start += 1 }
    while end > start, text[end - 1] == 0x20 || text[end - 1] == 0x09 { end -= 1 }
    return (text + start, end - start)
  }
}

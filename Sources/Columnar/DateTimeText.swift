// Owns the text of dates, timestamps and intervals, written and read in Trino's forms.

/// Writes dates, times and intervals as text. As in `NumberText`, every function writes at `target`, which has room for
/// `NumberText.maximumByteCount` bytes, and returns how many bytes it wrote.
public enum DateTimeText {
  /// `2020-01-31`. Years below 0 have a sign, years above 9999 a plus.
  public static func writeDate(_ days: Int32, to target: UnsafeMutablePointer<UInt8>) -> Int {
    let date = CivilDate(daysSinceEpoch: Int(days))
    var at = target
    if date.year < 0 || date.year > 9999 {
      at[0] = date.year < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+")
      at += 1
    }
    let year = UInt64(date.year.magnitude)
    if year > 9999 {
      at += NumberText.writeDigits(year, to: at)
    } else {
      NumberText.writePadded(year, digits: 4, to: at)
      at += 4
    }
    at[0] = UInt8(ascii: "-")
    NumberText.writePadded(UInt64(date.month), digits: 2, to: at + 1)
    at[3] = UInt8(ascii: "-")
    NumberText.writePadded(UInt64(date.day), digits: 2, to: at + 4)
    return at + 6 - target
  }

  /// `2020-01-31 23:59:59.123`, with `precision` digits (0 to 6) behind the seconds.
  public static func writeTimestamp(
    _ microseconds: Int64, precision: Int, to target: UnsafeMutablePointer<UInt8>
  ) -> Int {
    let perDay: Int64 = 86_400_000_000
    var day = microseconds / perDay
    var rest = microseconds % perDay
    if rest < 0 {
      day -= 1
      rest += perDay
    }
    let time = UInt64(rest)
    // 64 bits of microseconds span some 106 million days either way.
    var at = target + writeDate(Int32(day), to: target)
    at[0] = UInt8(ascii: " ")
    at += 1
    writeClock(time / 1_000_000, to: at)
    at += 8
    if precision > 0 {
      at[0] = UInt8(ascii: ".")
      var fraction = time % 1_000_000
      for _ in precision..<6 { fraction /= 10 }
      NumberText.writePadded(fraction, digits: precision, to: at + 1)
      at += 1 + precision
    }
    return at - target
  }

  /// An interval day to second: `1 02:03:04.000`, with a sign in front where it is negative.
  public static func writeDayInterval(_ milliseconds: Int64, to target: UnsafeMutablePointer<UInt8>) -> Int {
    var at = target
    if milliseconds < 0 {
      at[0] = UInt8(ascii: "-")
      at += 1
    }
    let total = milliseconds.magnitude
    at += NumberText.writeDigits(total / 86_400_000, to: at)
    at[0] = UInt8(ascii: " ")
    writeClock(total % 86_400_000 / 1000, to: at + 1)
    at[9] = UInt8(ascii: ".")
    NumberText.writePadded(total % 1000, digits: 3, to: at + 10)
    return at + 13 - target
  }

  /// An interval year to month: `3-11`, with a sign in front where it is negative.
  public static func writeYearInterval(_ months: Int32, to target: UnsafeMutablePointer<UInt8>) -> Int {
    var at = target
    if months < 0 {
      at[0] = UInt8(ascii: "-")
      at += 1
    }
    let total = UInt64(months.magnitude)
    at += NumberText.writeDigits(total / 12, to: at)
    at[0] = UInt8(ascii: "-")
    at += 1 + NumberText.writeDigits(total % 12, to: at + 1)
    return at - target
  }

  /// `HH:MM:SS`.
  private static func writeClock(_ seconds: UInt64, to target: UnsafeMutablePointer<UInt8>) {
    NumberText.writePadded(seconds / 3600, digits: 2, to: target)
    target[2] = UInt8(ascii: ":")
    NumberText.writePadded(seconds / 60 % 60, digits: 2, to: target + 3)
    target[5] = UInt8(ascii: ":")
    NumberText.writePadded(seconds % 60, digits: 2, to: target + 6)
  }

  /// Days since 1970-01-01 of `[+-]year-month-day`, with one or two digits for month and day and blanks around; nil
  /// for anything else and for days that no calendar has.
  public static func parseDate(_ text: UnsafeBufferPointer<UInt8>) -> Int32? {
    var reader = TextReader(text)
    guard let date = reader.date(), reader.isAtEnd else { return nil }
    return Int32(exactly: date.daysSinceEpoch)
  }

  /// Microseconds since 1970-01-01 of a date, or of a date and `hour:minute[:second[.fraction]]`, rounded half up to
  /// `precision` digits of a second; nil for anything else.
  public static func parseTimestamp(_ text: UnsafeBufferPointer<UInt8>, precision: Int) -> Int64? {
    var reader = TextReader(text)
    guard let date = reader.date() else { return nil }
    var micros: Int64 = 0
    if !reader.isAtEnd {
      guard reader.skip(UInt8(ascii: " ")), let hour = reader.number(digits: 1...2), hour < 24,
        reader.skip(UInt8(ascii: ":")), let minute = reader.number(digits: 1...2), minute < 60
      else { return nil }
      var second = 0
      if reader.skip(UInt8(ascii: ":")) {
        guard let whole = reader.number(digits: 1...2), whole < 60 else { return nil }
        second = whole
        if reader.skip(UInt8(ascii: ".")) {
          guard let fraction = reader.fraction(precision: precision) else { return nil }
          micros = fraction
        }
      }
      guard reader.isAtEnd else { return nil }
      micros += Int64(hour * 3600 + minute * 60 + second) * 1_000_000
    }
    let (start, overflow) = Int64(date.daysSinceEpoch).multipliedReportingOverflow(by: 86_400_000_000)
    let (result, tooLate) = start.addingReportingOverflow(micros)
    return overflow || tooLate ? nil : result
  }
}

/// Reads ASCII from the front; blanks around the text do not count.
private struct TextReader {
  private let text: UnsafeBufferPointer<UInt8>
  private var index: Int
  private let end: Int

  init(_ text: UnsafeBufferPointer<UInt8>) {
    self.text = text
    var start = 0
    var end = text.count
    while start < end && isBlank(text[start]) { start += 1 }
    while end > start && isBlank(text[end - 1]) { end -= 1 }
    index = start
    self.end = end
  }

  var isAtEnd: Bool { index == end }

  mutating func skip(_ byte: UInt8) -> Bool {
    guard index < end, text[index] == byte else { return false }
    index += 1
    return true
  }

  mutating func number(digits: ClosedRange<Int>) -> Int? {
    var value = 0
    let start = index
    while index < end, index - start < digits.upperBound, text[index] &- 48 < 10 {
      value = value * 10 + Int(text[index] &- 48)
      index += 1
    }
    return index - start >= digits.lowerBound ? value : nil
  }

  mutating func date() -> CivilDate? {
    let isNegative = skip(UInt8(ascii: "-"))
    if !isNegative { _ = skip(UInt8(ascii: "+")) }
    // Nine digits are more than 64 bits of microseconds reach.
    guard let year = number(digits: 4...9), skip(UInt8(ascii: "-")),
      let month = number(digits: 1...2), skip(UInt8(ascii: "-")), let day = number(digits: 1...2)
    else { return nil }
    let signed = isNegative ? -year : year
    guard (1...12).contains(month), (1...CivilDate.lengthOfMonth(month, year: signed)).contains(day) else { return nil }
    return CivilDate(year: signed, month: month, day: day)
  }

  /// Microseconds of the digits that follow, rounded half up to `precision` digits.
  mutating func fraction(precision: Int) -> Int64? {
    var value: Int64 = 0
    var digits = 0
    var roundsUp = false
    let start = index
    while index < end, text[index] &- 48 < 10 {
      if digits < precision {
        value = value * 10 + Int64(text[index] &- 48)
        digits += 1
      } else if index - start == precision {
        roundsUp = text[index] >= UInt8(ascii: "5")
      }
      index += 1
    }
    guard index > start else { return nil }
    if roundsUp { value += 1 }
    for _ in digits..<6 { value *= 10 }
    return value
  }
}

/// The blanks that Trino's trim() drops around numbers and dates.
@inline(__always)
func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 0x09 && byte <= 0x0d) }

// Owns the values of literals: decimals, dates, timestamps and intervals in text.

import Columnar
import SQLSyntax

/// Reads the texts of literals. Every function gives nil where the text is not of its form.
enum LiteralValues {
  /// A decimal number with the smallest precision and scale that hold it as written: `0.05` is decimal(2,2).
  static func decimal(_ text: String) -> (value: Value, type: DataType)? {
    var digits = Substring(text)
    let isNegative = digits.first == "-"
    if isNegative || digits.first == "+" { digits = digits.dropFirst() }
    let parts = digits.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let whole = parts[0].drop { $0 == "0" }
    let fraction = parts.count > 1 ? parts[1] : ""
    let all = whole + fraction
    guard !digits.isEmpty, digits != ".", all.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), all.count <= 38,
      let magnitude = all.isEmpty ? 0 : Int128(String(all))
    else { return nil }
    let type = DataType.decimal(precision: max(1, all.count), scale: fraction.count)
    let number = isNegative ? -magnitude : magnitude
    return (type.layout == .int64 ? .integer(Int64(number)) : .int128(number), type)
  }

  /// Days since 1970-01-01 of `yyyy-mm-dd`.
  static func date(_ text: String) -> Int64? {
    var digits = Substring(trimmed(text))
    let isNegative = digits.first == "-"
    if isNegative || digits.first == "+" { digits = digits.dropFirst() }
    let parts = digits.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0].count <= 7, let year = number(parts[0]), let month = number(parts[1]),
      let day = number(parts[2]), parts[1].count <= 2, parts[2].count <= 2
    else { return nil }
    let signedYear = isNegative ? -year : year
    guard (1...12).contains(month), (1...daysInMonth(signedYear, month)).contains(day) else { return nil }
    return daysSinceEpoch(signedYear, month, day)
  }

  /// Microseconds since 1970-01-01 00:00:00 of `yyyy-mm-dd [hh:mm[:ss[.ffffff]]]`, and the number of fractional digits
  /// written. Nil also for more than six of them.
  static func timestamp(_ text: String) -> (microseconds: Int64, precision: Int)? {
    let parts = trimmed(text).split(separator: " ", maxSplits: 1)
    guard let first = parts.first, let days = date(String(first)) else { return nil }
    var microseconds: Int64 = 0
    var precision = 0
    if parts.count == 2 {
      guard let time = timeOfDay(parts[1]) else { return nil }
      (microseconds, precision) = time
    }
    return (days * 86_400_000_000 + microseconds, precision)
  }

  private static func timeOfDay(_ text: Substring) -> (microseconds: Int64, precision: Int)? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard (2...3).contains(parts.count), let hour = number(parts[0]), let minute = number(parts[1]), hour < 24,
      minute < 60
    else { return nil }
    var microseconds = (hour * 60 + minute) * 60_000_000
    var precision = 0
    if parts.count == 3 {
      let seconds = parts[2].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
      guard let second = number(seconds[0]), second < 60 else { return nil }
      microseconds += second * 1_000_000
      if seconds.count == 2 {
        precision = seconds[1].count
        guard precision <= 6, var fraction = number(seconds[1]) else { return nil }
        for _ in precision..<6 { fraction *= 10 }
        microseconds += fraction
      }
    }
    return (microseconds, precision)
  }

  /// Months of a year-to-month interval, milliseconds of a day-to-second interval.
  static func interval(_ interval: IntervalLiteral) -> (value: Int64, type: DataType)? {
    let fields = IntervalLiteral.Field.allCases
    guard let from = fields.firstIndex(of: interval.from),
      let to = fields.firstIndex(of: interval.to ?? interval.from), from <= to,
      interval.from.isYearToMonth == fields[to].isYearToMonth
    else { return nil }
    var text = Substring(trimmed(interval.text))
    var isNegative = interval.isNegative
    if text.first == "-" || text.first == "+" {
      if text.first == "-" { isNegative.toggle() }
      text = text.dropFirst()
    }
    // `1-2`, `3 04:05:06.789`: one number per field, the last one perhaps with a fraction of seconds.
    let parts = text.split(omittingEmptySubsequences: false) { $0 == "-" || $0 == ":" || $0 == " " }
    guard parts.count == to - from + 1 else { return nil }
    var total: Int64 = 0
    for (field, part) in zip(fields[from...to], parts) {
      guard let amount = amount(part, of: field) else { return nil }
      let (sum, overflow) = total.addingReportingOverflow(amount)
      if overflow { return nil }
      total = sum
    }
    let type = interval.from.isYearToMonth ? DataType.intervalYearToMonth : .intervalDayToSecond
    if type == .intervalYearToMonth, total > Int64(Int32.max) { return nil }
    return (isNegative ? -total : total, type)
  }

  private static func amount(_ text: Substring, of field: IntervalLiteral.Field) -> Int64? {
    let unit: Int64
    switch field {
    case .year: unit = 12
    case .month: unit = 1
    case .day: unit = 86_400_000
    case .hour: unit = 3_600_000
    case .minute: unit = 60_000
    case .second:
      let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
      guard let seconds = number(parts[0]) else { return nil }
      var milliseconds: Int64 = 0
      if parts.count == 2 {
        guard (1...3).contains(parts[1].count), var fraction = number(parts[1]) else { return nil }
        for _ in parts[1].count..<3 { fraction *= 10 }
        milliseconds = fraction
      }
      let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
      return overflow ? nil : product + milliseconds
    }
    guard let value = number(text) else { return nil }
    let (product, overflow) = value.multipliedReportingOverflow(by: unit)
    return overflow ? nil : product
  }

  /// A number of decimal digits only.
  private static func number(_ text: Substring) -> Int64? {
    guard !text.isEmpty, text.count <= 12, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
    return Int64(text)
  }

  private static func trimmed(_ text: String) -> String {
    var bytes = text.utf8[...]
    while bytes.first == 0x20 { bytes = bytes.dropFirst() }
    while bytes.last == 0x20 { bytes = bytes.dropLast() }
    return String(Substring(bytes))
  }

  private static func daysInMonth(_ year: Int64, _ month: Int64) -> Int64 {
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    switch month {
    case 2: return isLeap ? 29 : 28
    case 4, 6, 9, 11: return 30
    default: return 31
    }
  }

  /// Days since 1970-01-01 in the proleptic Gregorian calendar. Years are counted from March, so that the leap day is
  /// the last of its year.
  private static func daysSinceEpoch(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}

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

  /// Days since 1970-01-01 of `yyyy-mm-dd`, read as a CAST reads it.
  static func date(_ text: String) -> Int64? {
    let days = Array(text.utf8).withUnsafeBufferPointer { DateTimeText.parseDate($0) }
    return days.map { Int64($0) }
  }

  /// Microseconds since 1970-01-01 00:00:00 of `yyyy-mm-dd [hh:mm[:ss[.ffffff]]]`, and the number of fractional digits
  /// written. Nil also for more than six of them.
  static func timestamp(_ text: String) -> (microseconds: Int64, precision: Int)? {
    let bytes = Array(text.utf8)
    let point = bytes.firstIndex(of: UInt8(ascii: "."))
    let precision = point.map { bytes[($0 + 1)...].prefix { $0 >= 0x30 && $0 <= 0x39 }.count } ?? 0
    guard precision <= 6 else { return nil }
    let microseconds = bytes.withUnsafeBufferPointer { DateTimeText.parseTimestamp($0, precision: precision) }
    return microseconds.map { ($0, precision) }
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
}

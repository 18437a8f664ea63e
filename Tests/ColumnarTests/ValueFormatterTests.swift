// Proves the text of values, type by type, and that dates are read as they are written.

import Columnar
import Testing

struct ValueFormatterTests {
  static let cases: [(DataType, Value, String)] = [
    (.boolean, .boolean(true), "true"),
    (.boolean, .boolean(false), "false"),
    (.tinyint, .integer(-128), "-128"),
    (.bigint, .integer(.min), "-9223372036854775808"),
    (.bigint, .integer(.max), "9223372036854775807"),
    (.bigint, .integer(0), "0"),
    (.bigint, .integer(1_000_000_000_000_000_000), "1000000000000000000"),
    (.integer, .integer(-10), "-10"),
    (.decimal(precision: 12, scale: 2), .integer(5), "0.05"),
    (.decimal(precision: 12, scale: 2), .integer(-5), "-0.05"),
    (.decimal(precision: 12, scale: 2), .integer(0), "0.00"),
    (.decimal(precision: 12, scale: 2), .integer(123456), "1234.56"),
    (.decimal(precision: 5, scale: 0), .integer(-42), "-42"),
    (.decimal(precision: 18, scale: 18), .integer(1), "0.000000000000000001"),
    (.decimal(precision: 38, scale: 38), .int128(-7), "-0.00000000000000000000000000000000000007"),
    (
      .decimal(precision: 38, scale: 6), .int128(Int128("12345678901234567890123456789012345678")!),
      "12345678901234567890123456789012.345678"
    ),
    (
      .decimal(precision: 38, scale: 0), .int128(Int128("99999999999999999999999999999999999999")!),
      "99999999999999999999999999999999999999"
    ),
    (.decimal(precision: 38, scale: 20), .int128(1), "0.00000000000000000001"),
    (.double, .double(0), "0.0"),
    (.double, .double(-0.0), "-0.0"),
    (.double, .double(1), "1.0"),
    (.double, .double(1234.5), "1234.5"),
    (.double, .double(9_999_999), "9999999.0"),
    (.double, .double(10_000_000), "1.0E7"),
    (.double, .double(1e10), "1.0E10"),
    (.double, .double(1.5e300), "1.5E300"),
    (.double, .double(0.001), "0.001"),
    (.double, .double(0.00123), "0.00123"),
    (.double, .double(0.000999), "9.99E-4"),
    (.double, .double(-123456789.125), "-1.23456789125E8"),
    (.double, .double(.nan), "NaN"),
    (.double, .double(.infinity), "Infinity"),
    (.double, .double(-.infinity), "-Infinity"),
    (.real, .double(0.1), "0.1"),
    (.real, .double(16_777_216), "1.6777216E7"),
    (.date, .integer(0), "1970-01-01"),
    (.date, .integer(-1), "1969-12-31"),
    (.date, .integer(11016), "2000-02-29"),
    (.date, .integer(-719_529), "-0001-12-31"),
    (.date, .integer(2_932_897), "+10000-01-01"),
    (.timestamp(precision: 3), .integer(1_580_515_199_123_000), "2020-01-31 23:59:59.123"),
    (.timestamp(precision: 0), .integer(-1_000_000), "1969-12-31 23:59:59"),
    (.timestamp(precision: 6), .integer(-1), "1969-12-31 23:59:59.999999"),
    (.timestamp(precision: 6), .integer(.min), "-290308-12-21 19:59:05.224192"),
    (.timestamp(precision: 6), .integer(.max), "+294247-01-10 04:00:54.775807"),
    (.intervalDayToSecond, .integer(93_784_000), "1 02:03:04.000"),
    (.intervalDayToSecond, .integer(-500), "-0 00:00:00.500"),
    (.intervalYearToMonth, .integer(47), "3-11"),
    (.intervalYearToMonth, .integer(-13), "-1-1"),
    (.varcharUnbounded, .text("héllo"), "héllo"),
    (.varcharUnbounded, .text(""), ""),
    (.char(length: 5), .text("é"), "é    "),
    (.varbinary, .bytes([0, 255, 16]), "00 ff 10"),
  ]

  @Test(arguments: cases.indices)
  func formats(_ index: Int) {
    let (type, value, expected) = Self.cases[index]
    #expect(ValueFormatter(type).text(value) == expected)
  }

  @Test func shortDoublesHaveTheDigitsThatGiveThemBack() {
    let formatter = ValueFormatter(.double)
    for step in 0..<8_000 {
      let short = Double(step &* 7_919_777 % 99_999_999) / [10, 100, 1_000, 10_000][step % 4]
      for value in [short, -short, short.nextUp, short.nextDown] {
        // Swift has the same notation here.
        guard value.magnitude < 1e7, value.magnitude >= 1e-3 else { continue }
        #expect(formatter.text(.double(value)) == value.description)
      }
    }
  }

  @Test func nullHasNoText() {
    #expect(ValueFormatter(.bigint).text(.null) == nil)
    var bytes: [UInt8] = [1]
    #expect(!ValueFormatter(.bigint).append(Vector.repeating(.null, type: .bigint, count: 2), row: 1, to: &bytes))
    #expect(bytes == [1])
  }

  @Test func appendsRowsOfEveryEncoding() {
    for (vector, rows) in VectorGatherTests.forms(.bigint, [.integer(7), .integer(-30), .null], count: 20) {
      var bytes: [UInt8] = []
      var expected = ""
      for row in 0..<20 {
        if !ValueFormatter(.bigint).append(vector, row: row, to: &bytes) { bytes.append(UInt8(ascii: "N")) }
        expected += ValueFormatter(.bigint).text(rows[row]) ?? "N"
      }
      #expect(String(decoding: bytes, as: UTF8.self) == expected)
    }
  }

  @Test func scientificFormOfCasts() {
    func scientific(_ value: Double, _ digits: Int = 17) -> String {
      var bytes = [UInt8](repeating: 0, count: NumberText.maximumByteCount)
      let count = bytes.withUnsafeMutableBufferPointer {
        NumberText.writeScientific(value, maximumDigits: digits, to: $0.baseAddress!)
      }
      return String(decoding: bytes[..<count], as: UTF8.self)
    }
    #expect(scientific(0) == "0E0")
    #expect(scientific(-0.0) == "-0E0")
    #expect(scientific(1) == "1.0E0")
    #expect(scientific(-1234.5) == "-1.2345E3")
    #expect(scientific(0.1) == "1.0E-1")
    #expect(scientific(1e10) == "1.0E10")
    #expect(scientific(.nan) == "NaN")
    #expect(scientific(-.infinity) == "-Infinity")
    #expect(scientific(Double(Float(0.1)), 7) == "1.0E-1")
    #expect(scientific(16_777_216, 7) == "1.677722E7")
    #expect(scientific(99_999_995, 7) == "1.0E8")
  }

  @Test func everyDayIsReadAsItIsWritten() {
    var bytes = [UInt8](repeating: 0, count: NumberText.maximumByteCount)
    var day: Int32 = -1_000_000
    while day < 4_000_000 {
      let text = bytes.withUnsafeMutableBufferPointer { buffer -> String in
        let count = DateTimeText.writeDate(day, to: buffer.baseAddress!)
        return String(decoding: buffer[..<count], as: UTF8.self)
      }
      #expect(Array(text.utf8).withUnsafeBufferPointer { DateTimeText.parseDate($0) } == day, "\(text)")
      day += 997
    }
  }

  @Test func civilDatesFollowTheCalendar() {
    // Every day of 800 years, counted by hand.
    var (year, month, day) = (1600, 1, 1)
    for days in CivilDate(year: 1600, month: 1, day: 1)
      .daysSinceEpoch...CivilDate(year: 2399, month: 12, day: 31).daysSinceEpoch
    {
      let date = CivilDate(daysSinceEpoch: days)
      guard date == CivilDate(year: year, month: month, day: day), date.daysSinceEpoch == days else {
        Issue.record("\(date) instead of \(year)-\(month)-\(day)")
        return
      }
      day += 1
      if day > CivilDate.lengthOfMonth(month, year: year) { (month, day) = (month + 1, 1) }
      if month > 12 { (year, month) = (year + 1, 1) }
    }
    #expect(CivilDate(year: 1970, month: 1, day: 1).daysSinceEpoch == 0)
    #expect(CivilDate(year: 2000, month: 1, day: 31).adding(months: 1) == CivilDate(year: 2000, month: 2, day: 29))
    #expect(CivilDate(year: 2001, month: 3, day: 31).adding(months: -13) == CivilDate(year: 2000, month: 2, day: 29))
    #expect(CivilDate(year: 2000, month: 12, day: 31).dayOfYear == 366)
  }

  @Test(
    arguments: [
      ("2020-01-31", 18292), (" 2020-1-31 ", 18292), ("+2020-01-31", 18292), ("1970-01-01", 0), ("0000-03-01", -719468),
      ("2020-02-30", nil), ("2019-02-29", nil), ("2020-13-01", nil), ("2020-00-01", nil), ("2020-01-00", nil),
      ("", nil),
      ("2020-01", nil), ("2020-01-011", nil), ("20-01-01", nil), ("2020-01-01x", nil), ("2020/01/01", nil), ("é", nil),
    ] as [(String, Int32?)])
  func readsDates(_ text: String, _ expected: Int32?) {
    #expect(Array(text.utf8).withUnsafeBufferPointer { DateTimeText.parseDate($0) } == expected)
  }

  @Test(
    arguments: [
      ("2020-01-31 23:59:59.123", 3, 1_580_515_199_123_000), ("2020-01-31", 3, 1_580_428_800_000_000),
      ("2020-01-31 23:59", 3, 1_580_515_140_000_000), ("2020-01-31 1:2:3", 0, 1_580_432_523_000_000),
      ("1970-01-01 00:00:00.9996", 3, 1_000_000), ("1970-01-01 00:00:00.9994", 3, 999_000),
      ("1970-01-01 00:00:00.5", 0, 1_000_000), ("1969-12-31 23:59:59.999999", 6, -1),
      ("2020-01-31 24:00:00", 3, nil), ("2020-01-31 23:60", 3, nil), ("2020-01-31 23:59:60", 3, nil),
      ("2020-01-31 23", 3, nil), ("2020-01-31 23:59:59.", 3, nil), ("2020-01-31T23:59:59", 3, nil), ("x", 3, nil),
      ("999999999-01-01 00:00", 3, nil),
    ] as [(String, Int, Int64?)])
  func readsTimestamps(_ text: String, _ precision: Int, _ expected: Int64?) {
    #expect(
      Array(text.utf8).withUnsafeBufferPointer { DateTimeText.parseTimestamp($0, precision: precision) } == expected)
  }
}

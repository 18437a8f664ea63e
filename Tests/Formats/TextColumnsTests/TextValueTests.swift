// Tests of reading single values from text.

import Columnar
import Testing

@testable import TextColumns

@Suite struct TextValueTests {
  private func with<Result>(_ text: String, _ body: (UnsafePointer<UInt8>, Int) -> Result) -> Result {
    var copy = text
    return copy.withUTF8 { body($0.baseAddress!, $0.count) }
  }

  @Test(arguments: [
    ("0", 0), ("-1", -1), ("+7", 7), ("9223372036854775807", .max), ("-9223372036854775808", .min),
    ("9223372036854775808", nil), ("-9223372036854775809", nil), ("99999999999999999999", nil), ("-", nil), ("1x", nil),
    ("00000000000000000000001", 1), ("1 ", nil),
  ] as [(String, Int64?)])
  func integers(_ text: String, _ value: Int64?) {
    #expect(with(text) { TextValue.integer($0, $1) } == value)
  }

  @Test(arguments: [
    ("1.5", 150), ("-0.05", -5), ("12", 1200), (".5", 50), ("5.", 500), ("1.230", 123), ("1.234", nil), ("", nil),
    (".", nil), ("1.2.3", nil), ("99999999.99", 9_999_999_999), ("100000000", nil), ("1e2", nil),
  ] as [(String, Int64?)])
  func decimals(_ text: String, _ value: Int64?) {
    let read = with(text + " ") { TextValue.decimal($0, $1 - 1, scale: 2, tenth: Int64(1_000_000_000)) }
    #expect(read == value)
  }

  /// The largest types: one digit more must not wrap around.
  @Test(arguments: [
    ("9999999999999999.99", 999_999_999_999_999_999), ("99999999999999999.99", nil), ("10000000000000000", nil),
    ("99999999999999999999", nil), ("00000000000000000000.01", 1), ("-9999999999999999.99", -999_999_999_999_999_999),
  ] as [(String, Int64?)])
  func decimalsOf18Digits(_ text: String, _ value: Int64?) {
    #expect(with(text) { TextValue.decimal($0, $1, scale: 2, tenth: Int64(100_000_000_000_000_000)) } == value)
  }

  @Test func decimalsOf38Digits() {
    let tenth = (1..<38).reduce(Int128(1)) { power, _ in power * 10 }
    let nines = String(repeating: "9", count: 38)
    #expect(with(nines) { TextValue.decimal($0, $1, scale: 0, tenth: tenth) } == Int128(nines))
    for text in [nines + "9", nines + "99", "1" + nines, "40" + nines] {
      #expect(with(text) { TextValue.decimal($0, $1, scale: 0, tenth: tenth) } == nil)
    }
    #expect(with("5") { TextValue.decimal($0, $1, scale: 38, tenth: tenth) } == nil)
  }

  @Test(arguments: [
    ("1", 1), ("-0.1", -0.1), ("1e10", 1e10), ("123456789.123456789", 123456789.123456789),
    ("1.7976931348623157e308", 1.7976931348623157e308),
    ("4.9e-324", 4.9e-324), ("0.000000000000000000000001", 1e-24), ("inf", .infinity), ("-Infinity", -.infinity),
    ("0x10", nil), ("1.2.3", nil), ("e5", nil), ("9007199254740993", 9007199254740992),
  ] as [(String, Double?)])
  func doubles(_ text: String, _ value: Double?) {
    #expect(with(text) { TextValue.double($0, $1) } == value)
  }

  @Test(arguments: [
    ("1970-01-01", 0), ("2024-02-29", 19782), ("2023-02-29", nil), ("2024-13-01", nil), ("2024-00-01", nil),
    ("2024-01-00", nil), ("2024-1-5", 19727), ("x024-01-01", nil), ("0001-01-01", -719162),
  ] as [(String, Int32?)])
  func dates(_ text: String, _ value: Int32?) {
    #expect(with(text) { TextValue.date($0, $1) } == value)
  }

  @Test(arguments: [
    ("1970-01-01 00:00:01", 1_000_000), ("1970-01-01T00:00:00.5Z", 500_000), ("1970-01-01", 0),
    ("1969-12-31 23:59:59.999999", -1), ("1970-01-01 24:00:00", nil), ("1970-01-01 00:00:00+01:00", nil),
  ] as [(String, Int64?)])
  func timestamps(_ text: String, _ value: Int64?) {
    #expect(with(text) { TextValue.timestamp($0, $1) } == value)
  }

  @Test(arguments: [(6, 1_234_567), (3, 1_235_000), (1, 1_200_000), (0, 1_000_000)])
  func timestampsAreRoundedToTheirPrecision(_ precision: Int, _ value: Int64) {
    #expect(with("1970-01-01 00:00:01.234567") { TextValue.timestamp($0, $1, precision: precision) } == value)
  }

  @Test(arguments: [
    ([0x61], true), ([0xc3, 0xa4], true), ([0xe2, 0x82, 0xac], true), ([0xf0, 0x9f, 0x98, 0x80], true),
    ([0xc0, 0x80], false), ([0xe0, 0x80, 0x80], false), ([0xed, 0xa0, 0x80], false), ([0xf4, 0x90, 0x80, 0x80], false),
    ([0xff], false), ([0xc3], false), ([0xe2, 0x82], false), ([0x80], false), ([0xe2, 0x82, 0x41], false),
  ] as [([UInt8], Bool)])
  func utf8(_ bytes: [UInt8], _ isValid: Bool) {
    #expect(bytes.withUnsafeBufferPointer { UTF8Check.isValid($0.baseAddress!, count: $0.count) } == isValid)
  }

  @Test(arguments: [
    (#"a\nb"#, "a\nb"), (#"\u00e4\u20AC"#, "ä€"), (#"\ud83d\ude00!"#, "😀!"), (#"\ud83d"#, "\u{fffd}"),
    (#"\/\\\""#, #"/\""#),
    (#"\x"#, nil), (#"\u12"#, nil), (#"\"#, nil),
  ] as [(String, String?)])
  func escapesOfJSON(_ text: String, _ value: String?) {
    var copy = text
    let result: String? = copy.withUTF8 { bytes in
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { target in
        EscapeRule.json.unescape(bytes, to: target.baseAddress!).map {
          String(decoding: UnsafeBufferPointer(rebasing: target[..<$0]), as: UTF8.self)
        }
      }
    }
    #expect(result == value)
  }
}

// Proves casts value by value, with Trino's messages, and over columns in every encoding.

import Base
import Columnar
import Planning
import Testing

@testable import Execution

struct CastTests {
  private static func decimal(_ precision: Int, _ scale: Int) -> DataType {
    .decimal(precision: precision, scale: scale)
  }
  private static func varchar(_ length: Int) -> DataType { .varchar(length: length) }

  /// What is cast, to which type, and the outcome as text.
  static let numbers: [(Expression, DataType, String)] = [
    (number(5), .integer, "5"),
    (number(1 << 31), .integer, "NUMERIC_VALUE_OUT_OF_RANGE: Out of range for integer: 2147483648"),
    (number(-129), .tinyint, "NUMERIC_VALUE_OUT_OF_RANGE: Out of range for tinyint: -129"),
    (number(40000), .smallint, "NUMERIC_VALUE_OUT_OF_RANGE: Out of range for smallint: 40000"),
    (number(3), .double, "3.0"), (number(3), .real, "3.0"), (number(0), .boolean, "false"),
    (number(-1), .boolean, "true"),
    (.true, .bigint, "1"), (.false, .double, "0.0"), (.true, decimal(3, 1), "1.0"),
    (double(2.5), .bigint, "3"), (double(-2.5), .bigint, "-3"), (double(2.4999), .integer, "2"),
    (double(1e10), .integer, "NUMERIC_VALUE_OUT_OF_RANGE: Out of range for integer: 1.0E10"),
    (double(1e19), .bigint, "INVALID_CAST_ARGUMENT: Unable to cast 1.0E19 to bigint"),
    (double(.nan), .bigint, "INVALID_CAST_ARGUMENT: Unable to cast NaN to bigint"),
    (double(.nan), .integer, "INVALID_CAST_ARGUMENT: Cannot cast double NaN to integer"),
    (double(-0x1p63), .bigint, "-9223372036854775808"), (double(.nan), .boolean, "true"), (double(1.1), .real, "1.1"),
    (number(12), decimal(4, 2), "12.00"),
    (number(123), decimal(4, 2), "INVALID_CAST_ARGUMENT: Cannot cast BIGINT '123' to DECIMAL(4, 2)"),
    (number(.min), decimal(38, 10), "-9223372036854775808.0000000000"),
    (literal("1.25", decimal(5, 2)), decimal(4, 1), "1.3"), (literal("-1.25", decimal(5, 2)), decimal(4, 1), "-1.3"),
    (literal("1.24", decimal(5, 2)), decimal(4, 1), "1.2"), (literal("1.25", decimal(5, 2)), decimal(30, 4), "1.2500"),
    (
      literal("123.45", decimal(5, 2)), decimal(3, 1),
      "INVALID_CAST_ARGUMENT: Cannot cast DECIMAL(5, 2) '123.45' to DECIMAL(3, 1)"
    ),
    (
      literal("99.95", decimal(4, 2)), decimal(3, 1),
      "INVALID_CAST_ARGUMENT: Cannot cast DECIMAL(4, 2) '99.95' to DECIMAL(3, 1)"
    ),
    (literal("2.50", decimal(5, 2)), .bigint, "3"), (literal("-2.50", decimal(5, 2)), .integer, "-3"),
    (literal("300.5", decimal(5, 1)), .tinyint, "INVALID_CAST_ARGUMENT: Cannot cast '301' to TINYINT"),
    (
      literal("12345678901234567890.5", decimal(30, 1)), .bigint,
      "INVALID_CAST_ARGUMENT: Cannot cast '12345678901234567890.5' to BIGINT"
    ),
    (literal("0.1", decimal(5, 1)), .double, "0.1"),
    (literal("12345678901234567890.5", decimal(30, 1)), .double, "1.2345678901234567E19"),
    (literal("0.00", decimal(5, 2)), .boolean, "false"),
    (double(1.005), decimal(10, 2), "1.01"), (double(-0.5), decimal(10, 0), "-1"),
    (double(1e-30), decimal(10, 2), "0.00"),
    (double(1e10), decimal(5, 2), "INVALID_CAST_ARGUMENT: Cannot cast DOUBLE '1.0E10' to DECIMAL(5, 2)"),
    (double(.infinity), decimal(5, 2), "INVALID_CAST_ARGUMENT: Cannot cast DOUBLE 'Infinity' to DECIMAL(5, 2)"),
  ]

  static let texts: [(Expression, DataType, String)] = [
    (text("42"), .bigint, "42"), (text(" -42 "), .integer, "-42"), (text("+7"), .tinyint, "7"),
    (text("abc"), .bigint, "INVALID_CAST_ARGUMENT: Cannot cast 'abc' to BIGINT"),
    (text("1.5"), .integer, "INVALID_CAST_ARGUMENT: Cannot cast '1.5' to INT"),
    (text(""), .smallint, "INVALID_CAST_ARGUMENT: Cannot cast '' to SMALLINT"),
    (text("128"), .tinyint, "INVALID_CAST_ARGUMENT: Cannot cast '128' to TINYINT"),
    (text("-9223372036854775808"), .bigint, "-9223372036854775808"),
    (text("9223372036854775808"), .bigint, "INVALID_CAST_ARGUMENT: Cannot cast '9223372036854775808' to BIGINT"),
    (text("1e3"), .double, "1000.0"), (text(" .5 "), .double, "0.5"), (text("5."), .double, "5.0"),
    (text("1.5f"), .real, "1.5"),
    (text("NaN"), .double, "NaN"), (text("-Infinity"), .double, "-Infinity"),
    (text("nan"), .double, "INVALID_CAST_ARGUMENT: Cannot cast 'nan' to DOUBLE"),
    (text("x"), .real, "INVALID_CAST_ARGUMENT: Cannot cast 'x' to REAL"),
    (text("1e"), .double, "INVALID_CAST_ARGUMENT: Cannot cast '1e' to DOUBLE"),
    (text("0x1p3"), .double, "INVALID_CAST_ARGUMENT: Cannot cast '0x1p3' to DOUBLE"),
    (text("true"), .boolean, "true"), (text("F"), .boolean, "false"), (text("1"), .boolean, "true"),
    (text("FALSE"), .boolean, "false"),
    (text("yes"), .boolean, "INVALID_CAST_ARGUMENT: Cannot cast 'yes' to BOOLEAN"),
    (text(""), .boolean, "INVALID_CAST_ARGUMENT: Cannot cast '' to BOOLEAN"),
    (text("12.345"), decimal(5, 2), "12.35"), (text("-12.345"), decimal(5, 2), "-12.35"),
    (text("1e2"), decimal(5, 2), "100.00"),
    (
      text("123456"), decimal(5, 2),
      "INVALID_CAST_ARGUMENT: Cannot cast VARCHAR '123456' to DECIMAL(5, 2). Value too large."
    ),
    (
      text("x"), decimal(5, 2),
      "INVALID_CAST_ARGUMENT: Cannot cast VARCHAR 'x' to DECIMAL(5, 2). Value is not a number."
    ),
    (
      text(" 1"), decimal(5, 2),
      "INVALID_CAST_ARGUMENT: Cannot cast VARCHAR ' 1' to DECIMAL(5, 2). Value is not a number."
    ),
    (text("0.000000000000000000000000000000000000005"), decimal(38, 38), "0.00000000000000000000000000000000000001"),
    (text("99999999999999999999999999999999999999"), decimal(38, 0), "99999999999999999999999999999999999999"),
    (
      text("100000000000000000000000000000000000000"), decimal(38, 0),
      "INVALID_CAST_ARGUMENT: Cannot cast VARCHAR '100000000000000000000000000000000000000' to DECIMAL(38, 0). "
        + "Value too large."
    ),
    (text("1000e-50"), decimal(5, 2), "0.00"), (text("0e99"), decimal(5, 2), "0.00"),
    (text("2020-02-29"), .date, "2020-02-29"),
    (text("2021-02-29"), .date, "INVALID_CAST_ARGUMENT: Value cannot be cast to date: 2021-02-29"),
    (text("2020-02-29 10:11:12.5"), .timestamp(precision: 3), "2020-02-29 10:11:12.500"),
    (text("nope"), .timestamp(precision: 3), "INVALID_CAST_ARGUMENT: Value cannot be cast to timestamp: nope"),
    (.constant(.text("12"), .char(length: 5)), .bigint, "12"),
  ]

  static let toTexts: [(Expression, DataType, String)] = [
    (number(42), .varcharUnbounded, "42"),
    (number(12345), varchar(3), "INVALID_CAST_ARGUMENT: Value 12345 cannot be represented as varchar(3)"),
    (.true, .varcharUnbounded, "true"),
    (.true, varchar(3), "INVALID_CAST_ARGUMENT: Value true cannot be represented as varchar(3)"),
    (double(1), .varcharUnbounded, "1.0E0"), (double(0), .varcharUnbounded, "0E0"),
    (double(1234.5), .varcharUnbounded, "1.2345E3"),
    (double(12.5), varchar(4), "INVALID_CAST_ARGUMENT: Value 12.5 (1.25E1) cannot be represented as varchar(4)"),
    (.constant(.double(0.1), .real), .varcharUnbounded, "1.0E-1"),
    (literal("1.50", decimal(5, 2)), .varcharUnbounded, "1.50"),
    (literal("2020-01-31", .date), .varcharUnbounded, "2020-01-31"),
    (
      literal("2020-01-31", .date), varchar(9),
      "INVALID_CAST_ARGUMENT: Value 2020-01-31 cannot be represented as varchar(9)"
    ),
    (literal("2020-01-31 10:00", .timestamp(precision: 0)), .varcharUnbounded, "2020-01-31 10:00:00"),
    (.constant(.integer(93_784_000), .intervalDayToSecond), .varcharUnbounded, "1 02:03:04.000"),
    (.constant(.integer(-1), .intervalYearToMonth), .varcharUnbounded, "-0-1"), (text("hello"), varchar(3), "hel"),
    (text("日本語"), varchar(2), "日本"),
    (text("hello"), varchar(10), "hello"),
    (text("a long text that is cut in the middle"), varchar(20), "a long text that is "),
    (text("ab  "), .char(length: 5), "ab   "), (text("hello"), .char(length: 3), "hel"),
    (.constant(.text("ab"), .char(length: 4)), .varcharUnbounded, "ab  "),
    (.constant(.text("ab"), .char(length: 4)), varchar(3), "ab "),
    (.constant(.text("ab c"), .char(length: 4)), .char(length: 3), "ab "),
    (.constant(.text("ab"), .char(length: 4)), .char(length: 6), "ab    "), (number(5), .char(length: 3), "5  "),
    (text("hi"), .varbinary, "68 69"),
    (.constant(.null, .unknown), .bigint, "NULL"), (.constant(.null, .bigint), .varcharUnbounded, "NULL"),
    (.constant(.null, .varcharUnbounded), .date, "NULL"),
  ]

  static let times: [(Expression, DataType, String)] = [
    (literal("2020-01-31", .date), .timestamp(precision: 3), "2020-01-31 00:00:00.000"),
    (literal("1969-12-31 23:00", .timestamp(precision: 3)), .date, "1969-12-31"),
    (literal("2020-01-31 10:11:12.5", .timestamp(precision: 3)), .timestamp(precision: 0), "2020-01-31 10:11:13"),
    (literal("1969-12-31 23:59:59.5", .timestamp(precision: 3)), .timestamp(precision: 0), "1970-01-01 00:00:00"),
    (literal("1969-12-31 23:59:59.4", .timestamp(precision: 3)), .timestamp(precision: 0), "1969-12-31 23:59:59"),
    (
      literal("2020-01-31 10:11:12.5", .timestamp(precision: 3)), .timestamp(precision: 6), "2020-01-31 10:11:12.500000"
    ),
  ]

  static let all = numbers + texts + toTexts + times

  @Test(arguments: all.indices)
  func casts(_ index: Int) throws {
    let (operand, type, expected) = Self.all[index]
    #expect(outcome(.cast(operand, type, isTry: false, Origin())) == expected, "\(operand) to \(type)")
    // TRY_CAST differs only where the cast fails.
    let failed = expected.hasPrefix("INVALID") || expected.hasPrefix("NUMERIC")
    #expect(outcome(.cast(operand, type, isTry: true, Origin())) == (failed ? "NULL" : expected))
  }

  @Test func errorsNameTheirPlace() {
    let origin = Origin(SourceLocation(line: 2, column: 8))
    let error = #expect(throws: WaterbearError.self) {
      try ConstantFolder().evaluate(.cast(text("x"), .bigint, isTry: false, origin))
    }
    #expect(error?.description == "line 2:8: Cannot cast 'x' to BIGINT")
  }

  @Test func typesWithoutACastAreRefused() {
    #expect(outcome(.cast(.true, .date, isTry: false, Origin())) == "TYPE_MISMATCH: Cannot cast boolean to date")
  }

  static let pairs: [(DataType, DataType)] = [
    (.bigint, .tinyint), (.integer, .bigint), (.bigint, decimal(12, 2)), (.bigint, decimal(30, 2)), (.double, .integer),
    (.double, decimal(12, 2)), (.real, .double), (decimal(12, 2), .integer), (decimal(12, 2), decimal(5, 1)),
    (decimal(30, 4), decimal(10, 2)), (decimal(30, 4), .double), (.bigint, .varcharUnbounded),
    (.double, .varchar(length: 6)),
    (.varcharUnbounded, .varchar(length: 3)), (.varcharUnbounded, .char(length: 3)),
    (.char(length: 6), .varcharUnbounded),
    (.varcharUnbounded, .bigint), (.date, .timestamp(precision: 3)), (.timestamp(precision: 3), .date),
    (.boolean, .bigint),
    (.date, .varcharUnbounded), (decimal(12, 2), .varcharUnbounded),
  ]

  @Test(arguments: pairs.indices)
  func columnsCastRowByRow(_ index: Int) throws {
    let (from, to) = Self.pairs[index]
    let symbol = Symbol(id: 1, name: "a", type: from)
    var random = RandomVectors(seed: UInt64(index))
    for form in Form.allCases {
      for count in [0, 1, 130] {
        let batch = Batch(columns: [random.vector(from, count: count, form)], count: count)
        for isTry in [false, true] {
          try expectRowByRow(.cast(.symbol(symbol), to, isTry: isTry, Origin()), layout: [symbol], batch)
        }
      }
    }
  }

  @Test func aDictionaryValueThatNoRowUsesRaisesNoError() throws {
    let symbol = Symbol(id: 1, name: "a", type: .varcharUnbounded)
    var builder = VectorBuilder(type: .varcharUnbounded)
    for value in ["1", "x"] { builder.append(.text(value)) }
    let indices = Buffer(zeroed: 4 * 10)
    let column = Vector(dictionary: builder.finish(), indices: indices, count: 10)
    let program = try ExpressionProgram(.cast(.symbol(symbol), .bigint, isTry: false, Origin()), layout: [symbol])
    #expect(try program.evaluate(Batch(columns: [column], count: 10)).value(at: 9) == .integer(1))
  }
}

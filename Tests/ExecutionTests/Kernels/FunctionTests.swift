// Proves scalar functions value by value, and over columns in every encoding.

import Base
import Columnar
import Planning
import Testing

@testable import Execution

/// A call with the result type that the analyser would give it.
func call(_ function: ScalarFunction, _ arguments: [Expression], _ type: DataType) -> Expression {
  .function(function, arguments, type, Origin())
}

struct FunctionTests {
  private static func decimal(_ precision: Int, _ scale: Int) -> DataType {
    .decimal(precision: precision, scale: scale)
  }
  private static func places(_ number: Int64) -> Expression { .constant(.integer(number), .integer) }
  private static func of(_ number: Int64, _ type: DataType) -> Expression { .constant(.integer(number), type) }
  private static func one(_ function: ScalarFunction, _ x: Double) -> Expression {
    call(function, [double(x)], .double)
  }

  static let numbers: [(Expression, String)] = [
    (call(.abs, [number(-5)], .bigint), "5"),
    (
      call(.abs, [of(-128, .tinyint)], .tinyint),
      "NUMERIC_VALUE_OUT_OF_RANGE: Value -128 is out of range for abs(tinyint)"
    ),
    (call(.abs, [double(-0.5)], .double), "0.5"), (call(.abs, [literal("-1.5", decimal(3, 1))], decimal(3, 1)), "1.5"),
    (call(.sign, [number(-9)], .bigint), "-1"), (call(.sign, [double(0)], .double), "0.0"), (one(.sign, .nan), "NaN"),
    (call(.sign, [literal("-1.5", decimal(30, 1))], decimal(1, 0)), "-1"),
    (one(.sqrt, 16), "4.0"), (one(.sqrt, -1), "NaN"), (one(.cbrt, 27), "3.0"), (one(.exp, 0), "1.0"),
    (one(.ln, 1), "0.0"),
    (one(.log2, 8), "3.0"), (one(.log10, 1000), "3.0"), (one(.degrees, .pi), "180.0"),
    (one(.radians, 180), "3.141592653589793"),
    (one(.sin, 0), "0.0"), (one(.cos, 0), "1.0"), (one(.tan, 0), "0.0"), (one(.asin, 0), "0.0"), (one(.acos, 1), "0.0"),
    (one(.atan, 0), "0.0"), (one(.sinh, 0), "0.0"), (one(.cosh, 0), "1.0"), (one(.tanh, 0), "0.0"),
    (call(.power, [double(2), double(10)], .double), "1024.0"), (call(.log, [double(2), double(8)], .double), "3.0"),
    (call(.atan2, [double(0), double(1)], .double), "0.0"), (call(.pi, [], .double), "3.141592653589793"),
    (call(.e, [], .double), "2.718281828459045"), (call(.nan, [], .double), "NaN"),
    (call(.infinity, [], .double), "Infinity"),
    (call(.isNaN, [double(.nan)], .boolean), "true"), (call(.isFinite, [double(.infinity)], .boolean), "false"),
    (call(.isInfinite, [double(-.infinity)], .boolean), "true"),
    (call(.bitwiseAnd, [number(12), number(10)], .bigint), "8"),
    (call(.bitwiseOr, [number(12), number(10)], .bigint), "14"),
    (call(.bitwiseXor, [number(12), number(10)], .bigint), "6"), (call(.bitwiseNot, [number(0)], .bigint), "-1"),
    (call(.mod, [number(-7), number(3)], .bigint), "-1"),
    (call(.mod, [number(1), number(0)], .bigint), "DIVISION_BY_ZERO: Division by zero"),
    (call(.mod, [double(5.5), double(2)], .double), "1.5"),
    (call(.greatest, [number(1), number(3), number(2)], .bigint), "3"),
    (call(.least, [number(1), number(-3), number(2)], .bigint), "-3"),
    (call(.greatest, [number(1), .constant(.null, .bigint)], .bigint), "NULL"),
    (call(.greatest, [text("a"), text("b")], .varcharUnbounded), "b"),
    (call(.least, [double(.nan), double(1)], .double), "1.0"),
    (call(.greatest, [double(1), double(.nan)], .double), "1.0"),
    (call(.greatest, [double(.nan), double(.nan)], .double), "NaN"), (call(.greatest, [number(7)], .bigint), "7"),
    (call(.random, [number(1)], .bigint), "0"), (call(.random, [number(5), number(6)], .bigint), "5"),
    (call(.random, [number(0)], .bigint), "INVALID_FUNCTION_ARGUMENT: bound must be positive"),
    (
      call(.random, [number(3), number(3)], .bigint),
      "INVALID_FUNCTION_ARGUMENT: start value must be less than stop value"
    ),
  ]

  static let roundings: [(Expression, String)] = [
    (one(.round, 2.5), "3.0"), (one(.round, -2.5), "-3.0"), (one(.round, 0.49999999999999994), "0.0"),
    (one(.truncate, -2.7), "-2.0"),
    (one(.ceiling, 2.1), "3.0"), (one(.floor, -2.1), "-3.0"), (one(.round, .nan), "NaN"),
    (one(.round, 1e300), "1.0E300"),
    (call(.round, [double(2.345), places(2)], .double), "2.35"),
    (call(.round, [double(1234.5), places(-2)], .double), "1200.0"),
    (call(.round, [number(5)], .bigint), "5"), (call(.round, [number(1250), places(-2)], .bigint), "1300"),
    (call(.round, [number(-1250), places(-2)], .bigint), "-1300"),
    (call(.round, [number(5), places(3)], .bigint), "5"),
    (
      call(.round, [of(127, .tinyint), places(-1)], .tinyint),
      "NUMERIC_VALUE_OUT_OF_RANGE: Out of range for tinyint: 130"
    ),
    (call(.truncate, [number(1299), places(-2)], .bigint), "1200"),
    (call(.round, [literal("2.50", decimal(5, 2))], decimal(4, 0)), "3"),
    (call(.round, [literal("-2.50", decimal(5, 2))], decimal(4, 0)), "-3"),
    (call(.round, [literal("2.345", decimal(5, 3)), places(2)], decimal(6, 3)), "2.350"),
    (call(.round, [literal("99.95", decimal(4, 2)), places(1)], decimal(5, 2)), "100.00"),
    (call(.round, [literal("-55.5", decimal(3, 1)), places(-1)], decimal(4, 1)), "-60.0"),
    (call(.round, [literal("55.5", decimal(3, 1)), places(-3)], decimal(4, 1)), "0.0"),
    (call(.round, [literal("123456789012345678901.5", decimal(25, 1))], decimal(25, 0)), "123456789012345678902"),
    (call(.truncate, [literal("-2.99", decimal(5, 2))], decimal(3, 0)), "-2"),
    (call(.truncate, [literal("2.99", decimal(5, 2)), places(1)], decimal(5, 2)), "2.90"),
    (call(.ceiling, [literal("2.01", decimal(5, 2))], decimal(4, 0)), "3"),
    (call(.ceiling, [literal("-2.99", decimal(5, 2))], decimal(4, 0)), "-2"),
    (call(.floor, [literal("-2.01", decimal(5, 2))], decimal(4, 0)), "-3"),
    (call(.floor, [literal("2.99", decimal(30, 2))], decimal(29, 0)), "2"),
  ]

  private static func sub(_ value: String, _ start: Int64, _ length: Int64? = nil) -> Expression {
    call(.substring, [text(value), number(start)] + (length.map { [number($0)] } ?? []), .varcharUnbounded)
  }
  private static func onText(_ function: ScalarFunction, _ arguments: String...) -> Expression {
    call(function, arguments.map { text($0) }, .varcharUnbounded)
  }
  private static func pad(_ function: ScalarFunction, _ value: String, _ length: Int64, _ padding: String) -> Expression
  {
    call(function, [text(value), number(length), text(padding)], .varcharUnbounded)
  }
  private static func split(_ value: String, _ delimiter: String, _ part: Int64) -> Expression {
    call(.splitPart, [text(value), text(delimiter), number(part)], .varcharUnbounded)
  }

  static let substrings: [(Expression, String)] = [
    (sub("Quadratically", 5), "ratically"), (sub("Quadratically", 5, 6), "ratica"),
    (sub("Quadratically", 1, 100), "Quadratically"),
    (sub("Quadratically", 0), ""), (sub("Quadratically", 14), ""), (sub("Quadratically", 13), "y"),
    (sub("Quadratically", -5), "cally"),
    (sub("Quadratically", -5, 2), "ca"), (sub("Quadratically", -14), ""), (sub("Quadratically", -13, 4), "Quad"),
    (sub("Quadratically", 3, 0), ""),
    (sub("Quadratically", 3, -1), ""), (sub("", 1), ""), (sub("日本語テキスト", 2, 2), "本語"), (sub("日本語テキスト", -2), "スト"),
    (sub("日本語", -3, 1), "日"), (sub("日本語", -4), ""), (sub("日本語", 4), ""), (sub("日本語", 3, 9), "語"), (sub("日本語", 9), ""),
    (sub("a long text beyond the inline limit", 3, 20), "long text beyond the"), (sub("abc", .max), ""),
    (sub("abc", .min), ""),
    (sub("abc", 2, .max), "bc"), (sub("13-345-678", 1, 2), "13"),
  ]

  static let texts: [(Expression, String)] = [
    (call(.length, [text("日本語")], .bigint), "3"), (call(.length, [text("")], .bigint), "0"),
    (call(.length, [.constant(.bytes([1, 2]), .varbinary)], .bigint), "2"),
    (onText(.lower, "HeLLo ÄÖ İ"), "hello äö i"), (onText(.upper, "straße é 12"), "STRAßE É 12"),
    (onText(.upper, "a longer text in ascii"), "A LONGER TEXT IN ASCII"),
    (onText(.trim, "  a b \t\n"), "a b"), (onText(.ltrim, "\u{3000} x "), "x "), (onText(.rtrim, " x \u{2003}"), " x"),
    (onText(.trim, "\u{a0}x"), "\u{a0}x"),
    (onText(.trim, ""), ""), (onText(.trim, "   "), ""), (onText(.trim, "xxabcyx", "xy"), "abc"),
    (onText(.ltrim, "éèab", "èé"), "ab"), (onText(.rtrim, "abab", "b"), "aba"),
    (onText(.reverse, "abc日本"), "本日cba"), (onText(.reverse, ""), ""),
    (onText(.concat, "a", "", "bcd"), "abcd"),
    (onText(.concat, "a long text ", "and another"), "a long text and another"),
    (call(.strpos, [text("high"), text("ig")], .bigint), "2"), (call(.strpos, [text("日本語"), text("語")], .bigint), "3"),
    (call(.strpos, [text("a"), text("b")], .bigint), "0"),
    (call(.strpos, [text("a"), text("")], .bigint), "1"),
    (call(.strpos, [text("abcabc"), text("abc"), number(2)], .bigint), "4"),
    (call(.strpos, [text("abcabcabc"), text("abc"), number(-1)], .bigint), "7"),
    (call(.strpos, [text("abcabcabc"), text("abc"), number(-3)], .bigint), "1"),
    (call(.strpos, [text("abc"), text("abc"), number(-2)], .bigint), "0"),
    (
      call(.strpos, [text("a"), text("a"), number(0)], .bigint),
      "INVALID_FUNCTION_ARGUMENT: 'instance' must be a positive or negative number."
    ),
    (call(.startsWith, [text("hello"), text("he")], .boolean), "true"),
    (call(.startsWith, [text("hello"), text("lo")], .boolean), "false"),
    (call(.startsWith, [text(""), text("")], .boolean), "true"),
    (call(.startsWith, [text("he"), text("hello")], .boolean), "false"),
    (onText(.replace, "aXbXc", "X"), "abc"), (onText(.replace, "aXbXc", "X", "--"), "a--b--c"),
    (onText(.replace, "abc", "x", "y"), "abc"), (onText(.replace, "ab", "", "-"), "-a-b-"),
    (onText(.replace, "日日", "日", "x"), "xx"), (onText(.replace, "aaa", "aa", "b"), "ba"),
    (split("a,b,c", ",", 2), "b"), (split("a,b,c", ",", 3), "c"), (split("a,b,c", ",", 4), "NULL"),
    (split("a,,c", ",", 2), ""), (split("abc", "", 2), "b"), (split("abc", "", 4), "NULL"),
    (split("abc", ",", 1), "abc"), (split("a,", ",", 2), ""),
    (split("a", ",", 0), "INVALID_FUNCTION_ARGUMENT: Index must be greater than zero"),
    (pad(.lpad, "x", 4, "ab"), "abax"), (pad(.rpad, "x", 4, "ab"), "xaba"), (pad(.lpad, "hello", 2, "-"), "he"),
    (pad(.rpad, "日", 3, "é"), "日éé"), (pad(.lpad, "abc", 3, "-"), "abc"),
    (pad(.lpad, "text", 20, "0123456789"), "0123456789012345text"),
    (pad(.lpad, "x", 4, ""), "INVALID_FUNCTION_ARGUMENT: Padding string must not be empty"),
    (pad(.lpad, "x", -1, "-"), "INVALID_FUNCTION_ARGUMENT: Target length must be in the range [0..2147483647]"),
    (pad(.rpad, "x", 2_000_000_000, "-"), "INVALID_FUNCTION_ARGUMENT: Padded string is too large"),
    (call(.chr, [number(26085)], .varchar(length: 1)), "日"),
    (call(.chr, [number(-1)], .varchar(length: 1)), "INVALID_FUNCTION_ARGUMENT: Not a valid Unicode code point: -1"),
    (call(.codepoint, [text("日")], .integer), "26085"), (call(.codepoint, [text("A")], .integer), "65"),
    (
      call(.codepoint, [text("ab")], .integer),
      "INVALID_FUNCTION_ARGUMENT: Input string must be a single character string"
    ),
  ]

  private static let timestamp = DataType.timestamp(precision: 3)
  private static func field(_ function: ScalarFunction, _ value: String) -> Expression {
    call(function, [literal(value, value.count > 10 ? timestamp : .date)], .bigint)
  }
  private static func trunc(_ unit: String, _ value: String) -> Expression {
    let type = value.count > 10 ? timestamp : .date
    return call(.dateTrunc, [text(unit), literal(value, type)], type)
  }
  private static func add(_ unit: String, _ amount: Int64, _ value: String) -> Expression {
    let type = value.count > 10 ? timestamp : .date
    return call(.dateAdd, [text(unit), number(amount), literal(value, type)], type)
  }
  private static func diff(_ unit: String, _ first: String, _ second: String) -> Expression {
    let type = first.count > 10 ? timestamp : .date
    return call(.dateDiff, [text(unit), literal(first, type), literal(second, type)], .bigint)
  }

  static let times: [(Expression, String)] = [
    (field(.year, "1969-12-31"), "1969"), (field(.quarter, "2020-06-30"), "2"), (field(.month, "2020-06-30"), "6"),
    (field(.day, "2020-06-30"), "30"),
    (field(.dayOfWeek, "2020-06-28"), "7"), (field(.dayOfWeek, "2020-06-29"), "1"),
    (field(.dayOfWeek, "1969-12-28"), "7"), (field(.dayOfYear, "2020-12-31"), "366"),
    (field(.week, "2021-01-01"), "53"), (field(.yearOfWeek, "2021-01-01"), "2020"), (field(.week, "2018-12-31"), "1"),
    (field(.yearOfWeek, "2018-12-31"), "2019"),
    (field(.hour, "2020-01-31 13:14:15.678"), "13"), (field(.minute, "2020-01-31 13:14:15.678"), "14"),
    (field(.second, "2020-01-31 13:14:15.678"), "15"),
    (field(.millisecond, "2020-01-31 13:14:15.678"), "678"), (field(.hour, "1969-12-31 23:00:00.000"), "23"),
    (field(.year, "1969-12-31 23:00:00.000"), "1969"),
    (call(.day, [of(-93_784_000, .intervalDayToSecond)], .bigint), "-1"),
    (call(.hour, [of(93_784_000, .intervalDayToSecond)], .bigint), "2"),
    (call(.year, [of(47, .intervalYearToMonth)], .bigint), "3"),
    (call(.month, [of(47, .intervalYearToMonth)], .bigint), "11"),
    (trunc("month", "2020-06-17"), "2020-06-01"), (trunc("quarter", "2020-06-17"), "2020-04-01"),
    (trunc("year", "2020-06-17"), "2020-01-01"),
    (trunc("WEEK", "2020-06-17"), "2020-06-15"), (trunc("week", "1969-12-31"), "1969-12-29"),
    (trunc("day", "2020-06-17"), "2020-06-17"),
    (trunc("hour", "2020-06-17"), "INVALID_FUNCTION_ARGUMENT: 'hour' is not a valid DATE field"),
    (trunc("hour", "2020-06-17 13:14:15.678"), "2020-06-17 13:00:00.000"),
    (trunc("second", "1969-12-31 23:59:59.999"), "1969-12-31 23:59:59.000"),
    (trunc("month", "2020-06-17 13:14:15.678"), "2020-06-01 00:00:00.000"),
    (trunc("eon", "2020-06-17 13:14:15.678"), "INVALID_FUNCTION_ARGUMENT: 'eon' is not a valid Timestamp field"),
    (add("day", -17, "2020-06-17"), "2020-05-31"), (add("month", 1, "2020-01-31"), "2020-02-29"),
    (add("quarter", -1, "2020-05-31"), "2020-02-29"),
    (add("year", 1, "2020-02-29"), "2021-02-28"), (add("week", 2, "2020-06-17"), "2020-07-01"),
    (add("hour", 25, "2020-06-17 13:14:15.678"), "2020-06-18 14:14:15.678"),
    (add("month", -1, "2020-03-31 10:00:00.000"), "2020-02-29 10:00:00.000"),
    (add("day", 1 << 40, "2020-06-17"), "NUMERIC_VALUE_OUT_OF_RANGE: Date is out of range"),
    (diff("day", "2020-01-01", "2020-03-01"), "60"), (diff("day", "2020-03-01", "2020-01-01"), "-60"),
    (diff("week", "2020-01-01", "2020-01-14"), "1"),
    (diff("month", "2020-01-31", "2020-02-29"), "1"), (diff("month", "2020-01-31", "2020-02-28"), "0"),
    (diff("month", "2020-02-29", "2020-01-31"), "-1"),
    (diff("month", "2020-01-15", "2021-01-14"), "11"), (diff("quarter", "2020-01-01", "2020-12-31"), "3"),
    (diff("year", "2020-02-29", "2021-02-28"), "1"),
    (diff("year", "2019-03-01", "2020-02-29"), "0"), (diff("year", "2020-06-01", "2010-06-02"), "-9"),
    (diff("hour", "2020-01-01 00:30:00.000", "2020-01-01 03:00:00.000"), "2"),
    (diff("millisecond", "2020-01-01 00:00:00.000", "2020-01-01 00:00:01.500"), "1500"),
    (diff("month", "2020-01-15 12:00:00.000", "2020-02-15 11:59:00.000"), "0"),
    (call(.lastDayOfMonth, [literal("2020-02-10", .date)], .date), "2020-02-29"),
    (call(.lastDayOfMonth, [literal("2021-12-10 10:00:00", timestamp)], .date), "2021-12-31"),
  ]

  static let all = numbers + roundings + substrings + texts + times

  @Test(arguments: all.indices)
  func computes(_ index: Int) {
    let (expression, expected) = Self.all[index]
    #expect(outcome(expression) == expected, "\(expression)")
  }

  @Test func wrongTypesAreRefused() {
    #expect(
      outcome(call(.sqrt, [text("x")], .double))
        == "FUNCTION_NOT_FOUND: Unexpected parameters (varchar) for function sqrt")
    #expect(outcome(call(.year, [], .bigint)) == "FUNCTION_NOT_FOUND: Unexpected parameters () for function year")
    #expect(outcome(call(.hour, [literal("2020-01-01", .date)], .bigint)).hasPrefix("FUNCTION_NOT_FOUND"))
  }

  /// Functions over columns: which, of which argument types, with which result.
  static let columns: [(ScalarFunction, [DataType], DataType)] = [
    (.abs, [.integer], .integer), (.abs, [.decimal(precision: 20, scale: 2)], .decimal(precision: 20, scale: 2)),
    (.sign, [.double], .double), (.sqrt, [.double], .double), (.power, [.double, .double], .double),
    (.round, [.double], .double), (.round, [.decimal(precision: 12, scale: 2)], .decimal(precision: 11, scale: 0)),
    (.ceiling, [.decimal(precision: 30, scale: 2)], .decimal(precision: 29, scale: 0)),
    (.bitwiseXor, [.bigint, .bigint], .bigint),
    (.mod, [.integer, .integer], .integer), (.greatest, [.bigint, .bigint, .bigint], .bigint),
    (.least, [.double, .double], .double),
    (.greatest, [.varcharUnbounded, .varcharUnbounded], .varcharUnbounded), (.length, [.varcharUnbounded], .bigint),
    (.lower, [.varcharUnbounded], .varcharUnbounded), (.upper, [.varcharUnbounded], .varcharUnbounded),
    (.trim, [.varcharUnbounded], .varcharUnbounded),
    (.trim, [.varcharUnbounded, .varcharUnbounded], .varcharUnbounded),
    (.reverse, [.varcharUnbounded], .varcharUnbounded),
    (.concat, [.varcharUnbounded, .varcharUnbounded], .varcharUnbounded),
    (.substring, [.varcharUnbounded, .bigint], .varcharUnbounded),
    (.substring, [.varcharUnbounded, .bigint, .bigint], .varcharUnbounded),
    (.strpos, [.varcharUnbounded, .varcharUnbounded], .bigint),
    (.startsWith, [.varcharUnbounded, .varcharUnbounded], .boolean),
    (.replace, [.varcharUnbounded, .varcharUnbounded, .varcharUnbounded], .varcharUnbounded),
    (.year, [.date], .bigint), (.year, [.timestamp(precision: 3)], .bigint), (.week, [.date], .bigint),
    (.dayOfWeek, [.date], .bigint),
    (.hour, [.timestamp(precision: 3)], .bigint), (.lastDayOfMonth, [.date], .date),
  ]

  @Test(arguments: columns.indices)
  func columnsComputeRowByRow(_ index: Int) throws {
    let (function, types, result) = Self.columns[index]
    let layout = types.enumerated().map { Symbol(id: $0.offset, name: "a", type: $0.element) }
    let expression = call(function, layout.map { .symbol($0) }, result)
    var random = RandomVectors(seed: UInt64(index))
    for form in Form.allCases {
      for other in types.count > 1 ? Form.allCases : [.flat] {
        for count in [0, 1, 40] {
          let vectors = types.enumerated().map {
            random.vector($0.element, count: count, $0.offset == 0 ? form : other)
          }
          try expectRowByRow(expression, layout: layout, Batch(columns: vectors, count: count))
        }
      }
    }
  }

  @Test func unitsOfTimeMayDifferByRow() throws {
    let unit = Symbol(id: 1, name: "unit", type: .varcharUnbounded)
    let date = Symbol(id: 2, name: "date", type: .date)
    let units = ["day", "week", "month", "quarter", "year"].map { Value.text($0) }
    var random = RandomVectors(seed: 9)
    for form in Form.allCases {
      let batch = Batch(
        columns: [
          random.vector(unit.type, count: 90, form, from: units), random.vector(.date, count: 90, .flatWithNulls),
        ], count: 90)
      let value = Expression.symbol(date)
      try expectRowByRow(call(.dateTrunc, [.symbol(unit), value], .date), layout: [unit, date], batch)
      try expectRowByRow(call(.dateAdd, [.symbol(unit), number(-3), value], .date), layout: [unit, date], batch)
      try expectRowByRow(
        call(.dateDiff, [.symbol(unit), value, literal("2000-02-29", .date)], .bigint), layout: [unit, date], batch)
    }
  }
}

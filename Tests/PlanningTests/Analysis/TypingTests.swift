// Owns the tests of types: literals, coercions, arithmetic and functions.

import Base
import Columnar
import Testing

@testable import Planning

struct TypingTests {
  private func type(_ expression: String) throws -> String {
    try resultTypes("SELECT \(expression) FROM everything")[0]
  }

  @Test(arguments: [
    ("1", "integer"), ("2147483648", "bigint"), ("-2147483648", "integer"), ("1.50", "decimal(3,2)"),
    ("0.05", "decimal(2,2)"), ("00.5", "decimal(1,1)"), ("0.0", "decimal(1,1)"),
    ("123456789012345678901.5", "decimal(22,1)"),
    ("1e0", "double"), ("'abc'", "varchar(3)"), ("''", "varchar(0)"), ("'äö'", "varchar(2)"), ("X'00'", "varbinary"),
    ("true", "boolean"), ("NULL", "unknown"), ("DATE '2020-02-29'", "date"), ("TIMESTAMP '2020-01-01'", "timestamp(0)"),
    ("TIMESTAMP '2020-01-01 01:02:03.45'", "timestamp(2)"), ("DECIMAL '7'", "decimal(1,0)"), ("BIGINT '7'", "bigint"),
    ("INTERVAL '1' DAY", "interval day to second"), ("INTERVAL '1-2' YEAR TO MONTH", "interval year to month"),
    ("CURRENT_DATE", "date"), ("localtimestamp(6)", "timestamp(6)"), ("current_user", "varchar"),
  ]) func literals(expression: String, expected: String) throws {
    #expect(try type(expression) == expected)
  }

  @Test(arguments: [
    ("ti + si", "smallint"), ("i + i", "integer"), ("i * bi", "bigint"), ("bi + re", "real"), ("re * d", "double"),
    ("dec + dec", "decimal(11,3)"), ("dec * dec", "decimal(20,6)"), ("dec / dec", "decimal(13,3)"),
    ("dec % dec", "decimal(10,3)"), ("dec + i", "decimal(14,3)"), ("dec * bi", "decimal(29,3)"),
    ("dec + long_dec", "decimal(31,5)"), ("long_dec * long_dec", "decimal(38,10)"), ("long_dec / dec", "decimal(33,5)"),
    ("dec / long_dec", "decimal(17,5)"), ("dec * d", "double"), ("dec + re", "real"), ("1 - dec", "decimal(14,3)"),
    ("da + INTERVAL '1' DAY", "date"), ("INTERVAL '1' MONTH + da", "date"), ("ts - ds", "timestamp(3)"),
    ("TIMESTAMP '2020-01-01' + ds", "timestamp(3)"), ("ts6 + ym", "timestamp(6)"),
    ("ds + ds", "interval day to second"),
    ("2 * ym", "interval year to month"), ("ds * bi", "interval day to second"), ("i + NULL", "integer"),
    ("-dec", "decimal(10,3)"),
    ("-ds", "interval day to second"), ("mod(dec, 2)", "decimal(10,3)"),
  ]) func arithmetic(expression: String, expected: String) throws {
    #expect(try type(expression) == expected)
  }

  @Test(arguments: [
    ("coalesce(ti, bi)", "bigint"), ("coalesce(i, dec)", "decimal(13,3)"), ("coalesce(bi, dec)", "decimal(22,3)"),
    ("coalesce(dec, long_dec)", "decimal(30,5)"), ("coalesce(dec, d)", "double"), ("coalesce(re, dec)", "real"),
    ("coalesce(v5, 'abcdefg')", "varchar(7)"), ("coalesce(v5, v)", "varchar"), ("coalesce(c, v5)", "char(5)"),
    ("coalesce(da, ts)", "timestamp(3)"), ("coalesce(ts, ts6)", "timestamp(6)"), ("coalesce(NULL, i)", "integer"),
    ("CASE WHEN b THEN 1 ELSE 2.5 END", "decimal(11,1)"), ("if(b, i)", "integer"), ("nullif(i, bi)", "integer"),
    ("greatest(i, bi, ti)", "bigint"), ("least(da, ts)", "timestamp(3)"),
  ]) func commonTypes(expression: String, expected: String) throws {
    #expect(try type(expression) == expected)
  }

  @Test(arguments: [
    ("abs(ti)", "tinyint"), ("abs(dec)", "decimal(10,3)"), ("ceil(dec)", "decimal(8,0)"), ("floor(i)", "integer"),
    ("round(dec)", "decimal(8,0)"), ("round(dec, 1)", "decimal(11,3)"), ("round(d, 2)", "double"),
    ("truncate(dec)", "decimal(7,0)"),
    ("sign(dec)", "decimal(1,0)"), ("sqrt(i)", "double"), ("power(2, 3)", "double"), ("pi()", "double"),
    ("random()", "double"),
    ("random(10)", "integer"), ("length(v)", "bigint"), ("upper(v5)", "varchar(5)"), ("substring(v5, 2)", "varchar(5)"),
    ("substring(v5 FROM 1 FOR 2)", "varchar(5)"), ("v || v5", "varchar"), ("concat(v, v, v)", "varchar"),
    ("trim(v5)", "varchar(5)"),
    ("trim(LEADING 'x' FROM v5)", "varchar(5)"), ("position('a' IN v)", "bigint"), ("starts_with(v, 'a')", "boolean"),
    ("year(da)", "bigint"), ("extract(dow FROM ts)", "bigint"), ("hour(ts)", "bigint"),
    ("date_trunc('month', ts6)", "timestamp(6)"),
    ("date_add('day', i, da)", "date"), ("date_diff('day', da, ts)", "bigint"), ("date(ts)", "date"),
    ("typeof(dec)", "varchar"),
    ("bitwise_and(i, 1)", "bigint"), ("is_nan(d)", "boolean"), ("chr(65)", "varchar(1)"), ("lower(c)", "varchar(4)"),
    ("count(*)", "bigint"), ("sum(ti)", "bigint"), ("sum(dec)", "decimal(38,3)"), ("sum(d)", "double"),
    ("sum(re)", "real"),
    ("avg(i)", "double"), ("avg(dec)", "decimal(10,3)"), ("min(v5)", "varchar(5)"), ("max(da)", "date"),
    ("bool_or(b)", "boolean"),
    ("count_if(b)", "bigint"), ("stddev(i)", "double"), ("min_by(v5, i)", "varchar(5)"),
    ("arbitrary(ts)", "timestamp(3)"),
  ]) func functions(expression: String, expected: String) throws {
    #expect(try type(expression) == expected)
  }

  @Test(arguments: [
    ("CAST(i AS decimal(5,2))", "decimal(5,2)"), ("CAST(v AS timestamp)", "timestamp(3)"),
    ("CAST(1 AS bigint)", "bigint"),
    ("CAST(NULL AS varchar(3))", "varchar(3)"), ("TRY_CAST(v AS integer)", "integer"), ("CAST(d AS real)", "real"),
    ("TRY(CAST(v AS date))", "date"), ("CAST(ts AS date)", "date"), ("CAST(i AS varchar)", "varchar"),
    ("CAST(b AS int)", "integer"),
  ]) func casts(expression: String, expected: String) throws {
    #expect(try type(expression) == expected)
  }

  /// The condition of a filter over `everything`, as text.
  private func condition(_ text: String) throws -> String {
    let plan = try planText("SELECT 1 FROM everything WHERE \(text)")
    let line = plan.split(separator: "\n").first { $0.contains("filter") }
    return line.map { String($0.drop { $0 == " " }.dropFirst("filter ".count)) } ?? plan
  }

  @Test func coercionsAreInsertedAndConstantsConverted() throws {
    #expect(try condition("dec < 24") == "(dec < decimal(13,3) 24000)")
    #expect(try condition("bi = 1") == "(bi = bigint 1)")
    #expect(try condition("i = bi") == "(cast(i as bigint) = bi)")
    #expect(try condition("v5 = 'abcdefgh'") == "(v5 = 'abcdefgh')")
    #expect(try condition("d > 1") == "(d > 1.0)")
    #expect(try condition("da < TIMESTAMP '2020-01-01'")
      == "(cast(da as timestamp(0)) < timestamp(0) 1577836800000000)")
    #expect(try condition("long_dec = dec") == "(long_dec = cast(dec as decimal(30,5)))")
    #expect(try condition("i BETWEEN 1 AND bi") == "((cast(i as bigint) >= bigint 1) and (cast(i as bigint) <= bi))")
    #expect(try condition("v LIKE 'a%' ESCAPE '$'") == "(v like 'a%')")
    #expect(try condition("i IN (1, NULL)") == "(i in (1, null))")
  }

  @Test func timesAreFixedAtTheStart() throws {
    let text = try planText("SELECT current_date, localtimestamp(0), current_timestamp")
    // 2024-02-29, and 12:34:56 cut to seconds and milliseconds.
    #expect(text.contains("date 19782"))
    #expect(text.contains("timestamp(0) 1709210096000000"))
    #expect(text.contains("timestamp(3) 1709210096789000"))
  }
}

struct LiteralValueTests {
  @Test(arguments: [
    ("1970-01-01", 0), ("1969-12-31", -1), ("2000-03-01", 11017), ("1992-01-02", 8036), ("2024-02-29", 19782),
    ("0001-01-01", -719162), (" 1998-12-01 ", 10561), ("1998-9-1", 10470),
  ]) func dates(text: String, days: Int64) {
    #expect(LiteralValues.date(text) == days)
  }

  @Test(arguments: ["", "1998", "1998-13-01", "1998-02-29", "1998-00-10", "x", "1998-01-01x", "1998-1-1-1", "--1-1"])
  func wrongDates(text: String) {
    #expect(LiteralValues.date(text) == nil)
  }

  @Test func timestamps() throws {
    let value = try #require(LiteralValues.timestamp("1970-01-02 01:02:03.000456"))
    #expect(value.microseconds == 86_400_000_000 + 3_723_000_456 && value.precision == 6)
    #expect(LiteralValues.timestamp("1970-01-01 00:01")?.microseconds == 60_000_000)
    for wrong in ["1970-01-01 24:00", "1970-01-01 1", "1970-01-01 00:00:00.1234567", "1970-01-01 00:00:60"] {
      #expect(LiteralValues.timestamp(wrong) == nil, "\(wrong)")
    }
  }

  @Test func intervalsAndDecimals() throws {
    func value(_ sql: String) throws -> Value {
      guard case .project(let project) = try plan("SELECT \(sql)").root.sources[0],
        case .constant(let value, _) = project.assignments[0].expression
      else { throw WaterbearError(.genericInternalError, "no constant: \(sql)") }
      return value
    }
    #expect(try value("INTERVAL '90' DAY") == .integer(7_776_000_000))
    #expect(try value("INTERVAL -'1-2' YEAR TO MONTH") == .integer(-14))
    #expect(try value("INTERVAL '-3' MONTH") == .integer(-3))
    #expect(try value("INTERVAL '2 03:04:05.006' DAY TO SECOND") == .integer(183_845_006))
    #expect(try value("INTERVAL '1:30' HOUR TO MINUTE") == .integer(5_400_000))
    #expect(try value("-1.25") == .integer(-125))
    #expect(try value("12345678901234567890.5") == .int128(123_456_789_012_345_678_905))
    #expect(try value("CAST(3 AS decimal(30,2))") == .int128(300))
  }
}

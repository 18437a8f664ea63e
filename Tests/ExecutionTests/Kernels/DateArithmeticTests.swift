// Proves arithmetic on dates, timestamps and intervals, and negation of numbers.

import Base
import Columnar
import Planning
import Testing

@testable import Execution

struct DateArithmeticTests {
  private static func date(_ value: String) -> Expression { literal(value, .date) }
  private static func time(_ value: String) -> Expression { literal(value, .timestamp(precision: 3)) }
  private static func days(_ count: Int64) -> Expression {
    .constant(.integer(count * 86_400_000), .intervalDayToSecond)
  }
  private static func hours(_ count: Int64) -> Expression {
    .constant(.integer(count * 3_600_000), .intervalDayToSecond)
  }
  private static func months(_ count: Int64) -> Expression { .constant(.integer(count), .intervalYearToMonth) }
  private static func compute(
    _ left: Expression, _ operation: ArithmeticOperator, _ right: Expression, _ type: DataType
  ) -> Expression {
    .arithmetic(operation, left, right, type, Origin())
  }

  static let cases: [(Expression, String)] = [
    (compute(date("1998-12-01"), .subtract, days(90), .date), "1998-09-02"),
    (compute(date("2020-02-28"), .add, days(2), .date), "2020-03-01"),
    (compute(days(1), .add, date("2020-02-28"), .date), "2020-02-29"),
    (compute(date("1995-01-01"), .add, months(12), .date), "1996-01-01"),
    (compute(date("2020-01-31"), .add, months(1), .date), "2020-02-29"),
    (compute(date("2020-03-31"), .subtract, months(13), .date), "2019-02-28"),
    (compute(months(-3), .add, date("1970-01-01"), .date), "1969-10-01"),
    (
      compute(date("2020-01-01"), .add, hours(1), .date),
      "INVALID_FUNCTION_ARGUMENT: Cannot add hour, minutes or seconds to a date"
    ),
    (
      compute(date("2020-01-01"), .subtract, hours(25), .date),
      "INVALID_FUNCTION_ARGUMENT: Cannot subtract hour, minutes or seconds from a date"
    ),
    (
      compute(.constant(.integer(2_147_483_647), .date), .add, days(1), .date),
      "NUMERIC_VALUE_OUT_OF_RANGE: Date is out of range"
    ),
    (compute(time("2020-01-31 23:30:00"), .add, hours(1), .timestamp(precision: 3)), "2020-02-01 00:30:00.000"),
    (compute(time("1970-01-01 00:00:00"), .subtract, hours(1), .timestamp(precision: 3)), "1969-12-31 23:00:00.000"),
    (compute(time("2020-03-31 10:00:00"), .subtract, months(1), .timestamp(precision: 3)), "2020-02-29 10:00:00.000"),
    (compute(hours(2), .add, hours(3), .intervalDayToSecond), "0 05:00:00.000"),
    (compute(months(14), .subtract, months(2), .intervalYearToMonth), "1-0"),
    (compute(hours(5), .multiply, number(5), .intervalDayToSecond), "1 01:00:00.000"),
    (compute(number(3), .multiply, months(5), .intervalYearToMonth), "1-3"),
    (compute(hours(1), .multiply, double(1.5), .intervalDayToSecond), "0 01:30:00.000"),
    (compute(months(7), .divide, double(2), .intervalYearToMonth), "0-3"),
    (
      compute(hours(1), .divide, double(0), .intervalDayToSecond),
      "INVALID_FUNCTION_ARGUMENT: Cannot divide by double 0.0"
    ),
    (
      compute(hours(1), .multiply, double(.nan), .intervalDayToSecond),
      "INVALID_FUNCTION_ARGUMENT: Cannot multiply by double NaN"
    ),
    (.negate(hours(1), Origin()), "-0 01:00:00.000"),
    (.negate(number(.min), Origin()), "NUMERIC_VALUE_OUT_OF_RANGE: bigint negation overflow: -9223372036854775808"),
    (
      .negate(.constant(.integer(-128), .tinyint), Origin()),
      "NUMERIC_VALUE_OUT_OF_RANGE: tinyint negation overflow: -128"
    ),
    (.negate(double(1.5), Origin()), "-1.5"),
    (.negate(literal("-1.5", .decimal(precision: 3, scale: 1)), Origin()), "1.5"),
    (
      compute(number(.max), .add, number(1), .bigint),
      "NUMERIC_VALUE_OUT_OF_RANGE: bigint addition overflow: 9223372036854775807 + 1"
    ),
    (
      compute(number(.min), .subtract, number(1), .bigint),
      "NUMERIC_VALUE_OUT_OF_RANGE: bigint subtraction overflow: -9223372036854775808 - 1"
    ),
    (
      compute(number(.max), .multiply, number(2), .bigint),
      "NUMERIC_VALUE_OUT_OF_RANGE: bigint multiplication overflow: 9223372036854775807 * 2"
    ),
    (
      compute(number(.min), .divide, number(-1), .bigint),
      "NUMERIC_VALUE_OUT_OF_RANGE: bigint division overflow: -9223372036854775808 / -1"
    ),
    (compute(number(.min), .modulus, number(-1), .bigint), "0"),
    (compute(number(-7), .divide, number(2), .bigint), "-3"),
    (compute(double(1), .divide, double(0), .double), "Infinity"),
    (compute(double(0), .divide, double(0), .double), "NaN"),
  ]

  @Test(arguments: cases.indices)
  func computes(_ index: Int) {
    let (expression, expected) = Self.cases[index]
    #expect(outcome(expression) == expected, "\(expression)")
  }

  @Test(arguments: [DataType.date, .timestamp(precision: 3)])
  func columnsComputeRowByRow(_ type: DataType) throws {
    for interval in [DataType.intervalDayToSecond, .intervalYearToMonth] {
      let left = Symbol(id: 1, name: "a", type: type)
      let right = Symbol(id: 2, name: "b", type: interval)
      var random = RandomVectors(seed: 6)
      for (form, other) in zip(Form.allCases, Form.allCases.reversed()) {
        for count in [0, 1, 60] {
          let batch = Batch(
            columns: [random.vector(type, count: count, form), random.vector(interval, count: count, other)],
            count: count)
          for operation in [ArithmeticOperator.add, .subtract] {
            try expectRowByRow(
              Self.compute(.symbol(left), operation, .symbol(right), type), layout: [left, right], batch)
          }
        }
      }
    }
  }
}

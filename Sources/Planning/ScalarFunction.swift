// Owns the list of scalar functions that a plan may name. Which argument types each takes is the analyser's table;
// what each computes is `Execution`'s.

/// A scalar function, under Trino's name.
public enum ScalarFunction: String, Codable, Sendable, CaseIterable {
  // Numbers.
  case abs, ceiling, floor, round, truncate, sign, sqrt, cbrt, exp, ln, log2, log10, log, power, mod, pi, e
  case sin, cos, tan, asin, acos, atan, atan2, sinh, cosh, tanh, degrees, radians
  case greatest, least
  case bitwiseAnd = "bitwise_and"
  case bitwiseOr = "bitwise_or"
  case bitwiseXor = "bitwise_xor"
  case bitwiseNot = "bitwise_not"
  case isNaN = "is_nan"
  case isFinite = "is_finite"
  case isInfinite = "is_infinite"
  case nan, infinity
  case random

  // Text.
  case length, lower, upper, trim, ltrim, rtrim, substring, strpos, concat, replace, reverse, lpad, rpad, chr
  case codepoint
  /// Not for SQL: a text as a column of a table keeps it; what would lose more than blanks at its end is an error.
  case storedText = "$stored_text"
  case startsWith = "starts_with"
  case splitPart = "split_part"

  // Dates and times. Fields are named as in EXTRACT.
  case year, quarter, month, week, day, hour, minute, second, millisecond
  case dayOfWeek = "day_of_week"
  case dayOfYear = "day_of_year"
  case yearOfWeek = "year_of_week"
  case dateTrunc = "date_trunc"
  case dateAdd = "date_add"
  case dateDiff = "date_diff"
  case lastDayOfMonth = "last_day_of_month"

  // Subqueries.
  /// Not for SQL: TRUE for a count of rows up to 1, SUBQUERY_MULTIPLE_ROWS for more.
  case onlyRow = "$only_row"

  /// Whether the same arguments give the same result within a query. A check on the rows of a subquery counts as one
  /// that does not, so that no pass moves it to rows that nobody asks for.
  public var isDeterministic: Bool { self != .random && self != .onlyRow }
}

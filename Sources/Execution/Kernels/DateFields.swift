// Owns EXTRACT and its like: year, month, day, hour … of dates and timestamps, by calendar arithmetic.

import Columnar
import Planning

/// A field of a day, given as days since 1970-01-01.
private protocol DayField {
  static func value(_ day: Int) -> Int64
}

private enum YearField: DayField {
  @inline(__always)
  static func value(_ day: Int) -> Int64 { Int64(CivilDate(daysSinceEpoch: day).year) }
}

private enum QuarterField: DayField {
  @inline(__always)
  static func value(_ day: Int) -> Int64 { Int64((CivilDate(daysSinceEpoch: day).month &+ 2) / 3) }
}

private enum MonthField: DayField {
  @inline(__always)
  static func value(_ day: Int) -> Int64 { Int64(CivilDate(daysSinceEpoch: day).month) }
}

private enum DayOfMonthField: DayField {
  @inline(__always)
  static func value(_ day: Int) -> Int64 { Int64(CivilDate(daysSinceEpoch: day).day) }
}

/// 1 for Monday to 7 for Sunday.
@inline(__always)
func dayOfWeek(_ day: Int) -> Int {
  // 1970-01-01 was a Thursday.
  let shifted = (day &+ 3) % 7
  return shifted < 0 ? shifted &+ 8 : shifted &+ 1
}

private enum DayOfWeekField: DayField {
  @inline(__always)
  static func value(_ day: Int) -> Int64 { Int64(dayOfWeek(day)) }
}

private enum DayOfYearField: DayField {
  @inline(__always)
  static func value(_ day: Int) -> Int64 { Int64(CivilDate(daysSinceEpoch: day).dayOfYear) }
}

/// Weeks run from Monday to Sunday and belong to the year of their Thursday, as in ISO 8601.
private enum WeekField: DayField {
  @inline(__always)
  static func value(_ day: Int) -> Int64 {
    Int64((CivilDate(daysSinceEpoch: thursday(of: day)).dayOfYear &- 1) / 7 &+ 1)
  }

  @inline(__always)
  static func thursday(of day: Int) -> Int { day &- dayOfWeek(day) &+ 4 }
}

private enum YearOfWeekField: DayField {
  @inline(__always)
  static func value(_ day: Int) -> Int64 { Int64(CivilDate(daysSinceEpoch: WeekField.thursday(of: day)).year) }
}

private struct FieldOfDate<Field: DayField>: UnaryOperation {
  @inline(__always)
  func apply(_ date: Int32) -> Int64 { Field.value(Int(date)) }
}

private struct FieldOfTimestamp<Field: DayField>: UnaryOperation {
  @inline(__always)
  func apply(_ timestamp: Int64) -> Int64 { Field.value(splitTimestamp(timestamp).day) }
}

/// A field of the time of day: how many `unit` microseconds, counted up to `limit`.
private struct FieldOfTime: UnaryOperation {
  let unit: Int64
  let limit: Int64

  @inline(__always)
  func apply(_ timestamp: Int64) -> Int64 { splitTimestamp(timestamp).time / unit % limit }
}

/// A field of an interval day to second, with the interval's sign.
private struct FieldOfInterval: UnaryOperation {
  let unit: Int64
  let limit: Int64

  @inline(__always)
  func apply(_ milliseconds: Int64) -> Int64 { milliseconds / unit % limit }
}

private struct YearsOfInterval: UnaryOperation {
  @inline(__always)
  func apply(_ months: Int32) -> Int64 { Int64(months / 12) }
}

private struct MonthsOfInterval: UnaryOperation {
  @inline(__always)
  func apply(_ months: Int32) -> Int64 { Int64(months % 12) }
}

/// The kernel of a date field function on `type`, or nil where the type has no such field.
func dateFieldKernel(_ field: ScalarFunction, _ type: DataType) -> Kernel? {
  switch type {
  case .date, .timestamp:
    switch field {
    case .year: return kernel(YearField.self, type)
    case .quarter: return kernel(QuarterField.self, type)
    case .month: return kernel(MonthField.self, type)
    case .week: return kernel(WeekField.self, type)
    case .day: return kernel(DayOfMonthField.self, type)
    case .dayOfWeek: return kernel(DayOfWeekField.self, type)
    case .dayOfYear: return kernel(DayOfYearField.self, type)
    case .yearOfWeek: return kernel(YearOfWeekField.self, type)
    default: return type == .date ? nil : timeFieldKernel(field)
    }
  case .intervalDayToSecond:
    switch field {
    case .day: return unaryKernel(FieldOfInterval(unit: 86_400_000, limit: .max), .bigint)
    case .hour: return unaryKernel(FieldOfInterval(unit: 3_600_000, limit: 24), .bigint)
    case .minute: return unaryKernel(FieldOfInterval(unit: 60_000, limit: 60), .bigint)
    case .second: return unaryKernel(FieldOfInterval(unit: 1000, limit: 60), .bigint)
    case .millisecond: return unaryKernel(FieldOfInterval(unit: 1, limit: 1000), .bigint)
    default: return nil
    }
  case .intervalYearToMonth:
    switch field {
    case .year: return unaryKernel(YearsOfInterval(), .bigint)
    case .month: return unaryKernel(MonthsOfInterval(), .bigint)
    default: return nil
    }
  default: return nil
  }
}

private func timeFieldKernel(_ field: ScalarFunction) -> Kernel? {
  switch field {
  case .hour: unaryKernel(FieldOfTime(unit: 3_600_000_000, limit: 24), .bigint)
  case .minute: unaryKernel(FieldOfTime(unit: 60_000_000, limit: 60), .bigint)
  case .second: unaryKernel(FieldOfTime(unit: 1_000_000, limit: 60), .bigint)
  case .millisecond: unaryKernel(FieldOfTime(unit: 1000, limit: 1000), .bigint)
  default: nil
  }
}

@inline(__always)
private func kernel<Field: DayField>(_ field: Field.Type, _ type: DataType) -> Kernel {
  type == .date
    ? unaryKernel(FieldOfDate<Field>(), .bigint) : unaryKernel(FieldOfTimestamp<Field>(), .bigint)
}

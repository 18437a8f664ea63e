// Owns the proleptic Gregorian calendar as pure arithmetic: no tables, no time zones.

/// A calendar day. Years before 1 count down through 0, as in ISO 8601.
@frozen
public struct CivilDate: Hashable, Sendable {
  public var year: Int
  /// 1 to 12.
  public var month: Int
  /// 1 to 31.
  public var day: Int

  @inlinable
  public init(year: Int, month: Int, day: Int) {
    self.year = year
    self.month = month
    self.day = day
  }

  /// The day `days` after 1970-01-01, which may be negative. Any 32-bit number of days is in range.
  ///
  /// The arithmetic is Neri and Schneider's ("Euclidean affine functions and their application to calendar algorithms",
  /// 2022): years start in March, so that the leap day is the last of its year, and quotients and remainders come from
  /// one multiplication each.
  @inlinable
  @inline(__always)
  public init(daysSinceEpoch days: Int) {
    // 719468 days lie between 0000-03-01 and 1970-01-01. 14700 times 400 years (146097 days) keep the count positive.
    let shifted = UInt64(truncatingIfNeeded: days &+ 719_468 &+ 14_700 &* 146_097)
    let quarters = shifted &* 4 &+ 3
    let century = quarters / 146_097
    let quarterOfCentury = UInt32(truncatingIfNeeded: quarters &- century &* 146_097) | 3
    let yearProduct = UInt64(quarterOfCentury) &* 2_939_745
    let yearOfCentury = yearProduct &>> 32
    let dayOfYear = UInt32(truncatingIfNeeded: yearProduct) / 2_939_745 / 4
    let monthProduct = dayOfYear &* 2141 &+ 197_913
    let month = Int(monthProduct &>> 16)
    // Days from the 1st of March on that fall into January or February belong to the next year.
    let isNextYear = dayOfYear >= 306
    self.month = isNextYear ? month &- 12 : month
    day = Int((monthProduct & 0xffff) / 2141) &+ 1
    year = Int(century &* 100 &+ yearOfCentury) &- 14_700 &* 400 &+ (isNextYear ? 1 : 0)
  }

  /// Days since 1970-01-01.
  @inlinable
  @inline(__always)
  public var daysSinceEpoch: Int {
    let shiftedYear = month <= 2 ? year &- 1 : year
    let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear &- 399) / 400
    let yearOfEra = shiftedYear &- era &* 400
    let dayOfYear = (153 &* (month > 2 ? month &- 3 : month &+ 9) &+ 2) / 5 &+ day &- 1
    let dayOfEra = yearOfEra &* 365 &+ yearOfEra / 4 &- yearOfEra / 100 &+ dayOfYear
    return era &* 146_097 &+ dayOfEra &- 719_468
  }

  /// Whether a year of the Gregorian calendar has a 29th of February.
  @inlinable
  public static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

  /// Days of the month: 28 to 31.
  @inlinable
  public static func lengthOfMonth(_ month: Int, year: Int) -> Int {
    switch month {
    case 2: isLeap(year) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// This day `months` later, or on that month's last day where it is shorter.
  @inlinable
  public func adding(months: Int) -> CivilDate {
    let total = year &* 12 &+ month &- 1 &+ months
    let newYear = total >= 0 ? total / 12 : (total &- 11) / 12
    let newMonth = total &- newYear &* 12 &+ 1
    return CivilDate(
      year: newYear, month: newMonth, day: min(day, Self.lengthOfMonth(newMonth, year: newYear)))
  }

  /// 1 for the 1st of January.
  @inlinable
  public var dayOfYear: Int {
    daysSinceEpoch &- CivilDate(year: year, month: 1, day: 1).daysSinceEpoch &+ 1
  }
}

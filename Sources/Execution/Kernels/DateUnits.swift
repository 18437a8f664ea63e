// Owns date_trunc, date_add, date_diff and last_day_of_month.

import Base
import Columnar
import Planning

/// A unit of time that these functions take by name.
enum DateUnit: String {
  case millisecond, second, minute, hour, day, week, month, quarter, year

  /// Microseconds of a unit that is always as long; nil from month on.
  var microseconds: Int64? {
    switch self {
    case .millisecond: 1000
    case .second: 1_000_000
    case .minute: 60_000_000
    case .hour: 3_600_000_000
    case .day: TimeUnits.microsecondsPerDay
    case .week: 7 * TimeUnits.microsecondsPerDay
    case .month, .quarter, .year: nil
    }
  }

  /// Months of a unit that has them, else 0.
  var months: Int {
    switch self {
    case .month: 1
    case .quarter: 3
    case .year: 12
    default: 0
    }
  }

  var isShorterThanDay: Bool { (microseconds ?? .max) < TimeUnits.microsecondsPerDay }

  /// The first day of this unit around `day`, for units from day on.
  func start(of day: Int) -> Int {
    switch self {
    case .week: return day - dayOfWeek(day) + 1
    case .month, .quarter, .year:
      var date = CivilDate(daysSinceEpoch: day)
      date.day = 1
      if self == .quarter { date.month = (date.month - 1) / 3 * 3 + 1 }
      if self == .year { date.month = 1 }
      return date.daysSinceEpoch
    default: return day
    }
  }

  /// The start of this unit around a timestamp.
  func start(of timestamp: Int64) -> Int64 {
    let (day, time) = splitTimestamp(timestamp)
    if isShorterThanDay, let unit = microseconds { return timestamp - time % unit }
    return Int64(start(of: day)) * TimeUnits.microsecondsPerDay
  }

  /// A timestamp `amount` of these units later; nil where that is out of range.
  func adding(_ amount: Int64, to timestamp: Int64) -> Int64? {
    if let unit = microseconds {
      let (span, tooLong) = amount.multipliedReportingOverflow(by: unit)
      let (result, overflow) = timestamp.addingReportingOverflow(span)
      return tooLong || overflow ? nil : result
    }
    guard let months = Int32(exactly: amount) else { return nil }
    let (day, time) = splitTimestamp(timestamp)
    let moved = CivilDate(daysSinceEpoch: day).adding(months: Int(months) * self.months).daysSinceEpoch
    let (start, tooFar) = Int64(moved).multipliedReportingOverflow(by: TimeUnits.microsecondsPerDay)
    let (result, overflow) = start.addingReportingOverflow(time)
    return tooFar || overflow ? nil : result
  }

  /// Whole units from `first` to `second`, negative where `second` is earlier. Parts of a unit do not count. A last day
  /// of a month completes months that began on a later day, as in Joda-Time, on which Trino rests.
  func difference(from first: Int64, to second: Int64) -> Int64 {
    if let unit = microseconds {
      let (span, overflow) = second.subtractingReportingOverflow(first)
      return overflow ? second / unit - first / unit : span / unit
    }
    if second < first { return -difference(from: second, to: first) }
    return self == .year ? years(from: first, to: second) : months(from: first, to: second) / Int64(months)
  }

  private func months(from first: Int64, to second: Int64) -> Int64 {
    let (firstDay, firstTime) = splitTimestamp(first)
    let (secondDay, secondTime) = splitTimestamp(second)
    let start = CivilDate(daysSinceEpoch: firstDay)
    let end = CivilDate(daysSinceEpoch: secondDay)
    let months = Int64((end.year - start.year) * 12 + end.month - start.month)
    let isLastDay = end.day == CivilDate.lengthOfMonth(end.month, year: end.year)
    let startDay = isLastDay ? min(start.day, end.day) : start.day
    return (end.day, secondTime) < (startDay, firstTime) ? months - 1 : months
  }

  private func years(from first: Int64, to second: Int64) -> Int64 {
    let (firstDay, firstTime) = splitTimestamp(first)
    let (secondDay, secondTime) = splitTimestamp(second)
    let start = CivilDate(daysSinceEpoch: firstDay)
    let end = CivilDate(daysSinceEpoch: secondDay)
    // Days of the year, without the leap day where only one of the years has it.
    var startOfYear = start.dayOfYear
    var endOfYear = end.dayOfYear
    if startOfYear >= 60 {
      if CivilDate.isLeap(start.year) {
        if !CivilDate.isLeap(end.year) { startOfYear -= 1 }
      } else if endOfYear >= 60 && CivilDate.isLeap(end.year) {
        endOfYear -= 1
      }
    }
    let years = Int64(end.year - start.year)
    return (endOfYear, secondTime) < (startOfYear, firstTime) ? years - 1 : years
  }
}

/// The unit argument of one of these functions, read once where it is constant.
private struct UnitOperand {
  private let texts: TextOperand
  private let isConstant: Bool
  private let type: DataType
  private let origin: Origin
  private var last: DateUnit?

  init(_ vector: Vector, _ type: DataType, _ origin: Origin) {
    texts = TextOperand(vector)
    isConstant = vector.encoding == .constant
    self.type = type
    self.origin = origin
  }

  mutating func unit(_ row: Int) throws -> DateUnit {
    if isConstant, let last { return last }
    let (bytes, count) = texts[row]
    let name = String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self).lowercased()
    guard let unit = DateUnit(rawValue: name), type != .date || !unit.isShorterThanDay else {
      let kind = type == .date ? "DATE" : "Timestamp"
      throw WaterbearError(
        .invalidFunctionArgument, "'\(name)' is not a valid \(kind) field", at: origin.location)
    }
    last = unit
    return unit
  }
}

/// A date or timestamp argument as microseconds.
private struct InstantOperand {
  private let days: Operand<Int32>?
  private let micros: Operand<Int64>?

  init(_ vector: Vector) {
    days = vector.type == .date ? Operand(vector) : nil
    micros = vector.type == .date ? nil : Operand(vector)
  }

  subscript(row: Int) -> Int64 {
    if let days { return Int64(days[row]) * TimeUnits.microsecondsPerDay }
    return micros.unsafelyUnwrapped[row]  // Set where `days` is not.
  }
}

/// Fills a column of dates or timestamps from microseconds.
private func instants(
  _ type: DataType, _ input: KernelInput, _ origin: Origin, _ make: (Int) throws -> Int64?
) throws -> Vector {
  let output = Buffer(zeroed: input.count * type.layout.stride)
  for row in 0..<input.count where input.isPresent(row) {
    guard let micros = try make(row) else { throw dateOutOfRange(origin) }
    if type == .date {
      guard let day = Int32(exactly: splitTimestamp(micros).day) else { throw dateOutOfRange(origin) }
      output.pointer(to: Int32.self)[row] = day
    } else {
      output.pointer(to: Int64.self)[row] = micros
    }
  }
  return Vector(flat: type, count: input.count, values: output, validity: input.validity)
}

/// date_trunc(unit, date or timestamp).
func dateTruncKernel(_ type: DataType, _ origin: Origin) -> Kernel {
  { input in
    var units = UnitOperand(input.arguments[0], type, origin)
    let values = InstantOperand(input.arguments[1])
    return try instants(type, input, origin) { row in try units.unit(row).start(of: values[row]) }
  }
}

/// date_add(unit, amount, date or timestamp).
func dateAddKernel(_ type: DataType, _ origin: Origin) -> Kernel {
  { input in
    var units = UnitOperand(input.arguments[0], type, origin)
    let amounts = Operand<Int64>(input.arguments[1])
    let values = InstantOperand(input.arguments[2])
    return try instants(type, input, origin) { row in try units.unit(row).adding(amounts[row], to: values[row]) }
  }
}

/// date_diff(unit, first, second): second minus first.
func dateDiffKernel(_ type: DataType, _ origin: Origin) -> Kernel {
  { input in
    var units = UnitOperand(input.arguments[0], type, origin)
    let first = InstantOperand(input.arguments[1])
    let second = InstantOperand(input.arguments[2])
    let output = Buffer(zeroed: input.count * 8)
    let target = output.pointer(to: Int64.self)
    for row in 0..<input.count where input.isPresent(row) {
      target[row] = try units.unit(row).difference(from: first[row], to: second[row])
    }
    return Vector(flat: .bigint, count: input.count, values: output, validity: input.validity)
  }
}

/// last_day_of_month(date or timestamp), a date.
func lastDayOfMonthKernel(_ origin: Origin) -> Kernel {
  { input in
    let values = InstantOperand(input.arguments[0])
    return try instants(.date, input, origin) { row in
      var date = CivilDate(daysSinceEpoch: splitTimestamp(values[row]).day)
      date.day = CivilDate.lengthOfMonth(date.month, year: date.year)
      return Int64(date.daysSinceEpoch) * TimeUnits.microsecondsPerDay
    }
  }
}

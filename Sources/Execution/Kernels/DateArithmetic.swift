// Owns date ± interval, timestamp ± interval and interval * number.

import Base
import Columnar
import Planning

enum TimeUnits {
  static let millisecondsPerDay: Int64 = 86_400_000
  static let microsecondsPerDay: Int64 = 86_400_000_000
  static let microsecondsPerMillisecond: Int64 = 1000
}

/// date ± whole days, given in milliseconds.
private struct AddDays: BinaryOperation {
  /// 1 or -1.
  let sign: Int64
  let origin: Origin
  private var failed = false

  init(sign: Int64, origin: Origin) {
    self.sign = sign
    self.origin = origin
  }

  @inline(__always)
  mutating func apply(_ date: Int32, _ interval: Int64) -> Int32 {
    let days = interval / TimeUnits.millisecondsPerDay
    let result = Int64(date) &+ sign &* days
    let narrow = Int32(truncatingIfNeeded: result)
    failed = failed || days &* TimeUnits.millisecondsPerDay != interval || Int64(narrow) != result
    return narrow
  }

  @inline(__always)
  var hasFailed: Bool { failed }
  func failure(_ date: Int32, _ interval: Int64) -> WaterbearError {
    if interval % TimeUnits.millisecondsPerDay == 0 { return dateOutOfRange(origin) }
    let message = sign > 0
      ? "Cannot add hour, minutes or seconds to a date" : "Cannot subtract hour, minutes or seconds from a date"
    return WaterbearError(.invalidFunctionArgument, message, at: origin.location)
  }
}

func dateOutOfRange(_ origin: Origin) -> WaterbearError {
  WaterbearError(.numericValueOutOfRange, "Date is out of range", at: origin.location)
}

private func timestampOutOfRange(_ origin: Origin) -> WaterbearError {
  WaterbearError(.numericValueOutOfRange, "Timestamp is out of range", at: origin.location)
}

/// date ± months, on the month's last day where it is shorter.
private struct AddMonths: BinaryOperation {
  let sign: Int
  let origin: Origin
  private var failed = false

  init(sign: Int, origin: Origin) {
    self.sign = sign
    self.origin = origin
  }

  @inline(__always)
  mutating func apply(_ date: Int32, _ months: Int32) -> Int32 {
    let result = CivilDate(daysSinceEpoch: Int(date)).adding(months: sign &* Int(months)).daysSinceEpoch
    let narrow = Int32(truncatingIfNeeded: result)
    failed = failed || Int(narrow) != result
    return narrow
  }

  @inline(__always)
  var hasFailed: Bool { failed }
  func failure(_ date: Int32, _ months: Int32) -> WaterbearError { dateOutOfRange(origin) }
}

/// timestamp ± milliseconds.
private struct AddMilliseconds: BinaryOperation {
  let sign: Int64
  let origin: Origin
  private var failed = false

  init(sign: Int64, origin: Origin) {
    self.sign = sign
    self.origin = origin
  }

  @inline(__always)
  mutating func apply(_ timestamp: Int64, _ interval: Int64) -> Int64 {
    let (micros, tooLong) = interval.multipliedReportingOverflow(by: sign &* TimeUnits.microsecondsPerMillisecond)
    let (result, overflow) = timestamp.addingReportingOverflow(micros)
    failed = failed || tooLong || overflow
    return result
  }

  @inline(__always)
  var hasFailed: Bool { failed }
  func failure(_ timestamp: Int64, _ interval: Int64) -> WaterbearError { timestampOutOfRange(origin) }
}

/// timestamp ± months, keeping the time of day.
private struct AddMonthsToTimestamp: BinaryOperation {
  let sign: Int
  let origin: Origin
  private var failed = false

  init(sign: Int, origin: Origin) {
    self.sign = sign
    self.origin = origin
  }

  @inline(__always)
  mutating func apply(_ timestamp: Int64, _ months: Int32) -> Int64 {
    let (day, time) = splitTimestamp(timestamp)
    let moved = CivilDate(daysSinceEpoch: day).adding(months: sign &* Int(months)).daysSinceEpoch
    let (start, overflow) = Int64(moved).multipliedReportingOverflow(by: TimeUnits.microsecondsPerDay)
    let (result, tooLate) = start.addingReportingOverflow(time)
    failed = failed || overflow || tooLate
    return result
  }

  @inline(__always)
  var hasFailed: Bool { failed }
  func failure(_ timestamp: Int64, _ months: Int32) -> WaterbearError { timestampOutOfRange(origin) }
}

/// Days since 1970-01-01 and microseconds within the day, 0 and up.
@inline(__always)
func splitTimestamp(_ timestamp: Int64) -> (day: Int, time: Int64) {
  var day = timestamp / TimeUnits.microsecondsPerDay
  if timestamp &- day &* TimeUnits.microsecondsPerDay < 0 { day &-= 1 }
  return (Int(day), timestamp &- day &* TimeUnits.microsecondsPerDay)
}

/// The kernel of `left ± right` where `left` is a date or timestamp and `right` an interval.
func dateArithmeticKernel(
  _ operation: ArithmeticOperator, _ left: DataType, _ right: DataType, _ origin: Origin
) -> Kernel {
  let sign = operation == .add ? 1 : -1
  switch (left, right) {
  case (.date, .intervalDayToSecond): return binaryKernel(AddDays(sign: Int64(sign), origin: origin), left)
  case (.date, .intervalYearToMonth): return binaryKernel(AddMonths(sign: sign, origin: origin), left)
  case (.timestamp, .intervalDayToSecond):
    return binaryKernel(AddMilliseconds(sign: Int64(sign), origin: origin), left)
  case (.timestamp, .intervalYearToMonth):
    return binaryKernel(AddMonthsToTimestamp(sign: sign, origin: origin), left)
  default: preconditionFailure("\(left) \(operation.rawValue) \(right) is no date arithmetic")
  }
}

/// months × a number.
private struct MultiplyMonths: BinaryOperation {
  let context: OverflowContext
  private var failed = false

  init(_ context: OverflowContext) { self.context = context }

  @inline(__always)
  mutating func apply(_ months: Int32, _ factor: Int64) -> Int32 {
    let (product, overflow) = Int64(months).multipliedReportingOverflow(by: factor)
    let narrow = Int32(truncatingIfNeeded: product)
    failed = failed || overflow || Int64(narrow) != product
    return narrow
  }

  @inline(__always)
  var hasFailed: Bool { failed }
  func failure(_ months: Int32, _ factor: Int64) -> WaterbearError {
    context.overflow("multiplication", Int64(months), "*", factor)
  }
}

/// An interval × or / a double; the fraction is cut off.
private struct ScaleInterval<Element: KernelInteger>: BinaryOperation {
  let isDivision: Bool
  let origin: Origin
  private var failed = false

  init(isDivision: Bool, origin: Origin) {
    self.isDivision = isDivision
    self.origin = origin
  }

  @inline(__always)
  mutating func apply(_ interval: Element, _ factor: Double) -> Element {
    let result = isDivision ? Double(interval) / factor : Double(interval) * factor
    // The bounds of the type itself may round up; NaN fails the comparisons.
    guard result > Double(Element.min) - 1, result < Double(Element.max), !isDivision || factor != 0 else {
      failed = true
      return 0
    }
    return Element(result)
  }

  @inline(__always)
  var hasFailed: Bool { failed }
  func failure(_ interval: Element, _ factor: Double) -> WaterbearError {
    if factor.isNaN || (isDivision && factor == 0) {
      let verb = isDivision ? "divide" : "multiply"
      return WaterbearError(
        .invalidFunctionArgument, "Cannot \(verb) by double \(factor.isNaN ? "NaN" : "0.0")", at: origin.location)
    }
    return WaterbearError(.numericValueOutOfRange, "Interval is out of range", at: origin.location)
  }
}

/// The kernel of `interval * number` (bigint or double) or `interval / double`.
func intervalScalingKernel(
  _ operation: ArithmeticOperator, _ interval: DataType, by factor: DataType, _ origin: Origin
) -> Kernel {
  let isMonths = interval == .intervalYearToMonth
  if factor == .double {
    let isDivision = operation == .divide
    return isMonths
      ? binaryKernel(ScaleInterval<Int32>(isDivision: isDivision, origin: origin), interval)
      : binaryKernel(ScaleInterval<Int64>(isDivision: isDivision, origin: origin), interval)
  }
  precondition(factor == .bigint && operation == .multiply, "\(interval) \(operation.rawValue) \(factor)")
  let context = OverflowContext(type: interval, origin: origin)
  return isMonths
    ? binaryKernel(MultiplyMonths(context), interval)
    : binaryKernel(MultiplyIntegers<Int64>(context), interval)
}

// Owns writing a point in wall time as text. Reads no clock.
import Platform

extension SystemClock {
  /// `2026-01-31T23:59:59.123Z` for microseconds since 1970; the year has four digits up to 9999.
  public static func isoText(wallMicroseconds micros: Int64) -> String {
    String(unsafeUninitializedCapacity: 24) { buffer in
      writeISO(wallMicroseconds: micros, into: buffer)
      return 24
    }
  }

  /// Writes the 24 bytes of `isoText` to the start of `buffer`.
  static func writeISO(wallMicroseconds micros: Int64, into buffer: UnsafeMutableBufferPointer<UInt8>) {
    let milliseconds = floorDivide(micros, 1000)
    let days = floorDivide(milliseconds, 86_400_000)
    let rest = Int(milliseconds - days * 86_400_000)
    let (year, month, day) = civilDate(daysSince1970: days)
    var position = 0
    func put(_ value: Int, digits: Int, then separator: Character) {
      var value = value
      for index in stride(from: digits - 1, through: 0, by: -1) {
        buffer[position + index] = UInt8(48 + value % 10)
        value /= 10
      }
      buffer[position + digits] = separator.asciiValue ?? 0
      position += digits + 1
    }
    put(year, digits: 4, then: "-")
    put(month, digits: 2, then: "-")
    put(day, digits: 2, then: "T")
    put(rest / 3_600_000, digits: 2, then: ":")
    put(rest / 60_000 % 60, digits: 2, then: ":")
    put(rest / 1000 % 60, digits: 2, then: ".")
    put(rest % 1000, digits: 3, then: "Z")
  }

  /// The Gregorian date, by counting in eras of 400 years that start on a 1 March.
  private static func civilDate(daysSince1970 days: Int64) -> (year: Int, month: Int, day: Int) {
    let shifted = Int(days) + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
  }

  private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    value >= 0 ? value / divisor : (value - divisor + 1) / divisor
  }
}

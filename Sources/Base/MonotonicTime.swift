// Owns time as pure cores see it: a number handed in by the shell. Nothing here reads a clock.

/// A point in time on a clock that never jumps, in nanoseconds from an arbitrary start.
public struct MonotonicTime: Hashable, Codable, Sendable, Comparable {
  public var nanoseconds: Int64

  @inlinable
  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  public static func < (left: MonotonicTime, right: MonotonicTime) -> Bool {
    left.nanoseconds < right.nanoseconds
  }

  public static func + (time: MonotonicTime, span: TimeSpan) -> MonotonicTime {
    MonotonicTime(nanoseconds: time.nanoseconds + span.nanoseconds)
  }

  public static func - (left: MonotonicTime, right: MonotonicTime) -> TimeSpan {
    TimeSpan(nanoseconds: left.nanoseconds - right.nanoseconds)
  }
}

/// A length of time in nanoseconds. Reads and prints Trino's durations: `10s`, `1.5m`, `200ms`.
public struct TimeSpan: Hashable, Codable, Sendable, Comparable, CustomStringConvertible {
  public var nanoseconds: Int64

  @inlinable
  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  public static let zero = TimeSpan(nanoseconds: 0)
  /// A span of whole milliseconds.
  public static func milliseconds(_ count: Int64) -> TimeSpan { TimeSpan(nanoseconds: count * 1_000_000) }
  /// A span of whole seconds.
  public static func seconds(_ count: Int64) -> TimeSpan { TimeSpan(nanoseconds: count * 1_000_000_000) }

  /// The span in seconds, with their fraction.
  public var seconds: Double { Double(nanoseconds) / 1e9 }
  /// The span in milliseconds, rounded towards zero.
  public var milliseconds: Int64 { nanoseconds / 1_000_000 }

  public static func < (left: TimeSpan, right: TimeSpan) -> Bool { left.nanoseconds < right.nanoseconds }

  private static let units: [(suffix: String, nanoseconds: Double)] = [
    ("ns", 1), ("us", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9), ("d", 86400e9),
  ]

  /// Reads `<number><unit>` with the units ns, us, ms, s, m, h and d; nil where the text is anything else.
  public init?(parsing text: String) {
    let digits = text.prefix { $0.isNumber || $0 == "." }
    let suffix = text.dropFirst(digits.count).drop { $0 == " " }
    guard let value = Double(digits), let unit = Self.units.first(where: { $0.suffix == suffix }),
      value * unit.nanoseconds < 9e18
    else { return nil }
    nanoseconds = Int64(value * unit.nanoseconds)
  }

  /// The shortest form that reads back to the same value within two decimals, such as `1.50s`.
  public var description: String {
    let unit = Self.units.last { Double(nanoseconds) >= $0.nanoseconds } ?? Self.units[0]
    let hundredths = Int64((Double(nanoseconds) / unit.nanoseconds * 100).rounded())
    if hundredths % 100 == 0 { return "\(hundredths / 100)\(unit.suffix)" }
    let fraction = hundredths % 100
    return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)\(unit.suffix)"
  }
}

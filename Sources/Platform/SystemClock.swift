// Owns reading the machine's clocks. Pure cores never call this; shells read it and hand the time in.
import Base
import Glibc

/// The clocks of the machine.
public enum SystemClock {
  /// Time on a clock that never jumps.
  public static func monotonic() -> MonotonicTime { MonotonicTime(nanoseconds: read(CLOCK_MONOTONIC)) }

  /// Microseconds since 1970 in UTC. It may jump either way; use it for people, not for time-outs.
  public static func wallMicroseconds() -> Int64 { read(CLOCK_REALTIME) / 1000 }

  /// The wall clock in UTC as `yyyyMMdd_HHmmss`, the beginning of Trino's query ids.
  public static func utcCompact() -> String {
    var seconds = time_t(wallMicroseconds() / 1_000_000)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    func padded(_ number: Int32, _ width: Int) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let date = padded(parts.tm_year + 1900, 4) + padded(parts.tm_mon + 1, 2) + padded(parts.tm_mday, 2)
    return date + "_" + padded(parts.tm_hour, 2) + padded(parts.tm_min, 2) + padded(parts.tm_sec, 2)
  }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    let result = clock_gettime(clock, &time)
    precondition(result == 0, "the clock \(clock) exists on every Linux")
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  /// Stops this thread for about `span`; for start-up waits only, never inside an event loop.
  public static func sleep(_ span: TimeSpan) {
    var time = timespec(
      tv_sec: Int(span.nanoseconds / 1_000_000_000), tv_nsec: Int(span.nanoseconds % 1_000_000_000))
    var rest = timespec()
    while nanosleep(&time, &rest) != 0 && errno == EINTR { time = rest }
  }
}

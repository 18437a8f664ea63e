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
    let parts = utcParts(wallMicroseconds())
    return parts[0..<3].joined() + "_" + parts[3..<6].joined()
  }

  /// Microseconds since 1970 as `yyyy-MM-ddTHH:mm:ssZ`.
  public static func utcText(microseconds: Int64) -> String {
    let parts = utcParts(microseconds)
    return parts[0..<3].joined(separator: "-") + "T" + parts[3..<6].joined(separator: ":") + "Z"
  }

  /// Names the time from the machine's start to its next: the monotonic clocks of two processes agree where their boot
  /// is the same. Empty where the kernel does not say.
  public static let bootID: String = {
    let descriptor = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 64)
    let count = Glibc.read(descriptor, &bytes, bytes.count)
    return String(decoding: bytes[0..<max(0, count)].filter { $0 > 32 }, as: UTF8.self)
  }()

  /// Year, month, day, hour, minute, second.
  private static func utcParts(_ microseconds: Int64) -> [String] {
    var seconds = time_t(microseconds / 1_000_000)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    return [parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec]
      .map { $0 < 10 ? "0\($0)" : "\($0)" }
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

// Tests of time as text, against dates whose text is known, and of the clocks.
import Base
import Platform
import Testing

@testable import Telemetry

@Suite struct SystemClockTests {
  @Test(arguments: [
    (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
    (951_827_696_789_123, "2000-02-29T12:34:56.789Z"), (1_709_164_800_000_000, "2024-02-29T00:00:00.000Z"),
    (4_107_542_399_999_999, "2100-02-28T23:59:59.999Z"), (4_107_542_400_000_000, "2100-03-01T00:00:00.000Z"),
    (253_402_300_799_999_999, "9999-12-31T23:59:59.999Z"),
  ])
  func timesAreWrittenInISOForm(microseconds: Int64, text: String) {
    #expect(SystemClock.isoText(wallMicroseconds: microseconds) == text)
  }

  @Test func clocksRun() {
    let first = SystemClock.monotonic()
    #expect(SystemClock.monotonic() >= first)
    #expect(SystemClock.wallMicroseconds() > 1_700_000_000_000_000)
  }
}

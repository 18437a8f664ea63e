// Tests sizes and spans of time.
import Base
import Testing

@Suite struct UnitsTests {
  @Test(arguments: [("10s", 10_000), ("1.5m", 90_000), ("200ms", 200), ("1h", 3_600_000), ("0.5d", 43_200_000)])
  func durationsParse(text: String, milliseconds: Int64) {
    #expect(TimeSpan(parsing: text)?.milliseconds == milliseconds)
  }

  @Test(arguments: ["", "10", "s", "10 parsecs", "-1s", "1..5s", "99999999d"])
  func badDurationsAreNil(text: String) { #expect(TimeSpan(parsing: text) == nil) }

  @Test func durationsPrintInTheLargestUnit() {
    #expect(TimeSpan.milliseconds(1500).description == "1.50s")
    #expect(TimeSpan.seconds(120).description == "2m")
    #expect(TimeSpan.zero.description == "0ns")
  }

  @Test(arguments: [("512MB", 512 << 20), ("1kB", 1024), ("1.5GB", 3 << 29), ("7B", 7), ("2 TB", 2 << 40)])
  func sizesParse(text: String, bytes: Int64) { #expect(DataSize(parsing: text)?.bytes == bytes) }

  @Test(arguments: ["", "12", "MB", "1XB", "-1MB"])
  func badSizesAreNil(text: String) { #expect(DataSize(parsing: text) == nil) }

  @Test func sizesPrintInTheLargestUnit() {
    #expect(DataSize.megabytes(512).description == "512MB")
    #expect(DataSize(bytes: 1536).description == "1.50kB")
  }
}

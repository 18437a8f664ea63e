// Owns sizes in bytes as Trino's settings write them: `512MB` means 512 × 2^20 bytes.

/// A number of bytes that reads and prints Trino's data sizes (binary units: kB, MB, GB, TB, PB).
public struct DataSize: Hashable, Codable, Sendable, Comparable, CustomStringConvertible {
  public var bytes: Int64

  public init(bytes: Int64) { self.bytes = bytes }
  /// `count` times 2^20 bytes.
  public static func megabytes(_ count: Int64) -> DataSize { DataSize(bytes: count << 20) }
  /// `count` times 2^30 bytes.
  public static func gigabytes(_ count: Int64) -> DataSize { DataSize(bytes: count << 30) }

  public static func < (left: DataSize, right: DataSize) -> Bool { left.bytes < right.bytes }

  private static let units: [(suffix: String, shift: Int64)] = [
    ("B", 0), ("kB", 10), ("MB", 20), ("GB", 30), ("TB", 40), ("PB", 50),
  ]

  /// Reads `<number><unit>`; the unit may be in either case. Nil where the text is anything else.
  public init?(parsing text: String) {
    let digits = text.prefix { $0.isNumber || $0 == "." }
    let suffix = text.dropFirst(digits.count).drop { $0 == " " }.uppercased()
    guard let value = Double(digits),
      let unit = Self.units.first(where: { $0.suffix.uppercased() == suffix })
    else { return nil }
    let bytes = value * Double(Int64(1) << unit.shift)
    guard bytes < 9e18 else { return nil }
    self.bytes = Int64(bytes)
  }

  /// The value in the largest unit of which it holds at least one, such as `1.5GB`.
  public var description: String {
    let unit = Self.units.last { bytes >= Int64(1) << $0.shift } ?? Self.units[0]
    let hundredths = Int64((Double(bytes) / Double(Int64(1) << unit.shift) * 100).rounded())
    if hundredths % 100 == 0 { return "\(hundredths / 100)\(unit.suffix)" }
    let fraction = hundredths % 100
    return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)\(unit.suffix)"
  }
}

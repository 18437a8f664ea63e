// Owns the single value: what a literal, a statistic or a test holds. Never used for rows in bulk.

/// One SQL value. Which case a type uses follows from its layout: see `Vector.value(at:)`.
public enum Value: Hashable, Sendable {
  case null
  case boolean(Bool)
  /// Every integer layout up to 64 bits: integers, short decimals (unscaled), dates, timestamps, intervals.
  case integer(Int64)
  /// Long decimals, unscaled.
  case int128(Int128)
  /// real and double.
  case double(Double)
  /// varchar, char and varbinary.
  case bytes([UInt8])

  /// A text as its UTF-8 bytes.
  public static func text(_ text: String) -> Value { .bytes(Array(text.utf8)) }

  /// Whether it is NULL.
  public var isNull: Bool { self == .null }

  /// The unscaled integer of an integer or decimal value.
  public var asInt128: Int128? {
    switch self {
    case .integer(let value): Int128(value)
    case .int128(let value): value
    default: nil
    }
  }
}

/// Encoded as a map with one key that names the case; 128 bits travel as two halves.
extension Value: Codable {
  private enum Key: String, CodingKey {
    case boolean = "b"
    case integer = "i"
    case high = "h"
    case low = "l"
    case double = "d"
    case bytes = "s"
  }

  public init(from decoder: any Decoder) throws {
    let map = try decoder.container(keyedBy: Key.self)
    if let value = try map.decodeIfPresent(Bool.self, forKey: .boolean) {
      self = .boolean(value)
    } else if let value = try map.decodeIfPresent(Int64.self, forKey: .integer) {
      self = .integer(value)
    } else if let high = try map.decodeIfPresent(Int64.self, forKey: .high) {
      self = .int128(Int128(high) << 64 | Int128(try map.decode(UInt64.self, forKey: .low)))
    } else if let bits = try map.decodeIfPresent(UInt64.self, forKey: .double) {
      self = .double(Double(bitPattern: bits))
    } else if let bytes = try map.decodeIfPresent([UInt8].self, forKey: .bytes) {
      self = .bytes(bytes)
    } else {
      self = .null
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var map = encoder.container(keyedBy: Key.self)
    switch self {
    case .null: break
    case .boolean(let value): try map.encode(value, forKey: .boolean)
    case .integer(let value): try map.encode(value, forKey: .integer)
    case .int128(let value):
      try map.encode(Int64(truncatingIfNeeded: value >> 64), forKey: .high)
      try map.encode(UInt64(truncatingIfNeeded: value), forKey: .low)
    case .double(let value): try map.encode(value.bitPattern, forKey: .double)
    case .bytes(let value): try map.encode(value, forKey: .bytes)
    }
  }
}

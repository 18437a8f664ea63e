// Owns the SQL types and how each is laid out in memory. Knows nothing of SQL text or of coercions.

/// A SQL type, as Trino has it.
public enum DataType: Hashable, Codable, Sendable {
  case boolean
  case tinyint
  case smallint
  case integer
  case bigint
  case real
  case double
  /// Scaled integers: at most 18 digits in 64 bits, up to 38 in 128 bits.
  case decimal(precision: Int, scale: Int)
  /// UTF-8 text of at most `length` code points; nil for no bound.
  case varchar(length: Int?)
  /// Text padded with blanks to `length` code points. Stored without the trailing blanks.
  case char(length: Int)
  case varbinary
  /// Days since 1970-01-01.
  case date
  /// Microseconds since 1970-01-01 00:00:00; `precision` is the number of fractional digits, 0 to 6.
  case timestamp(precision: Int)
  /// Months.
  case intervalYearToMonth
  /// Milliseconds.
  case intervalDayToSecond
  /// The type of a bare NULL.
  case unknown

  /// `varchar` without a length.
  public static let varcharUnbounded = DataType.varchar(length: nil)

  /// How values of this type lie in memory.
  @inlinable
  public var layout: Layout {
    switch self {
    case .boolean, .unknown: .boolean
    case .tinyint: .int8
    case .smallint: .int16
    case .integer, .date, .intervalYearToMonth: .int32
    case .bigint, .timestamp, .intervalDayToSecond: .int64
    case .real: .float32
    case .double: .float64
    case .decimal(let precision, _): precision <= 18 ? .int64 : .int128
    case .varchar, .char, .varbinary: .string
    }
  }
}

extension DataType: CustomStringConvertible {
  /// The type as Trino displays it, such as `decimal(12,2)` or `varchar(25)`.
  public var description: String {
    switch self {
    case .boolean: "boolean"
    case .tinyint: "tinyint"
    case .smallint: "smallint"
    case .integer: "integer"
    case .bigint: "bigint"
    case .real: "real"
    case .double: "double"
    case .decimal(let precision, let scale): "decimal(\(precision),\(scale))"
    case .varchar(nil): "varchar"
    case .varchar(let length?): "varchar(\(length))"
    case .char(let length): "char(\(length))"
    case .varbinary: "varbinary"
    case .date: "date"
    case .timestamp(let precision): "timestamp(\(precision))"
    case .intervalYearToMonth: "interval year to month"
    case .intervalDayToSecond: "interval day to second"
    case .unknown: "unknown"
    }
  }
}

/// The shape of one value in a flat vector.
@frozen
public enum Layout: UInt8, Hashable, Codable, Sendable {
  /// One byte, 0 or 1. (Arrow packs bits; bytes let comparison kernels write without read-modify-write.)
  case boolean
  case int8
  case int16
  case int32
  case int64
  case int128
  case float32
  case float64
  /// A 16-byte `StringView`.
  case string

  /// Bytes of one value.
  @inlinable
  public var stride: Int {
    switch self {
    case .boolean, .int8: 1
    case .int16: 2
    case .int32, .float32: 4
    case .int64, .float64: 8
    case .int128, .string: 16
    }
  }
}

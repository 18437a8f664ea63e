// Owns the meaning of type names in SQL text.

import Base
import Columnar
import SQLSyntax

/// Turns written types into data types.
enum TypeResolution {
  /// The type that `name` stands for. TYPE_NOT_FOUND for names Trino does not know, NOT_SUPPORTED for types that
  /// Waterbear does not have.
  static func resolve(_ name: TypeName) throws -> DataType {
    switch (name.base, name.parameters.count) {
    case ("boolean", 0): return .boolean
    case ("tinyint", 0): return .tinyint
    case ("smallint", 0): return .smallint
    case ("integer", 0), ("int", 0): return .integer
    case ("bigint", 0): return .bigint
    case ("real", 0): return .real
    case ("double", 0): return .double
    case ("date", 0): return .date
    case ("varbinary", 0): return .varbinary
    case ("varchar", 0): return .varcharUnbounded
    case ("interval year to month", 0): return .intervalYearToMonth
    case ("interval day to second", 0): return .intervalDayToSecond
    case ("unknown", 0): return .unknown
    case ("varchar", 1): return .varchar(length: try number(name, 0, 0...Int(Int32.max) - 1))
    case ("char", 0): return .char(length: 1)
    case ("char", 1): return .char(length: try number(name, 0, 0...65536))
    case ("decimal", 0): return .decimal(precision: 38, scale: 0)
    case ("decimal", 1): return .decimal(precision: try number(name, 0, 1...38), scale: 0)
    case ("decimal", 2):
      let precision = try number(name, 0, 1...38)
      return .decimal(precision: precision, scale: try number(name, 1, 0...precision))
    case ("timestamp", 0): return .timestamp(precision: 3)
    case ("timestamp", 1):
      let precision = try number(name, 0, 0...12)
      if precision > 6 { throw unsupported(name) }
      return .timestamp(precision: precision)
    default:
      if knownToTrino.contains(name.base) { throw unsupported(name) }
      throw WaterbearError(.typeNotFound, "Unknown type: \(name)", at: name.location)
    }
  }

  private static let knownToTrino: Set<String> = [
    "array", "map", "row", "json", "time", "time with time zone", "timestamp with time zone", "uuid", "ipaddress",
    "hyperloglog", "qdigest", "tdigest", "geometry", "number", "interval year", "interval month", "interval day",
    "interval hour", "interval minute", "interval second",
  ]

  private static func unsupported(_ name: TypeName) -> WaterbearError {
    WaterbearError(.notSupported, "Type \(name) is not supported", at: name.location)
  }

  private static func number(_ name: TypeName, _ index: Int, _ range: ClosedRange<Int>) throws -> Int {
    guard case .number(let value) = name.parameters[index], let number = Int(exactly: value), range.contains(number)
    else {
      throw WaterbearError(
        .typeNotFound, "Unknown type: \(name)", at: name.location,
        remedy: "Parameter \(index + 1) of \(name.base) lies between \(range.lowerBound) and \(range.upperBound).")
    }
    return number
  }
}

// Owns which SQL type a leaf of a file has, and how its stored values become values of that type.

import Columnar

/// How stored values become values of a SQL type's layout.
enum ValueConversion: Hashable, Sendable {
  /// They are the same.
  case none
  case int32ToInt8
  case int32ToInt16
  case int32ToInt64
  case int32ToInt128
  case uint32ToInt64
  case int64ToInt128
  case uint64ToInt128
  case floatToDouble
  case halfToFloat
  case halfToDouble
  case millisToMicros
  case nanosToMicros
  /// Nanoseconds of the day and the Julian day.
  case int96ToMicros
  /// Two's complement, most significant byte first.
  case bytesToInt64
  case bytesToInt128
  /// 16 bytes as 36 characters.
  case uuidToText
}

/// A leaf's stored form, its SQL type, and the way from one to the other.
struct ValueMapping: Hashable, Sendable {
  var physical: PhysicalType
  /// Bytes of a fixed-length byte array.
  var fixedLength: Int
  /// The SQL type of the values.
  var type: DataType
  var conversion: ValueConversion
  /// Whether an integer is stored without a sign; its statistics are ordered so.
  var isUnsigned = false

  /// Bytes of a stored value as decoders hand it out: views stand for byte arrays.
  var sourceStride: Int {
    switch physical {
    case .boolean: 1
    case .byteArray, .fixedLengthByteArray: 16
    case .int32, .float: 4
    case .int64, .double: 8
    case .int96: 12
    }
  }

  /// Whether values of the SQL type are texts or bytes that views point to.
  var isString: Bool { type.layout == .string }
}

extension ValueMapping {
  /// The mapping of a leaf; damage that is unsupported or not where there is none.
  init(_ element: SchemaElement) throws(Damage) {
    guard let physical = element.type else { throw Damage("a column without a physical type") }
    let length = Int(element.typeLength ?? 0)
    if physical == .fixedLengthByteArray {
      guard length > 0, length <= 1 << 20 else { throw Damage("a fixed-length type of \(length) bytes") }
    }
    let (type, conversion, isUnsigned) = try Self.meaning(element, physical, length)
    self.init(
      physical: physical, fixedLength: length, type: type, conversion: conversion, isUnsigned: isUnsigned)
  }

  private typealias Meaning = (DataType, ValueConversion, Bool)

  private static func meaning(_ element: SchemaElement, _ physical: PhysicalType, _ length: Int) throws(Damage)
    -> Meaning
  {
    guard let logical = try logicalType(of: element) else { return try plainMeaning(physical) }
    switch (logical, physical) {
    case (.null, _): return try plainMeaning(physical)
    case (.string, .byteArray), (.enum, .byteArray), (.json, .byteArray), (.string, .fixedLengthByteArray):
      return (.varcharUnbounded, .none, false)
    case (.bson, .byteArray): return (.varbinary, .none, false)
    case (.uuid, .fixedLengthByteArray) where length == 16: return (.varcharUnbounded, .uuidToText, false)
    case (.float16, .fixedLengthByteArray) where length == 2: return (.real, .halfToFloat, false)
    case (.date, .int32): return (.date, .none, false)
    case (.timestamp(.millis, _), .int64): return (.timestamp(precision: 3), .millisToMicros, false)
    case (.timestamp(.micros, _), .int64): return (.timestamp(precision: 6), .none, false)
    case (.timestamp(.nanos, _), .int64): return (.timestamp(precision: 6), .nanosToMicros, false)
    case (.decimal(let precision, let scale), _):
      return try decimalMeaning(precision: Int(precision), scale: Int(scale), physical)
    case (.integer(let bits, let isSigned), .int32), (.integer(let bits, let isSigned), .int64):
      return try integerMeaning(bits: bits, isSigned: isSigned, physical)
    case (.time, _): throw Damage.unsupported("a time of day")
    case (.variant, _): throw Damage.unsupported("a variant")
    case (.geometry, _): throw Damage.unsupported("a geometry")
    case (.geography, _): throw Damage.unsupported("a geography")
    case (.other(let number), _): throw Damage.unsupported("of logical type \(number), which is not known")
    default: throw Damage("\(logical) stored as \(physical)")
    }
  }

  private static func plainMeaning(_ physical: PhysicalType) throws(Damage) -> Meaning {
    switch physical {
    case .boolean: (.boolean, .none, false)
    case .int32: (.integer, .none, false)
    case .int64: (.bigint, .none, false)
    case .int96: (.timestamp(precision: 6), .int96ToMicros, false)
    case .float: (.real, .none, false)
    case .double: (.double, .none, false)
    case .byteArray, .fixedLengthByteArray: (.varbinary, .none, false)
    }
  }

  private static func decimalMeaning(precision: Int, scale: Int, _ physical: PhysicalType) throws(Damage) -> Meaning {
    guard precision > 0, scale >= 0, scale <= precision else { throw Damage("decimal(\(precision),\(scale))") }
    guard precision <= 38 else { throw Damage.unsupported("decimal(\(precision),\(scale)), of more than 38 digits") }
    let isShort = precision <= 18
    let type = DataType.decimal(precision: precision, scale: scale)
    switch physical {
    case .int32: return (type, isShort ? .int32ToInt64 : .int32ToInt128, false)
    case .int64: return (type, isShort ? .none : .int64ToInt128, false)
    case .byteArray, .fixedLengthByteArray: return (type, isShort ? .bytesToInt64 : .bytesToInt128, false)
    default: throw Damage("a decimal stored as \(physical)")
    }
  }

  private static func integerMeaning(bits: Int8, isSigned: Bool, _ physical: PhysicalType) throws(Damage) -> Meaning {
    switch (bits, isSigned, physical) {
    case (8, true, .int32): (.tinyint, .int32ToInt8, false)
    case (16, true, .int32): (.smallint, .int32ToInt16, false)
    case (32, true, .int32): (.integer, .none, false)
    case (64, true, .int64): (.bigint, .none, false)
    case (8, false, .int32): (.smallint, .int32ToInt16, true)
    case (16, false, .int32): (.integer, .none, true)
    case (32, false, .int32): (.bigint, .uint32ToInt64, true)
    case (64, false, .int64): (.decimal(precision: 20, scale: 0), .uint64ToInt128, true)
    default: throw Damage("an integer of \(bits) bits stored as \(physical)")
    }
  }

  /// What the values mean, from the newer annotation or the older one; nil where there is none.
  private static func logicalType(of element: SchemaElement) throws(Damage) -> LogicalType? {
    if let logical = element.logicalType { return logical }
    switch element.convertedType {
    case nil: return nil
    case .utf8: return .string
    case .enum: return .enum
    case .json: return .json
    case .bson: return .bson
    case .date: return .date
    case .decimal: return .decimal(precision: element.precision ?? 0, scale: element.scale ?? 0)
    case .timeMillis: return .time(unit: .millis, isAdjustedToUTC: true)
    case .timeMicros: return .time(unit: .micros, isAdjustedToUTC: true)
    case .timestampMillis: return .timestamp(unit: .millis, isAdjustedToUTC: true)
    case .timestampMicros: return .timestamp(unit: .micros, isAdjustedToUTC: true)
    case .uint8: return .integer(bits: 8, isSigned: false)
    case .uint16: return .integer(bits: 16, isSigned: false)
    case .uint32: return .integer(bits: 32, isSigned: false)
    case .uint64: return .integer(bits: 64, isSigned: false)
    case .int8: return .integer(bits: 8, isSigned: true)
    case .int16: return .integer(bits: 16, isSigned: true)
    case .int32: return .integer(bits: 32, isSigned: true)
    case .int64: return .integer(bits: 64, isSigned: true)
    case .interval: throw Damage.unsupported("an interval")
    case .map, .mapKeyValue, .list: throw Damage("a value that is annotated as a list or map")
    }
  }
}

extension ValueMapping {
  /// The same values under a wider type; nil where that would lose or change something.
  func widened(to wanted: DataType) -> ValueMapping? {
    guard let conversion = conversion(to: wanted) else { return nil }
    var wide = self
    wide.type = wanted
    wide.conversion = conversion
    return wide
  }

  private func conversion(to wanted: DataType) -> ValueConversion? {
    if wanted == type { return conversion }
    switch (type, wanted) {
    case (.varchar, .varchar(nil)), (.varchar, .varbinary): return conversion
    case (.timestamp(let own), .timestamp(let other)): return other >= own ? conversion : nil
    case (.real, .double): return conversion == .halfToFloat ? .halfToDouble : .floatToDouble
    case (.decimal(let precision, let scale), .decimal(let widePrecision, let wideScale)):
      guard scale == wideScale, widePrecision >= precision else { return nil }
      return widePrecision <= 18 ? conversion : longDecimalConversion
    case (.tinyint, .smallint): return .int32ToInt16
    case (.tinyint, .integer), (.smallint, .integer): return ValueConversion.none
    case (.tinyint, .bigint), (.smallint, .bigint), (.integer, .bigint): return .int32ToInt64
    default: return nil
    }
  }

  private var longDecimalConversion: ValueConversion {
    switch conversion {
    case .int32ToInt64: .int32ToInt128
    case .none: .int64ToInt128
    case .bytesToInt64: .bytesToInt128
    default: conversion
    }
  }
}

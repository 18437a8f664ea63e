// Owns what statistics mean: their bytes as SQL values, and whether they exclude a domain.

import Columnar
import ConnectorAPI

extension ParquetColumnStatistics {
  /// What a chunk's or a page's statistics say. `isOrdered`: the bounds are ordered as the type demands.
  init(_ statistics: Statistics, mapping: ValueMapping, isOrdered: Bool) {
    nullCount = statistics.nullCount.flatMap { $0 >= 0 ? $0 : nil }
    distinctCount = statistics.distinctCount.flatMap { $0 >= 0 ? $0 : nil }
    if isOrdered, statistics.minimum != nil || statistics.maximum != nil {
      minimum = statistics.minimum.flatMap { mapping.bound($0) }
      maximum = statistics.maximum.flatMap { mapping.bound($0) }
    } else if mapping.hasSignedOrder {
      // Old writers compared all types as signed ones; where that was right, their bounds are too.
      minimum = statistics.deprecatedMinimum.flatMap { mapping.bound($0) }
      maximum = statistics.deprecatedMaximum.flatMap { mapping.bound($0) }
    }
  }
}

extension ValueMapping {
  /// Whether the order of values is that of signed numbers.
  var hasSignedOrder: Bool {
    switch physical {
    case .boolean, .int32, .int64, .float, .double: !isUnsigned
    case .int96, .byteArray, .fixedLengthByteArray: false
    }
  }

  /// A bound's bytes as a value of the SQL type; nil where they say nothing.
  func bound(_ bytes: [UInt8]) -> Value? {
    switch physical {
    case .boolean: return bytes.count == 1 ? .boolean(bytes[0] != 0) : nil
    case .int32:
      guard let bits = Self.word(bytes, 4) else { return nil }
      let number = conversion == .uint32ToInt64 ? Int64(bits) : Int64(Int32(truncatingIfNeeded: bits))
      return integer(Int128(number))
    case .int64:
      guard let bits = Self.word(bytes, 8) else { return nil }
      if conversion == .uint64ToInt128 { return .int128(Int128(bits)) }
      return integerBound(Int64(bitPattern: bits))
    case .float:
      guard let bits = Self.word(bytes, 4) else { return nil }
      let number = Float(bitPattern: UInt32(truncatingIfNeeded: bits))
      return number.isNaN ? nil : .double(Double(number))
    case .double:
      guard let bits = Self.word(bytes, 8) else { return nil }
      let number = Double(bitPattern: bits)
      return number.isNaN ? nil : .double(number)
    case .int96: return nil
    case .byteArray, .fixedLengthByteArray: return bytesBound(bytes)
    }
  }

  private func integerBound(_ number: Int64) -> Value? {
    switch conversion {
    case .millisToMicros:
      let (micros, overflow) = number.multipliedReportingOverflow(by: 1000)
      return overflow ? nil : .integer(micros)
    case .nanosToMicros: return .integer(number.flooredQuotient(by: 1000))
    default: return integer(Int128(number))
    }
  }

  private func bytesBound(_ bytes: [UInt8]) -> Value? {
    switch conversion {
    case .none: return .bytes(bytes)
    case .uuidToText: return bytes.count == 16 ? .bytes(UUIDText.of(bytes)) : nil
    case .bytesToInt64, .bytesToInt128:
      guard let number = BigEndianInteger.decode(bytes) else { return nil }
      return integer(number)
    case .halfToFloat, .halfToDouble:
      guard bytes.count == 2 else { return nil }
      let number = HalfFloat.float(UInt16(bytes[0]) | UInt16(bytes[1]) << 8)
      return number.isNaN ? nil : .double(Double(number))
    default: return nil
    }
  }

  /// A number in the case that the type's layout takes.
  private func integer(_ number: Int128) -> Value? {
    if type.layout == .int128 { return .int128(number) }
    return Int64(exactly: number).map { .integer($0) }
  }

  private static func word(_ bytes: [UInt8], _ count: Int) -> UInt64? {
    guard bytes.count == count else { return nil }
    var word: UInt64 = 0
    for byte in bytes.reversed() { word = word << 8 | UInt64(byte) }
    return word
  }
}

extension ColumnDomain {
  /// Whether a value between the bounds may lie in the domain; nil bounds are open. False is certain.
  func mayHoldValue(from minimum: Value?, to maximum: Value?) -> Bool {
    if let values {
      return values.contains { value in
        !value.isNull && !Self.isLess(value, minimum) && !Self.isLess(maximum, value)
      }
    }
    if let lowest {
      if Self.isLess(maximum, lowest) { return false }
      if !lowestInclusive, Self.isEqual(maximum, lowest) { return false }
    }
    if let highest {
      if Self.isLess(highest, minimum) { return false }
      if !highestInclusive, Self.isEqual(highest, minimum) { return false }
    }
    return true
  }

  /// Whether every value between the bounds lies in the domain. True is certain.
  func holdsAll(from minimum: Value?, to maximum: Value?) -> Bool {
    guard values == nil, let minimum, let maximum else { return false }
    if let lowest {
      guard Self.isLess(lowest, minimum) || lowestInclusive && Self.isEqual(lowest, minimum) else { return false }
    }
    if let highest {
      guard Self.isLess(maximum, highest) || highestInclusive && Self.isEqual(maximum, highest) else { return false }
    }
    return true
  }

  /// The only values that may match, where they are few enough to be listed.
  var singleValues: [Value]? {
    if let values { return values }
    guard let lowest, let highest, lowestInclusive, highestInclusive, Self.isEqual(lowest, highest) else { return nil }
    return [lowest]
  }

  /// Certainly less. Values that cannot be compared are not.
  private static func isLess(_ left: Value?, _ right: Value?) -> Bool {
    switch (left, right) {
    case (.boolean(let left)?, .boolean(let right)?): return !left && right
    case (.double(let left)?, .double(let right)?): return left < right
    case (.bytes(let left)?, .bytes(let right)?): return left.lexicographicallyPrecedes(right)
    case (let left?, let right?):
      guard let left = left.asInt128, let right = right.asInt128 else { return false }
      return left < right
    default: return false
    }
  }

  private static func isEqual(_ left: Value?, _ right: Value?) -> Bool {
    guard let left, let right else { return false }
    if let left = left.asInt128, let right = right.asInt128 { return left == right }
    return left == right
  }
}

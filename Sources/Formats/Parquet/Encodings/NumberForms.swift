// Owns the forms of numbers that Parquet has and memory does not: one value at a time.

/// Two's complement of any length, most significant byte first.
enum BigEndianInteger {
  /// The number, or nil where 128 bits do not hold it.
  static func decode(_ bytes: some RandomAccessCollection<UInt8>) -> Int128? {
    guard let first = bytes.first else { return 0 }
    let sign: UInt8 = first >= 0x80 ? 0xff : 0
    var value = sign == 0 ? Int128(0) : Int128(-1)
    var excess = bytes.count - 16
    for byte in bytes {
      if excess > 0 {
        guard byte == sign else { return nil }
      } else if excess == 0, bytes.count > 16 {
        guard byte & 0x80 == sign & 0x80 else { return nil }
      }
      excess -= 1
      value = value << 8 | Int128(byte)
    }
    return value
  }
}

/// Sixteen bytes as text.
enum UUIDText {
  private static let digits = Array("0123456789abcdef".utf8)

  /// 36 characters in lower case.
  static func of(_ bytes: some Collection<UInt8>) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(36)
    for (index, byte) in bytes.enumerated() {
      if index == 4 || index == 6 || index == 8 || index == 10 { text.append(UInt8(ascii: "-")) }
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return text
  }
}

/// IEEE 754 numbers of 16 bits.
enum HalfFloat {
  /// The same number in 32 bits.
  static func float(_ bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let exponent = UInt32(bits >> 10) & 0x1f
    let fraction = UInt32(bits & 0x3ff)
    switch exponent {
    case 0:
      // Zero, or a number below the normal ones: a multiple of 2 to the power of -24.
      let magnitude = Float(fraction) * 0x1p-24
      return sign == 0 ? magnitude : -magnitude
    case 31: return Float(bitPattern: sign | 0x7f80_0000 | fraction << 13)
    default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
  }
}

extension Int64 {
  /// The quotient rounded towards negative infinity. The divisor is positive.
  @inline(__always)
  func flooredQuotient(by divisor: Int64) -> Int64 {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient &- 1 : quotient
  }
}

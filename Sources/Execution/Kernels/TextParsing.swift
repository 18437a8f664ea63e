// Owns reading numbers and booleans from text, as Trino's casts from varchar do.

import Columnar

/// Reading of decimals.
enum DecimalText {
  enum Outcome: Equatable {
    /// Unscaled.
    case value(Int128)
    case notANumber
    case tooLarge
  }

  /// Reads `[+-]digits[.digits][e[+-]digits]` with at least one digit, rounding half up to `scale`. Nothing around it
  /// is allowed, not even blanks.
  static func parse(_ text: UnsafeBufferPointer<UInt8>, precision: Int, scale: Int) -> Outcome {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 40) { digits in
      var index = 0
      let isNegative = text.first == UInt8(ascii: "-")
      if isNegative || text.first == UInt8(ascii: "+") { index = 1 }
      // The first 40 significant digits are kept: 38 may be in the result, one decides about rounding.
      var kept = 0
      var sawDigit = false
      var sawPoint = false
      // The number is 0.d1d2d3… × 10^exponent.
      var exponent = 0
      var sawSignificant = false
      while index < text.count {
        let byte = text[index]
        if byte &- 48 < 10 {
          sawDigit = true
          if byte != UInt8(ascii: "0") || sawSignificant {
            sawSignificant = true
            if kept < 40 {
              digits[kept] = byte &- 48
              kept += 1
            }
            if !sawPoint { exponent += 1 }
          } else if sawPoint {
            exponent -= 1
          }
        } else if byte == UInt8(ascii: ".") && !sawPoint {
          sawPoint = true
        } else {
          break
        }
        index += 1
      }
      guard sawDigit else { return .notANumber }
      if index < text.count {
        guard text[index] | 0x20 == UInt8(ascii: "e"),
          let power = IntegerText.parse(UnsafeBufferPointer(rebasing: text[(index + 1)...])), abs(power) < 1 << 31
        else { return .notANumber }
        exponent += Int(power)
      }
      guard sawSignificant else { return .value(0) }
      let count = exponent + scale
      if count < 0 { return .value(0) }
      if count > 38 { return .tooLarge }
      var value: Int128 = 0
      for place in 0..<count { value = value &* 10 &+ (place < kept ? Int128(digits[place]) : 0) }
      if count < kept && digits[count] >= 5 { value += 1 }
      if DecimalMath.exceeds(value, precision: precision) { return .tooLarge }
      return .value(isNegative ? -value : value)
    }
  }
}

/// Reading of integers.
enum IntegerText {
  /// Reads `[+-]digits`; nil for anything else and for more than 64 bits.
  static func parse(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
    var index = 0
    let isNegative = text.first == UInt8(ascii: "-")
    if isNegative || text.first == UInt8(ascii: "+") { index = 1 }
    guard index < text.count else { return nil }
    // Negative numbers reach one further, so the sum is kept negative.
    var value: Int64 = 0
    while index < text.count {
      let digit = text[index] &- 48
      guard digit < 10 else { return nil }
      let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, tooSmall) = tens.subtractingReportingOverflow(Int64(digit))
      if overflow || tooSmall { return nil }
      value = sum
      index += 1
    }
    if isNegative { return value }
    return value == .min ? nil : -value
  }
}

/// Reading of doubles and reals.
enum FloatText {
  /// Reads what Java's `Double.parseDouble` reads except hexadecimal numbers: decimal digits with an optional exponent
  /// and an optional suffix f or d, `NaN`, `Infinity`. Blanks around it are dropped.
  static func parse<Float: BinaryFloatingPoint & LosslessStringConvertible>(
    _ text: UnsafeBufferPointer<UInt8>, as type: Float.Type
  ) -> Float? {
    let body = trimmed(text)
    guard !body.isEmpty else { return nil }
    var index = body.startIndex
    let isNegative = body[index] == UInt8(ascii: "-")
    if isNegative || body[index] == UInt8(ascii: "+") { index += 1 }
    let unsigned = body[index...]
    if unsigned.elementsEqual("NaN".utf8) { return .nan }
    if unsigned.elementsEqual("Infinity".utf8) { return isNegative ? -.infinity : .infinity }
    var end = body.endIndex
    if end > index, [UInt8(ascii: "f"), UInt8(ascii: "d")].contains(body[end - 1] | 0x20) { end -= 1 }
    guard isDecimal(body[index..<end]) else { return nil }
    return Float(String(decoding: UnsafeBufferPointer(rebasing: body[body.startIndex..<end]), as: UTF8.self))
  }

  /// `digits[.digits][e[+-]digits]` with at least one digit in front of the exponent.
  private static func isDecimal(_ text: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
    var digits = 0
    var index = text.startIndex
    var sawPoint = false
    while index < text.endIndex {
      if text[index] &- 48 < 10 {
        digits += 1
      } else if text[index] == UInt8(ascii: ".") && !sawPoint {
        sawPoint = true
      } else {
        break
      }
      index += 1
    }
    guard digits > 0 else { return false }
    if index == text.endIndex { return true }
    guard text[index] | 0x20 == UInt8(ascii: "e") else { return false }
    index += 1
    if index < text.endIndex, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") { index += 1 }
    return index < text.endIndex && text[index...].allSatisfy { $0 &- 48 < 10 }
  }
}

/// Without the bytes up to the blank at either end, as Java's `String.trim`.
func trimmed(_ text: UnsafeBufferPointer<UInt8>) -> Slice<UnsafeBufferPointer<UInt8>> {
  var start = 0
  var end = text.count
  while start < end && text[start] <= 0x20 { start += 1 }
  while end > start && text[end - 1] <= 0x20 { end -= 1 }
  return text[start..<end]
}

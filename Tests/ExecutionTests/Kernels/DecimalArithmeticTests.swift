// Proves decimal arithmetic against schoolbook digit arithmetic, over types of all widths, with overflow and rounding.

import Base
import Columnar
import Planning
import Testing

@testable import Execution

/// A whole number of any size as decimal digits, least first. Slow and simple.
struct BigDigits: Equatable {
  var digits: [UInt8]

  init(_ value: UInt128) {
    digits = []
    var rest = value
    while rest > 0 {
      digits.append(UInt8(rest % 10))
      rest /= 10
    }
  }

  private init(digits: [UInt8]) {
    self.digits = digits
    while self.digits.last == 0 { self.digits.removeLast() }
  }

  func scaled(_ places: Int) -> BigDigits {
    digits.isEmpty ? self : BigDigits(digits: Array(repeating: 0, count: places) + digits)
  }

  func isAtLeast(_ other: BigDigits) -> Bool {
    if digits.count != other.digits.count { return digits.count > other.digits.count }
    return !digits.reversed().lexicographicallyPrecedes(other.digits.reversed())
  }

  func plus(_ other: BigDigits) -> BigDigits {
    var result: [UInt8] = []
    var carry: UInt8 = 0
    for place in 0..<max(digits.count, other.digits.count) + 1 {
      let sum =
        (place < digits.count ? digits[place] : 0) + (place < other.digits.count ? other.digits[place] : 0) + carry
      result.append(sum % 10)
      carry = sum / 10
    }
    return BigDigits(digits: result)
  }

  /// `other` is not larger.
  func minus(_ other: BigDigits) -> BigDigits {
    var result: [UInt8] = []
    var borrow: Int8 = 0
    for place in 0..<digits.count {
      var difference = Int8(digits[place]) - (place < other.digits.count ? Int8(other.digits[place]) : 0) - borrow
      borrow = difference < 0 ? 1 : 0
      if difference < 0 { difference += 10 }
      result.append(UInt8(difference))
    }
    return BigDigits(digits: result)
  }

  func times(_ other: BigDigits) -> BigDigits {
    var result = BigDigits(digits: [])
    for (place, digit) in other.digits.enumerated() {
      for _ in 0..<digit { result = result.plus(scaled(place)) }
    }
    return result
  }

  func divided(by other: BigDigits) -> (quotient: BigDigits, remainder: BigDigits) {
    var remainder = BigDigits(digits: [])
    var quotient: [UInt8] = []
    for digit in digits.reversed() {
      remainder = BigDigits(digits: [digit] + remainder.digits)
      var count: UInt8 = 0
      while remainder.isAtLeast(other) {
        remainder = remainder.minus(other)
        count += 1
      }
      quotient.append(count)
    }
    return (BigDigits(digits: quotient.reversed()), remainder)
  }

  /// The value, where it has at most `precision` digits.
  func value(precision: Int) -> UInt128? {
    digits.count > precision ? nil : digits.reversed().reduce(0) { $0 * 10 + UInt128($1) }
  }
}

struct DecimalArithmeticTests {
  struct Shape: CustomStringConvertible {
    var precision: Int
    var scale: Int
    var type: DataType { .decimal(precision: precision, scale: scale) }
    var description: String { "\(type)" }
  }

  static let shapes: [Shape] = [
    Shape(precision: 1, scale: 0), Shape(precision: 12, scale: 2), Shape(precision: 5, scale: 5),
    Shape(precision: 18, scale: 0),
    Shape(precision: 19, scale: 4), Shape(precision: 25, scale: 4), Shape(precision: 38, scale: 0),
    Shape(precision: 38, scale: 10),
    Shape(precision: 38, scale: 37),
  ]

  /// Trino's result types.
  private func result(_ operation: ArithmeticOperator, _ a: Shape, _ b: Shape) -> Shape? {
    let scale = max(a.scale, b.scale)
    switch operation {
    case .add, .subtract:
      return Shape(precision: min(38, max(a.precision - a.scale, b.precision - b.scale) + scale + 1), scale: scale)
    case .multiply:
      return a.scale + b.scale > 38
        ? nil : Shape(precision: min(38, a.precision + b.precision), scale: a.scale + b.scale)
    case .divide:
      return Shape(precision: min(38, a.precision + b.scale + max(b.scale - a.scale, 0)), scale: scale)
    case .modulus:
      return Shape(precision: min(b.precision - b.scale, a.precision - a.scale) + scale, scale: scale)
    }
  }

  private func expected(_ operation: ArithmeticOperator, _ x: Int128, _ a: Shape, _ y: Int128, _ b: Shape, _ r: Shape)
    -> String
  {
    let left = BigDigits(x.magnitude)
    let right = BigDigits(y.magnitude)
    let isNegative: Bool
    let magnitude: BigDigits
    switch operation {
    case .add, .subtract:
      let (l, m) = (left.scaled(r.scale - a.scale), right.scaled(r.scale - b.scale))
      let rightIsNegative = (y < 0) != (operation == .subtract)
      if (x < 0) == rightIsNegative {
        (magnitude, isNegative) = (l.plus(m), x < 0)
      } else if l.isAtLeast(m) {
        (magnitude, isNegative) = (l.minus(m), x < 0)
      } else {
        (magnitude, isNegative) = (m.minus(l), rightIsNegative)
      }
    case .multiply:
      (magnitude, isNegative) = (left.times(right), (x < 0) != (y < 0))
    case .divide:
      if y == 0 { return "DIVISION_BY_ZERO: Division by zero" }
      var (quotient, rest) = left.scaled(r.scale - a.scale + b.scale).divided(by: right)
      if rest.plus(rest).isAtLeast(right) { quotient = quotient.plus(BigDigits(1)) }
      (magnitude, isNegative) = (quotient, (x < 0) != (y < 0))
    case .modulus:
      if y == 0 { return "DIVISION_BY_ZERO: Division by zero" }
      let rest = left.scaled(r.scale - a.scale).divided(by: right.scaled(r.scale - b.scale)).remainder
      (magnitude, isNegative) = (rest, x < 0)
    }
    guard let value = magnitude.value(precision: r.precision) else {
      return "NUMERIC_VALUE_OUT_OF_RANGE: Decimal overflow"
    }
    let signed = isNegative ? -Int128(value) : Int128(value)
    return ValueFormatter(r.type).text(r.precision <= 18 ? .integer(Int64(signed)) : .int128(signed)) ?? ""
  }

  @Test(arguments: ArithmeticOperator.allCases)
  func agreesWithDigitArithmetic(_ operation: ArithmeticOperator) throws {
    var random = RandomVectors(seed: 17)
    for a in Self.shapes {
      for b in Self.shapes {
        guard let r = result(operation, a, b) else { continue }
        for _ in 0..<12 {
          let (left, right) = (random.value(a.type), random.value(b.type))
          let expression = Expression.arithmetic(
            operation, .constant(left, a.type), .constant(right, b.type), r.type, Origin())
          let wanted = expected(operation, left.asInt128!, a, right.asInt128!, b, r)
          #expect(outcome(expression) == wanted, "\(left) \(a) \(operation.rawValue) \(right) \(b)")
        }
      }
    }
  }

  @Test func productsOfNumbersAroundTheEndOf64Bits() throws {
    let (a, b) = (Shape(precision: 25, scale: 4), Shape(precision: 20, scale: 2))
    let r = try #require(result(.multiply, a, b))
    let (most, least) = (Int128(Int64.max), Int128(Int64.min))
    let ends: [Int128] = [most - 1, most, most + 1, least - 1, least, least + 1, 0, 1, -1]
    for left in ends {
      for right in ends {
        let expression = Expression.arithmetic(
          .multiply, .constant(.int128(left), a.type), .constant(.int128(right), b.type), r.type, Origin())
        #expect(outcome(expression) == expected(.multiply, left, a, right, b, r), "\(left) * \(right)")
      }
    }
  }

  static let columns: [(Shape, Shape)] = [
    (Shape(precision: 12, scale: 2), Shape(precision: 12, scale: 2)),
    (Shape(precision: 25, scale: 4), Shape(precision: 13, scale: 2)),
    (Shape(precision: 10, scale: 0), Shape(precision: 12, scale: 2)),
    (Shape(precision: 38, scale: 2), Shape(precision: 38, scale: 0)),
  ]

  @Test(arguments: columns.indices)
  func columnsComputeRowByRow(_ index: Int) throws {
    let (a, b) = Self.columns[index]
    let left = Symbol(id: 1, name: "a", type: a.type)
    let right = Symbol(id: 2, name: "b", type: b.type)
    var random = RandomVectors(seed: UInt64(index))
    for operation in ArithmeticOperator.allCases {
      guard let r = result(operation, a, b) else { continue }
      let expression = Expression.arithmetic(operation, .symbol(left), .symbol(right), r.type, Origin())
      for (leftForm, rightForm) in zip(Form.allCases, Form.allCases.reversed()) {
        for count in [0, 1, 50] {
          let batch = Batch(
            columns: [random.vector(a.type, count: count, leftForm), random.vector(b.type, count: count, rightForm)],
            count: count)
          try expectRowByRow(expression, layout: [left, right], batch)
          try expectRowByRow(.negate(.symbol(left), Origin()), layout: [left, right], batch)
        }
      }
    }
  }
}

// Owns how values of each numeric type are added up: the state's type and what counts as overflow.

import Base
import Columnar

/// Adds inputs of one type to a state.
protocol SumRule {
  associatedtype Input: BitwiseCopyable
  associatedtype State: BitwiseCopyable
  static var zero: State { get }
  /// The new state and 1 where it overflowed, else 0.
  static func add(_ state: State, _ input: Input) -> (State, UInt8)
  static func add(_ state: State, state other: State) -> (State, UInt8)
  /// The sum of `count` flat values without NULLs. The order of additions depends on `count` alone.
  static func total(_ values: UnsafePointer<Input>, count: Int) -> (State, UInt8)
  static var overflow: WaterbearError { get }
}

extension SumRule {
  static func total(_ values: UnsafePointer<Input>, count: Int) -> (State, UInt8) {
    var state = zero
    var flags: UInt8 = 0
    for row in 0..<count {
      let (next, flag) = add(state, values[row])
      state = next
      flags |= flag
    }
    return (state, flags)
  }
}

private let decimalOverflow = WaterbearError(.numericValueOutOfRange, "Decimal overflow")

/// bigint, in 64 bits.
enum BigintSum: SumRule {
  static var zero: Int64 { 0 }

  @inline(__always)
  static func add(_ state: Int64, _ input: Int64) -> (Int64, UInt8) {
    let (sum, overflow) = state.addingReportingOverflow(input)
    return (sum, overflow ? 1 : 0)
  }

  @inline(__always)
  static func add(_ state: Int64, state other: Int64) -> (Int64, UInt8) { add(state, other) }

  static func total(_ values: UnsafePointer<Int64>, count: Int) -> (Int64, UInt8) {
    let (sum, _) = ShortDecimalSum.total(values, count: count)
    guard let narrow = Int64(exactly: sum) else { return (0, 1) }
    return (narrow, 0)
  }

  static var overflow: WaterbearError { WaterbearError(.numericValueOutOfRange, "bigint addition overflow") }
}

/// Decimals of up to 18 digits: 64 bits in, 128 bits of state, which no number of rows overflows.
enum ShortDecimalSum: SumRule {
  static var zero: Int128 { 0 }

  @inline(__always)
  static func add(_ state: Int128, _ input: Int64) -> (Int128, UInt8) { (state &+ Int128(input), 0) }

  @inline(__always)
  static func add(_ state: Int128, state other: Int128) -> (Int128, UInt8) { LongDecimalSum.add(state, other) }

  /// Halves are added apart, so that the loop has no carries: exact up to 2^31 values.
  static func total(_ values: UnsafePointer<Int64>, count: Int) -> (Int128, UInt8) {
    precondition(count < 1 << 31, "too many values for one pass")
    var low: UInt64 = 0
    var high: UInt64 = 0
    for row in 0..<count {
      // Shifting the range to 0 … 2^64 - 1 makes both halves unsigned.
      let shifted = UInt64(bitPattern: values[row]) ^ (1 &<< 63)
      low &+= shifted & 0xffff_ffff
      high &+= shifted &>> 32
    }
    return ((Int128(high) << 32) + Int128(low) - (Int128(count) << 63), 0)
  }

  static var overflow: WaterbearError { decimalOverflow }
}

/// Decimals of up to 38 digits.
enum LongDecimalSum: SumRule {
  static var zero: Int128 { 0 }

  @inline(__always)
  static func add(_ state: Int128, _ input: Int128) -> (Int128, UInt8) {
    let (sum, overflow) = state.addingReportingOverflow(input)
    return (sum, overflow ? 1 : 0)
  }

  @inline(__always)
  static func add(_ state: Int128, state other: Int128) -> (Int128, UInt8) { add(state, other) }

  static var overflow: WaterbearError { decimalOverflow }
}

/// double. The order of additions is the order of rows, in four lanes where there is one group only.
enum DoubleSum: SumRule {
  static var zero: Double { 0 }

  @inline(__always)
  static func add(_ state: Double, _ input: Double) -> (Double, UInt8) { (state + input, 0) }

  @inline(__always)
  static func add(_ state: Double, state other: Double) -> (Double, UInt8) { (state + other, 0) }

  static func total(_ values: UnsafePointer<Double>, count: Int) -> (Double, UInt8) {
    var lanes = SIMD4<Double>(repeating: 0)
    let whole = count & ~3
    for row in stride(from: 0, to: whole, by: 4) {
      lanes += SIMD4(values[row], values[row &+ 1], values[row &+ 2], values[row &+ 3])
    }
    var sum = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
    for row in whole..<count { sum += values[row] }
    return (sum, 0)
  }

  static var overflow: WaterbearError { preconditionFailure("doubles do not overflow") }
}

/// real, added up as double, as Trino does.
enum RealSum: SumRule {
  static var zero: Double { 0 }

  @inline(__always)
  static func add(_ state: Double, _ input: Float) -> (Double, UInt8) { (state + Double(input), 0) }

  @inline(__always)
  static func add(_ state: Double, state other: Double) -> (Double, UInt8) { (state + other, 0) }

  static var overflow: WaterbearError { preconditionFailure("doubles do not overflow") }
}

/// bigint as double, for its average.
enum BigintAsDoubleSum: SumRule {
  static var zero: Double { 0 }

  @inline(__always)
  static func add(_ state: Double, _ input: Int64) -> (Double, UInt8) { (state + Double(input), 0) }

  @inline(__always)
  static func add(_ state: Double, state other: Double) -> (Double, UInt8) { (state + other, 0) }

  static var overflow: WaterbearError { preconditionFailure("doubles do not overflow") }
}

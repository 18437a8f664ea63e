// Owns avg(x) for every numeric type.

import Base
import Columnar

/// The accumulator of avg(x) for arguments of `type`.
func makeAverage(_ type: DataType, partial: DataType) -> any Accumulator {
  switch type.layout {
  case .float64: return AverageAccumulator<DoubleSum>(.double, partial: partial)
  case .float32: return AverageAccumulator<RealSum>(.real, partial: partial)
  case .int128: return AverageAccumulator<LongDecimalSum>(type, partial: partial)
  case .int64:
    if case .decimal = type { return AverageAccumulator<ShortDecimalSum>(type, partial: partial) }
    return AverageAccumulator<BigintAsDoubleSum>(.double, partial: partial)
  default: preconditionFailure("avg(\(type)) is not coerced")
  }
}

/// Sum and count by group. Decimal averages are rounded half up, as Trino does; others are doubles.
final class AverageAccumulator<Rule: SumRule>: Accumulator {
  private let result: DataType
  private let partial: DataType
  private let sums = StateArray<Rule.State>(initial: Rule.zero)
  private let counts = StateArray<Int64>(initial: 0)

  init(_ result: DataType, partial: DataType) {
    self.result = result
    self.partial = partial
  }

  var retainedBytes: Int { sums.retainedBytes + counts.retainedBytes }
  func growth(to groups: Int) -> Int { sums.growth(to: groups) + counts.growth(to: groups) }

  func grow(to groups: Int) {
    sums.grow(to: groups)
    counts.grow(to: groups)
  }

  func reset() {
    sums.reset()
    counts.reset()
  }

  @specialized(where Rule == BigintAsDoubleSum)
  @specialized(where Rule == ShortDecimalSum)
  @specialized(where Rule == LongDecimalSum)
  @specialized(where Rule == DoubleSum)
  @specialized(where Rule == RealSum)
  func add(_ arguments: [Vector], _ rows: GroupedRows) throws {
    grow(to: rows.groups)
    let sums = sums.base
    let counts = counts.base
    let ids = rows.ids
    var flags: UInt8 = 0
    forEachValue(of: arguments[0].flattened(), as: Rule.Input.self, count: rows.count) { row, value in
      let group = Int(ids[row])
      let (sum, flag) = Rule.add(sums[group], value)
      sums[group] = sum
      counts[group] &+= 1
      flags |= flag
    }
    if flags != 0 { throw Rule.overflow }
  }

  @specialized(where Rule == BigintAsDoubleSum)
  @specialized(where Rule == ShortDecimalSum)
  @specialized(where Rule == LongDecimalSum)
  @specialized(where Rule == DoubleSum)
  @specialized(where Rule == RealSum)
  func addAll(_ arguments: [Vector], count: Int, zeros: UnsafePointer<Int32>) throws {
    let argument = arguments[0].flattened()
    guard !argument.mayHaveNulls else {
      return try add([argument], GroupedRows(ids: zeros, count: count, groups: 1, isWholeBatch: true))
    }
    grow(to: 1)
    let (total, overflowed) = Rule.total(argument.values.pointer(to: Rule.Input.self), count: count)
    let (sum, flag) = Rule.add(sums.base[0], state: total)
    if overflowed | flag != 0 { throw Rule.overflow }
    sums.base[0] = sum
    counts.base[0] += Int64(count)
  }

  @specialized(where Rule == BigintAsDoubleSum)
  @specialized(where Rule == ShortDecimalSum)
  @specialized(where Rule == LongDecimalSum)
  @specialized(where Rule == DoubleSum)
  @specialized(where Rule == RealSum)
  func merge(_ intermediates: [Vector], _ rows: GroupedRows) throws {
    grow(to: rows.groups)
    let sums = sums.base
    let counts = counts.base
    let ids = rows.ids
    var flags: UInt8 = 0
    forEachValue(of: intermediates[0].flattened(), as: Rule.State.self, count: rows.count) { row, value in
      let (sum, flag) = Rule.add(sums[Int(ids[row])], state: value)
      sums[Int(ids[row])] = sum
      flags |= flag
    }
    forEachValue(of: intermediates[1].flattened(), as: Int64.self, count: rows.count) { row, count in
      counts[Int(ids[row])] &+= count
    }
    if flags != 0 { throw Rule.overflow }
  }

  @specialized(where Rule == BigintAsDoubleSum)
  @specialized(where Rule == ShortDecimalSum)
  @specialized(where Rule == LongDecimalSum)
  @specialized(where Rule == DoubleSum)
  @specialized(where Rule == RealSum)
  func results(from start: Int, count: Int) -> Vector {
    let values = Buffer(zeroed: count * result.layout.stride)
    for row in 0..<count where counts.base[start + row] > 0 {
      let divisor = counts.base[start + row]
      if let sum = sums.base[start + row] as? Int128 {
        let average = divideHalfUp(sum, by: Int128(divisor))
        if result.layout == .int128 {
          values.pointer(to: Int128.self)[row] = average
        } else {
          values.pointer(to: Int64.self)[row] = Int64(truncatingIfNeeded: average)
        }
      } else if let sum = sums.base[start + row] as? Double {
        if result == .real {
          values.pointer(to: Float.self)[row] = Float(sum / Double(divisor))
        } else {
          values.pointer(to: Double.self)[row] = sum / Double(divisor)
        }
      }
    }
    return Vector(flat: result, count: count, values: values, validity: validity(from: start, count: count))
  }

  func intermediates(from start: Int, count: Int) -> [Vector] {
    [
      Vector(
        flat: partial, count: count, values: sums.buffer(from: start, count: count),
        validity: validity(from: start, count: count)),
      Vector(flat: .bigint, count: count, values: counts.buffer(from: start, count: count)),
    ]
  }

  private func validity(from start: Int, count: Int) -> Bitmap? {
    var bits: Bitmap?
    for row in 0..<count where counts.base[start + row] == 0 {
      let target = bits ?? Bitmap(repeating: true, count: count)
      target.clear(row)
      bits = target
    }
    return bits
  }
}

/// The quotient rounded to the nearest integer, halves away from zero. `divisor` is positive.
func divideHalfUp(_ dividend: Int128, by divisor: Int128) -> Int128 {
  let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor)
  if remainder.magnitude >= divisor.magnitude - remainder.magnitude { return quotient + (dividend < 0 ? -1 : 1) }
  return quotient
}

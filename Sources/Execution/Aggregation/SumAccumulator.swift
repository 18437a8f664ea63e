// Owns sum(x) for every numeric type.

import Base
import Columnar

/// The accumulator of sum(x) for arguments of `type`.
func makeSum(_ type: DataType, result: DataType, partial: DataType) -> any Accumulator {
  switch type.layout {
  case .float64: return SumAccumulator<DoubleSum>(result: result, partial: partial)
  case .float32: return SumAccumulator<RealSum>(result: result, partial: partial)
  case .int128: return SumAccumulator<LongDecimalSum>(result: result, partial: partial)
  case .int64:
    if case .decimal = type { return SumAccumulator<ShortDecimalSum>(result: result, partial: partial) }
    return SumAccumulator<BigintSum>(result: result, partial: partial)
  default: preconditionFailure("sum(\(type)) is not coerced")
  }
}

/// Adds values up by group; NULL for a group without values.
final class SumAccumulator<Rule: SumRule>: Accumulator {
  private let result: DataType
  private let partial: DataType
  private let sums = StateArray<Rule.State>(initial: Rule.zero)
  private var presence = Presence()

  init(result: DataType, partial: DataType) {
    self.result = result
    self.partial = partial
  }

  var retainedBytes: Int { sums.retainedBytes + presence.retainedBytes }
  func growth(to groups: Int) -> Int { sums.growth(to: groups) + presence.growth(to: groups) }
  func grow(to groups: Int) { sums.grow(to: groups) }

  func reset() {
    sums.reset()
    presence.reset()
  }

  @specialized(where Rule == BigintSum)
  @specialized(where Rule == ShortDecimalSum)
  @specialized(where Rule == LongDecimalSum)
  @specialized(where Rule == DoubleSum)
  @specialized(where Rule == RealSum)
  func add(_ arguments: [Vector], _ rows: GroupedRows) throws {
    let argument = arguments[0].flattened()
    sums.grow(to: rows.groups)
    let present = presence.prepare(
      groups: rows.groups, everyNewGroupHasValue: rows.isWholeBatch && !argument.mayHaveNulls)
    let sums = sums.base
    let ids = rows.ids
    var flags: UInt8 = 0
    if let present {
      forEachValue(of: argument, as: Rule.Input.self, count: rows.count) { row, value in
        let group = Int(ids[row])
        present[group] = 1
        let (sum, flag) = Rule.add(sums[group], value)
        sums[group] = sum
        flags |= flag
      }
    } else {
      forEachValue(of: argument, as: Rule.Input.self, count: rows.count) { row, value in
        let (sum, flag) = Rule.add(sums[Int(ids[row])], value)
        sums[Int(ids[row])] = sum
        flags |= flag
      }
    }
    if flags != 0 { throw Rule.overflow }
  }

  @specialized(where Rule == BigintSum)
  @specialized(where Rule == ShortDecimalSum)
  @specialized(where Rule == LongDecimalSum)
  @specialized(where Rule == DoubleSum)
  @specialized(where Rule == RealSum)
  func addAll(_ arguments: [Vector], count: Int, zeros: UnsafePointer<Int32>) throws {
    let argument = arguments[0].flattened()
    guard !argument.mayHaveNulls, count > 0 else {
      return try add([argument], GroupedRows(ids: zeros, count: count, groups: 1, isWholeBatch: count > 0))
    }
    sums.grow(to: 1)
    if let present = presence.prepare(groups: 1, everyNewGroupHasValue: true) { present[0] = 1 }
    let (total, overflowed) = Rule.total(argument.values.pointer(to: Rule.Input.self), count: count)
    let (sum, flag) = Rule.add(sums.base[0], state: total)
    if overflowed | flag != 0 { throw Rule.overflow }
    sums.base[0] = sum
  }

  @specialized(where Rule == BigintSum)
  @specialized(where Rule == ShortDecimalSum)
  @specialized(where Rule == LongDecimalSum)
  @specialized(where Rule == DoubleSum)
  @specialized(where Rule == RealSum)
  func merge(_ intermediates: [Vector], _ rows: GroupedRows) throws {
    sums.grow(to: rows.groups)
    let present = presence.prepare(groups: rows.groups, everyNewGroupHasValue: false)
    let sums = sums.base
    let ids = rows.ids
    var flags: UInt8 = 0
    forEachValue(of: intermediates[0].flattened(), as: Rule.State.self, count: rows.count) { row, value in
      let group = Int(ids[row])
      // Prepared without the promise above, so there are flags.
      present.unsafelyUnwrapped[group] = 1
      let (sum, flag) = Rule.add(sums[group], state: value)
      sums[group] = sum
      flags |= flag
    }
    if flags != 0 { throw Rule.overflow }
  }

  @specialized(where Rule == BigintSum)
  @specialized(where Rule == ShortDecimalSum)
  @specialized(where Rule == LongDecimalSum)
  @specialized(where Rule == DoubleSum)
  @specialized(where Rule == RealSum)
  func results(from start: Int, count: Int) throws -> Vector {
    let validity = presence.validity(from: start, count: count)
    if case .decimal = result { try checkDecimals(from: start, count: count) }
    guard result == .real else {
      return Vector(
        flat: result, count: count, values: sums.buffer(from: start, count: count), validity: validity)
    }
    let values = Buffer(count: count, of: Float.self)
    for row in 0..<count {
      // sum(real) has states of type double.
      if let sum = sums.base[start + row] as? Double { values.pointer(to: Float.self)[row] = Float(sum) }
    }
    return Vector(flat: .real, count: count, values: values, validity: validity)
  }

  func intermediates(from start: Int, count: Int) -> [Vector] {
    [
      Vector(
        flat: partial, count: count, values: sums.buffer(from: start, count: count),
        validity: presence.validity(from: start, count: count))
    ]
  }

  /// A sum of more than 38 digits fits its state but not its type.
  private func checkDecimals(from start: Int, count: Int) throws {
    for group in start..<(start + count) {
      if let sum = sums.base[group] as? Int128, sum.magnitude >= powersOfTen38 { throw Rule.overflow }
    }
  }
}

/// 10^38, the first number of 39 digits.
let powersOfTen38: UInt128 = 10_000_000_000_000_000_000 * 10_000_000_000_000_000_000

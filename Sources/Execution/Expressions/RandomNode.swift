// Owns random(): numbers that follow from a seed, so that a repeated attempt gives the same ones.

import Base
import Columnar
import Planning

/// `random()`, `random(bound)` or `random(start, stop)`.
final class RandomNode: ExpressionNode {
  private let operands: [ExpressionNode]
  private let origin: Origin
  private var state: UInt64

  init(_ type: DataType, _ operands: [ExpressionNode], seed: UInt64, _ origin: Origin) {
    self.operands = operands
    self.origin = origin
    state = seed
    super.init(type: type, canFail: !operands.isEmpty, cost: operands.reduce(4) { $0 + $1.cost })
  }

  override func evaluate(_ rows: Rows) throws -> Vector {
    let arguments = try operands.map { try $0.evaluate(rows) }
    if arguments.isEmpty { return doubles(rows.count) }
    let values = Buffer(zeroed: rows.count * type.layout.stride)
    let validity = Bitmap(repeating: true, count: rows.count)
    var hasNull = false
    for row in 0..<rows.count {
      let bounds = arguments.map { $0.value(at: row).asInt128 }
      guard let last = bounds[bounds.count - 1], let first = bounds.count == 2 ? bounds[0] : 0 else {
        validity.clear(row)
        hasNull = true
        continue
      }
      guard first < last else {
        let message = bounds.count == 2 ? "start value must be less than stop value" : "bound must be positive"
        throw WaterbearError(.invalidFunctionArgument, message, at: origin.location)
      }
      // The high half of a 128-bit product maps 64 random bits to the range.
      let span = UInt64(truncatingIfNeeded: last - first)
      store(Int64(truncatingIfNeeded: first + Int128(next().multipliedFullWidth(by: span).high)), at: row, in: values)
    }
    return Vector(flat: type, count: rows.count, values: values, validity: hasNull ? validity : nil)
  }

  private func doubles(_ count: Int) -> Vector {
    let values = Buffer(count: count, of: Double.self)
    let target = values.pointer(to: Double.self)
    for row in 0..<count { target[row] = Double(next() >> 11) * 0x1p-53 }
    return Vector(flat: .double, count: count, values: values)
  }

  private func store(_ number: Int64, at row: Int, in values: Buffer) {
    switch type.layout {
    case .int8: values.pointer(to: Int8.self)[row] = Int8(truncatingIfNeeded: number)
    case .int16: values.pointer(to: Int16.self)[row] = Int16(truncatingIfNeeded: number)
    case .int32: values.pointer(to: Int32.self)[row] = Int32(truncatingIfNeeded: number)
    case .int64: values.pointer(to: Int64.self)[row] = number
    default: preconditionFailure("random gives no \(type)")
    }
  }

  private func next() -> UInt64 {
    state &+= SplitMix64.step
    return SplitMix64.mixed(state)
  }
}

/// The generator of Steele, Lea and Flood (2014): a counter, and a function that makes noise of it.
enum SplitMix64 {
  static let step: UInt64 = 0x9e37_79b9_7f4a_7c15

  static func mixed(_ state: UInt64) -> UInt64 {
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}

// Owns AND, OR, NOT, IS NULL and IS DISTINCT FROM over columns, in three-valued logic.

import Columnar

/// AND or OR over any number of operands. Operands that may fail run last, in their order, and only on the rows that
/// the ones before them did not decide.
final class ConjunctionNode: ExpressionNode {
  private let isAnd: Bool
  private let operands: [ExpressionNode]

  init(isAnd: Bool, _ operands: [ExpressionNode]) {
    precondition(!operands.isEmpty, "a conjunction has operands")
    self.isAnd = isAnd
    let safe = operands.filter { !$0.canFail }.sorted { $0.cost < $1.cost }
    self.operands = safe + operands.filter(\.canFail)
    super.init(
      type: .boolean, canFail: operands.contains(where: \.canFail), cost: operands.reduce(1) { $0 + $1.cost },
      isConstant: operands.allSatisfy(\.isConstant))
  }

  override func evaluate(_ rows: Rows) throws -> Vector { try truth(rows).vector() }

  override func truth(_ rows: Rows) throws -> Truth {
    var result = Truth(repeating: isAnd, count: rows.count)
    var isFirst = true
    for operand in operands {
      if isFirst {
        result = try operand.truth(rows)
        isFirst = false
        continue
      }
      // AND is decided where a row is false, OR where it is true.
      let undecided = Truth.positions(
        in: isAnd ? result.isNotFalse : result.isTrue, equal: isAnd ? 1 : 0, count: rows.count)
      if undecided.count == 0 { return result }
      if undecided.isAll || (!operand.canFail && undecided.count * 4 > rows.count * (operand.cost > 8 ? 3 : 1)) {
        let other = try operand.truth(rows)
        result = isAnd ? result.and(other) : result.or(other)
      } else {
        let other = try operand.truth(rows.subset(undecided)).scattered(undecided, count: rows.count, filler: isAnd)
        result = isAnd ? result.and(other) : result.or(other)
      }
    }
    return result
  }
}

extension Truth {
  /// This truth's rows at the positions of `selection` among `count` rows; `filler` elsewhere.
  func scattered(_ selection: Selection, count: Int, filler: Bool) -> Truth {
    guard let indices = selection.indices else { return self }
    let positions = UnsafePointer(indices.pointer(to: Int32.self))
    func scatter(_ flags: Buffer) -> Buffer {
      let result = Buffer(byteCount: count)
      let target = result.pointer(to: UInt8.self)
      target.update(repeating: filler ? 1 : 0, count: count)
      let bytes = UnsafePointer(flags.pointer(to: UInt8.self))
      for row in 0..<selection.count { target[Int(positions[row])] = bytes[row] }
      return result
    }
    let yes = scatter(isTrue)
    return Truth(isTrue: yes, isNotFalse: isTwoValued ? yes : scatter(isNotFalse), count: count)
  }
}

final class NotNode: ExpressionNode {
  private let operand: ExpressionNode

  init(_ operand: ExpressionNode) {
    self.operand = operand
    super.init(
      type: .boolean, canFail: operand.canFail, cost: operand.cost + 1, isConstant: operand.isConstant)
  }

  override func evaluate(_ rows: Rows) throws -> Vector { try truth(rows).vector() }
  override func truth(_ rows: Rows) throws -> Truth { try operand.truth(rows).not() }
}

final class IsNullNode: ExpressionNode {
  private let operand: ExpressionNode

  init(_ operand: ExpressionNode) {
    self.operand = operand
    super.init(
      type: .boolean, canFail: operand.canFail, cost: operand.cost + 1, isConstant: operand.isConstant)
  }

  override func evaluate(_ rows: Rows) throws -> Vector { try truth(rows).vector() }

  override func truth(_ rows: Rows) throws -> Truth {
    let vector = try operand.evaluate(rows)
    guard let present = vector.presenceBytes() else { return Truth(repeating: false, count: rows.count) }
    return Truth(isTrue: present, isNotFalse: present, count: rows.count).not()
  }
}

extension Vector {
  /// One byte per row, 1 where it has a value and 0 where it is NULL; nil where no row is NULL.
  func presenceBytes() -> Buffer? {
    guard let validity else { return nil }
    switch encoding {
    case .flat: return validity.expandedBytes()
    case .constant:
      return validity[0] ? nil : Truth(repeating: false, count: count).isTrue
    case .dictionary:
      // A dictionary vector has both parts by construction.
      let known = Vector(flat: .boolean, count: dictionary!.count, values: validity.expandedBytes())
      return known.gather(UnsafePointer(indices!.pointer(to: Int32.self)), count: count).values
    }
  }
}

/// IS DISTINCT FROM: never NULL. Two NULLs are not distinct, nor are two NaNs.
final class DistinctNode: ExpressionNode {
  private let left: ExpressionNode
  private let right: ExpressionNode
  private let unequal: Kernel

  init(_ left: ExpressionNode, _ right: ExpressionNode) {
    self.left = left
    self.right = right
    unequal = distinctKernel(left.type)
    super.init(
      type: .boolean, canFail: left.canFail || right.canFail, cost: left.cost + right.cost + 2,
      isConstant: left.isConstant && right.isConstant)
  }

  override func evaluate(_ rows: Rows) throws -> Vector { try truth(rows).vector() }

  override func truth(_ rows: Rows) throws -> Truth {
    let count = rows.count
    let a = try left.evaluate(rows).flattened()
    let b = try right.evaluate(rows).flattened()
    if count == 0 { return Truth(repeating: false, count: 0) }
    let both = [a.validity, b.validity].compactMap { $0 }
    let validity = both.count == 2 ? both[0].and(both[1]) : both.first
    let differs = try unequal(KernelInput(arguments: [a, b], count: count, validity: validity))
    guard validity != nil else {
      return Truth(isTrue: differs.values, isNotFalse: differs.values, count: count)
    }
    let result = Buffer(byteCount: count)
    let target = result.pointer(to: UInt8.self)
    let ones = Truth(repeating: true, count: count).isTrue
    let presentA = a.presenceBytes() ?? ones
    let presentB = b.presenceBytes() ?? ones
    let hasA = presentA.pointer(to: UInt8.self)
    let hasB = presentB.pointer(to: UInt8.self)
    let bytes = differs.values.pointer(to: UInt8.self)
    for row in 0..<count { target[row] = (hasA[row] ^ hasB[row]) | (hasA[row] & hasB[row] & bytes[row]) }
    withExtendedLifetime((presentA, presentB, differs)) {}
    return Truth(isTrue: result, isNotFalse: result, count: count)
  }
}

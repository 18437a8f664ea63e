// Owns the form of a compiled expression: a tree of nodes, called once per batch each.

import Columnar

/// One step of a compiled expression. Holds scratch state, so a tree belongs to one thread.
class ExpressionNode {
  let type: DataType
  /// Whether evaluating may throw, so that it must not run on rows that do not reach it.
  let canFail: Bool
  /// A rough price per row, in comparisons of numbers; includes the operands.
  let cost: Int
  /// Whether the value is the same for all rows of all batches.
  let isConstant: Bool

  init(type: DataType, canFail: Bool, cost: Int, isConstant: Bool = false) {
    self.type = type
    self.canFail = canFail
    self.cost = cost
    self.isConstant = isConstant
  }

  /// The values on `rows`: `rows.count` of them, in any encoding.
  func evaluate(_ rows: Rows) throws -> Vector {
    preconditionFailure("every node evaluates")
  }

  /// The value of a boolean node on `rows` as truth bytes.
  func truth(_ rows: Rows) throws -> Truth { Truth(try evaluate(rows)) }
}

/// A column of the batch.
final class ColumnNode: ExpressionNode {
  private let index: Int

  init(index: Int, type: DataType) {
    self.index = index
    super.init(type: type, canFail: false, cost: 0)
  }

  override func evaluate(_ rows: Rows) -> Vector {
    let column = rows.column(index)
    precondition(
      column.type.layout == type.layout, "column \(index) is \(column.type), the expression expects \(type)")
    return column
  }
}

/// A literal.
final class ConstantNode: ExpressionNode {
  /// A flat vector of one row.
  let single: Vector

  init(_ value: Value, type: DataType) {
    single = Vector.repeating(value, type: type, count: 1).single
    super.init(type: type, canFail: false, cost: 0, isConstant: true)
  }

  override func evaluate(_ rows: Rows) -> Vector { Vector(constant: single, count: rows.count) }
}

/// A subexpression that occurs more than once: evaluated once for the same rows.
final class SharedNode: ExpressionNode {
  private let inner: ExpressionNode
  private let slot: Int

  init(_ inner: ExpressionNode, slot: Int) {
    self.inner = inner
    self.slot = slot
    super.init(type: inner.type, canFail: inner.canFail, cost: inner.cost, isConstant: inner.isConstant)
  }

  override func evaluate(_ rows: Rows) throws -> Vector {
    if let known = rows.sharedValue(slot) { return known }
    let vector = try inner.evaluate(rows)
    rows.shared[slot] = vector
    return vector
  }
}

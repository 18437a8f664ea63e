// Owns CASE and COALESCE: each branch runs only on the rows that reach it, and the pieces are put together.

import Columnar

/// `CASE WHEN … THEN … ELSE … END`.
final class CaseNode: ExpressionNode {
  private let clauses: [(condition: ExpressionNode, result: ExpressionNode)]
  private let otherwise: ExpressionNode?

  init(_ type: DataType, _ clauses: [(condition: ExpressionNode, result: ExpressionNode)],
    otherwise: ExpressionNode?
  ) {
    self.clauses = clauses
    self.otherwise = otherwise
    let nodes = clauses.flatMap { [$0.condition, $0.result] } + (otherwise.map { [$0] } ?? [])
    super.init(
      type: type, canFail: nodes.contains(where: \.canFail), cost: nodes.reduce(4) { $0 + $1.cost },
      isConstant: nodes.allSatisfy(\.isConstant))
  }

  override func evaluate(_ rows: Rows) throws -> Vector {
    var assembly = VectorAssembly(type: type, count: rows.count)
    var remaining = Selection.all(rows.count)
    for clause in clauses where remaining.count > 0 {
      let truth = try clause.condition.truth(rows.subset(remaining))
      let chosen = remaining.refined(Truth.positions(in: truth.isTrue, equal: 1, count: remaining.count))
      if chosen.count > 0 {
        assembly.put(try clause.result.evaluate(rows.subset(chosen)), at: chosen)
      }
      remaining = chosen.count == 0
        ? remaining : remaining.refined(Truth.positions(in: truth.isTrue, equal: 0, count: remaining.count))
    }
    if remaining.count > 0, let otherwise {
      assembly.put(try otherwise.evaluate(rows.subset(remaining)), at: remaining)
    }
    return assembly.finish()
  }
}

/// `COALESCE(a, b, …)`.
final class CoalesceNode: ExpressionNode {
  private let operands: [ExpressionNode]

  init(_ type: DataType, _ operands: [ExpressionNode]) {
    self.operands = operands
    super.init(
      type: type, canFail: operands.contains(where: \.canFail), cost: operands.reduce(4) { $0 + $1.cost },
      isConstant: operands.allSatisfy(\.isConstant))
  }

  override func evaluate(_ rows: Rows) throws -> Vector {
    var assembly = VectorAssembly(type: type, count: rows.count)
    var remaining = Selection.all(rows.count)
    for operand in operands where remaining.count > 0 {
      let vector = try operand.evaluate(rows.subset(remaining))
      guard let present = vector.presenceBytes() else {
        if remaining.isAll { return vector.retyped(type) }
        assembly.put(vector, at: remaining)
        return assembly.finish()
      }
      let chosen = Truth.positions(in: present, equal: 1, count: remaining.count)
      if chosen.count > 0 {
        let values = chosen.indices.map {
          vector.gather(UnsafePointer($0.pointer(to: Int32.self)), count: chosen.count)
        }
        assembly.put(values ?? vector, at: remaining.refined(chosen))
      }
      remaining = remaining.refined(Truth.positions(in: present, equal: 0, count: remaining.count))
    }
    return assembly.finish()
  }
}

extension Selection {
  /// The rows at `inner`'s positions among this selection's rows.
  func refined(_ inner: Selection) -> Selection {
    guard let through = inner.indices else { return self }
    guard let outer = indices else { return inner }
    let result = Buffer(count: inner.count, of: Int32.self)
    let target = result.pointer(to: Int32.self)
    let from = outer.pointer(to: Int32.self)
    let positions = through.pointer(to: Int32.self)
    for row in 0..<inner.count { target[row] = from[Int(positions[row])] }
    return Selection(indices: result, count: inner.count)
  }
}

/// A flat vector put together from pieces at given rows. Rows that no piece covers are NULL.
struct VectorAssembly {
  private let type: DataType
  private let count: Int
  private let values: Buffer
  /// 1 for each row with a value.
  private let present: Buffer
  private var presentCount = 0
  private var heaps: [StringHeap] = []
  /// A piece that covers every row, which is the whole result.
  private var whole: Vector?

  init(type: DataType, count: Int) {
    self.type = type
    self.count = count
    values = Buffer(zeroed: count * type.layout.stride)
    present = Buffer(zeroed: count)
  }

  /// Puts the rows of `piece` at `selection`'s rows, which no other piece covers.
  mutating func put(_ piece: Vector, at selection: Selection) {
    precondition(piece.count == selection.count, "\(piece.count) values for \(selection.count) rows")
    guard let indices = selection.indices else {
      whole = piece
      return
    }
    let positions = UnsafePointer(indices.pointer(to: Int32.self))
    let flat = piece.flattened()
    switch type.layout.stride {
    case 1: scatter(UInt8.self, flat, positions)
    case 2: scatter(UInt16.self, flat, positions)
    case 4: scatter(UInt32.self, flat, positions)
    case 8: scatter(UInt64.self, flat, positions)
    default: scatter(SIMD2<UInt64>.self, flat, positions)
    }
    let flags = present.pointer(to: UInt8.self)
    if let bits = flat.presenceBytes() {
      let source = bits.pointer(to: UInt8.self)
      for row in 0..<flat.count {
        flags[Int(positions[row])] = source[row]
        presentCount &+= Int(source[row])
      }
      withExtendedLifetime(bits) {}
    } else {
      for row in 0..<flat.count { flags[Int(positions[row])] = 1 }
      presentCount += flat.count
    }
    for heap in flat.heaps where !heaps.contains(where: { $0 === heap }) { heaps.append(heap) }
  }

  func finish() -> Vector {
    if let whole { return whole.retyped(type) }
    let validity = presentCount == count ? nil : Bitmap(bytes: present, count: count)
    return Vector(flat: type, count: count, values: values, validity: validity, heaps: heaps)
  }

  @inline(__always)
  private func scatter<Element: BitwiseCopyable>(
    _ element: Element.Type, _ piece: Vector, _ positions: UnsafePointer<Int32>
  ) {
    let target = values.pointer(to: element)
    let source = UnsafePointer(piece.values.pointer(to: element))
    for row in 0..<piece.count { target[Int(positions[row])] = source[row] }
  }
}

// Owns the call of a kernel: NULLs, constants and dictionaries are dealt with here, so that kernels see plain columns.

import Columnar

/// A function that is NULL where an operand is NULL, computed by a kernel.
///
/// - All operands constant: computed once for one row and kept.
/// - Operands with one dictionary's indices between them, else constant: computed on the dictionary where that is
///   shorter than the batch, and kept for the next batch with the same dictionary.
/// - Else: dictionaries are flattened and the kernel runs over the rows.
final class KernelNode: ExpressionNode {
  private let kernel: Kernel
  private let operands: [ExpressionNode]
  private let ownFailure: Bool
  private var constant: Vector?
  private var lastDictionaries: [Vector] = []
  private var lastResult: Vector?

  init(_ type: DataType, _ operands: [ExpressionNode], canFail: Bool, cost: Int, kernel: @escaping Kernel) {
    precondition(!operands.isEmpty, "a kernel has operands")
    self.kernel = kernel
    self.operands = operands
    ownFailure = canFail
    super.init(
      type: type, canFail: canFail || operands.contains(where: \.canFail),
      cost: operands.reduce(cost) { $0 + $1.cost }, isConstant: operands.allSatisfy(\.isConstant))
  }

  override func evaluate(_ rows: Rows) throws -> Vector {
    let count = rows.count
    if count == 0 { return Vector(flat: type, count: 0, values: Buffer(byteCount: 0)) }
    if let constant { return Vector(constant: constant, count: count) }
    let arguments = try operands.map { try $0.evaluate(rows) }
    var shape = Shape()
    for argument in arguments {
      shape.add(argument)
      if argument.encoding == .constant, argument.isNull(0) {
        let null = Vector.repeating(.null, type: type, count: count)
        if isConstant { constant = null.single }
        return null
      }
    }
    if shape.isConstant {
      let single = try run(arguments.map(\.single), count: 1)
      if isConstant { constant = single }
      return Vector(constant: single, count: count)
    }
    if let indices = shape.sharedIndices, let result = try onDictionaries(arguments, count: count) {
      return Vector(dictionary: result, indices: indices, count: count)
    }
    return try run(arguments.map { $0.encoding == .dictionary ? $0.flattened() : $0 }, count: count)
  }

  /// The kernel's result on the dictionaries; nil where computing row by row is cheaper, or where a value of the
  /// dictionary fails that perhaps no row has.
  private func onDictionaries(_ arguments: [Vector], count: Int) throws -> Vector? {
    var size = 0
    var dictionaries: [Vector] = []
    for argument in arguments {
      if let dictionary = argument.dictionary {
        size = dictionary.count
        dictionaries.append(dictionary)
      }
    }
    // Operands that are constant in this batch may be others in the next.
    let isKeepable = zip(arguments, operands).allSatisfy { $0.dictionary != nil || $1.isConstant }
    if isKeepable, let lastResult, lastDictionaries.count == dictionaries.count,
      zip(lastDictionaries, dictionaries).allSatisfy({ $0 === $1 }) {
      return lastResult
    }
    guard size <= count else { return nil }
    let result: Vector
    do {
      result = try run(
        arguments.map { $0.dictionary ?? Vector(constant: $0.single, count: size) }, count: size)
    } catch where ownFailure {
      // A value that no row uses may be the cause; the rows themselves decide.
      return nil
    }
    if isKeepable {
      lastDictionaries = dictionaries
      lastResult = result
    }
    return result
  }

  private func run(_ arguments: [Vector], count: Int) throws -> Vector {
    var validity: Bitmap?
    for argument in arguments where argument.encoding == .flat {
      guard let bits = argument.validity else { continue }
      validity = validity.map { $0.buffer === bits.buffer ? $0 : $0.and(bits) } ?? bits
    }
    let result = try kernel(KernelInput(arguments: arguments, count: count, validity: validity))
    precondition(result.count == count, "a kernel made \(result.count) rows of \(count)")
    return result
  }
}

/// What the operands' encodings have in common.
private struct Shape {
  private(set) var isConstant = true
  private var hasFlat = false
  private var indices: Buffer?
  private var dictionarySize = 0
  private var areIndicesShared = true

  mutating func add(_ vector: Vector) {
    switch vector.encoding {
    case .constant: break
    case .flat:
      isConstant = false
      hasFlat = true
    case .dictionary:
      isConstant = false
      // A dictionary vector has both parts by construction.
      let size = vector.dictionary!.count
      if let indices, indices !== vector.indices! || size != dictionarySize { areIndicesShared = false }
      indices = vector.indices!
      dictionarySize = size
    }
  }

  /// The one index buffer of all operands that are not constant.
  var sharedIndices: Buffer? { hasFlat || !areIndicesShared ? nil : indices }
}

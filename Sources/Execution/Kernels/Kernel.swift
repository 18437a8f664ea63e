// Owns the form of a kernel: a loop over whole vectors, made once for concrete types and called once per batch.

import Base
import Columnar

/// The operands of one kernel call. Each argument is flat or constant, and no constant is NULL.
struct KernelInput {
  let arguments: [Vector]
  /// Rows; at least one.
  let count: Int
  /// The rows where every argument has a value; nil for all. Other rows may hold anything in their values.
  let validity: Bitmap?

  /// Whether row `row` has a value in every argument. Not for null-free inputs' inner loops.
  @inline(__always)
  func isPresent(_ row: Int) -> Bool { validity.map { $0[row] } ?? true }
}

/// Computes a vector of `count` rows, flat, with at least the NULLs of `validity`.
///
/// A closure, because the code behind it is then specialised for its types where it is made; one call per batch.
typealias Kernel = (KernelInput) throws -> Vector

/// An operation on two values, as a type so that loops over it are specialised. It may keep track of failures, which
/// are looked for only after the loop.
protocol BinaryOperation {
  associatedtype Left: BitwiseCopyable
  associatedtype Right: BitwiseCopyable
  associatedtype Output: BitwiseCopyable
  mutating func apply(_ left: Left, _ right: Right) -> Output
  /// Whether any `apply` so far met operands without a result.
  var hasFailed: Bool { get }
  /// What to say about operands on which `apply` failed.
  func failure(_ left: Left, _ right: Right) -> WaterbearError
}

extension BinaryOperation {
  @inline(__always)
  var hasFailed: Bool { false }
  func failure(_ left: Left, _ right: Right) -> WaterbearError {
    preconditionFailure("an operation that cannot fail has failed")
  }
}

/// An operation on one value; as `BinaryOperation`.
protocol UnaryOperation {
  associatedtype Input: BitwiseCopyable
  associatedtype Output: BitwiseCopyable
  mutating func apply(_ value: Input) -> Output
  var hasFailed: Bool { get }
  func failure(_ value: Input) -> WaterbearError
}

extension UnaryOperation {
  @inline(__always)
  var hasFailed: Bool { false }
  func failure(_ value: Input) -> WaterbearError {
    preconditionFailure("an operation that cannot fail has failed")
  }
}

/// A kernel that runs `operation` over two arguments of its types. Must be called with a concrete operation.
@inline(__always)
func binaryKernel<Operation: BinaryOperation>(_ operation: Operation, _ type: DataType) -> Kernel {
  { input in try runBinary(operation, input, type) }
}

/// A kernel that runs `operation` over one argument of its type. Must be called with a concrete operation. With
/// `isTry`, a row on which it fails is NULL.
@inline(__always)
func unaryKernel<Operation: UnaryOperation>(
  _ operation: Operation, _ type: DataType, isTry: Bool = false
) -> Kernel {
  { input in try runUnary(operation, input, type, isTry: isTry) }
}

/// As `unaryKernel`, for operations that must not see the values behind NULLs: strings, whose views may point nowhere,
/// and slow ones.
@inline(__always)
func carefulUnaryKernel<Operation: UnaryOperation>(
  _ operation: Operation, _ type: DataType, isTry: Bool = false
) -> Kernel {
  { input in try runUnaryOnValues(operation, input, type, isTry: isTry) }
}

func runBinary<Operation: BinaryOperation>(
  _ operation: Operation, _ input: KernelInput, _ type: DataType
) throws -> Vector {
  let count = input.count
  let left = input.arguments[0]
  let right = input.arguments[1]
  let output = Buffer(count: count, of: Operation.Output.self)
  let target = output.pointer(to: Operation.Output.self)
  let a = UnsafePointer(left.values.pointer(to: Operation.Left.self))
  let b = UnsafePointer(right.values.pointer(to: Operation.Right.self))
  var run = operation
  switch (left.encoding == .constant, right.encoding == .constant) {
  case (false, true):
    let constant = b[0]
    for row in 0..<count { target[row] = run.apply(a[row], constant) }
  case (true, false):
    let constant = a[0]
    for row in 0..<count { target[row] = run.apply(constant, b[row]) }
  default:
    for row in 0..<count { target[row] = run.apply(a[row], b[row]) }
  }
  if run.hasFailed {
    let leftStep = left.encoding == .constant ? 0 : 1
    let rightStep = right.encoding == .constant ? 0 : 1
    // Values behind NULLs may have failed too; only a row with values is an error.
    for row in 0..<count where input.isPresent(row) {
      var probe = operation
      _ = probe.apply(a[row * leftStep], b[row * rightStep])
      if probe.hasFailed { throw operation.failure(a[row * leftStep], b[row * rightStep]) }
    }
  }
  return Vector(flat: type, count: count, values: output, validity: input.validity)
}

func runUnary<Operation: UnaryOperation>(
  _ operation: Operation, _ input: KernelInput, _ type: DataType, isTry: Bool
) throws -> Vector {
  let count = input.count
  let output = Buffer(count: count, of: Operation.Output.self)
  let target = output.pointer(to: Operation.Output.self)
  let values = UnsafePointer(input.arguments[0].values.pointer(to: Operation.Input.self))
  var run = operation
  for row in 0..<count { target[row] = run.apply(values[row]) }
  var failures = FailedRows(count: count)
  if run.hasFailed {
    for row in 0..<count where input.isPresent(row) {
      var probe = operation
      _ = probe.apply(values[row])
      guard probe.hasFailed else { continue }
      if !isTry { throw operation.failure(values[row]) }
      failures.insert(row)
    }
  }
  return Vector(flat: type, count: count, values: output, validity: failures.removed(from: input.validity))
}

func runUnaryOnValues<Operation: UnaryOperation>(
  _ operation: Operation, _ input: KernelInput, _ type: DataType, isTry: Bool
) throws -> Vector {
  let count = input.count
  let output = Buffer(zeroed: count * MemoryLayout<Operation.Output>.stride)
  let target = output.pointer(to: Operation.Output.self)
  let values = UnsafePointer(input.arguments[0].values.pointer(to: Operation.Input.self))
  var failures = FailedRows(count: count)
  var run = operation
  for row in 0..<count where input.isPresent(row) {
    target[row] = run.apply(values[row])
    guard run.hasFailed else { continue }
    if !isTry { throw operation.failure(values[row]) }
    failures.insert(row)
    run = operation
  }
  return Vector(flat: type, count: count, values: output, validity: failures.removed(from: input.validity))
}

/// Rows that a kernel could not compute and that become NULL.
struct FailedRows {
  private let count: Int
  private var succeeded: Bitmap?

  init(count: Int) { self.count = count }

  mutating func insert(_ row: Int) {
    if succeeded == nil { succeeded = Bitmap(repeating: true, count: count) }
    succeeded?.clear(row)
  }

  /// The rows of `validity` that did not fail.
  func removed(from validity: Bitmap?) -> Bitmap? {
    guard let succeeded else { return validity }
    return validity.map { $0.and(succeeded) } ?? succeeded
  }
}

/// A kernel's argument as values by row, whether it is flat or constant. Valid as long as the vector lives.
struct Operand<Element: BitwiseCopyable> {
  private let values: UnsafePointer<Element>
  private let step: Int

  init(_ vector: Vector) {
    values = UnsafePointer(vector.values.pointer(to: Element.self))
    step = vector.encoding == .constant ? 0 : 1
  }

  @inline(__always)
  subscript(row: Int) -> Element { values[row &* step] }

  @inline(__always)
  func pointer(_ row: Int) -> UnsafePointer<Element> { values + row &* step }
}

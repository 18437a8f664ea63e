// Owns the way from a plan's expression to a tree of nodes: which kernel serves which operator and types.

import Base
import Columnar
import Planning

/// Compiles expressions against one layout of columns. Expressions of one compiler are evaluated on the same `Rows`:
/// what occurs more than once among them is computed once.
final class ExpressionCompiler {
  private let positions: [Int: Int]
  private let seed: UInt64
  private var randomCount: UInt64 = 0
  /// How often each expression that is worth sharing occurs.
  private var occurrences: [Expression: Int] = [:]
  private var shared: [Expression: SharedNode] = [:]
  /// How many values `Rows` must have room for.
  private(set) var sharedSlots = 0

  /// `seed` decides what random() gives.
  init(layout: [Symbol], seed: UInt64) {
    self.seed = seed
    positions = Dictionary(layout.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The nodes of `expressions`, which share what they have in common.
  func compile(_ expressions: [Expression]) throws -> [ExpressionNode] {
    for expression in expressions { countOccurrences(in: expression) }
    return try expressions.map(compile)
  }

  /// A seed that no other call of random() has.
  func nextSeed() -> UInt64 {
    randomCount += 1
    return seed &+ randomCount &* 0xd134_2543_de82_ef95
  }

  private func countOccurrences(in expression: Expression) {
    let children = expression.children
    guard !children.isEmpty else { return }
    occurrences[expression, default: 0] += 1
    // What is inside a repetition is computed once with it.
    guard occurrences[expression] == 1 else { return }
    for child in children { countOccurrences(in: child) }
  }

  private func compile(_ expression: Expression) throws -> ExpressionNode {
    guard occurrences[expression] ?? 0 > 1, expression.isDeterministic else { return try compileAlone(expression) }
    if let known = shared[expression] { return known }
    let node = share(try compileAlone(expression))
    shared[expression] = node
    return node
  }

  private func share(_ node: ExpressionNode) -> SharedNode {
    defer { sharedSlots += 1 }
    return SharedNode(node, slot: sharedSlots)
  }

  private func compileAlone(_ expression: Expression) throws -> ExpressionNode {
    switch expression {
    case .symbol(let symbol):
      guard let index = positions[symbol.id] else {
        throw WaterbearError(.genericInternalError, "Column \(symbol) is not among the operator's inputs")
      }
      return ColumnNode(index: index, type: symbol.type)
    case .constant(let value, let type):
      return ConstantNode(value, type: type)
    case .comparison(let comparison, let left, let right):
      return compileComparison(comparison, try compile(left), try compile(right))
    case .arithmetic(let operation, let left, let right, let type, let origin):
      return try compileArithmetic(operation, try compile(left), try compile(right), type, origin)
    case .negate(let operand, let origin):
      return compileNegation(try compile(operand), origin)
    case .and:
      let conjuncts = expression.conjuncts
      // TRUE alone is no conjunct.
      return conjuncts.isEmpty
        ? ConstantNode(.boolean(true), type: .boolean)
        : ConjunctionNode(isAnd: true, try conjuncts.map(compile))
    case .or(let operands):
      return operands.isEmpty
        ? ConstantNode(.boolean(false), type: .boolean)
        : ConjunctionNode(isAnd: false, try operands.map(compile))
    case .not(let operand):
      return NotNode(try compile(operand))
    case .isNull(let operand):
      return IsNullNode(try compile(operand))
    case .searchedCase(let clauses, let otherwise, let type):
      return CaseNode(
        type, try clauses.map { (try compile($0.condition), try compile($0.result)) },
        otherwise: try otherwise.map(compile))
    case .coalesce(let operands, let type):
      return CoalesceNode(type, try operands.map(compile))
    case .inList(let value, let list):
      return try compileInList(value, list)
    case .like(let value, let pattern, let escape, let origin):
      return try compileLike(value, pattern, escape, origin)
    case .cast(let operand, let type, let isTry, let origin):
      return try compileCast(try compile(operand), type, isTry: isTry, origin)
    case .function(let function, let arguments, let type, let origin):
      return try compileFunction(function, try arguments.map(compile), type, origin)
    }
  }

  private func compileInList(_ value: Expression, _ list: [Expression]) throws -> ExpressionNode {
    var constants: [Value] = []
    for case .constant(let constant, _) in list { constants.append(constant) }
    guard constants.count == list.count, !list.isEmpty else {
      guard !list.isEmpty else { return ConstantNode(.boolean(false), type: .boolean) }
      // The value is computed once for all comparisons.
      let shared = share(try compile(value))
      return ConjunctionNode(
        isAnd: false, try list.map { compileComparison(.equal, shared, try compile($0)) })
    }
    let node = try compile(value)
    return KernelNode(
      .boolean, [node], canFail: false, cost: node.type.layout == .string ? 6 : 4,
      kernel: inListKernel(node.type, constants))
  }

  private func compileLike(
    _ value: Expression, _ pattern: Expression, _ escape: Expression?, _ origin: Origin
  ) throws -> ExpressionNode {
    let operands = try ([value, pattern] + (escape.map { [$0] } ?? [])).map(compile)
    return KernelNode(
      .boolean, operands, canFail: !Self.isValidPattern(pattern, escape, origin), cost: 30,
      kernel: likeKernel(operands[0].type, hasEscape: escape != nil, origin))
  }

  /// Whether pattern and escape are constants that compile, so that no row can fail.
  private static func isValidPattern(_ pattern: Expression, _ escape: Expression?, _ origin: Origin) -> Bool {
    guard case .constant(.bytes(let bytes), _) = pattern else { return false }
    guard let escape else { return true }
    guard case .constant(.bytes(let escapeBytes), _) = escape else { return false }
    do {
      _ = try LikePattern(bytes, escape: escapeBytes, origin: origin)
      return true
    } catch {
      // The error is raised when a row reaches the expression.
      return false
    }
  }

  private func compileCast(
    _ operand: ExpressionNode, _ type: DataType, isTry: Bool, _ origin: Origin
  ) throws -> ExpressionNode {
    let context = CastContext(from: operand.type, to: type, isTry: isTry, origin: origin)
    guard let choice = castChoice(context) else {
      throw WaterbearError(.typeMismatch, "Cannot cast \(operand.type) to \(type)", at: origin.location)
    }
    if operand.type == type { return operand }
    return KernelNode(type, [operand], canFail: choice.canFail, cost: choice.cost, kernel: choice.kernel)
  }

  private func compileComparison(
    _ comparison: ComparisonOperator, _ left: ExpressionNode, _ right: ExpressionNode
  ) -> ExpressionNode {
    if comparison == .isDistinctFrom { return DistinctNode(left, right) }
    return KernelNode(
      .boolean, [left, right], canFail: false, cost: left.type.layout == .string ? 4 : 1,
      kernel: comparisonKernel(comparison, left.type))
  }

  private func compileArithmetic(
    _ operation: ArithmeticOperator, _ left: ExpressionNode, _ right: ExpressionNode, _ type: DataType,
    _ origin: Origin
  ) throws -> ExpressionNode {
    func node(_ operands: [ExpressionNode], canFail: Bool, cost: Int, _ kernel: @escaping Kernel) -> ExpressionNode {
      KernelNode(type, operands, canFail: canFail, cost: cost, kernel: kernel)
    }
    let operands = [left, right]
    let isDivision = operation == .divide || operation == .modulus
    switch (left.type, right.type) {
    case (.decimal, .decimal):
      return node(
        operands, canFail: decimalArithmeticCanFail(operation, left.type, right.type, type),
        cost: isDivision ? 20 : 3, decimalArithmeticKernel(operation, left.type, right.type, type, origin))
    case (.real, .real), (.double, .double):
      return node(operands, canFail: false, cost: isDivision ? 8 : 1, floatArithmeticKernel(operation, type))
    case (.date, .intervalDayToSecond), (.date, .intervalYearToMonth), (.timestamp, .intervalDayToSecond),
      (.timestamp, .intervalYearToMonth):
      return node(operands, canFail: true, cost: 8, dateArithmeticKernel(operation, left.type, right.type, origin))
    case (.intervalDayToSecond, .date), (.intervalYearToMonth, .date), (.intervalDayToSecond, .timestamp),
      (.intervalYearToMonth, .timestamp):
      return node(
        [right, left], canFail: true, cost: 8, dateArithmeticKernel(operation, right.type, left.type, origin))
    case (.intervalDayToSecond, .bigint), (.intervalYearToMonth, .bigint), (.intervalDayToSecond, .double),
      (.intervalYearToMonth, .double):
      return node(
        operands, canFail: true, cost: 8, intervalScalingKernel(operation, left.type, by: right.type, origin))
    case (.bigint, .intervalDayToSecond), (.bigint, .intervalYearToMonth), (.double, .intervalDayToSecond),
      (.double, .intervalYearToMonth):
      return node(
        [right, left], canFail: true, cost: 8, intervalScalingKernel(operation, right.type, by: left.type, origin))
    default:
      guard left.type == right.type, left.type.isIntegerLike, left.type == type else {
        throw WaterbearError(
          .operatorNotFound, "Cannot apply operator: \(left.type) \(operation.rawValue) \(right.type)",
          at: origin.location)
      }
      return node(
        operands, canFail: true, cost: isDivision ? 12 : 2, integerArithmeticKernel(operation, type, origin))
    }
  }

  private func compileNegation(_ operand: ExpressionNode, _ origin: Origin) -> ExpressionNode {
    let type = operand.type
    switch type {
    case .decimal:
      return KernelNode(type, [operand], canFail: false, cost: 1, kernel: decimalNegationKernel(type))
    case .real, .double:
      return KernelNode(type, [operand], canFail: false, cost: 1, kernel: floatNegationKernel(type))
    default:
      return KernelNode(type, [operand], canFail: true, cost: 1, kernel: integerNegationKernel(type, origin))
    }
  }
}

extension DataType {
  /// Whether arithmetic on the type is that of an integer with an overflow check.
  var isIntegerLike: Bool {
    switch self {
    case .tinyint, .smallint, .integer, .bigint, .intervalYearToMonth, .intervalDayToSecond: true
    default: false
    }
  }
}

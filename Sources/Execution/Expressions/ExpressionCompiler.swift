// Owns the way from a plan's expression to a tree of nodes: which kernel serves which operator and types.

import Base
import Columnar
import Planning

/// Compiles expressions against one layout of columns.
struct ExpressionCompiler {
  private let positions: [Int: Int]

  init(layout: [Symbol]) {
    positions = Dictionary(layout.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
  }

  func compile(_ expression: Expression) throws -> ExpressionNode {
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
    case .and(let operands):
      return operands.isEmpty
        ? ConstantNode(.boolean(true), type: .boolean)
        : ConjunctionNode(isAnd: true, try expression.conjuncts.map(compile))
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
    case .inList, .like, .cast, .function:
      throw WaterbearError(.notSupported, "This expression is not supported: \(expression)")
    }
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

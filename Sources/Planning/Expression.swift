// Owns scalar expressions of a plan: typed, resolved, free of names and of subqueries. What they compute is
// `Execution`'s; here is only their shape.

import Base
import Columnar

/// Comparison of two values of one type.
public enum ComparisonOperator: String, Codable, Sendable, CaseIterable {
  case equal = "="
  case notEqual = "<>"
  case lessThan = "<"
  case lessThanOrEqual = "<="
  case greaterThan = ">"
  case greaterThanOrEqual = ">="
  /// Never NULL: two NULLs are not distinct.
  case isDistinctFrom = "IS DISTINCT FROM"

  /// The operator that holds for (b, a) exactly when this one holds for (a, b).
  public var flipped: ComparisonOperator {
    switch self {
    case .lessThan: .greaterThan
    case .lessThanOrEqual: .greaterThanOrEqual
    case .greaterThan: .lessThan
    case .greaterThanOrEqual: .lessThanOrEqual
    case .equal, .notEqual, .isDistinctFrom: self
    }
  }

  /// The operator that is true where this one is false; nil for IS DISTINCT FROM.
  public var negated: ComparisonOperator? {
    switch self {
    case .equal: .notEqual
    case .notEqual: .equal
    case .lessThan: .greaterThanOrEqual
    case .lessThanOrEqual: .greaterThan
    case .greaterThan: .lessThanOrEqual
    case .greaterThanOrEqual: .lessThan
    case .isDistinctFrom: nil
    }
  }
}

/// Arithmetic on two values of types that the analyser has made fit.
public enum ArithmeticOperator: String, Codable, Sendable, CaseIterable {
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case modulus = "%"
}

/// `WHEN condition THEN result`.
public struct WhenClause: Hashable, Codable, Sendable {
  public var condition: Expression
  public var result: Expression

  public init(condition: Expression, result: Expression) {
    self.condition = condition
    self.result = result
  }
}

/// A typed scalar expression.
///
/// The analyser has inserted every coercion, so that kernels meet few combinations:
/// - comparison, inList, coalesce, case results: all operands have one type (varchar lengths and timestamp precisions
///   may differ; decimals have the same scale).
/// - arithmetic on integers, real, double: both operands and the result have one type. On decimals: each operand has
///   its own precision and scale, the result has Trino's. On dates, timestamps and intervals: `date ± interval`,
///   `timestamp ± interval`, `interval ± interval`, `interval * bigint`, `date - date` is not Trino's.
/// - and, or, not, conditions: boolean, three-valued.
/// - like: varchar or char value, varchar pattern; escape is one character.
public indirect enum Expression: Hashable, Codable, Sendable {
  case symbol(Symbol)
  case constant(Value, DataType)
  case comparison(ComparisonOperator, Expression, Expression)
  case arithmetic(ArithmeticOperator, Expression, Expression, DataType, Origin)
  case negate(Expression, Origin)
  case and([Expression])
  case or([Expression])
  case not(Expression)
  case isNull(Expression)
  case inList(Expression, [Expression])
  case like(Expression, pattern: Expression, escape: Expression?, Origin)
  /// The first clause whose condition is true, else `otherwise`, else NULL. Only the chosen branch may raise an error.
  case searchedCase([WhenClause], otherwise: Expression?, DataType)
  /// The first operand that is not NULL. Later operands are evaluated only where needed.
  case coalesce([Expression], DataType)
  /// A conversion; `isTry` gives NULL where it fails.
  case cast(Expression, DataType, isTry: Bool, Origin)
  case function(ScalarFunction, [Expression], DataType, Origin)

  /// The constant TRUE.
  public static let `true` = Expression.constant(.boolean(true), .boolean)
  /// The constant FALSE.
  public static let `false` = Expression.constant(.boolean(false), .boolean)

  /// The type of the expression's value.
  public var type: DataType {
    switch self {
    case .symbol(let symbol): symbol.type
    case .constant(_, let type): type
    case .comparison, .and, .or, .not, .isNull, .inList, .like: .boolean
    case .arithmetic(_, _, _, let type, _): type
    case .negate(let operand, _): operand.type
    case .searchedCase(_, _, let type): type
    case .coalesce(_, let type): type
    case .cast(_, let type, _, _): type
    case .function(_, _, let type, _): type
    }
  }

  /// The direct operands, in order.
  public var children: [Expression] {
    switch self {
    case .symbol, .constant: []
    case .comparison(_, let left, let right): [left, right]
    case .arithmetic(_, let left, let right, _, _): [left, right]
    case .negate(let operand, _): [operand]
    case .and(let operands), .or(let operands): operands
    case .not(let operand), .isNull(let operand): [operand]
    case .inList(let value, let list): [value] + list
    case .like(let value, let pattern, let escape, _): [value, pattern] + (escape.map { [$0] } ?? [])
    case .searchedCase(let clauses, let otherwise, _):
      clauses.flatMap { [$0.condition, $0.result] } + (otherwise.map { [$0] } ?? [])
    case .coalesce(let operands, _): operands
    case .cast(let operand, _, _, _): [operand]
    case .function(_, let arguments, _, _): arguments
    }
  }

  /// The same expression with each direct operand replaced by `transform` of it.
  public func mapChildren(_ transform: (Expression) throws -> Expression) rethrows -> Expression {
    switch self {
    case .symbol, .constant: self
    case .comparison(let op, let left, let right): .comparison(op, try transform(left), try transform(right))
    case .arithmetic(let op, let left, let right, let type, let origin):
      .arithmetic(op, try transform(left), try transform(right), type, origin)
    case .negate(let operand, let origin): .negate(try transform(operand), origin)
    case .and(let operands): .and(try operands.map(transform))
    case .or(let operands): .or(try operands.map(transform))
    case .not(let operand): .not(try transform(operand))
    case .isNull(let operand): .isNull(try transform(operand))
    case .inList(let value, let list): .inList(try transform(value), try list.map(transform))
    case .like(let value, let pattern, let escape, let origin):
      .like(try transform(value), pattern: try transform(pattern), escape: try escape.map(transform), origin)
    case .searchedCase(let clauses, let otherwise, let type):
      .searchedCase(
        try clauses.map { WhenClause(condition: try transform($0.condition), result: try transform($0.result)) },
        otherwise: try otherwise.map(transform), type)
    case .coalesce(let operands, let type): .coalesce(try operands.map(transform), type)
    case .cast(let operand, let type, let isTry, let origin):
      .cast(try transform(operand), type, isTry: isTry, origin)
    case .function(let function, let arguments, let type, let origin):
      .function(function, try arguments.map(transform), type, origin)
    }
  }

  /// Every symbol in the expression.
  public var symbols: Set<Symbol> {
    var found: Set<Symbol> = []
    collectSymbols(into: &found)
    return found
  }

  private func collectSymbols(into found: inout Set<Symbol>) {
    if case .symbol(let symbol) = self { found.insert(symbol) }
    for child in children { child.collectSymbols(into: &found) }
  }

  /// The expression with symbols replaced where `replacement` has one.
  public func replacingSymbols(_ replacement: (Symbol) -> Expression?) -> Expression {
    if case .symbol(let symbol) = self { return replacement(symbol) ?? self }
    return mapChildren { $0.replacingSymbols(replacement) }
  }

  /// The parts of a conjunction, flattened; one part where it is none; none for TRUE.
  public var conjuncts: [Expression] {
    if case .and(let operands) = self { return operands.flatMap(\.conjuncts) }
    return self == .true ? [] : [self]
  }

  /// The conjunction of `parts`; TRUE for none.
  public static func conjunction(_ parts: [Expression]) -> Expression {
    parts.isEmpty ? .true : parts.count == 1 ? parts[0] : .and(parts)
  }

  /// Whether two evaluations on the same row may differ, so that it must not be copied or moved across rows.
  public var isDeterministic: Bool {
    if case .function(let function, _, _, _) = self, !function.isDeterministic { return false }
    return children.allSatisfy(\.isDeterministic)
  }
}

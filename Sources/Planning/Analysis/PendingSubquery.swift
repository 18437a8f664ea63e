// Owns the note that an expression leaves behind for a subquery in it: what to join to the plan that the expression
// is computed on.

import Base
import Columnar

/// A subquery that is planned but not yet joined. The expression it came from already speaks of `result`.
struct PendingSubquery {
  enum Kind {
    /// The single value of `value`'s column.
    case scalar(value: Symbol)
    /// Whether there is a row.
    case exists
    /// Whether the operands are among the rows of the values' columns, one column for each.
    case isIn(operands: [Expression], values: [Symbol])
    /// `operand op ALL (…)` or, where `isAll` is false, `operand op ANY (…)`.
    case quantified(ComparisonOperator, isAll: Bool, operand: Expression, value: Symbol)
  }

  var kind: Kind
  var plan: PlanNode
  var result: Symbol
  /// The symbols of queries around it that the subquery uses.
  var outerSymbols: Set<Symbol>
  var location: SourceLocation

  func mapOperand(_ transform: (Expression) throws -> Expression) rethrows -> PendingSubquery {
    var copy = self
    switch kind {
    case .scalar, .exists: break
    case .isIn(let operands, let values): copy.kind = .isIn(operands: try operands.map(transform), values: values)
    case .quantified(let comparison, let isAll, let operand, let value):
      copy.kind = .quantified(comparison, isAll: isAll, operand: try transform(operand), value: value)
    }
    return copy
  }
}

extension WaterbearError {
  /// What Trino says where it cannot turn a correlated subquery into a join.
  static func unsupportedCorrelation(at location: SourceLocation) -> WaterbearError {
    WaterbearError(
      .notSupported, "Given correlated subquery is not supported", at: location,
      remedy: "Write the subquery as a join.")
  }
}

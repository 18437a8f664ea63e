// Owns the value of constant expressions for the planner: the same kernels on a batch of one row.

import Columnar
import Planning

/// Computes constant expressions exactly as tasks will.
public struct ConstantFolder: ConstantEvaluating {
  public init() {}

  /// The value of `expression`, which has no symbols. Throws what running it would throw.
  public func evaluate(_ expression: Expression) throws -> Value {
    try ExpressionProgram(expression, layout: []).evaluate(Batch(columns: [], count: 1)).value(at: 0)
  }
}

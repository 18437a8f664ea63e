// Owns the one thing the planner needs from execution: the value of an expression without symbols.

import Columnar

/// Computes constant expressions at planning time. `Execution` implements it, so that folding and running agree.
public protocol ConstantEvaluating: Sendable {
  /// The value of `expression`, which has no symbols and is deterministic. Throws the error that running would throw.
  func evaluate(_ expression: Expression) throws -> Value
}

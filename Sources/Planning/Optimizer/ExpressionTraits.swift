// Owns what the optimiser asks about an expression before it moves or drops it.

import Columnar

extension Expression {
  var isConstant: Bool { if case .constant = self { true } else { false } }

  var isConstantNull: Bool { if case .constant(.null, _) = self { true } else { false } }

  /// Whether no row passes the expression as a filter.
  var isNeverTrue: Bool { self == .false || isConstantNull }

  /// Whether the expression is NULL or an error as soon as one of its symbols is NULL, so that a row padded with
  /// NULLs cannot pass it as a filter.
  func rejectsNulls(of candidates: Set<Symbol>) -> Bool {
    switch self {
    case .comparison(let op, let left, let right):
      return op != .isDistinctFrom && (left.isStrict(in: candidates) || right.isStrict(in: candidates))
    case .like(let value, _, _, _): return value.isStrict(in: candidates)
    case .inList(let value, _): return value.isStrict(in: candidates)
    case .not(.isNull(let operand)): return operand.isStrict(in: candidates)
    case .not(.like(let value, _, _, _)), .not(.inList(let value, _)): return value.isStrict(in: candidates)
    case .and(let operands): return operands.contains { $0.rejectsNulls(of: candidates) }
    case .or(let operands): return operands.allSatisfy { $0.rejectsNulls(of: candidates) }
    case .constant: return isNeverTrue
    default: return false
    }
  }

  private func isStrict(in candidates: Set<Symbol>) -> Bool {
    switch self {
    case .symbol(let symbol): candidates.contains(symbol)
    case .arithmetic(_, let left, let right, _, _):
      left.isStrict(in: candidates) || right.isStrict(in: candidates)
    case .negate(let operand, _): operand.isStrict(in: candidates)
    case .cast(let operand, _, let isTry, _): !isTry && operand.isStrict(in: candidates)
    // Every scalar function gives NULL for a NULL argument.
    case .function(_, let arguments, _, _): arguments.contains { $0.isStrict(in: candidates) }
    case .searchedCase(let clauses, nil, _): clauses.allSatisfy { $0.result.isStrict(in: candidates) }
    default: false
    }
  }

  /// Whether evaluating may raise an error, so that it must not move to rows that would not have reached it.
  var mayFail: Bool {
    switch self {
    case .arithmetic(let op, let left, let right, let type, _):
      // Additions of wide types do not overflow in practice, but a divisor may well be zero.
      switch op {
      case .divide, .modulus:
        if case .double = type { return left.mayFail || right.mayFail }
        if case .constant(let divisor, _) = right, let number = divisor.asInt128, number != 0 { return left.mayFail }
        return true
      default: return left.mayFail || right.mayFail
      }
    case .cast(let operand, let type, let isTry, _):
      if isTry { return operand.mayFail }
      if operand.type.layout == .string && type.layout != .string { return true }
      return operand.mayFail
    default: return children.contains(where: \.mayFail)
    }
  }
}

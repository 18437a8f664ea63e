// Owns rewriting of scalar expressions into simpler ones of the same value: constants folded, booleans flattened,
// common factors of OR pulled out so that they can become join keys and scan filters.

import Columnar

/// Simplifies expressions; asks `evaluator` for the value of what has no symbols.
struct ExpressionSimplifier {
  let evaluator: any ConstantEvaluating

  func simplify(_ expression: Expression) -> Expression {
    let inner = expression.mapChildren(simplify)
    let reduced: Expression
    switch inner {
    case .not(let operand): reduced = negation(of: operand)
    case .and(let operands): reduced = junction(operands, isAnd: true)
    case .or(let operands): reduced = factored(junction(operands, isAnd: false))
    case .searchedCase(let clauses, let otherwise, let type): reduced = simplifiedCase(clauses, otherwise, type)
    default: reduced = inner
    }
    return folded(reduced)
  }

  /// The value of an expression without symbols. One that fails stays: it may stand where it is never evaluated.
  private func folded(_ expression: Expression) -> Expression {
    switch expression {
    case .constant, .symbol, .and, .or: return expression
    default: break
    }
    guard expression.isDeterministic, expression.children.allSatisfy(\.isConstant),
      let value = try? evaluator.evaluate(expression)  // The error comes again if the row is ever reached.
    else { return expression }
    return .constant(value, expression.type)
  }

  private func negation(of operand: Expression) -> Expression {
    switch operand {
    case .not(let inner): return inner
    case .comparison(let op, let left, let right):
      return op.negated.map { .comparison($0, left, right) } ?? .not(operand)
    case .and(let operands): return junction(operands.map(negation), isAnd: false)
    case .or(let operands): return junction(operands.map(negation), isAnd: true)
    default: return .not(operand)
    }
  }

  /// AND or OR over flattened, distinct operands without neutral constants.
  private func junction(_ operands: [Expression], isAnd: Bool) -> Expression {
    var parts: [Expression] = []
    for operand in operands {
      let inner: [Expression]
      switch (operand, isAnd) {
      case (.and(let nested), true), (.or(let nested), false): inner = nested
      default: inner = [operand]
      }
      for part in inner {
        if part == (isAnd ? .true : .false) { continue }
        if part == (isAnd ? .false : .true) { return part }
        if !parts.contains(part) || !part.isDeterministic { parts.append(part) }
      }
    }
    if parts.isEmpty { return isAnd ? .true : .false }
    return parts.count == 1 ? parts[0] : isAnd ? .and(parts) : .or(parts)
  }

  /// `(a AND b) OR (a AND c)` as `a AND (b OR c)`.
  private func factored(_ expression: Expression) -> Expression {
    guard case .or(let branches) = expression, expression.isDeterministic else { return expression }
    let parts = branches.map(\.conjuncts)
    let common = parts[0].filter { part in parts.dropFirst().allSatisfy { $0.contains(part) } }
    guard !common.isEmpty else { return expression }
    let rests = parts.map { Expression.conjunction($0.filter { !common.contains($0) }) }
    return junction(common + [junction(rests, isAnd: false)], isAnd: true)
  }

  /// Drops clauses that are never taken, up to the first that always is.
  private func simplifiedCase(
    _ clauses: [WhenClause], _ otherwise: Expression?, _ type: DataType
  ) -> Expression {
    var kept: [WhenClause] = []
    var rest = otherwise
    for clause in clauses {
      if clause.condition == .false || clause.condition == .constant(.null, .boolean) { continue }
      if clause.condition == .true {
        rest = clause.result
        break
      }
      kept.append(clause)
    }
    if kept.isEmpty { return rest ?? .constant(.null, type) }
    return .searchedCase(kept, otherwise: rest, type)
  }
}

extension Expression {
  var isConstant: Bool { if case .constant = self { true } else { false } }

  /// Whether the expression is NULL or an error as soon as one of its symbols is NULL, so that a row padded with
  /// NULLs cannot pass it as a filter.
  func rejectsNulls(of candidates: Set<Symbol>) -> Bool {
    switch self {
    case .comparison(let op, let left, let right):
      return op != .isDistinctFrom && (left.isStrict(in: candidates) || right.isStrict(in: candidates))
    case .like(let value, _, _, _): return value.isStrict(in: candidates)
    case .inList(let value, _): return value.isStrict(in: candidates)
    case .not(.isNull(let operand)): return operand.isStrict(in: candidates)
    case .and(let operands): return operands.contains { $0.rejectsNulls(of: candidates) }
    case .or(let operands): return operands.allSatisfy { $0.rejectsNulls(of: candidates) }
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

// Owns rewriting of scalar expressions into simpler ones of the same value: constants folded, booleans flattened,
// equalities gathered into IN, casts taken off columns, common factors of OR pulled out.

import Columnar

/// Simplifies expressions; asks `evaluator` for the value of what has no symbols.
struct ExpressionSimplifier {
  let evaluator: any ConstantEvaluating

  func simplify(_ expression: Expression) -> Expression {
    let inner = expression.mapChildren(simplify)
    let reduced: Expression
    switch inner {
    case .not(let operand): reduced = negation(of: operand)
    case .and(let operands): return BooleanSimplifier.junction(operands, isAnd: true)
    case .or(let operands): return BooleanSimplifier.alternatives(operands)
    case .comparison(let op, let left, let right): reduced = comparison(op, left, right)
    case .inList(let value, let list): reduced = membership(value, list)
    case .isNull(let operand): reduced = operand.isConstantNull ? .true : inner
    case .searchedCase(let clauses, let otherwise, let type): reduced = simplifiedCase(clauses, otherwise, type)
    case .coalesce(let operands, let type): reduced = simplifiedCoalesce(operands, type)
    case .cast(let operand, let type, let isTry, let origin):
      reduced = simplifiedCast(operand, type, isTry: isTry, origin)
    case .arithmetic(_, let left, let right, let type, _) where left.isConstantNull || right.isConstantNull:
      reduced = .constant(.null, type)
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
    case .and(let operands): return BooleanSimplifier.alternatives(operands.map(negation))
    case .or(let operands): return BooleanSimplifier.junction(operands.map(negation), isAnd: true)
    default: return .not(operand)
    }
  }

  // MARK: Comparisons

  private func comparison(_ op: ComparisonOperator, _ left: Expression, _ right: Expression) -> Expression {
    if left.isConstant && !right.isConstant { return comparison(op.flipped, right, left) }
    guard case .constant(let value, let type) = right, !left.isConstant else { return .comparison(op, left, right) }
    if value.isNull {
      return op == .isDistinctFrom ? .not(.isNull(left)) : .constant(.null, .boolean)
    }
    if case .cast(let operand, let wide, false, _) = left, wide.hasSameValues(as: type),
      let unwrapped = CastUnwrapping.comparison(op, operand, wide, value)
    {
      return simplify(unwrapped)
    }
    return .comparison(op, left, right)
  }

  private func membership(_ value: Expression, _ list: [Expression]) -> Expression {
    if value.isConstantNull { return .constant(.null, .boolean) }
    var seen: Set<Expression> = []
    let distinct = list.filter { !$0.isDeterministic || seen.insert($0).inserted }
    if distinct.count == 1 { return comparison(.equal, value, distinct[0]) }
    if case .cast(let operand, let wide, false, _) = value {
      let values = distinct.compactMap { element -> Value? in
        if case .constant(let value, let type) = element, wide.hasSameValues(as: type) { value } else { nil }
      }
      if values.count == distinct.count, let unwrapped = CastUnwrapping.membership(operand, wide, values) {
        return simplify(unwrapped)
      }
    }
    return .inList(value, distinct)
  }

  // MARK: Conditionals and casts

  /// Drops clauses that are never taken, up to the first that always is.
  private func simplifiedCase(
    _ clauses: [WhenClause], _ otherwise: Expression?, _ type: DataType
  ) -> Expression {
    var kept: [WhenClause] = []
    var rest = otherwise
    for clause in clauses {
      if clause.condition == .false || clause.condition.isConstantNull { continue }
      if clause.condition == .true {
        rest = clause.result
        break
      }
      kept.append(clause)
    }
    if kept.isEmpty { return rest ?? .constant(.null, type) }
    return .searchedCase(kept, otherwise: rest, type)
  }

  /// Drops NULLs, and whatever follows a constant.
  private func simplifiedCoalesce(_ operands: [Expression], _ type: DataType) -> Expression {
    var kept: [Expression] = []
    for operand in operands where !operand.isConstantNull {
      kept.append(operand)
      if operand.isConstant { break }
    }
    if kept.isEmpty { return .constant(.null, type) }
    return kept.count == 1 && kept[0].type == type ? kept[0] : .coalesce(kept, type)
  }

  /// A cast of constant results is done once for each of them.
  private func simplifiedCast(_ operand: Expression, _ type: DataType, isTry: Bool, _ origin: Origin) -> Expression {
    if operand.type == type { return operand }
    let whole = Expression.cast(operand, type, isTry: isTry, origin)
    guard case .searchedCase(let clauses, let otherwise, _) = operand, clauses.allSatisfy(\.result.isConstant),
      otherwise?.isConstant ?? true
    else { return whole }
    let convert = { (result: Expression) in folded(.cast(result, type, isTry: isTry, origin)) }
    let converted = clauses.map { WhenClause(condition: $0.condition, result: convert($0.result)) }
    return .searchedCase(converted, otherwise: otherwise.map(convert), type)
  }
}

extension DataType {
  /// Whether a stored value means the same in both types: timestamps are microseconds at every precision.
  fileprivate func hasSameValues(as other: DataType) -> Bool {
    if case .timestamp = self, case .timestamp = other { return true }
    return self == other
  }
}

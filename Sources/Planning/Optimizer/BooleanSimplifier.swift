// Owns the algebra of AND and OR over conditions that are simplified already. Three-valued: nothing here turns NULL
// into FALSE or back.

import Columnar

enum BooleanSimplifier {
  /// AND or OR over flattened, distinct operands without neutral constants.
  static func junction(_ operands: [Expression], isAnd: Bool) -> Expression {
    var parts: [Expression] = []
    var seen: Set<Expression> = []
    for operand in operands {
      let inner: [Expression]
      switch (operand, isAnd) {
      case (.and(let nested), true), (.or(let nested), false): inner = nested
      default: inner = [operand]
      }
      for part in inner {
        if part == (isAnd ? .true : .false) { continue }
        if part == (isAnd ? .false : .true) { return part }
        if seen.insert(part).inserted || !part.isDeterministic { parts.append(part) }
      }
    }
    if parts.isEmpty { return isAnd ? .true : .false }
    return parts.count == 1 ? parts[0] : isAnd ? .and(parts) : .or(parts)
  }

  /// OR, with equalities of one value gathered into IN and what all branches share pulled out.
  static func alternatives(_ operands: [Expression]) -> Expression {
    let flat = junction(operands, isAnd: false)
    guard case .or(let branches) = flat else { return flat }
    return factored(gathered(branches))
  }

  /// `x = 1 OR x IN (2, 3)` as `x IN (1, 2, 3)`, at the place of the first.
  private static func gathered(_ branches: [Expression]) -> Expression {
    var result: [Expression?] = branches
    var places: [Expression: Int] = [:]
    for (index, branch) in branches.enumerated() {
      guard let (value, list) = membership(branch) else { continue }
      if let place = places[value], let known = result[place], let (_, others) = membership(known) {
        let fresh = list.filter { !others.contains($0) }
        result[place] = fresh.isEmpty ? known : .inList(value, others + fresh)
        result[index] = nil
      } else {
        places[value] = index
      }
    }
    return junction(result.compactMap { $0 }, isAnd: false)
  }

  /// A condition that is true for a list of constants.
  private static func membership(_ condition: Expression) -> (Expression, [Expression])? {
    switch condition {
    case .comparison(.equal, let value, let constant) where constant.isConstant && value.isDeterministic:
      return (value, [constant])
    case .inList(let value, let list) where value.isDeterministic && list.allSatisfy(\.isConstant):
      return (value, list)
    default: return nil
    }
  }

  /// `(a AND b) OR (a AND c)` as `a AND (b OR c)`.
  private static func factored(_ expression: Expression) -> Expression {
    guard case .or(let branches) = expression, expression.isDeterministic else { return expression }
    let parts = branches.map(\.conjuncts)
    let rest = parts.dropFirst().map { Set($0) }
    let common = parts[0].filter { part in rest.allSatisfy { $0.contains(part) } }
    guard !common.isEmpty else { return expression }
    let shared = Set(common)
    let rests = parts.map { Expression.conjunction($0.filter { !shared.contains($0) }) }
    return junction(common + [alternatives(rests)], isAnd: true)
  }

  /// A condition that is true for the same rows, for a filter, which drops a row whether the condition is FALSE or NULL
  /// for it.
  static func filter(_ condition: Expression) -> Expression {
    switch condition {
    case .and(let operands): junction(operands.map(filter), isAnd: true)
    case .or(let operands): junction(operands.map(filter), isAnd: false)
    case .constant(.null, _): .false
    default: condition
    }
  }

  /// What a row must satisfy that passes `condition`, as far as it can be said with `symbols` alone: from each branch
  /// of an OR the conditions on them. Nil where a branch says nothing, or where it may raise an error.
  static func implied(by condition: Expression, on symbols: Set<Symbol>) -> Expression? {
    guard case .or(let branches) = condition else { return nil }
    var narrowed: [Expression] = []
    for branch in branches {
      let parts = branch.conjuncts.compactMap { part -> Expression? in
        if case .or = part { return implied(by: part, on: symbols) ?? (part.speaks(of: symbols) ? part : nil) }
        return part.speaks(of: symbols) ? part : nil
      }
      if parts.isEmpty { return nil }
      narrowed.append(junction(parts, isAnd: true))
    }
    let result = alternatives(narrowed)
    return result == .true ? nil : result
  }
}

extension Expression {
  /// Whether the condition is about `symbols` only, and safe to evaluate anywhere.
  fileprivate func speaks(of available: Set<Symbol>) -> Bool {
    let used = symbols
    return !used.isEmpty && used.isSubset(of: available) && isDeterministic && !mayFail
  }
}

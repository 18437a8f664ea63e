// Owns the step-by-step growth of a plan: filters, projections and joins put on top of what is there.

import Columnar

/// A plan under construction.
struct PlanBuilder {
  var node: PlanNode
  let symbols: SymbolAllocator

  mutating func filter(_ predicate: Expression) {
    if predicate == .true { return }
    node = .filter(FilterNode(source: node, predicate: predicate))
  }

  /// Adds columns to all that is there.
  mutating func append(_ assignments: [Assignment]) {
    if assignments.isEmpty { return }
    let kept = node.outputs.map { Assignment($0, .symbol($0)) }
    node = .project(ProjectNode(source: node, assignments: kept + assignments))
  }

  /// Symbols for `expressions`, computed in one projection where they are not columns already.
  mutating func symbols(for expressions: [Expression], named name: String) -> [Symbol] {
    let present = Set(node.outputs)
    var computed: [Expression: Symbol] = [:]
    var assignments: [Assignment] = []
    let result = expressions.map { expression in
      if case .symbol(let symbol) = expression, present.contains(symbol) { return symbol }
      if let symbol = computed[expression] { return symbol }
      let symbol = symbols.symbol(name, expression.type)
      assignments.append(Assignment(symbol, expression))
      if expression.isDeterministic { computed[expression] = symbol }
      return symbol
    }
    append(assignments)
    return result
  }

  mutating func symbol(for expression: Expression, named name: String) -> Symbol {
    symbols(for: [expression], named: name)[0]
  }

  /// All pairs with the rows of `other`.
  mutating func crossJoin(_ other: PlanNode) {
    node = .join(
      JoinNode(kind: .inner, left: node, right: other, criteria: [], outputs: node.outputs + other.outputs))
  }
}

extension Array where Element: Hashable {
  /// The elements in order, each once.
  var unique: [Element] {
    var seen: Set<Element> = []
    return filter { seen.insert($0).inserted }
  }
}

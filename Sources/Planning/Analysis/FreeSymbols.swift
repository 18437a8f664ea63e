// Owns the question which symbols a plan uses without making them: the marks of a correlated subquery.

extension PlanNode {
  /// Symbols used in this plan that no node of it produces.
  var freeSymbols: Set<Symbol> {
    var free: Set<Symbol> = []
    collectFree(into: &free)
    return free
  }

  /// Returns what the node gives.
  @discardableResult
  private func collectFree(into free: inout Set<Symbol>) -> [Symbol] {
    var given: Set<Symbol> = []
    for source in sources { given.formUnion(source.collectFree(into: &free)) }
    for expression in expressions { free.formUnion(expression.symbols.subtracting(given)) }
    return outputs
  }

  /// The expressions that the node itself evaluates, without those of its sources.
  var expressions: [Expression] {
    switch self {
    case .filter(let node): [node.predicate]
    case .project(let node): node.assignments.map(\.expression)
    case .values(let node): node.rows.flatMap { $0 }
    case .join(let node): node.filter.map { [$0] } ?? []
    case .semiJoin(let node): node.filter.map { [$0] } ?? []
    default: []
    }
  }
}

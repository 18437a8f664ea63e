// Owns the question which symbols a plan uses without making them: the marks of a correlated subquery.

extension PlanNode {
  /// Symbols used in this plan that no node of it produces.
  var freeSymbols: Set<Symbol> {
    var used: Set<Symbol> = []
    var made: Set<Symbol> = []
    collect(used: &used, made: &made)
    return used.subtracting(made)
  }

  private func collect(used: inout Set<Symbol>, made: inout Set<Symbol>) {
    for expression in expressions { used.formUnion(expression.symbols) }
    made.formUnion(outputs)
    for source in sources { source.collect(used: &used, made: &made) }
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

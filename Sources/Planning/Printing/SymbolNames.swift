// Owns what symbols are called in a printed plan: by name, with a number behind it only where several share a name.

/// Names for all symbols of some plans. The same plan gives the same names in every run.
struct SymbolNames {
  private var names: [Symbol: String] = [:]

  init(of plans: [PlanNode]) {
    var found: Set<Symbol> = []
    for plan in plans { Self.collect(plan, into: &found) }
    let symbols = found.sorted { $0.id < $1.id }
    var taken = Set(symbols.map(\.name))
    var first: Set<String> = []
    for symbol in symbols {
      if first.insert(symbol.name).inserted {
        names[symbol] = symbol.name
      } else {
        var number = 0
        while !taken.insert("\(symbol.name)_\(number)").inserted { number += 1 }
        names[symbol] = "\(symbol.name)_\(number)"
      }
    }
  }

  subscript(symbol: Symbol) -> String { names[symbol] ?? symbol.description }

  /// Names in a row, as in `a, b`.
  func list(_ symbols: [Symbol]) -> String { symbols.map { self[$0] }.joined(separator: ", ") }

  private static func collect(_ node: PlanNode, into found: inout Set<Symbol>) {
    found.formUnion(node.outputs)
    for expression in node.expressions { found.formUnion(expression.symbols) }
    if case .aggregate(let aggregate) = node {
      for aggregation in aggregate.aggregations { found.formUnion(aggregation.intermediates + [aggregation.output]) }
    }
    for source in node.sources { collect(source, into: &found) }
  }
}

// Owns the aggregates that a query's expressions ask for, each computed once however often it is written.

import Columnar

/// Aggregates found while translating; their arguments are expressions over the rows before grouping.
final class AggregateCollector {
  struct Call: Hashable {
    var function: AggregateFunction
    var arguments: [Expression]
    var isDistinct: Bool
    var filter: Expression?
  }

  private(set) var calls: [(call: Call, output: Symbol)] = []
  private var outputs: [Call: Symbol] = [:]
  /// The GROUP BY expressions, in order.
  let keys: [Expression]
  /// Which of `keys` the grouping set at hand groups by.
  let present: Set<Int>
  /// Subqueries inside arguments; joined before grouping.
  var pending: [PendingSubquery] = []
  /// Whether GROUPING() was used.
  var usesGrouping = false

  init(keys: [Expression], present: Set<Int>) {
    self.keys = keys
    self.present = present
  }

  /// The symbol of the aggregate's result.
  func add(_ call: Call, _ symbols: SymbolAllocator) -> Symbol {
    if let known = outputs[call] { return known }
    let type = call.function.resultType(call.arguments.map(\.type))
    let symbol = symbols.symbol(call.function == .countAll ? "count" : call.function.rawValue, type)
    // A call on random() must run each time it is written.
    if call.arguments.allSatisfy(\.isDeterministic) { outputs[call] = symbol }
    calls.append((call, symbol))
    return symbol
  }
}

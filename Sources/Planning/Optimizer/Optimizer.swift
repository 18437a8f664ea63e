// Owns the order of the optimiser's passes. Each pass is a pure function from plan to plan in a file of its own.

import ConnectorAPI

/// Turns the analyser's plan into one that runs well. Exchanges come later, with `Fragmenter`.
public struct Optimizer {
  private let catalogs: Catalogs
  private let evaluator: any ConstantEvaluating
  private let symbols: SymbolAllocator
  private let options: PlanningOptions

  public init(
    catalogs: Catalogs, evaluator: any ConstantEvaluating, symbols: SymbolAllocator, options: PlanningOptions
  ) {
    self.catalogs = catalogs
    self.evaluator = evaluator
    self.symbols = symbols
    self.options = options
  }

  /// The same rows at less cost.
  public func optimize(_ plan: PlanNode) -> PlanNode {
    let simplifier = ExpressionSimplifier(evaluator: evaluator)
    let pushdown = PredicatePushdown(symbols: symbols, simplifier: simplifier)
    let pruning = ColumnPruning()
    let rows = RowCountRewrites(symbols: symbols)
    let joins = JoinReordering(statistics: PlanStatistics(catalogs: catalogs), options: options)
    var plan = pushdown.optimize(plan)
    plan = pruning.optimize(rows.optimize(plan))
    plan = joins.optimize(plan)
    // Reordering leaves projections, and brings filters to new places.
    plan = pruning.optimize(pushdown.optimize(plan))
    return ScanConstraints().optimize(plan)
  }
}

// Owns the order of the optimiser's passes. Each pass is a pure function from plan to plan in a file of its own.

import ConnectorAPI

/// Turns the analyser's plan into one that runs well. Exchanges come later, with `Fragmenter`.
public struct Optimizer {
  private let statistics: PlanStatistics
  private let evaluator: any ConstantEvaluating
  private let symbols: SymbolAllocator
  private let options: PlanningOptions

  public init(
    catalogs: Catalogs, evaluator: any ConstantEvaluating, symbols: SymbolAllocator, options: PlanningOptions
  ) {
    self.init(
      statistics: PlanStatistics(catalogs: catalogs), evaluator: evaluator, symbols: symbols, options: options)
  }

  init(
    statistics: PlanStatistics, evaluator: any ConstantEvaluating, symbols: SymbolAllocator, options: PlanningOptions
  ) {
    self.statistics = statistics
    self.evaluator = evaluator
    self.symbols = symbols
    self.options = options
  }

  /// The same rows at less cost.
  public func optimize(_ plan: PlanNode) -> PlanNode {
    let simplifier = ExpressionSimplifier(evaluator: evaluator)
    var plan = tidied(tidied(plan, simplifier), simplifier)
    plan = JoinReordering(statistics: statistics, options: options).optimize(plan)
    // Reordering leaves projections and brings filters to new places.
    return ScanConstraints().optimize(tidied(plan, simplifier))
  }

  /// One round of all passes that need no estimates.
  private func tidied(_ plan: PlanNode, _ simplifier: ExpressionSimplifier) -> PlanNode {
    let pushed = PredicatePushdown(symbols: symbols, simplifier: simplifier).optimize(plan)
    let computed = ConstantPlans(simplifier: simplifier).optimize(pushed)
    return ColumnPruning().optimize(RowCountRewrites(symbols: symbols).optimize(computed))
  }
}

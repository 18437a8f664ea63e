// Owns the comparison of an optimised plan with the plan it came from, by running both over the sample tables.

import Columnar
import Testing

@testable import Planning

/// Folds constants with the tests' executor.
struct ReferenceFolding: ConstantEvaluating {
  func evaluate(_ expression: Expression) throws -> Value {
    try ReferenceExecutor(tables: [:]).evaluate(expression, [:])
  }
}

/// The plan after optimisation.
func optimized(_ plan: LogicalPlan) -> PlanNode {
  let optimizer = Optimizer(
    catalogs: MemoryCatalog.catalogs, evaluator: ReferenceFolding(), symbols: plan.symbols,
    options: PlanningOptions())
  return optimizer.optimize(plan.root)
}

/// Records an issue where the optimised plan is unsound or gives other rows than `expected`.
func expectSameMeaning(_ plan: LogicalPlan, _ sql: String, rows expected: [String], isOrdered: Bool) throws {
  let node = optimized(plan)
  let plans = "before:\n\(PlanText.lines(plan.root))after:\n\(PlanText.lines(node))"
  #expect(PlanSoundness.faults(of: node) == [], "\(sql)\n\(plans)")
  #expect(try ReferenceExecutor.sample.lines(of: node, isOrdered: isOrdered) == expected, "\(sql)\n\(plans)")
}

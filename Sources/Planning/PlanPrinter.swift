// Owns the text of plans: EXPLAIN's output and the snapshots that tests compare.

import SQLSyntax

/// Prints plans in the formats of EXPLAIN.
struct PlanPrinter {
  let format: Explain.Format

  func text(of plan: PlanNode) -> String { lines(of: plan, depth: 0).joined(separator: "\n") }

  func text(of plan: FragmentedPlan) -> String {
    plan.fragments.map { fragment in
      let inputs = fragment.inputs.map { "\($0.mode.rawValue) \($0.fragment)" }.joined(separator: ", ")
      let head = "Fragment \(fragment.number) [\(fragment.kind.rawValue.uppercased())]\(inputs.isEmpty ? "" : " reads \(inputs)")"
      return ([head] + lines(of: fragment.root, depth: 1)).joined(separator: "\n")
    }.joined(separator: "\n")
  }

  private func lines(of node: PlanNode, depth: Int) -> [String] {
    let indent = String(repeating: "    ", count: depth)
    return [indent + "- \(node.self)".prefix(while: { $0 != "(" })] + node.sources.flatMap { lines(of: $0, depth: depth + 1) }
  }
}

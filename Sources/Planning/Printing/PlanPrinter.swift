// Owns the text of plans: EXPLAIN's output and the snapshots that tests compare. The formats are in files of their own.

import SQLSyntax

/// Prints plans in the formats of EXPLAIN.
struct PlanPrinter {
  private let format: Explain.Format
  private let statistics: PlanStatistics?

  /// `statistics` gives the estimates; without them none are shown.
  init(format: Explain.Format = .text, statistics: PlanStatistics? = nil) {
    self.format = format
    self.statistics = statistics
  }

  /// A plan that is not cut into fragments. Several lines, none empty; the last has no line break.
  func text(of plan: PlanNode) -> String {
    var describer = PlanDescriber(names: SymbolNames(of: [plan]), statistics: statistics)
    let tree = describer.describe(plan)
    switch format {
    case .text: return TextPlan.lines(of: tree).joined(separator: "\n")
    case .json: return JSONPlan.text(of: tree)
    case .graphviz: return GraphvizPlan.text(of: [DescribedFragment(number: 0, title: "", facts: [], root: tree)])
    }
  }

  /// What a statement does that writes no rows, such as `DROP TABLE`.
  func text(of write: LogicalWrite) -> String {
    let (table, details): (String?, [String]) =
      switch write.act {
      case .create(let table):
        ("\(write.catalog).\(table.schema).\(table.name)", table.columns.map { "\($0.name) \($0.type)" })
      case .insert(let table, _), .drop(let table, _): ("\(table.catalog).\(table.schema).\(table.name)", [])
      case .nothing: (nil, ["there is nothing to do"])
      }
    let node = DescribedNode(
      id: 0, name: write.updateType, descriptor: table.map { [("table", $0)] } ?? [], outputs: [], details: details,
      estimate: nil, children: [])
    switch format {
    case .text: return TextPlan.lines(of: node).joined(separator: "\n")
    case .json: return JSONPlan.text(of: node)
    case .graphviz: return GraphvizPlan.text(of: [DescribedFragment(number: 0, title: "", facts: [], root: node)])
    }
  }

  /// The fragments, from the root's on.
  func text(of plan: FragmentedPlan) -> String {
    let names = SymbolNames(of: plan.fragments.map(\.root))
    let statistics = statistics.map { known in known.knowing(plan.fragments) }
    var describer = PlanDescriber(names: names, statistics: statistics)
    let fragments = plan.fragments.map { describer.describe($0) }
    switch format {
    case .text: return fragments.flatMap(TextPlan.lines).joined(separator: "\n")
    case .json: return JSONPlan.text(of: fragments)
    case .graphviz: return GraphvizPlan.text(of: fragments)
    }
  }
}

// Owns the check that a plan hangs together: every symbol a node uses comes from below it, every one it makes is new.

import Testing

@testable import Planning

/// What is wrong with a plan, as text; empty for a sound one.
struct PlanSoundness {
  private(set) var faults: [String] = []
  private var makers: [Symbol: String] = [:]
  private var scans: Set<Int> = []

  static func faults(of node: PlanNode) -> [String] {
    var check = PlanSoundness()
    check.visit(node)
    return check.faults
  }

  private mutating func visit(_ node: PlanNode) {
    for source in node.sources { visit(source) }
    let below = Set(node.sources.flatMap(\.outputs))
    let title = PlanText.lines(node).split(separator: "\n").first.map(String.init) ?? ""
    for symbol in Self.used(by: node).subtracting(below) { faults.append("\(title): \(symbol) is not below") }
    for symbol in Set(node.outputs).subtracting(below) {
      if makers[symbol] != nil { faults.append("\(title): \(symbol) is made twice") }
      makers[symbol] = title
    }
    check(node, title, below)
  }

  private mutating func check(_ node: PlanNode, _ title: String, _ below: Set<Symbol>) {
    switch node {
    case .tableScan(let scan):
      if !scans.insert(scan.id).inserted { faults.append("\(title): scan id \(scan.id) is used twice") }
    case .project(let project):
      let symbols = project.assignments.map(\.symbol)
      if Set(symbols).count != symbols.count { faults.append("\(title): assigns a symbol twice") }
      for assignment in project.assignments {
        // A symbol that goes through keeps its value.
        if below.contains(assignment.symbol), assignment.expression != .symbol(assignment.symbol) {
          faults.append("\(title): \(assignment.symbol) changes its value")
        }
        if assignment.symbol.type.layout != assignment.expression.type.layout {
          faults.append(
            "\(title): \(assignment.symbol) is \(assignment.symbol.type), not \(assignment.expression.type)")
        }
      }
    case .join(let join): check(join.criteria, join.left, join.right, title)
    case .semiJoin(let join): check(join.criteria, join.source, join.filteringSource, title)
    case .union(let union):
      for (source, mapping) in zip(union.sources, union.mappings) {
        if !Set(mapping).isSubset(of: source.outputs) { faults.append("\(title): maps what is not there") }
        if Set(mapping).count != mapping.count { faults.append("\(title): maps a symbol twice") }
        for (symbol, output) in zip(mapping, union.outputs) where symbol.type.layout != output.type.layout {
          faults.append("\(title): \(symbol) of \(symbol.type) becomes \(output.type)")
        }
      }
    case .aggregate(let aggregate):
      if Set(aggregate.keys).count != aggregate.keys.count { faults.append("\(title): a key twice") }
    default: break
    }
  }

  private mutating func check(_ clauses: [EquiClause], _ left: PlanNode, _ right: PlanNode, _ title: String) {
    for clause in clauses {
      if !left.outputs.contains(clause.left) || !right.outputs.contains(clause.right) {
        faults.append("\(title): \(clause.left) = \(clause.right) is not left = right")
      }
      if clause.left.type.layout != clause.right.type.layout {
        faults.append("\(title): \(clause.left.type) = \(clause.right.type)")
      }
    }
  }

  private static func used(by node: PlanNode) -> Set<Symbol> {
    var used = node.expressions.reduce(into: Set<Symbol>()) { $0.formUnion($1.symbols) }
    switch node {
    case .aggregate(let aggregate):
      used.formUnion(aggregate.keys)
      for call in aggregate.aggregations { used.formUnion(call.arguments + (call.filter.map { [$0] } ?? [])) }
    case .join(let join):
      used.formUnion(join.criteria.flatMap { [$0.left, $0.right] } + join.outputs)
    case .semiJoin(let join): used.formUnion(join.criteria.flatMap { [$0.left, $0.right] })
    case .sort(let sort): used.formUnion(sort.orderings.map(\.symbol))
    case .topN(let top): used.formUnion(top.orderings.map(\.symbol))
    case .rowNumber(let numbered): used.formUnion(numbered.partition + numbered.orderings.map(\.symbol))
    case .tableWriter(let writer): used.formUnion(writer.columns)
    case .output(let output): used.formUnion(output.outputs)
    default: break
    }
    return used
  }
}

// Owns the graphviz format of EXPLAIN: a digraph with a cluster for each fragment and an edge to each input.

enum GraphvizPlan {
  static func text(of fragments: [DescribedFragment]) -> String {
    var lines = ["digraph \(fragments.count == 1 && fragments[0].title.isEmpty ? "logical" : "distributed")_plan {"]
    var edges: [String] = []
    let roots = Dictionary(uniqueKeysWithValues: fragments.map { ($0.number, $0.root.id) })
    for fragment in fragments {
      lines.append("subgraph cluster_\(fragment.number) {")
      if !fragment.title.isEmpty { lines.append("label = \"Fragment \(fragment.number) [\(fragment.title)]\"") }
      add(fragment.root, roots: roots, lines: &lines, edges: &edges)
      lines.append("}")
    }
    return (lines + edges + ["}"]).joined(separator: "\n")
  }

  private static func add(
    _ node: DescribedNode, roots: [Int: Int], lines: inout [String], edges: inout [String]
  ) {
    let descriptor = node.descriptor.map { "\($0.key) = \($0.value)" }.joined(separator: ", ")
    let label = (["\(node.name)[\(descriptor)]"] + node.details).map(escaped).joined(separator: "|")
    lines.append(
      "plannode_\(node.id)[label=\"{\(label)}\", style=\"rounded, filled\", shape=record, fillcolor=\(color(node))];")
    for child in node.children {
      edges.append("plannode_\(node.id) -> plannode_\(child.id);")
      add(child, roots: roots, lines: &lines, edges: &edges)
    }
    for fragment in node.inputs {
      if let root = roots[fragment] { edges.append("plannode_\(node.id) -> plannode_\(root);") }
    }
  }

  private static func color(_ node: DescribedNode) -> String {
    switch node.name {
    case "TableScan": "deepskyblue"
    case "RemoteSource", "Exchange": "gold"
    case "Aggregate", "Distinct": "chartreuse3"
    case "Filter": "yellow"
    case "Project": "bisque"
    case "Output": "white"
    case let name where name.hasSuffix("Join"): "orange"
    default: "gray85"
    }
  }

  /// Text inside a record's label, where braces, bars and angle brackets have a meaning.
  private static func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      if "\\\"{}|<>".contains(character) { result.append("\\") }
      result.append(character)
    }
    return result
  }
}

// Owns the text format of EXPLAIN: a tree drawn with lines, as Trino draws it.

import Base

enum TextPlan {
  static func lines(of fragment: DescribedFragment) -> [String] {
    ["Fragment \(fragment.number) [\(fragment.title)]"]
      + fragment.facts.map { "    \($0.key): \($0.value)" }
      + lines(of: fragment.root).map { "    " + $0 }
  }

  static func lines(of node: DescribedNode) -> [String] {
    let descriptor = node.descriptor.map { "\($0.key) = \($0.value)" }.joined(separator: ", ")
    let layout = node.outputs.map { "\($0.name):\($0.type)" }.joined(separator: ", ")
    var body = ["Layout: [\(layout)]"]
    if let estimate = node.estimate { body.append("Estimates: \(text(of: estimate))") }
    body += node.details
    let bar = node.children.isEmpty ? "   " : "│  "
    var lines = ["\(node.name)[\(descriptor)]"] + body.map { "\(bar) \($0)" }
    for (index, child) in node.children.enumerated() {
      let isLast = index == node.children.count - 1
      let drawn = Self.lines(of: child)
      lines.append((isLast ? "└─ " : "├─ ") + drawn[0])
      lines += drawn.dropFirst().map { (isLast ? "   " : "│  ") + $0 }
    }
    return lines
  }

  private static func text(of estimate: DescribedEstimate) -> String {
    guard let rows = estimate.rows else { return "{rows: ? (?)}" }
    let bytes = estimate.bytes.map { DataSize(bytes: Int64($0.rounded())).description } ?? "?"
    return "{rows: \(Int64(rows.rounded())) (\(bytes))}"
  }
}

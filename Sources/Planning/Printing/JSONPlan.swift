// Owns the JSON format of EXPLAIN: nodes with the keys that Trino gives them; fragments by number.

enum JSONPlan {
  static func text(of fragments: [DescribedFragment]) -> String {
    let entries = fragments.map { "  \(quoted("\($0.number)")) : \(object(of: $0.root, indent: "  "))" }
    return "{\n\(entries.joined(separator: ",\n"))\n}"
  }

  static func text(of node: DescribedNode) -> String { object(of: node, indent: "") }

  private static func object(of node: DescribedNode, indent: String) -> String {
    let inner = indent + "  "
    let descriptor = node.descriptor.map { "\(quoted($0.key)) : \(quoted($0.value))" }
    let outputs = node.outputs.map { "{ \"name\" : \(quoted($0.name)), \"type\" : \(quoted($0.type)) }" }
    let children = node.children.map { object(of: $0, indent: inner + "  ") }
    let members = [
      "\"id\" : \(quoted("\(node.id)"))",
      "\"name\" : \(quoted(node.name))",
      "\"descriptor\" : " + block("{", descriptor, "}", inner),
      "\"outputs\" : " + block("[", outputs, "]", inner),
      "\"details\" : " + block("[", node.details.map(quoted), "]", inner),
      "\"estimates\" : " + block("[", node.estimate.map { [object(of: $0)] } ?? [], "]", inner),
      "\"children\" : " + block("[", children, "]", inner),
    ]
    return block("{", members, "}", indent)
  }

  private static func object(of estimate: DescribedEstimate) -> String {
    let number = { (value: Double?) in value.map { "\(Int64($0.rounded()))" } ?? "\"NaN\"" }
    return "{ \"outputRowCount\" : \(number(estimate.rows)), \"outputSizeInBytes\" : \(number(estimate.bytes)) }"
  }

  private static func block(_ open: String, _ items: [String], _ close: String, _ indent: String) -> String {
    if items.isEmpty { return "\(open) \(close)" }
    let inner = items.map { "\(indent)  \($0)" }.joined(separator: ",\n")
    return "\(open)\n\(inner)\n\(indent)\(close)"
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case _ where scalar.value < 0x20:
        let hex = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}

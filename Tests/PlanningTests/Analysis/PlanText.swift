// Owns a plan's text in the analyser's tests: one line per node, with plain names.

import Columnar

@testable import Planning

/// A plan as indented lines. Symbols show their names only, so that texts stay the same when ids shift.
enum PlanText {
  static func lines(_ node: PlanNode, depth: Int = 0) -> String {
    let indent = String(repeating: "  ", count: depth)
    let inner = node.sources.map { lines($0, depth: depth + 1) }.joined()
    return "\(indent)\(title(node))\n\(inner)"
  }

  static func names(_ symbols: [Symbol]) -> String { symbols.map(\.name).joined(separator: ", ") }

  private static func title(_ node: PlanNode) -> String {
    switch node {
    case .tableScan(let node): return "scan \(node.table.name)"
    case .values(let node): return "values \(node.rows.count)x\(node.outputs.count)"
    case .filter(let node): return "filter \(text(node.predicate))"
    case .project(let node):
      let computed = node.assignments.filter { $0.expression != .symbol($0.symbol) }
      return "project " + computed.map { "\($0.symbol.name) := \(text($0.expression))" }.joined(separator: ", ")
    case .aggregate(let node):
      let calls = node.aggregations.map { call in
        let distinct = call.isDistinct ? "distinct " : ""
        let filter = call.filter.map { " filter \($0.name)" } ?? ""
        return "\(call.function.rawValue)(\(distinct)\(names(call.arguments)))\(filter)"
      }
      return "aggregate [\(names(node.keys))] \(calls.joined(separator: ", "))"
    case .join(let node): return "\(node.kind.rawValue) join \(criteria(node.criteria, node.filter))"
    case .semiJoin(let node):
      return "mark join\(node.isNullAware ? " null-aware" : "") \(criteria(node.criteria, node.filter))"
    case .sort(let node): return "sort \(orderings(node.orderings))"
    case .topN(let node): return "topN \(node.count) \(orderings(node.orderings))"
    case .limit(let node): return "limit \(node.count.map { "\($0)" } ?? "all") offset \(node.offset)"
    case .union(let node): return "union [\(names(node.outputs))]"
    case .enforceSingleRow: return "single row"
    case .uniqueID: return "unique id"
    case .rowNumber(let node):
      let most = node.most.map { " to \($0)" } ?? ""
      return "number\(most) [\(names(node.partition))] \(orderings(node.orderings))"
    case .exchange: return "exchange"
    case .remoteSource: return "remote"
    case .tableWriter(let node): return "write \(node.target.table) [\(names(node.columns))]"
    case .tableFinish(let node): return "finish \(node.target.table)"
    case .output(let node): return "output \(node.columnNames.joined(separator: ", "))"
    }
  }

  private static func criteria(_ clauses: [EquiClause], _ filter: Expression?) -> String {
    let pairs = clauses.map { "\($0.left.name) = \($0.right.name)" }.joined(separator: ", ")
    return "[\(pairs)]" + (filter.map { " if \(text($0))" } ?? "")
  }

  private static func orderings(_ orderings: [Ordering]) -> String {
    orderings.map { $0.symbol.name + ($0.ascending ? "" : " desc") + ($0.nullsFirst ? " nulls first" : "") }
      .joined(separator: ", ")
  }

  static func text(_ expression: Expression) -> String {
    func all(_ expressions: [Expression], _ separator: String) -> String {
      expressions.map(text).joined(separator: separator)
    }
    switch expression {
    case .symbol(let symbol): return symbol.name
    case .constant(let value, let type): return constant(value, type)
    case .comparison(let op, let left, let right): return "(\(text(left)) \(op.rawValue) \(text(right)))"
    case .arithmetic(let op, let left, let right, _, _): return "(\(text(left)) \(op.rawValue) \(text(right)))"
    case .negate(let operand, _): return "-\(text(operand))"
    case .and(let operands): return "(\(all(operands, " and ")))"
    case .or(let operands): return "(\(all(operands, " or ")))"
    case .not(let operand): return "not \(text(operand))"
    case .isNull(let operand): return "(\(text(operand)) is null)"
    case .inList(let value, let list): return "(\(text(value)) in (\(all(list, ", "))))"
    case .like(let value, let pattern, _, _): return "(\(text(value)) like \(text(pattern)))"
    case .searchedCase(let clauses, let otherwise, _):
      let whens = clauses.map { "when \(text($0.condition)) then \(text($0.result))" }.joined(separator: " ")
      return "case \(whens)\(otherwise.map { " else \(text($0))" } ?? "") end"
    case .coalesce(let operands, _): return "coalesce(\(all(operands, ", ")))"
    case .cast(let operand, let type, let isTry, _): return "\(isTry ? "try_" : "")cast(\(text(operand)) as \(type))"
    case .function(let function, let arguments, _, _): return "\(function.rawValue)(\(all(arguments, ", ")))"
    }
  }

  private static func constant(_ value: Value, _ type: DataType) -> String {
    switch value {
    case .null: return "null"
    case .boolean(let value): return "\(value)"
    case .integer(let value):
      if case .integer = type { return "\(value)" }
      return "\(type) \(value)"
    case .int128(let value): return "\(type) \(value)"
    case .double(let value): return "\(value)"
    case .bytes(let bytes): return "'\(String(decoding: bytes, as: UTF8.self))'"
    }
  }
}

/// The plan below the output node, as text.
func planText(_ sql: String, schema: String = "s") throws -> String {
  PlanText.lines(try plan(sql, schema: schema).root.sources[0])
}

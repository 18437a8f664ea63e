// Owns the text of a plan's expressions: SQL-like, fully in parentheses, constants with their types.

import Columnar

/// Writes expressions for people. Not meant to be parsed again.
struct ExpressionText {
  let names: SymbolNames

  func text(_ expression: Expression) -> String {
    switch expression {
    case .symbol(let symbol): return names[symbol]
    case .constant(let value, let type): return Self.constant(value, type)
    case .comparison(let op, let left, let right): return "(\(text(left)) \(op.rawValue) \(text(right)))"
    case .arithmetic(let op, let left, let right, _, _): return "(\(text(left)) \(op.rawValue) \(text(right)))"
    case .negate(let operand, _): return "-(\(text(operand)))"
    case .and(let operands): return "(\(list(operands, " AND ")))"
    case .or(let operands): return "(\(list(operands, " OR ")))"
    case .not(.isNull(let operand)): return "(\(text(operand)) IS NOT NULL)"
    case .not(let operand): return "(NOT \(text(operand)))"
    case .isNull(let operand): return "(\(text(operand)) IS NULL)"
    case .inList(let value, let elements): return "(\(text(value)) IN (\(list(elements, ", "))))"
    case .like(let value, let pattern, let escape, _):
      return "(\(text(value)) LIKE \(text(pattern))\(escape.map { " ESCAPE \(text($0))" } ?? ""))"
    case .searchedCase(let clauses, let otherwise, _):
      let whens = clauses.map { "WHEN \(text($0.condition)) THEN \(text($0.result))" }
      let rest = otherwise.map { ["ELSE \(text($0))"] } ?? []
      return (["CASE"] + whens + rest + ["END"]).joined(separator: " ")
    case .coalesce(let operands, _): return "COALESCE(\(list(operands, ", ")))"
    case .cast(let operand, let type, let isTry, _):
      return "\(isTry ? "TRY_CAST" : "CAST")(\(text(operand)) AS \(type))"
    case .function(let function, let arguments, _, _): return "\(function.rawValue)(\(list(arguments, ", ")))"
    }
  }

  private func list(_ expressions: [Expression], _ separator: String) -> String {
    expressions.map(text).joined(separator: separator)
  }

  /// A literal that shows its type: an integer as its digits, most others as `TYPE 'value'`.
  static func constant(_ value: Value, _ type: DataType) -> String {
    guard let text = ValueFormatter(type).text(value) else { return "NULL" }
    switch type {
    case .integer, .boolean: return text
    case .varchar: return quoted(text)
    case .char: return "CHAR \(quoted(text))"
    case .decimal: return "DECIMAL '\(text)'"
    case .timestamp: return "TIMESTAMP '\(text)'"
    case .varbinary: return "X'\(text)'"
    case .intervalYearToMonth: return "INTERVAL '\(text)' YEAR TO MONTH"
    case .intervalDayToSecond: return "INTERVAL '\(text)' DAY TO SECOND"
    case .tinyint, .smallint, .bigint, .real, .double, .date, .unknown:
      return "\(type.description.uppercased()) '\(text)'"
    }
  }

  private static func quoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
  }
}

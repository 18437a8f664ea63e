// Owns the spelling of expressions in messages and plans: Trino's, with parentheses around every operation.
import Base

/// Writes an expression as SQL text that parses to the same tree.
public enum ExpressionFormatter {
  /// The text of `expression`. Cost grows with its size.
  public static func format(_ expression: Expression) -> String {
    switch expression.kind {
    case .null: return "null"
    case .boolean(let value): return value ? "true" : "false"
    case .integer(let value): return "\(value)"
    case .decimal(let digits): return "DECIMAL '\(digits)'"
    case .double(let value): return format(value)
    case .string(let text): return quoted(text)
    case .binary(let bytes): return "X'\(hexadecimal(bytes))'"
    case .typed(let type, let text): return "\(type.uppercased()) \(quoted(text))"
    case .interval(let interval): return format(interval)
    case .currentTime(let function, let precision):
      return function.rawValue + (precision.map { "(\($0))" } ?? "")
    case .sessionValue(let value): return value.rawValue
    case .parameter: return "?"
    case .identifier(let name): return name.description
    case .dereference(let base, let field): return "\(format(base)).\(field)"
    case .arithmetic(let operation, let left, let right):
      return "(\(format(left)) \(operation.rawValue) \(format(right)))"
    case .negated(let value): return "-\(separated(value, from: "-"))"
    case .plus(let value): return "+\(format(value))"
    case .comparison(let operation, let left, let right):
      return "(\(format(left)) \(operation.rawValue) \(format(right)))"
    case .logical(let operation, let terms):
      return "(\(terms.map(format).joined(separator: " \(operation.rawValue) ")))"
    case .not(let value): return "(NOT \(format(value)))"
    case .isNull(let value): return "(\(format(value)) IS NULL)"
    case .isNotNull(let value): return "(\(format(value)) IS NOT NULL)"
    default: return formatForm(expression)
    }
  }

  private static func formatForm(_ expression: Expression) -> String {
    switch expression.kind {
    case .between(let value, let low, let high):
      return "(\(format(value)) BETWEEN \(format(low)) AND \(format(high)))"
    case .inList(let value, let items): return "(\(format(value)) IN (\(joined(items))))"
    case .inSubquery(let value, let query): return "(\(format(value)) IN (\(QueryFormatter.format(query))))"
    case .like(let value, let pattern, let escape):
      return "(\(format(value)) LIKE \(format(pattern))\(escape.map { " ESCAPE \(format($0))" } ?? ""))"
    case .exists(let query): return "(EXISTS (\(QueryFormatter.format(query))))"
    case .subquery(let query): return "(\(QueryFormatter.format(query)))"
    case .quantified(let operation, let quantifier, let value, let query):
      return "(\(format(value)) \(operation.rawValue) \(quantifier.rawValue) (\(QueryFormatter.format(query))))"
    case .simpleCase(let operand, let clauses, let otherwise):
      return "(CASE \(format(operand))\(format(clauses, otherwise)) END)"
    case .searchedCase(let clauses, let otherwise): return "(CASE\(format(clauses, otherwise)) END)"
    case .cast(let value, let type, let isTry): return "\(isTry ? "TRY_CAST" : "CAST")(\(format(value)) AS \(type))"
    case .extract(let field, let value): return "EXTRACT(\(field.value.uppercased()) FROM \(format(value)))"
    case .trim(let kind, let character, let value):
      return "trim(\(kind.rawValue)\(character.map { " " + format($0) } ?? "") FROM \(format(value)))"
    case .call(let call): return format(call)
    case .ifThenElse(let condition, let yes, let no):
      return "IF(\(joined([condition, yes] + (no.map { [$0] } ?? []))))"
    case .nullIf(let first, let second): return "NULLIF(\(joined([first, second])))"
    case .coalesce(let values): return "COALESCE(\(joined(values)))"
    case .tryExpression(let value): return "TRY(\(format(value)))"
    case .row(let items): return "ROW (\(joined(items)))"
    case .array(let items): return "ARRAY[\(items.map(format).joined(separator: ","))]"
    case .subscript(let base, let index): return "\(format(base))[\(format(index))]"
    case .lambda(let arguments, let body):
      return "(\(arguments.map(\.description).joined(separator: ", "))) -> \(format(body))"
    case .atTimeZone(let value, let zone): return "\(format(value)) AT TIME ZONE \(format(zone))"
    case .grouping(let columns): return "GROUPING (\(columns.map(\.description).joined(separator: ", ")))"
    default: preconditionFailure("every other kind is written by format(_:)")
    }
  }

  private static func joined(_ expressions: [Expression]) -> String {
    expressions.map(format).joined(separator: ", ")
  }

  /// The value's text with a blank in front where it starts with `sign`, which would otherwise open a comment.
  private static func separated(_ value: Expression, from sign: String) -> String {
    let text = format(value)
    return text.hasPrefix(sign) ? " " + text : text
  }

  private static func format(_ clauses: [WhenClause], _ otherwise: Expression?) -> String {
    clauses.map { " WHEN \(format($0.condition)) THEN \(format($0.result))" }.joined()
      + (otherwise.map { " ELSE \(format($0))" } ?? "")
  }

  private static func format(_ call: FunctionCall) -> String {
    var arguments = call.isStar ? "*" : joined(call.arguments)
    if call.isDistinct { arguments = "DISTINCT " + arguments }
    let isListagg = call.name.suffix == "listagg"
    if !call.orderBy.isEmpty, !isListagg {
      arguments += "\(arguments.isEmpty ? "" : " ")ORDER BY \(QueryFormatter.format(call.orderBy))"
    }
    var text = "\(call.name)(\(arguments))"
    if isListagg { text += " WITHIN GROUP (ORDER BY \(QueryFormatter.format(call.orderBy)))" }
    if let filter = call.filter { text += " FILTER (WHERE \(format(filter)))" }
    if let treatment = call.nullTreatment { text += " \(treatment.rawValue)" }
    switch call.window {
    case .reference(let name): text += " OVER \(name)"
    case .specification(let specification): text += " OVER \(QueryFormatter.format(specification))"
    case nil: break
    }
    return text
  }

  private static func format(_ interval: IntervalLiteral) -> String {
    let to = interval.to.map { " TO \($0.rawValue)" } ?? ""
    return "INTERVAL \(interval.isNegative ? "-" : "")\(quoted(interval.text)) \(interval.from.rawValue)\(to)"
  }

  /// A double in scientific form with one digit before the point, such as `1.5E3`.
  static func format(_ value: Double) -> String {
    guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity" }
    let parts = value.magnitude.description.split(separator: "e")
    var exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    let whole = mantissa[0]
    var digits = Substring(whole + (mantissa.count > 1 ? mantissa[1] : ""))
    exponent += whole.count - 1
    while digits.first == "0", digits.count > 1 {
      digits = digits.dropFirst()
      exponent -= 1
    }
    while digits.last == "0", digits.count > 1 { digits = digits.dropLast() }
    if digits == "0" { exponent = 0 }
    let fraction = digits.dropFirst()
    return (value.sign == .minus ? "-" : "") + digits.prefix(1) + (fraction.isEmpty ? "" : "." + fraction)
      + "E\(exponent)"
  }

  static func quoted(_ text: String) -> String {
    var result = "'"
    for character in text.unicodeScalars {
      if character == "'" { result += "'" }
      result.unicodeScalars.append(character)
    }
    return result + "'"
  }

  private static func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined()
  }
}

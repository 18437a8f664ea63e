// Owns row values where they can be written without a row type: compared with other rows, and looked up in lists.

import Base
import Columnar
import SQLSyntax

extension ExpressionTranslator {
  /// `(a, b) = (c, d)`, `<>` and IS DISTINCT FROM; nil where neither side is a row.
  func compareRows(
    _ comparison: ComparisonOperator, _ left: SyntaxExpression, _ right: SyntaxExpression, _ location: SourceLocation
  ) throws -> Expression? {
    guard case .row(let first) = left.kind, case .row(let second) = right.kind else { return nil }
    let pairs = try rowPairs(first.map(translate), second.map(translate), location)
    switch comparison {
    case .equal: return .conjunction(pairs.map { .comparison(.equal, $0, $1) })
    case .notEqual: return .not(.conjunction(pairs.map { .comparison(.equal, $0, $1) }))
    case .isDistinctFrom: return .or(pairs.map { .comparison(.isDistinctFrom, $0, $1) })
    default: throw unsupported("The order of row values", location)
    }
  }

  /// `(a, b) IN ((1, 2), …)`.
  func rowInList(
    _ row: [SyntaxExpression], _ items: [SyntaxExpression], _ location: SourceLocation
  ) throws -> Expression {
    let operands = try row.map(translate)
    guard operands.allSatisfy(\.isDeterministic) else {
      throw unsupported("IN of a value that changes with each use", location)
    }
    return .or(
      try items.map { item in
        guard case .row(let values) = item.kind else { throw unsupported("A row value", item.location) }
        let pairs = try rowPairs(operands, values.map(translate), item.location)
        return .conjunction(pairs.map { .comparison(.equal, $0, $1) })
      })
  }

  /// The fields of two rows side by side, each pair of one type.
  private func rowPairs(
    _ left: [Expression], _ right: [Expression], _ location: SourceLocation
  ) throws -> [(Expression, Expression)] {
    let types = zip(left, right).compactMap { TypeCoercion.common($0.type, $1.type) }
    guard types.count == left.count, types.count == right.count else {
      let text = [left, right].map { "row(\($0.map(\.type.description).joined(separator: ", ")))" }
      throw WaterbearError(
        .typeMismatch, "Cannot apply operator: \(text[0]) = \(text[1])", at: location)
    }
    return zip(zip(left, right), types).map { pair, type in (pair.0.coerced(to: type), pair.1.coerced(to: type)) }
  }
}

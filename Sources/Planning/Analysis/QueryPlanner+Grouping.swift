// Owns GROUP BY: the grouping sets, the aggregate node, and the check that what is left of a query only speaks of
// groups.

import Base
import Columnar
import SQLSyntax

/// The rows after grouping: which symbols stand for the GROUP BY expressions.
struct GroupedRows {
  /// What each grouping expression became: its key's symbol, or NULL where the set at hand leaves it out.
  var replacements: [Expression: Expression]
  /// Symbols that expressions may use: aggregates' results, subqueries' results, columns of outer queries.
  var isForbidden: (Symbol) -> Bool

  /// The expression over groups; EXPRESSION_NOT_AGGREGATE where it uses a column that is not grouped by.
  func rewrite(_ expression: Expression, _ syntax: SyntaxExpression) throws -> Expression {
    if let replacement = replacements[expression] { return replacement }
    if case .symbol(let symbol) = expression, isForbidden(symbol) {
      throw WaterbearError(
        .expressionNotAggregate, "'\(syntax)' must be an aggregate expression or appear in GROUP BY clause",
        at: syntax.location)
    }
    return try expression.mapChildren { try rewrite($0, syntax) }
  }

  /// The left side of an IN or quantified comparison.
  func rewriteOperand(_ expression: Expression, of subquery: PendingSubquery) throws -> Expression {
    let syntax = SyntaxExpression(
      .identifier(Identifier(expression.symbols.first?.name ?? "", at: subquery.location)), at: subquery.location)
    return try rewrite(expression, syntax)
  }

  /// A subquery may use the columns of this query that are grouped by, as they are.
  func check(_ subquery: PendingSubquery) throws {
    for symbol in subquery.outerSymbols.sorted(by: { $0.id < $1.id }) {
      let isKey = replacements[.symbol(symbol)] == .symbol(symbol)
      if !isKey, isForbidden(symbol) || replacements[.symbol(symbol)] != nil {
        throw WaterbearError(
          .expressionNotAggregate,
          "'\(symbol.name)' must be an aggregate expression or appear in GROUP BY clause", at: subquery.location)
      }
    }
  }
}

extension QueryPlanner {
  /// The grouping expressions, each once, and for every grouping set which of them it groups by.
  struct GroupingSets {
    var keys: [Expression]
    var sets: [Set<Int>]
  }

  /// Trino's default for `query.max-grouping-sets`.
  private static let maximumGroupingSets = 2048

  func groupingSets(
    of select: Select, _ columns: [OutputColumn], _ scope: Scope, _ environment: Environment
  ) throws -> GroupingSets {
    guard let groupBy = select.groupBy else { return GroupingSets(keys: [], sets: [[]]) }
    let translator = ExpressionTranslator(
      planner: self, scope: scope, environment: environment, clause: "GROUP BY clause")
    var keys: [Expression] = []
    func key(_ syntax: SyntaxExpression) throws -> Int {
      let expression = try groupingExpression(syntax, columns, translator)
      if let index = keys.firstIndex(of: expression) { return index }
      keys.append(expression)
      return keys.count - 1
    }
    var sets: [Set<Int>] = [[]]
    for element in groupBy.elements {
      let choices = try groupingChoices(element, key)
      guard sets.count * choices.count <= Self.maximumGroupingSets else {
        throw WaterbearError(
          .tooManyGroupingSets,
          "GROUP BY has \(sets.count * choices.count) grouping sets but can contain at most "
            + "\(Self.maximumGroupingSets)", at: groupBy.location)
      }
      sets = sets.flatMap { set in choices.map { set.union($0) } }
    }
    if groupBy.isDistinct { sets = sets.unique }
    if let subquery = translator.pending.first {
      throw WaterbearError(.notSupported, "A subquery in GROUP BY is not supported", at: subquery.location)
    }
    return GroupingSets(keys: keys, sets: sets)
  }

  /// The sets that one element of GROUP BY offers.
  private func groupingChoices(
    _ element: GroupBy.Element, _ key: (SyntaxExpression) throws -> Int
  ) throws -> [Set<Int>] {
    switch element {
    case .simple(let columns): return [Set(try columns.map(key))]
    case .groupingSets(let sets): return try sets.map { Set(try $0.map(key)) }
    case .rollup(let sets):
      let parts = try sets.map { Set(try $0.map(key)) }
      return (0...parts.count).reversed().map { count in parts[..<count].reduce(into: []) { $0.formUnion($1) } }
    case .cube(let sets):
      let parts = try sets.map { Set(try $0.map(key)) }
      guard parts.count <= 11 else { return Array(repeating: [], count: Self.maximumGroupingSets + 1) }
      return (0..<(1 << parts.count)).map { mask in
        parts.enumerated().reduce(into: []) { set, part in
          if mask & (1 << (parts.count - 1 - part.offset)) == 0 { set.formUnion(part.element) }
        }
      }
    }
  }

  /// A column of the select list where an ordinal is written, else an expression over the source.
  private func groupingExpression(
    _ syntax: SyntaxExpression, _ columns: [OutputColumn], _ translator: ExpressionTranslator
  ) throws -> Expression {
    guard case .integer(let position) = syntax.kind else { return try translator.translate(syntax) }
    guard position >= 1, position <= Int64(columns.count) else {
      throw WaterbearError(
        .invalidColumnReference, "GROUP BY position \(position) is not in select list", at: syntax.location)
    }
    let column = columns[Int(position) - 1]
    return try column.symbol.map { .symbol($0) } ?? translator.translate(column.expression)
  }

  /// Puts the aggregation on the plan and tells what became of the grouping expressions.
  func group(_ collector: AggregateCollector, _ scope: Scope, on builder: inout PlanBuilder) throws -> GroupedRows {
    try join(collector.pending, to: &builder)
    let keyIndexes = collector.keys.indices.filter { collector.present.contains($0) }
    let inputs =
      keyIndexes.map { collector.keys[$0] }
      + collector.calls.flatMap { $0.call.arguments + ($0.call.filter.map { [$0] } ?? []) }
    // Everything the aggregation reads, computed in one projection.
    var inputSymbols = builder.symbols(for: inputs, named: "expr")[...]
    let keys = Array(inputSymbols.prefix(keyIndexes.count))
    inputSymbols = inputSymbols.dropFirst(keyIndexes.count)
    let aggregations = collector.calls.map { call, output in
      let arguments = Array(inputSymbols.prefix(call.arguments.count))
      inputSymbols = inputSymbols.dropFirst(call.arguments.count)
      let filter = call.filter == nil ? nil : inputSymbols.popFirst()
      return Aggregation(
        function: call.function, arguments: arguments, isDistinct: call.isDistinct, filter: filter,
        output: output)
    }
    var replacements: [Expression: Expression] = [:]
    for (index, key) in collector.keys.enumerated() {
      replacements[key] = keyIndexes.firstIndex(of: index).map { .symbol(keys[$0]) } ?? .constant(.null, key.type)
    }
    builder.node = .aggregate(
      AggregateNode(source: builder.node, keys: keys.unique, aggregations: aggregations))
    let own = Set(scope.fields.map(\.symbol))
    return GroupedRows(replacements: replacements, isForbidden: { own.contains($0) })
  }
}

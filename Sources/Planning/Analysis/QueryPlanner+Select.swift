// Owns the planning of SELECT: FROM, WHERE, the select list, DISTINCT and ORDER BY. Grouping is in an extension of
// its own.

import Base
import Columnar
import SQLSyntax

extension QueryPlanner {
  /// One column of a select list: what it computes and what it is called.
  struct OutputColumn {
    var expression: SyntaxExpression
    /// Nil where the expression is `*`'s and needs no name resolution.
    var symbol: Symbol?
    var name: String?
    var displayName: String?
  }

  /// A SELECT planned up to its output columns and sort keys, all of them computed.
  struct SelectPlan {
    var node: PlanNode
    var fields: [Field]
    var sortKeys: [Symbol]
    /// How many grouping sets there are; each is planned by itself.
    var groupingSets = 1
  }

  func planSelect(
    _ select: Select, orderBy: [SortItem], keepsOrder: Bool, limits: RowLimits, in environment: Environment
  ) throws -> RelationPlan {
    var plan = try planSelectList(select, orderBy: orderBy, groupingSet: 0, in: environment)
    if plan.groupingSets > 1 {
      let others = try (1..<plan.groupingSets).map {
        try planSelectList(select, orderBy: orderBy, groupingSet: $0, in: environment)
      }
      plan = unionOfSets([plan] + others)
    }
    var node = plan.node
    if select.isDistinct {
      let columns = plan.fields.map(\.symbol).unique
      for (item, key) in zip(orderBy, plan.sortKeys) where !columns.contains(key) {
        throw WaterbearError(
          .expressionNotInDistinct, "For SELECT DISTINCT, ORDER BY expressions must appear in select list",
          at: item.location)
      }
      node = .aggregate(AggregateNode(source: trimmed(node, to: columns), keys: columns, aggregations: []))
    }
    if keepsOrder { node = limited(node, orderings(orderBy, plan.sortKeys), limits) }
    return RelationPlan(node: trimmed(node, to: plan.fields.map(\.symbol).unique), fields: plan.fields)
  }

  /// One grouping set's rows, or all rows where nothing is grouped.
  private func planSelectList(
    _ select: Select, orderBy: [SortItem], groupingSet: Int, in environment: Environment
  ) throws -> SelectPlan {
    let source = try planFrom(select.from, in: environment)
    let scope = Scope(fields: source.fields, outer: environment.outer)
    var builder = PlanBuilder(node: source.node, symbols: symbols)
    if let condition = select.where {
      try planFilter(condition, clause: "WHERE clause", scope, environment, on: &builder)
    }
    let columns = try expandItems(select, scope)
    let sets = try groupingSets(of: select, columns, scope, environment)
    if let first = select.windows.first {
      throw WaterbearError(.notSupported, "The WINDOW clause is not supported", at: first.name.location)
    }

    let collector = AggregateCollector(keys: sets.keys, present: sets.sets[groupingSet])
    let translator = ExpressionTranslator(
      planner: self, scope: scope, environment: environment, clause: "SELECT clause", aggregates: collector)
    var outputs = try columns.map { column in
      try column.symbol.map { .symbol($0) } ?? translator.translate(column.expression)
    }
    let having = try select.having.map { condition in
      try translator.boolean(condition) { "HAVING clause must evaluate to a boolean: actual type \($0)" }
    }
    for (column, output) in zip(columns, outputs) {
      if let name = column.name { translator.aliases[name, default: []].append(output) }
    }
    var sortKeys = try orderBy.map { try sortKey($0, outputs: outputs, translator) }

    let isGrouped = select.groupBy != nil || having != nil || !collector.calls.isEmpty || collector.usesGrouping
    if isGrouped {
      let grouped = try group(collector, scope, on: &builder)
      func check(_ expression: Expression, _ syntax: SyntaxExpression) throws -> Expression {
        try grouped.rewrite(expression, syntax)
      }
      outputs = try zip(outputs, columns).map { try check($0, $1.expression) }
      sortKeys = try zip(sortKeys, orderBy).map { try check($0, $1.key) }
      let condition = try having.map { try check($0, select.having ?? columns[0].expression) }
      let pending = try translator.pending.map { subquery in
        try grouped.check(subquery)
        return try subquery.mapOperand { try grouped.rewriteOperand($0, of: subquery) }
      }
      try join(pending, to: &builder)
      if let condition { builder.filter(condition) }
    } else {
      try join(translator.pending, to: &builder)
    }
    return finish(columns, outputs, sortKeys, sets.sets.count, builder)
  }

  /// Computes the output columns and sort keys.
  private func finish(
    _ columns: [OutputColumn], _ outputs: [Expression], _ sortKeys: [Expression], _ groupingSets: Int,
    _ builder: PlanBuilder
  ) -> SelectPlan {
    var assignments: [Assignment] = []
    var assigned: [Expression: Symbol] = [:]
    let present = Set(builder.node.outputs)
    func symbol(for expression: Expression, named name: String) -> Symbol {
      if let known = assigned[expression] { return known }
      let symbol: Symbol
      // A column of an outer query gets a name of its own here.
      if case .symbol(let same) = expression, present.contains(same) {
        symbol = same
      } else {
        symbol = symbols.symbol(name, expression.type)
      }
      assignments.append(Assignment(symbol, expression))
      if expression.isDeterministic { assigned[expression] = symbol }
      return symbol
    }
    let fields = zip(columns, outputs).map { column, output in
      Field(
        name: column.name, displayName: column.displayName, qualifier: [],
        symbol: symbol(for: output, named: column.name ?? "expr"))
    }
    // A sort key written as an output's name or ordinal is that output, even where it changes with each use.
    let keys = sortKeys.map { key in
      outputs.firstIndex(of: key).map { fields[$0].symbol } ?? symbol(for: key, named: "sort")
    }
    let isIdentity = assignments.map(\.expression) == builder.node.outputs.map { .symbol($0) }
    let node =
      isIdentity ? builder.node : .project(ProjectNode(source: builder.node, assignments: assignments))
    return SelectPlan(node: node, fields: fields, sortKeys: keys, groupingSets: groupingSets)
  }

  /// All grouping sets' rows; each set's plan has its own symbols, so the columns get new ones.
  private func unionOfSets(_ plans: [SelectPlan]) -> SelectPlan {
    let inputs = plans.map { plan in plan.fields.map(\.symbol) + plan.sortKeys }
    var outputs: [Symbol] = []
    var positions: [Int] = []
    // A column that is another one in every set is united once.
    var known: [[Symbol]: Symbol] = [:]
    let united = inputs[0].enumerated().map { index, first in
      let column = inputs.map { $0[index] }
      if let symbol = known[column] { return symbol }
      let symbol = symbols.symbol(first.name, first.type)
      known[column] = symbol
      outputs.append(symbol)
      positions.append(index)
      return symbol
    }
    let sources = zip(plans, inputs).map { plan, columns in
      separated(plan.node, positions.map { columns[$0] })
    }
    let node = PlanNode.union(
      UnionNode(sources: sources.map(\.node), outputs: outputs, mappings: sources.map(\.columns)))
    var result = plans[0]
    result.node = node
    for index in result.fields.indices { result.fields[index].symbol = united[index] }
    result.sortKeys = Array(united[result.fields.count...])
    return result
  }

  /// Puts a condition on the rows, subqueries in it joined as needed.
  func planFilter(
    _ condition: SyntaxExpression, clause: String, _ scope: Scope, _ environment: Environment,
    on builder: inout PlanBuilder
  ) throws {
    let translator = ExpressionTranslator(
      planner: self, scope: scope, environment: environment, clause: clause)
    var plain: [Expression] = []
    var withSubqueries: [(Expression, [PendingSubquery])] = []
    for conjunct in Self.conjuncts(condition) {
      translator.pending = []
      let predicate = try translator.boolean(conjunct) {
        "\(clause) must evaluate to a boolean: actual type \($0)"
      }
      if translator.pending.isEmpty {
        plain.append(predicate)
      } else {
        withSubqueries.append((predicate, translator.pending))
      }
    }
    // Cheap conditions first; then subqueries, each as a filtering join where it stands alone.
    builder.filter(.conjunction(plain))
    for (predicate, pending) in withSubqueries {
      try joinAsFilter(predicate, pending, to: &builder)
    }
  }

  static func conjuncts(_ expression: SyntaxExpression) -> [SyntaxExpression] {
    if case .logical(.and, let terms) = expression.kind { return terms.flatMap(conjuncts) }
    return [expression]
  }

  // MARK: Select list

  private func expandItems(_ select: Select, _ scope: Scope) throws -> [OutputColumn] {
    try select.items.flatMap { item in
      switch item {
      case .expression(let expression, let alias):
        let name = alias ?? ExpressionTranslator.name(expression)?.last
        return [
          OutputColumn(
            expression: expression, symbol: nil, name: name?.canonical, displayName: name?.value)
        ]
      case .allColumns(let location):
        guard select.from != nil else {
          throw WaterbearError(
            .columnNotFound, "SELECT * not allowed in queries without FROM clause", at: location.wrappedValue)
        }
        let fields = scope.fields.filter { !$0.isHidden }
        if fields.isEmpty {
          throw WaterbearError(
            .columnNotFound, "SELECT * not allowed from relation that has no columns", at: location.wrappedValue)
        }
        return fields.map { column(for: $0, at: location.wrappedValue) }
      case .allColumnsOf(let base, let aliases): return try expand(base, aliases, scope)
      }
    }
  }

  /// `t.*`, perhaps with new names.
  private func expand(
    _ base: SyntaxExpression, _ aliases: [Identifier], _ scope: Scope
  ) throws -> [OutputColumn] {
    let parts = ExpressionTranslator.name(base)
    let fields = parts.map { scope.fields(of: $0.map(\.canonical)) } ?? []
    guard !fields.isEmpty else {
      throw WaterbearError(.tableNotFound, "Unable to resolve reference \(base)", at: base.location)
    }
    guard aliases.isEmpty || aliases.count == fields.count else {
      throw WaterbearError(
        .mismatchedColumnAliases,
        "Column alias list has \(aliases.count) entries but relation has \(fields.count) columns",
        at: aliases[0].location)
    }
    return fields.enumerated().map { index, field in
      var output = column(for: field, at: base.location)
      if !aliases.isEmpty {
        output.name = aliases[index].canonical
        output.displayName = aliases[index].value
      }
      return output
    }
  }

  private func column(for field: Field, at location: SourceLocation) -> OutputColumn {
    let written = field.displayName ?? field.name ?? field.symbol.name
    return OutputColumn(
      expression: SyntaxExpression(.identifier(Identifier(written, at: location)), at: location),
      symbol: field.symbol, name: field.name, displayName: field.displayName)
  }
}

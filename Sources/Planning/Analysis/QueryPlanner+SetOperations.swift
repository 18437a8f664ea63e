// Owns UNION, INTERSECT and EXCEPT: columns brought to common types, then unions, groups and counts.

import Base
import Columnar
import SQLSyntax

extension QueryPlanner {
  func planSetOperation(_ operation: SetOperation, in environment: Environment) throws -> RelationPlan {
    let plans = try operation.inputs.map { unqualified(try planBody($0, in: environment, keepsOrder: false)) }
    let types = try commonTypes(plans, operation)
    let inputs = plans.map { coerced($0, to: types) }
    let outputs = zip(plans[0].fields, types).map { field, type in
      symbols.symbol(field.name ?? field.symbol.name, type)
    }
    let node: PlanNode
    switch (operation.kind, operation.isDistinct) {
    case (.union, _):
      let union = PlanNode.union(
        UnionNode(sources: inputs.map(\.node), outputs: outputs, mappings: inputs.map(\.columns)))
      node =
        operation.isDistinct
        ? .aggregate(AggregateNode(source: union, keys: outputs, aggregations: [])) : union
    case (_, true): node = planCounted(inputs, operation.kind, outputs)
    case (_, false): node = planBags(inputs, operation.kind, outputs)
    }
    let fields = zip(plans[0].fields, outputs).map { field, symbol in
      Field(name: field.name, displayName: field.displayName, qualifier: [], symbol: symbol)
    }
    return RelationPlan(node: node, fields: fields)
  }

  private func commonTypes(_ plans: [RelationPlan], _ operation: SetOperation) throws -> [DataType] {
    var types = plans[0].fields.map(\.symbol.type)
    for plan in plans.dropFirst() {
      guard plan.fields.count == types.count else {
        throw WaterbearError(
          .typeMismatch,
          "\(operation.kind.rawValue) query has different number of fields: \(types.count), \(plan.fields.count)",
          at: operation.location)
      }
      for (index, field) in plan.fields.enumerated() {
        guard let common = TypeCoercion.common(types[index], field.symbol.type) else {
          throw WaterbearError(
            .typeMismatch,
            "column \(index + 1) in \(operation.kind.rawValue) query has incompatible types: "
              + "\(types[index]), \(field.symbol.type)", at: operation.location)
        }
        types[index] = common
      }
    }
    return types
  }

  private func coerced(_ plan: RelationPlan, to types: [DataType]) -> (node: PlanNode, columns: [Symbol]) {
    let values = zip(plan.fields, types).map { Expression.symbol($0.symbol).coerced(to: $1) }
    var builder = PlanBuilder(node: plan.node, symbols: symbols)
    let columns = builder.symbols(for: values, named: "expr")
    return separated(builder.node, columns)
  }

  /// The plan with exactly `columns`; one that is listed twice is copied, so that each has a symbol of its own.
  func separated(_ node: PlanNode, _ columns: [Symbol]) -> (node: PlanNode, columns: [Symbol]) {
    if node.outputs == columns { return (node, columns) }
    var seen: Set<Symbol> = []
    let assignments = columns.map { column in
      Assignment(
        seen.insert(column).inserted ? column : symbols.symbol(column.name, column.type), .symbol(column))
    }
    return (.project(ProjectNode(source: node, assignments: assignments)), assignments.map(\.symbol))
  }

  /// INTERSECT ALL and EXCEPT ALL: equal rows of each input are numbered, which makes them distinct.
  private func planBags(
    _ inputs: [(node: PlanNode, columns: [Symbol])], _ kind: SetOperation.Kind, _ outputs: [Symbol]
  ) -> PlanNode {
    var inputs = inputs
    if kind == .except, inputs.count > 2 {
      // What several inputs take away they take away together.
      let others = inputs.dropFirst()
      let columns = outputs.map { symbols.symbol($0.name, $0.type) }
      let union = UnionNode(sources: others.map(\.node), outputs: columns, mappings: others.map(\.columns))
      inputs = [inputs[0], (.union(union), columns)]
    }
    let numbered = inputs.map { input in
      let number = symbols.symbol("row_number", .bigint)
      let node = PlanNode.rowNumber(
        RowNumberNode(source: input.node, partition: input.columns, orderings: [], most: nil, number: number))
      return (node: node, columns: input.columns + [number])
    }
    let number = symbols.symbol("row_number", .bigint)
    return trimmed(planCounted(numbered, kind, outputs + [number]), to: outputs)
  }

  /// INTERSECT and EXCEPT of distinct rows: all inputs are united with a mark of where each row came from, and each
  /// distinct row is kept or dropped by the counts of its marks.
  private func planCounted(
    _ inputs: [(node: PlanNode, columns: [Symbol])], _ kind: SetOperation.Kind, _ outputs: [Symbol]
  ) -> PlanNode {
    let marks = inputs.indices.map { symbols.symbol("mark_\($0)", .boolean) }
    var sources: [PlanNode] = []
    var mappings: [[Symbol]] = []
    for (index, input) in inputs.enumerated() {
      let own = inputs.indices.map { symbols.symbol("mark_\($0)", .boolean) }
      var builder = PlanBuilder(node: input.node, symbols: symbols)
      builder.append(
        own.enumerated().map { position, symbol in
          Assignment(symbol, position == index ? .true : .constant(.null, .boolean))
        })
      sources.append(builder.node)
      mappings.append(input.columns + own)
    }
    let union = PlanNode.union(UnionNode(sources: sources, outputs: outputs + marks, mappings: mappings))
    let counts = marks.map { mark in
      Aggregation(function: .count, arguments: [mark], output: symbols.symbol("count", .bigint))
    }
    var builder = PlanBuilder(
      node: .aggregate(AggregateNode(source: union, keys: outputs, aggregations: counts)), symbols: symbols)
    let zero = Expression.constant(.integer(0), .bigint)
    builder.filter(
      .conjunction(
        counts.enumerated().map { index, count in
          let isWanted = index == 0 || kind == .intersect
          return .comparison(isWanted ? .greaterThan : .equal, .symbol(count.output), zero)
        }))
    return trimmed(builder.node, to: outputs)
  }
}

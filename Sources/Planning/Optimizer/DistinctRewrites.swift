// Owns the removal of work on duplicates: DISTINCT of distinct rows, DISTINCT inside aggregates.

struct DistinctRewrites {
  let symbols: SymbolAllocator

  func optimize(_ aggregate: AggregateNode) -> PlanNode {
    guard aggregate.step == .single else { return .aggregate(aggregate) }
    if aggregate.aggregations.isEmpty { return distinct(aggregate) }
    var aggregate = aggregate
    for index in aggregate.aggregations.indices where aggregate.aggregations[index].function.ignoresDuplicates {
      aggregate.aggregations[index].isDistinct = false
    }
    return withoutDistinct(aggregate)
  }

  private func distinct(_ aggregate: AggregateNode) -> PlanNode {
    // No keys and nothing to compute: one row.
    if aggregate.keys.isEmpty { return .values(ValuesNode(outputs: [], rows: [[]])) }
    guard let key = aggregate.source.uniqueKey, key.isSubset(of: aggregate.keys) else { return .aggregate(aggregate) }
    return .project(
      ProjectNode(source: aggregate.source, assignments: aggregate.keys.map { Assignment($0, .symbol($0)) }))
  }

  /// `count(DISTINCT x) GROUP BY k` as `count(x)` over the distinct pairs of k and x, where all DISTINCT is over the
  /// same arguments. Other aggregates are computed for each pair first and then put together.
  private func withoutDistinct(_ aggregate: AggregateNode) -> PlanNode {
    let calls = aggregate.aggregations
    guard let first = calls.first(where: \.isDistinct), !first.arguments.isEmpty,
      calls.allSatisfy({ call in
        call.isDistinct ? call.filter == nil && call.arguments == first.arguments : call.combination != nil
      })
    else { return .aggregate(aggregate) }
    var inner = AggregateNode(
      source: aggregate.source, keys: aggregate.keys + first.arguments.filter { !aggregate.keys.contains($0) },
      aggregations: [])
    var outer = AggregateNode(source: aggregate.source, keys: aggregate.keys, aggregations: [])
    var counts: [Symbol: Symbol] = [:]
    for call in calls {
      var call = call
      if let combination = call.combination, !call.isDistinct {
        let output = call.output
        call.output = symbols.symbol(output.name, output.type)
        inner.aggregations.append(call)
        var combined = Aggregation(function: combination, arguments: [call.output], output: output)
        if call.function.counts {
          combined.output = symbols.symbol(output.name, output.type)
          counts[output] = combined.output
        }
        call = combined
      }
      call.isDistinct = false
      outer.aggregations.append(call)
    }
    outer.source = inner.aggregations.isEmpty ? distinct(inner) : .aggregate(inner)
    if counts.isEmpty { return .aggregate(outer) }
    // The sum of no counts is NULL, the count of no rows is 0.
    let assignments = aggregate.keys.map { Assignment($0, .symbol($0)) } + calls.map { call in
      let zero = Expression.constant(.integer(0), call.output.type)
      let value = counts[call.output].map { Expression.coalesce([.symbol($0), zero], call.output.type) }
      return Assignment(call.output, value ?? .symbol(call.output))
    }
    return .project(ProjectNode(source: .aggregate(outer), assignments: assignments))
  }
}

extension Aggregation {
  /// The function that puts results for parts of a group together to that of the group; nil where there is none.
  fileprivate var combination: AggregateFunction? {
    switch function {
    case .countAll, .count, .countIf: .sum
    // A real's partial results would lose what the whole sum keeps.
    case .sum: arguments[0].type == .real ? nil : .sum
    case .min, .max, .boolAnd, .boolOr, .anyValue: function
    case .avg, .minBy, .maxBy, .stddev, .stddevPop, .variance, .varPop: nil
    }
  }
}

extension AggregateFunction {
  fileprivate var counts: Bool { self == .count || self == .countAll || self == .countIf }
}

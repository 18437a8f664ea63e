// Owns where exchanges go: it knows how the rows of each node are spread over tasks, and puts an exchange (and the
// partial step of an aggregation, top-N or limit before it) where a node needs them otherwise.

import Base

/// How the rows of a node are spread over the tasks of its stage.
enum Distribution {
  /// All in one task.
  case single
  /// Over several tasks, in no known way.
  case arbitrary
  /// Over several tasks by hash. Each list of symbols describes the same spreading (after a join, either side's keys).
  case hashed([[Symbol]])
}

/// Adds exchanges to an optimised plan. Pure; one pass from the leaves to the root.
struct ExchangePlacement {
  typealias Placed = (node: PlanNode, distribution: Distribution)

  let symbols: SymbolAllocator

  func place(_ root: PlanNode) -> PlanNode { visit(root).node }

  private func visit(_ node: PlanNode) -> Placed {
    switch node {
    case .tableScan: return (node, .arbitrary)
    case .values: return (node, .single)
    case .remoteSource, .exchange: preconditionFailure("exchanges are placed once")
    case .filter(var filter):
      let source = visit(filter.source)
      filter.source = source.node
      return (.filter(filter), source.distribution)
    case .project(var project):
      let source = visit(project.source)
      project.source = source.node
      return (.project(project), renamed(source.distribution, by: project.assignments))
    case .aggregate(let aggregate): return place(aggregate)
    case .join(let join): return place(join)
    case .semiJoin(let join): return place(join)
    case .sort(var sort):
      sort.source = gathered(visit(sort.source))
      return (.sort(sort), .single)
    case .topN(let topN): return place(topN)
    case .limit(let limit): return place(limit)
    case .union(let union): return place(union)
    case .enforceSingleRow(var enforce):
      enforce.source = gathered(visit(enforce.source))
      return (.enforceSingleRow(enforce), .single)
    case .output(var output):
      let source = visit(output.source)
      output.source = source.node
      return (.output(output), source.distribution)
    }
  }

  /// The node with all its rows in one task.
  private func gathered(_ placed: Placed) -> PlanNode {
    if case .single = placed.distribution { return placed.node }
    return .exchange(ExchangeNode(source: placed.node, partitioning: .single))
  }

  private func hashed(_ placed: Placed, by keys: [Symbol]) -> PlanNode {
    if case .hashed(let lists) = placed.distribution, lists.contains(keys) { return placed.node }
    return .exchange(ExchangeNode(source: placed.node, partitioning: .hash(keys)))
  }

  private func renamed(_ distribution: Distribution, by assignments: [Assignment]) -> Distribution {
    guard case .hashed(let lists) = distribution else { return distribution }
    var names: [Symbol: Symbol] = [:]
    for assignment in assignments {
      if case .symbol(let old) = assignment.expression, names[old] == nil { names[old] = assignment.symbol }
    }
    let kept = lists.compactMap { list -> [Symbol]? in
      let renamed = list.compactMap { names[$0] }
      return renamed.count == list.count ? renamed : nil
    }
    return kept.isEmpty ? .arbitrary : .hashed(kept)
  }

  // MARK: Aggregations

  private func place(_ aggregate: AggregateNode) -> Placed {
    var aggregate = aggregate
    let source = visit(aggregate.source)
    switch source.distribution {
    case .single:
      aggregate.source = source.node
      return (.aggregate(aggregate), .single)
    case .hashed(let lists):
      // Rows of one group are in one task already.
      let fitting = lists.filter { list in list.allSatisfy(aggregate.keys.contains) && !aggregate.keys.isEmpty }
      if !fitting.isEmpty {
        aggregate.source = source.node
        return (.aggregate(aggregate), .hashed(fitting))
      }
    case .arbitrary: break
    }
    let result: Distribution = aggregate.keys.isEmpty ? .single : .hashed([aggregate.keys])
    let partitioning: Partitioning = aggregate.keys.isEmpty ? .single : .hash(aggregate.keys)
    if aggregate.aggregations.contains(where: \.isDistinct) {
      // Duplicates can only be seen where all rows of a group are.
      aggregate.source = .exchange(ExchangeNode(source: source.node, partitioning: partitioning))
      return (.aggregate(aggregate), result)
    }
    return (split(aggregate, over: source.node, partitioning: partitioning), result)
  }

  /// Aggregates before and after the exchange.
  private func split(_ aggregate: AggregateNode, over source: PlanNode, partitioning: Partitioning) -> PlanNode {
    let aggregations = aggregate.aggregations.map { aggregation in
      var aggregation = aggregation
      let types = aggregation.function.intermediateTypes(aggregation.arguments.map(\.type))
      aggregation.intermediates = types.map { symbols.symbol("\(aggregation.output.name)_partial", $0) }
      return aggregation
    }
    let partial = PlanNode.aggregate(
      AggregateNode(source: source, keys: aggregate.keys, aggregations: aggregations, step: .partial))
    let exchange = PlanNode.exchange(ExchangeNode(source: partial, partitioning: partitioning))
    return .aggregate(
      AggregateNode(source: exchange, keys: aggregate.keys, aggregations: aggregations, step: .final))
  }

  // MARK: Joins

  private func place(_ join: JoinNode) -> Placed {
    var join = join
    let left = visit(join.left)
    let right = visit(join.right)
    if case .single = left.distribution, case .single = right.distribution {
      (join.left, join.right) = (left.node, right.node)
      return (.join(join), .single)
    }
    // A copy of the right side in every task would give its unmatched rows once per task.
    let emitsRight = join.kind == .right || join.kind == .full
    if join.criteria.isEmpty && emitsRight {
      (join.left, join.right) = (gathered(left), gathered(right))
      return (.join(join), .single)
    }
    let isBroadcast = join.criteria.isEmpty || join.kind == .nullAwareAnti
      || (join.distribution == .broadcast && !emitsRight)
    if isBroadcast {
      (join.left, join.right) = (left.node, broadcast(right))
      join.distribution = .broadcast
      return (.join(join), left.distribution)
    }
    let leftKeys = join.criteria.map(\.left)
    let rightKeys = join.criteria.map(\.right)
    (join.left, join.right) = (hashed(left, by: leftKeys), hashed(right, by: rightKeys))
    join.distribution = .partitioned
    let known: [[Symbol]]
    switch join.kind {
    case .inner: known = [leftKeys, rightKeys]
    case .left, .semi, .anti, .nullAwareAnti: known = [leftKeys]
    case .right: known = [rightKeys]
    // Keys of the side without a match are NULL, so neither list says where a row is.
    case .full: known = []
    }
    let visible = known.filter { $0.allSatisfy(join.outputs.contains) }
    return (.join(join), visible.isEmpty ? .arbitrary : .hashed(visible))
  }

  private func place(_ join: SemiJoinNode) -> Placed {
    var join = join
    let source = visit(join.source)
    let filtering = visit(join.filteringSource)
    if case .single = source.distribution, case .single = filtering.distribution {
      (join.source, join.filteringSource) = (source.node, filtering.node)
      return (.semiJoin(join), .single)
    }
    // Whether there is any NULL, or any row at all, must be known in every task.
    if join.isNullAware || join.criteria.isEmpty || join.distribution == .broadcast {
      (join.source, join.filteringSource) = (source.node, broadcast(filtering))
      join.distribution = .broadcast
      return (.semiJoin(join), source.distribution)
    }
    let keys = join.criteria.map(\.left)
    join.source = hashed(source, by: keys)
    join.filteringSource = hashed(filtering, by: join.criteria.map(\.right))
    join.distribution = .partitioned
    return (.semiJoin(join), .hashed([keys]))
  }

  private func broadcast(_ placed: Placed) -> PlanNode {
    .exchange(ExchangeNode(source: placed.node, partitioning: .broadcast))
  }

  // MARK: Row counts

  private func place(_ topN: TopNNode) -> Placed {
    var topN = topN
    let source = visit(topN.source)
    if case .single = source.distribution {
      topN.source = source.node
      return (.topN(topN), .single)
    }
    let partial = PlanNode.topN(TopNNode(source: source.node, orderings: topN.orderings, count: topN.count))
    topN.source = .exchange(ExchangeNode(source: partial, partitioning: .single))
    return (.topN(topN), .single)
  }

  private func place(_ limit: LimitNode) -> Placed {
    var limit = limit
    let source = visit(limit.source)
    if case .single = source.distribution {
      limit.source = source.node
      return (.limit(limit), .single)
    }
    var partial = source.node
    if let count = limit.count {
      let (enough, overflow) = count.addingReportingOverflow(limit.offset)
      if !overflow { partial = .limit(LimitNode(source: source.node, count: enough)) }
    }
    limit.source = .exchange(ExchangeNode(source: partial, partitioning: .single))
    return (.limit(limit), .single)
  }

  private func place(_ union: UnionNode) -> Placed {
    var union = union
    let sources = union.sources.map(visit)
    if sources.allSatisfy({ if case .single = $0.distribution { true } else { false } }) {
      union.sources = sources.map(\.node)
      return (.union(union), .single)
    }
    // Scans of several tables can be one stage's; anything else meets behind an exchange, spread over all columns.
    if sources.allSatisfy({ if case .arbitrary = $0.distribution { $0.node.isSourceOnly } else { false } }) {
      union.sources = sources.map(\.node)
      return (.union(union), .arbitrary)
    }
    guard !union.outputs.isEmpty else {
      union.sources = sources.map(gathered)
      return (.union(union), .single)
    }
    union.sources = zip(sources, union.mappings).map { source, mapping in hashed(source, by: mapping) }
    return (.union(union), .hashed([union.outputs]))
  }
}

extension PlanNode {
  /// Whether all rows come from table scans of this fragment (with broadcast sides of joins beside them).
  fileprivate var isSourceOnly: Bool {
    switch self {
    case .tableScan: true
    case .exchange(let exchange): exchange.partitioning == .broadcast
    case .values, .remoteSource: false
    default: sources.allSatisfy(\.isSourceOnly)
    }
  }
}

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

/// Adds exchanges to an optimised plan. Pure; one pass that comes to a node after its sources, but tells them on the
/// way down by which columns it would like its rows spread.
struct ExchangePlacement {
  typealias Placed = (node: PlanNode, distribution: Distribution)

  let symbols: SymbolAllocator
  /// Tells whether columns have values enough to spread rows by them; nil: taken for granted.
  var statistics: PlanStatistics?

  /// With fewer values, tasks would get very unequal shares of rows.
  static let spreadValuesMin = 1000.0

  func place(_ root: PlanNode) -> PlanNode { visit(root).node }

  /// `wanted`: columns by which the consumer will spread the rows; empty where it does not care. A node that must
  /// spread them anyway may then do it once for both.
  private func visit(_ node: PlanNode, wanted: [Symbol] = []) -> Placed {
    switch node {
    case .tableScan: return (node, .arbitrary)
    case .values: return (node, .single)
    case .remoteSource, .exchange: preconditionFailure("exchanges are placed once")
    case .filter(var filter):
      let source = visit(filter.source, wanted: wanted)
      filter.source = source.node
      return (.filter(filter), source.distribution)
    case .project(var project):
      let source = visit(project.source, wanted: project.originals(of: wanted))
      project.source = source.node
      return (.project(project), renamed(source.distribution, by: project.assignments))
    case .aggregate(let aggregate): return place(aggregate, wanted: wanted)
    case .join(let join): return place(join)
    case .semiJoin(let join): return place(join)
    case .sort(let sort): return place(sort)
    case .topN(let topN): return place(topN)
    case .limit(let limit): return place(limit)
    case .union(let union): return place(union)
    case .enforceSingleRow(var enforce):
      enforce.source = gathered(visit(enforce.source))
      return (.enforceSingleRow(enforce), .single)
    case .uniqueID(var unique):
      let source = visit(unique.source, wanted: wanted)
      unique.source = source.node
      return (.uniqueID(unique), source.distribution)
    case .rowNumber(let numbered): return place(numbered)
    case .tableWriter(var writer):
      let source = visit(writer.source)
      writer.source = source.node
      if case .single = source.distribution { return (.tableWriter(writer), .single) }
      return (.tableWriter(writer), .arbitrary)
    case .tableFinish(var finish):
      finish.source = gathered(visit(finish.source))
      return (.tableFinish(finish), .single)
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

  /// The node spread by `keys` in this order.
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

  private func place(_ aggregate: AggregateNode, wanted: [Symbol]) -> Placed {
    var aggregate = aggregate
    let source = visit(aggregate.source, wanted: aggregate.keys)
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
    let keys = spreadingKeys(of: aggregate, wanted: wanted)
    let result: Distribution = keys.isEmpty ? .single : .hashed([keys])
    let partitioning: Partitioning = keys.isEmpty ? .single : .hash(keys)
    if aggregate.aggregations.contains(where: \.isDistinct) {
      // Duplicates can only be seen where all rows of a group are.
      aggregate.source = .exchange(ExchangeNode(source: source.node, partitioning: partitioning))
      return (.aggregate(aggregate), result)
    }
    return (split(aggregate, over: source.node, partitioning: partitioning), result)
  }

  /// The group keys by which rows are spread: those that the consumer wants, if they are among them, else all.
  private func spreadingKeys(of aggregate: AggregateNode, wanted: [Symbol]) -> [Symbol] {
    guard !wanted.isEmpty, wanted.allSatisfy(aggregate.keys.contains) else { return aggregate.keys }
    if wanted.count == aggregate.keys.count { return wanted }
    guard let statistics else { return wanted }
    let source = statistics.estimate(aggregate.source)
    let values = wanted.reduce(1.0) { $0 * source.distinct($1) }
    return values >= Self.spreadValuesMin ? wanted : aggregate.keys
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
    // A side that is copied or stays where it is need not be spread.
    let isPartitioned = join.distribution != .broadcast && join.kind != .nullAwareAnti
    let left = visit(join.left, wanted: isPartitioned ? join.criteria.map(\.left) : [])
    let right = visit(join.right, wanted: isPartitioned ? join.criteria.map(\.right) : [])
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
    let clauses = spreadingClauses(join.criteria, left, right)
    let leftKeys = clauses.map(\.left)
    let rightKeys = clauses.map(\.right)
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

  /// The equalities by whose sides both inputs are spread: those that one of them is spread by already, else all.
  private func spreadingClauses(_ criteria: [EquiClause], _ left: Placed, _ right: Placed) -> [EquiClause] {
    let sides: [(Placed, KeyPath<EquiClause, Symbol>)] = [(left, \.left), (right, \.right)]
    for (placed, side) in sides {
      guard case .hashed(let lists) = placed.distribution else { continue }
      for list in lists where !list.isEmpty {
        let clauses = list.compactMap { symbol in criteria.first { $0[keyPath: side] == symbol } }
        if clauses.count == list.count { return clauses }
      }
    }
    return criteria
  }

  private func place(_ join: SemiJoinNode) -> Placed {
    var join = join
    let isPartitioned = join.distribution != .broadcast && !join.isNullAware
    let source = visit(join.source, wanted: isPartitioned ? join.criteria.map(\.left) : [])
    let filtering = visit(join.filteringSource, wanted: isPartitioned ? join.criteria.map(\.right) : [])
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
    let clauses = spreadingClauses(join.criteria, source, filtering)
    let keys = clauses.map(\.left)
    join.source = hashed(source, by: keys)
    join.filteringSource = hashed(filtering, by: clauses.map(\.right))
    join.distribution = .partitioned
    return (.semiJoin(join), .hashed([keys]))
  }

  private func broadcast(_ placed: Placed) -> PlanNode {
    .exchange(ExchangeNode(source: placed.node, partitioning: .broadcast))
  }

  // MARK: Row counts

  /// Each task sorts what it has, and the one reader merges: nobody needs the memory for all rows.
  private func place(_ sort: SortNode) -> Placed {
    var sort = sort
    let source = visit(sort.source)
    sort.source = source.node
    if case .single = source.distribution { return (.sort(sort), .single) }
    let exchange = ExchangeNode(source: .sort(sort), partitioning: .single, orderings: sort.orderings)
    return (.exchange(exchange), .single)
  }

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

  /// Rows that are numbered together must be in one task.
  private func place(_ numbered: RowNumberNode) -> Placed {
    var numbered = numbered
    let source = visit(numbered.source, wanted: numbered.partition)
    numbered.source = source.node
    if case .single = source.distribution { return (.rowNumber(numbered), .single) }
    guard !numbered.partition.isEmpty else {
      numbered.source = gathered(source)
      return (.rowNumber(numbered), .single)
    }
    if case .hashed(let lists) = source.distribution {
      let fitting = lists.filter { list in list.allSatisfy(numbered.partition.contains) }
      if !fitting.isEmpty { return (.rowNumber(numbered), .hashed(fitting)) }
    }
    numbered.source = hashed(source, by: numbered.partition)
    return (.rowNumber(numbered), .hashed([numbered.partition]))
  }

  private func place(_ union: UnionNode) -> Placed {
    var union = union
    let sources = union.sources.map { visit($0) }
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

extension ProjectNode {
  /// The source's columns behind `symbols`; none if one of them is computed.
  fileprivate func originals(of symbols: [Symbol]) -> [Symbol] {
    let found = symbols.compactMap { symbol -> Symbol? in
      guard case .symbol(let old)? = assignments.first(where: { $0.symbol == symbol })?.expression else { return nil }
      return old
    }
    return found.count == symbols.count ? found : []
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

// Owns dropping what nobody asks for: columns of scans, joins and exchanges, assignments, aggregates; and projections
// that do nothing.

/// One walk from the root to the leaves with the set of symbols that the parent needs. Runs before exchanges are placed
/// and once more behind, to send no column through them that nobody reads.
struct ColumnPruning {
  func optimize(_ root: PlanNode) -> PlanNode { prune(root, needed: Set(root.outputs)) }

  private func prune(_ node: PlanNode, needed: Set<Symbol>) -> PlanNode {
    switch node {
    case .tableScan(var scan):
      let kept = scan.columns.filter { needed.contains($0.symbol) }
      scan.columns = kept
      return .tableScan(scan)
    case .values(var values):
      let kept = values.outputs.indices.filter { needed.contains(values.outputs[$0]) }
      values.rows = values.rows.map { row in kept.map { row[$0] } }
      values.outputs = kept.map { values.outputs[$0] }
      return .values(values)
    case .filter(var filter):
      filter.source = prune(filter.source, needed: needed.union(filter.predicate.symbols))
      return .filter(filter)
    case .project(let project): return prune(project, needed: needed)
    case .aggregate(var aggregate):
      aggregate.aggregations.removeAll { !$0.isNeeded(in: needed, step: aggregate.step) }
      if aggregate.keys.isEmpty && aggregate.aggregations.isEmpty && aggregate.step == .single {
        return .values(ValuesNode(outputs: [], rows: [[]]))
      }
      var wanted = Set(aggregate.keys)
      for aggregation in aggregate.aggregations { wanted.formUnion(aggregation.inputs(of: aggregate.step)) }
      aggregate.source = prune(aggregate.source, needed: wanted).withoutSelection
      return .aggregate(aggregate)
    case .join(let join): return prune(join, needed: needed)
    case .semiJoin(let join): return prune(join, needed: needed)
    case .sort(var sort):
      sort.source = narrowed(sort.source, to: needed.union(sort.orderings.map(\.symbol)))
      return .sort(sort)
    case .topN(var topN):
      topN.source = narrowed(topN.source, to: needed.union(topN.orderings.map(\.symbol)))
      return .topN(topN)
    case .limit(var limit):
      limit.source = prune(limit.source, needed: needed)
      return .limit(limit)
    case .union(let union): return prune(union, needed: needed)
    case .enforceSingleRow(var enforce):
      enforce.source = prune(enforce.source, needed: needed)
      return .enforceSingleRow(enforce)
    case .uniqueID(var unique):
      unique.source = prune(unique.source, needed: needed)
      return needed.contains(unique.id) ? .uniqueID(unique) : unique.source
    case .rowNumber(var numbered):
      if numbered.most == nil, !needed.contains(numbered.number) { return prune(numbered.source, needed: needed) }
      let used = numbered.partition + numbered.orderings.map(\.symbol)
      numbered.source = narrowed(numbered.source, to: needed.union(used))
      return .rowNumber(numbered)
    case .tableWriter(var writer):
      writer.source = prune(writer.source, needed: Set(writer.columns)).withoutSelection
      return .tableWriter(writer)
    case .tableFinish(var finish):
      finish.source = prune(finish.source, needed: Set(finish.source.outputs))
      return .tableFinish(finish)
    case .output(var output):
      output.source = prune(output.source, needed: Set(output.outputs)).withoutSelection
      return .output(output)
    case .exchange(var exchange):
      var wanted = needed
      if case .hash(let keys) = exchange.partitioning { wanted.formUnion(keys) }
      wanted.formUnion((exchange.orderings ?? []).map(\.symbol))
      exchange.source = narrowed(exchange.source, to: wanted)
      return .exchange(exchange)
    case .remoteSource: return node
    }
  }

  /// The source with no columns but those needed, for a node that keeps or sends every column it is given.
  private func narrowed(_ node: PlanNode, to needed: Set<Symbol>) -> PlanNode {
    let source = prune(node, needed: needed)
    let kept = source.outputs.filter(needed.contains)
    if kept.count == source.outputs.count { return source }
    return .project(ProjectNode(source: source, assignments: kept.map { Assignment($0, .symbol($0)) }))
  }

  private func prune(_ project: ProjectNode, needed: Set<Symbol>) -> PlanNode {
    var project = project
    project.assignments.removeAll { !needed.contains($0.symbol) }
    var wanted: Set<Symbol> = []
    for assignment in project.assignments { wanted.formUnion(assignment.expression.symbols) }
    // Two projections in a row are one, as long as nothing is computed twice.
    if case .project(let inner) = project.source, let merged = merge(project, over: inner) {
      return prune(merged, needed: needed)
    }
    project.source = prune(project.source, needed: wanted)
    if project.isSelection && project.assignments.map(\.symbol) == project.source.outputs { return project.source }
    return .project(project)
  }

  private func merge(_ outer: ProjectNode, over inner: ProjectNode) -> ProjectNode? {
    var definitions: [Symbol: Expression] = [:]
    for assignment in inner.assignments { definitions[assignment.symbol] = assignment.expression }
    var uses: [Symbol: Int] = [:]
    for assignment in outer.assignments { countUses(of: assignment.expression, into: &uses) }
    let isFree = uses.allSatisfy { symbol, count in
      guard let definition = definitions[symbol] else { return true }
      return definition.isDeterministic && (count == 1 || definition.children.isEmpty)
    }
    guard isFree else { return nil }
    return ProjectNode(
      source: inner.source,
      assignments: outer.assignments.map { Assignment($0.symbol, $0.expression.replacingSymbols { definitions[$0] }) })
  }

  private func countUses(of expression: Expression, into uses: inout [Symbol: Int]) {
    if case .symbol(let symbol) = expression { uses[symbol, default: 0] += 1 }
    for child in expression.children { countUses(of: child, into: &uses) }
  }

  private func prune(_ join: JoinNode, needed: Set<Symbol>) -> PlanNode {
    var join = join
    join.outputs.removeAll { !needed.contains($0) }
    var wanted = Set(join.outputs).union(join.filter?.symbols ?? [])
    for clause in join.criteria { wanted.formUnion([clause.left, clause.right]) }
    join.left = prune(join.left, needed: wanted).withoutSelection
    join.right = prune(join.right, needed: wanted).withoutSelection
    return .join(join)
  }

  private func prune(_ join: SemiJoinNode, needed: Set<Symbol>) -> PlanNode {
    var join = join
    guard needed.contains(join.mark) else { return prune(join.source, needed: needed) }
    var wanted = needed.union(join.filter?.symbols ?? [])
    for clause in join.criteria { wanted.formUnion([clause.left, clause.right]) }
    join.source = prune(join.source, needed: wanted)
    join.filteringSource = prune(join.filteringSource, needed: wanted).withoutSelection
    return .semiJoin(join)
  }

  private func prune(_ union: UnionNode, needed: Set<Symbol>) -> PlanNode {
    var union = union
    let kept = union.outputs.indices.filter { needed.contains(union.outputs[$0]) }
    union.sources = zip(union.sources, union.mappings).map { source, mapping in
      prune(source, needed: Set(kept.map { mapping[$0] }))
    }
    union.mappings = union.mappings.map { mapping in kept.map { mapping[$0] } }
    union.outputs = kept.map { union.outputs[$0] }
    return .union(union)
  }
}

extension Aggregation {
  /// Whether anything of what the aggregate gives in `step` is needed.
  fileprivate func isNeeded(in needed: Set<Symbol>, step: AggregationStep) -> Bool {
    step == .partial ? intermediates.contains(where: needed.contains) : needed.contains(output)
  }

  /// The symbols that the aggregate reads in `step`.
  fileprivate func inputs(of step: AggregationStep) -> [Symbol] {
    step == .final ? intermediates : arguments + (filter.map { [$0] } ?? [])
  }
}

extension ProjectNode {
  /// Whether the projection only leaves columns out or moves them.
  fileprivate var isSelection: Bool { assignments.allSatisfy { $0.expression == .symbol($0.symbol) } }
}

extension PlanNode {
  /// The node below projections that only select, for a consumer that takes columns by name anyway.
  fileprivate var withoutSelection: PlanNode {
    if case .project(let project) = self, project.isSelection { return project.source.withoutSelection }
    return self
  }
}

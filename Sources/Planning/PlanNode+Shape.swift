// Owns the generic access to a plan's shape: sources and output symbols of any node.

extension PlanNode {
  /// The inputs, in order: for joins left, then right.
  public var sources: [PlanNode] {
    switch self {
    case .tableScan, .values, .remoteSource: []
    case .filter(let node): [node.source]
    case .project(let node): [node.source]
    case .aggregate(let node): [node.source]
    case .join(let node): [node.left, node.right]
    case .semiJoin(let node): [node.source, node.filteringSource]
    case .sort(let node): [node.source]
    case .topN(let node): [node.source]
    case .limit(let node): [node.source]
    case .union(let node): node.sources
    case .enforceSingleRow(let node): [node.source]
    case .uniqueID(let node): [node.source]
    case .rowNumber(let node): [node.source]
    case .exchange(let node): [node.source]
    case .tableWriter(let node): [node.source]
    case .tableFinish(let node): [node.source]
    case .output(let node): [node.source]
    }
  }

  /// The same node with each input replaced by `transform` of it.
  public func mapSources(_ transform: (PlanNode) throws -> PlanNode) rethrows -> PlanNode {
    switch self {
    case .tableScan, .values, .remoteSource: return self
    case .filter(var node): node.source = try transform(node.source); return .filter(node)
    case .project(var node): node.source = try transform(node.source); return .project(node)
    case .aggregate(var node): node.source = try transform(node.source); return .aggregate(node)
    case .join(var node):
      node.left = try transform(node.left)
      node.right = try transform(node.right)
      return .join(node)
    case .semiJoin(var node):
      node.source = try transform(node.source)
      node.filteringSource = try transform(node.filteringSource)
      return .semiJoin(node)
    case .sort(var node): node.source = try transform(node.source); return .sort(node)
    case .topN(var node): node.source = try transform(node.source); return .topN(node)
    case .limit(var node): node.source = try transform(node.source); return .limit(node)
    case .union(var node): node.sources = try node.sources.map(transform); return .union(node)
    case .enforceSingleRow(var node): node.source = try transform(node.source); return .enforceSingleRow(node)
    case .uniqueID(var node): node.source = try transform(node.source); return .uniqueID(node)
    case .rowNumber(var node): node.source = try transform(node.source); return .rowNumber(node)
    case .exchange(var node): node.source = try transform(node.source); return .exchange(node)
    case .tableWriter(var node): node.source = try transform(node.source); return .tableWriter(node)
    case .tableFinish(var node): node.source = try transform(node.source); return .tableFinish(node)
    case .output(var node): node.source = try transform(node.source); return .output(node)
    }
  }

  /// The columns that leave the node, in the order in which execution lays them out.
  public var outputs: [Symbol] {
    switch self {
    case .tableScan(let node): return node.columns.map(\.symbol)
    case .values(let node): return node.outputs
    case .filter(let node): return node.source.outputs
    case .project(let node): return node.assignments.map(\.symbol)
    case .aggregate(let node):
      let results = node.aggregations.flatMap { node.step == .partial ? $0.intermediates : [$0.output] }
      return node.keys + results
    case .join(let node): return node.outputs
    case .semiJoin(let node): return node.source.outputs + [node.mark]
    case .sort(let node): return node.source.outputs
    case .topN(let node): return node.source.outputs
    case .limit(let node): return node.source.outputs
    case .union(let node): return node.outputs
    case .enforceSingleRow(let node): return node.source.outputs
    case .uniqueID(let node): return node.source.outputs + [node.id]
    case .rowNumber(let node): return node.source.outputs + [node.number]
    case .exchange(let node): return node.source.outputs
    case .remoteSource(let node): return node.outputs
    case .tableWriter(let node): return [node.rowCount, node.fragment]
    case .tableFinish(let node): return node.source.outputs
    case .output(let node): return node.outputs
    }
  }
}

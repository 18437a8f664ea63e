// Owns plans whose rows are known while planning: filters and projections of VALUES, and all that follows from a source
// without rows.

import Columnar

/// One walk from the leaves to the root.
struct ConstantPlans {
  /// Up to so many rows of VALUES are computed while planning.
  static let valuesMax = 1000

  let simplifier: ExpressionSimplifier

  func optimize(_ node: PlanNode) -> PlanNode {
    let node = node.mapSources(optimize)
    switch node {
    case .filter(let filter): return optimize(filter)
    case .project(let project): return optimize(project)
    case .values(var values):
      values.rows = values.rows.map { $0.map(simplifier.simplify) }
      return .values(values)
    case .limit(let limit): return limit.count == 0 || limit.source.isEmpty ? .empty(node.outputs) : node
    case .topN(let topN): return topN.count == 0 || topN.source.isEmpty ? .empty(node.outputs) : node
    case .sort(let sort): return sort.source.isEmpty ? .empty(node.outputs) : node
    case .aggregate(let aggregate):
      let isEmpty = aggregate.source.isEmpty && !aggregate.keys.isEmpty
      return isEmpty ? .empty(node.outputs) : node
    case .union(let union): return optimize(union)
    case .join(let join): return optimize(join)
    case .semiJoin(let join): return optimize(join)
    case .uniqueID(let unique): return unique.source.isEmpty ? .empty(node.outputs) : node
    case .rowNumber(let numbered): return numbered.source.isEmpty ? .empty(node.outputs) : node
    case .enforceSingleRow(let enforce):
      guard enforce.source.isEmpty else { return node }
      return .values(
        ValuesNode(outputs: node.outputs, rows: [node.outputs.map { .constant(.null, $0.type) }]))
    default: return node
    }
  }

  private func optimize(_ filter: FilterNode) -> PlanNode {
    if filter.source.isEmpty || filter.predicate.conjuncts.contains(where: \.isNeverTrue) {
      return .empty(filter.source.outputs)
    }
    guard case .values(var values) = filter.source, values.isConstant else { return .filter(filter) }
    var kept: [[Expression]] = []
    for row in values.rows {
      let predicate = substituted(filter.predicate, values.outputs, row)
      guard predicate.isConstant else { return .filter(filter) }
      if predicate == .true { kept.append(row) }
    }
    values.rows = kept
    return .values(values)
  }

  private func optimize(_ project: ProjectNode) -> PlanNode {
    let outputs = project.assignments.map(\.symbol)
    if project.source.isEmpty { return .empty(outputs) }
    guard case .values(let values) = project.source, values.isConstant else { return .project(project) }
    var rows: [[Expression]] = []
    for row in values.rows {
      let computed = project.assignments.map { substituted($0.expression, values.outputs, row) }
      // What fails or is random is computed when the query runs.
      guard computed.allSatisfy(\.isConstant) else { return .project(project) }
      rows.append(computed)
    }
    return .values(ValuesNode(outputs: outputs, rows: rows))
  }

  private func substituted(_ expression: Expression, _ symbols: [Symbol], _ row: [Expression]) -> Expression {
    simplifier.simplify(expression.replacingSymbols { symbol in symbols.firstIndex(of: symbol).map { row[$0] } })
  }

  private func optimize(_ union: UnionNode) -> PlanNode {
    var kept = union
    let places = union.sources.indices.filter { !union.sources[$0].isEmpty }
    if places.isEmpty { return .empty(union.outputs) }
    kept.sources = places.map { union.sources[$0] }
    kept.mappings = places.map { union.mappings[$0] }
    return .union(kept)
  }

  // MARK: Joins

  private func optimize(_ join: JoinNode) -> PlanNode {
    let (noLeft, noRight) = (join.left.isEmpty, join.right.isEmpty)
    switch join.kind {
    case .inner:
      if noLeft || noRight { return .empty(join.outputs) }
      return single(join)
    case .semi: return noLeft || noRight ? .empty(join.outputs) : .join(join)
    case .anti, .nullAwareAnti:
      if noLeft { return .empty(join.outputs) }
      return noRight ? selected(join.left, join.outputs) : .join(join)
    case .left:
      if noLeft { return .empty(join.outputs) }
      return noRight ? selected(join.left, join.outputs) : .join(join)
    case .right:
      if noRight { return .empty(join.outputs) }
      return noLeft ? selected(join.right, join.outputs) : .join(join)
    case .full:
      if noLeft && noRight { return .empty(join.outputs) }
      return noRight
        ? selected(join.left, join.outputs) : noLeft ? selected(join.right, join.outputs) : .join(join)
    }
  }

  /// A cross join with one row of constants is a projection.
  private func single(_ join: JoinNode) -> PlanNode {
    guard join.criteria.isEmpty else { return .join(join) }
    for (side, other) in [(join.right, join.left), (join.left, join.right)] {
      guard case .values(let values) = side, values.rows.count == 1, values.isConstant else { continue }
      let row = values.rows[0]
      let constants = zip(values.outputs, row).map { Assignment($0, $1) }
      var source = other
      if let filter = join.filter {
        source = optimize(FilterNode(source: other, predicate: substituted(filter, values.outputs, row)))
      }
      let all = other.outputs.map { Assignment($0, .symbol($0)) } + constants
      let chosen = join.outputs.compactMap { symbol in all.first { $0.symbol == symbol } }
      return optimize(ProjectNode(source: source, assignments: chosen))
    }
    return .join(join)
  }

  /// The columns `outputs`; NULL for those that `node` does not have.
  private func selected(_ node: PlanNode, _ outputs: [Symbol]) -> PlanNode {
    let present = Set(node.outputs)
    return .project(
      ProjectNode(
        source: node,
        assignments: outputs.map { symbol in
          Assignment(symbol, present.contains(symbol) ? .symbol(symbol) : .constant(.null, symbol.type))
        }))
  }

  private func optimize(_ join: SemiJoinNode) -> PlanNode {
    if join.source.isEmpty { return .empty(join.source.outputs + [join.mark]) }
    guard join.filteringSource.isEmpty else { return .semiJoin(join) }
    // Nothing is in an empty set, not even NULL.
    let identity = join.source.outputs.map { Assignment($0, .symbol($0)) }
    return .project(ProjectNode(source: join.source, assignments: identity + [Assignment(join.mark, .false)]))
  }
}

extension PlanNode {
  /// Whether it is certain that no row comes.
  fileprivate var isEmpty: Bool { if case .values(let values) = self { values.rows.isEmpty } else { false } }

  fileprivate static func empty(_ outputs: [Symbol]) -> PlanNode { .values(ValuesNode(outputs: outputs, rows: [])) }
}

extension ValuesNode {
  fileprivate var isConstant: Bool {
    rows.count <= ConstantPlans.valuesMax && rows.allSatisfy { $0.allSatisfy(\.isConstant) }
  }
}

// Owns the translation of join nodes into operators: which columns the build side keeps, which operator runs.

import Columnar
import Planning

/// What a join's build side must keep.
struct BuildSide {
  let keyPositions: [Int]
  let payloadPositions: [Int]
  let types: [DataType]
  /// The payload's columns.
  let layout: ColumnLayout
  let needsRows: Bool

  init(source: PlanNode, keys: [Symbol], outputs: [Symbol], filter: Expression?, needsRows: Bool) {
    let sourceLayout = ColumnLayout(source.outputs)
    types = source.outputs.map(\.type)
    keyPositions = sourceLayout.positions(of: keys)
    let wanted = Set(outputs).union(filter?.symbols ?? [])
    let kept = needsRows ? source.outputs.filter(wanted.contains) : []
    payloadPositions = sourceLayout.positions(of: kept)
    layout = ColumnLayout(kept)
    self.needsRows = needsRows
  }

  func build(from source: any Operator, account: MemoryAccount) throws -> JoinTable {
    try JoinTable.build(
      from: source, keyPositions: keyPositions, payloadPositions: payloadPositions, types: types,
      needsRows: needsRows, account: account)
  }
}

/// The operator of a join; `left` and `right` are the sides' operators.
func makeJoin(
  _ node: JoinNode, left: any Operator, right: any Operator, input: TaskInput, account: MemoryAccount, seed: UInt64
) throws -> any Operator {
  let mode: SemiJoinMode? =
    switch node.kind {
    case .semi: .semi
    case .anti: .anti
    case .nullAwareAnti: .nullAwareAnti
    case .inner, .left, .right, .full: nil
    }
  let side = BuildSide(
    source: node.right, keys: node.criteria.map(\.right), outputs: mode == nil ? node.outputs : [],
    filter: node.filter, needsRows: mode == nil || SemiJoinOperator.needsRows(filter: node.filter))
  let probeLayout = ColumnLayout(node.left.outputs)
  let filter = try node.filter.map {
    try PairFilter($0, probe: probeLayout, build: side.layout, seed: seed)
  }
  guard let mode else {
    return HashJoinOperator(
      node, left: left, filter: filter, buildLayout: side.layout, input: input, account: account
    ) {
      try side.build(from: right, account: account)
    }
  }
  return SemiJoinOperator(
    mode: mode, left: left, probeKeys: probeLayout.positions(of: node.criteria.map(\.left)),
    outputs: probeLayout.positions(of: node.outputs), filter: filter, input: input, account: account
  ) {
    try side.build(from: right, account: account)
  }
}

/// The operator of a semi join with a mark.
func makeSemiJoin(
  _ node: SemiJoinNode, source: any Operator, filteringSource: any Operator, input: TaskInput,
  account: MemoryAccount, seed: UInt64
) throws -> any Operator {
  let side = BuildSide(
    source: node.filteringSource, keys: node.criteria.map(\.right), outputs: [], filter: node.filter,
    needsRows: SemiJoinOperator.needsRows(filter: node.filter))
  let layout = ColumnLayout(node.source.outputs)
  let filter = try node.filter.map { try PairFilter($0, probe: layout, build: side.layout, seed: seed) }
  return SemiJoinOperator(
    mode: .mark(isNullAware: node.isNullAware), left: source,
    probeKeys: layout.positions(of: node.criteria.map(\.left)), outputs: Array(layout.symbols.indices),
    filter: filter, input: input, account: account
  ) {
    try side.build(from: filteringSource, account: account)
  }
}

// Owns the translation of join nodes into operators: which columns a build side keeps, which operator runs.

import Columnar
import Planning

/// What the table of a join must keep of a side.
struct BuildSide {
  let keyPositions: [Int]
  /// The kept columns.
  let layout: ColumnLayout
  private let payloadPositions: [Int]
  private let types: [DataType]
  private let needsRows: Bool

  /// `wanted` are the symbols that leave the join or that its filter reads. Without `needsRows` only keys are kept.
  init(_ node: PlanNode, keys: [Symbol], wanted: Set<Symbol>, needsRows: Bool) {
    let sourceLayout = ColumnLayout(node.outputs)
    types = node.outputs.map(\.type)
    keyPositions = sourceLayout.positions(of: keys)
    let kept = needsRows ? node.outputs.filter(wanted.contains) : []
    payloadPositions = sourceLayout.positions(of: kept)
    layout = ColumnLayout(kept)
    self.needsRows = needsRows
  }

  /// The table of all rows of `source`, with summaries of the keys `summarizing`.
  func build(
    from source: any Operator, summarizing: Set<Int> = [], account: MemoryAccount
  ) throws -> JoinTable {
    try JoinTable.build(
      from: source, keyPositions: keyPositions, payloadPositions: payloadPositions, types: types,
      needsRows: needsRows, summarizing: summarizing, account: account)
  }
}

/// Makes join operators. `left` and `right` are the operators of the sides.
struct JoinBuilding {
  let input: TaskInput
  let memory: MemoryContext
  let seed: UInt64
  /// Where the table of the right side is shared with other tasks, and under which key; nil where it is not.
  let shared: (builds: SharedBuilds, key: SharedBuilds.Key)?
  /// To be told the table's keys.
  let dynamicFilters: [DynamicFilter]

  func join(_ node: JoinNode, left: any Operator, right: any Operator) throws -> any Operator {
    let mode: SemiJoinMode
    switch node.kind {
    case .semi: mode = .semi
    case .anti: mode = .anti
    case .nullAwareAnti: mode = .nullAwareAnti
    case .inner, .left, .right, .full: return try hashJoin(node, left: left, right: right)
    }
    let output = SemiJoinOutput(mode: mode, columns: ColumnLayout(node.left.outputs).positions(of: node.outputs))
    let sides = SemiJoinSides(
      left: node.left, right: node.right, criteria: node.criteria, filter: node.filter,
      isBroadcast: node.distribution == .broadcast)
    return try semiJoin(output, sides, left: left, right: right)
  }

  func semiJoin(_ node: SemiJoinNode, left: any Operator, right: any Operator) throws -> any Operator {
    let output = SemiJoinOutput(
      mode: .mark(isNullAware: node.isNullAware), columns: Array(node.source.outputs.indices))
    let sides = SemiJoinSides(
      left: node.source, right: node.filteringSource, criteria: node.criteria, filter: node.filter,
      isBroadcast: node.distribution == .broadcast)
    return try semiJoin(output, sides, left: left, right: right)
  }

  /// The right side's table: another task's where there is one.
  private func table(_ side: BuildSide, from source: any Operator, account: MemoryAccount) throws -> JoinTable {
    let summarizing = Set(dynamicFilters.map(\.key))
    let table: JoinTable
    if let shared {
      table = try shared.builds.build(shared.key, checkStop: input.checkStop) {
        try side.build(from: source, summarizing: summarizing, account: account)
      }
      try account.set(table.retainedBytes)
    } else {
      table = try side.build(from: source, summarizing: summarizing, account: account)
    }
    for filter in dynamicFilters { filter.keys = table.summaries[filter.key] }
    return table
  }

  private var account: MemoryAccount { memory.account("HashBuilderOperator") }

  private func hashJoin(_ node: JoinNode, left: any Operator, right: any Operator) throws -> any Operator {
    let wanted = Set(node.outputs).union(node.filter?.symbols ?? [])
    let side = BuildSide(node.right, keys: node.criteria.map(\.right), wanted: wanted, needsRows: true)
    let filter = try node.filter.map {
      try PairFilter($0, probe: ColumnLayout(node.left.outputs), build: side.layout, seed: seed)
    }
    let account = account
    return HashJoinOperator(
      node, left: left, filter: filter, buildLayout: side.layout, input: input, account: account
    ) {
      try table(side, from: right, account: account)
    }
  }

  /// What both kinds of semi join have in common.
  private struct SemiJoinSides {
    let left: PlanNode
    let right: PlanNode
    let criteria: [EquiClause]
    let filter: Expression?
    let isBroadcast: Bool
  }

  private func semiJoin(
    _ output: SemiJoinOutput, _ sides: SemiJoinSides, left: any Operator, right: any Operator
  ) throws -> any Operator {
    let canFlip = !sides.criteria.isEmpty && !sides.isBroadcast && !(output.mode.isNullAware && sides.filter != nil)
    guard canFlip else { return try usualSemiJoin(output, sides, left: left, right: right) }
    let (left, right) = (ReadAheadOperator(left), ReadAheadOperator(right))
    return AdaptiveSemiJoin(
      left: left, right: right, account: account,
      flipped: { try flippedSemiJoin(output, sides, left: $0, right: right) },
      usual: { try usualSemiJoin(output, sides, left: left, right: right) })
  }

  private func usualSemiJoin(
    _ output: SemiJoinOutput, _ sides: SemiJoinSides, left: any Operator, right: any Operator
  ) throws -> any Operator {
    let side = BuildSide(
      sides.right, keys: sides.criteria.map(\.right), wanted: sides.filter?.symbols ?? [],
      needsRows: sides.filter != nil)
    let layout = ColumnLayout(sides.left.outputs)
    let filter = try sides.filter.map { try PairFilter($0, probe: layout, build: side.layout, seed: seed) }
    let account = account
    return SemiJoinOperator(
      output, left: left, probeKeys: layout.positions(of: sides.criteria.map(\.left)), filter: filter,
      input: input, account: account
    ) {
      try table(side, from: right, account: account)
    }
  }

  private func flippedSemiJoin(
    _ output: SemiJoinOutput, _ sides: SemiJoinSides, left: [Batch], right: any Operator
  ) throws -> any Operator {
    let side = BuildSide(
      sides.left, keys: sides.criteria.map(\.left), wanted: sides.filter?.symbols ?? [], needsRows: true)
    let layout = ColumnLayout(sides.right.outputs)
    let filter = try sides.filter.map { try PairFilter($0, probe: layout, build: side.layout, seed: seed) }
    let account = account
    let table = try side.build(from: BatchesOperator(left), account: account)
    return FlippedSemiJoin(
      output, left: left, leftKeys: side.keyPositions, table: table, right: right,
      rightKeys: layout.positions(of: sides.criteria.map(\.right)), filter: filter, input: input,
      account: account)
  }
}

/// Gives batches that are there already.
private final class BatchesOperator: Operator {
  private var batches: [Batch]

  init(_ batches: [Batch]) { self.batches = batches.reversed() }

  func next() -> Batch? { batches.popLast() }
}

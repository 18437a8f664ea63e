// Owns the translation of plan nodes into operators, one for one. The only place that knows every operator.

import Base
import Columnar
import ConnectorAPI
import Planning

/// Builds the operator tree of a task and keeps hold of what is measured in it.
final class OperatorBuilder {
  private let context: TaskContext
  private let fragment: PlanFragment
  let input: TaskInput
  /// By plan node, in pre-order.
  private(set) var measured: [MeasuredOperator] = []
  /// The fragment's key sources, in its order.
  private(set) var keySources: [KeySourceReading] = []
  private var slots: [MeasuredOperator?] = []
  /// What joins will tell the scans below them, by scan.
  private var dynamicFilters: [Int: [DynamicFilter]] = [:]

  init(fragment: PlanFragment, context: TaskContext) {
    self.context = context
    self.fragment = fragment
    input = TaskInput(shouldStop: context.shouldStop)
  }

  func build(_ node: PlanNode) throws -> any Operator {
    slots = []
    announceKeySources()
    let root = try measure(node)
    measured = slots.compactMap { $0 }
    return root
  }

  private func measure(_ node: PlanNode) throws -> any Operator {
    let number = slots.count
    slots.append(nil)
    // Mixed, so that no operator's random() follows some rows behind another's.
    let seed = SplitMix64.mixed(context.seed &+ UInt64(number) &* SplitMix64.step)
    let (name, inner) = try make(node, number, seed: seed)
    let outer = MeasuredOperator(inner, node: number, name: name, clock: context.cpuClock)
    slots[number] = outer
    return outer
  }

  private func make(_ node: PlanNode, _ number: Int, seed: UInt64) throws -> (name: String, any Operator) {
    switch node {
    case .tableScan(let scan): return ("TableScanOperator", try makeScan(scan, .none))
    case .remoteSource(let source) where source.orderings != nil: return ("MergeOperator", try makeMerge(source))
    case .remoteSource(let source): return ("ExchangeOperator", try makeRemoteSource(source, node))
    case .values(let values): return ("ValuesOperator", try ValuesOperator(values, seed: seed))
    case .filter(let filter):
      if case .tableScan(let scan) = filter.source, filter.predicate.isDeterministic {
        slots.append(nil)
        let conditions = try ScanConditions(filter.predicate, layout: scan.columns.map(\.symbol), seed: seed)
        return ("ScanFilterOperator", coalesce(try makeScan(scan, conditions), node))
      }
      let inner = try FilterOperator(filter, source: measure(filter.source), seed: seed)
      return ("FilterOperator", coalesce(inner, node))
    case .project(let project):
      return ("ProjectOperator", try ProjectOperator(project, source: measure(project.source), seed: seed))
    case .limit(let limit): return ("LimitOperator", LimitOperator(limit, source: try measure(limit.source)))
    case .union(let union):
      return ("UnionOperator", UnionOperator(union, sources: try union.sources.map(measure)))
    case .enforceSingleRow(let enforce):
      return (
        "EnforceSingleRowOperator", EnforceSingleRowOperator(enforce, source: try measure(enforce.source))
      )
    case .uniqueID(let unique):
      let source = try measure(unique.source)
      return ("AssignUniqueIdOperator", UniqueIDOperator(source: source, taskNumber: context.taskNumber))
    case .rowNumber(let numbered): return try makeRowNumber(numbered)
    case .output(let output):
      let positions = ColumnLayout(output.source.outputs).positions(of: output.outputs)
      return ("OutputOperator", SelectColumnsOperator(source: try measure(output.source), positions: positions))
    case .aggregate(let aggregate):
      let account = context.memory.account("HashAggregationOperator")
      return (
        "HashAggregationOperator",
        AggregateOperator(
          aggregate, source: try measure(aggregate.source), account: account, limits: context.partialAggregation)
      )
    case .tableWriter(let writer): return ("TableWriterOperator", try makeWriter(writer))
    case .tableFinish(let finish):
      let columns = Array(finish.source.outputs.indices)
      return ("TableFinishOperator", SelectColumnsOperator(source: try measure(finish.source), positions: columns))
    case .exchange: preconditionFailure("an exchange is cut before execution")
    case .sort(let sort):
      let account = context.memory.account("OrderByOperator")
      return ("OrderByOperator", SortOperator(sort, source: try measure(sort.source), account: account))
    case .topN(let topN):
      let account = context.memory.account("TopNOperator")
      return ("TopNOperator", TopNOperator(topN, source: try measure(topN.source), account: account))
    case .join(let join):
      let filters = announceKeys(of: join)
      var (left, right) = (try measure(join.left), try measure(join.right))
      if let share = share(ofJoin: number) {
        left = divided(left, join.left, by: join.criteria.map(\.left), share)
        right = divided(
          right, join.right, by: join.criteria.map(\.right), share, keepsNulls: join.kind == .nullAwareAnti)
      }
      let building = joinBuilding(number, right: join.right, seed: seed, telling: filters)
      return ("LookupJoinOperator", coalesce(try building.join(join, left: left, right: right), node))
    case .semiJoin(let join):
      var (left, right) = (try measure(join.source), try measure(join.filteringSource))
      if let share = share(ofJoin: number) {
        left = divided(left, join.source, by: join.criteria.map(\.left), share)
        right = divided(
          right, join.filteringSource, by: join.criteria.map(\.right), share, keepsNulls: join.isNullAware)
      }
      let building = joinBuilding(number, right: join.filteringSource, seed: seed)
      return ("HashSemiJoinOperator", try building.semiJoin(join, left: left, right: right))
    }
  }

  /// Filters for scans from the rows of stages that have ended.
  private func announceKeySources() {
    for (index, source) in fragment.keySources.enumerated() {
      guard let scan = fragment.root.scan(source.scan),
        let column = scan.columns.firstIndex(where: { $0.symbol == source.restricted })
      else { preconditionFailure("fragment \(fragment.number) has no scan \(source.scan) of \(source.restricted)") }
      let keys = KeySourceReading(source, number: index, context: context, input: input)
      keySources.append(keys)
      dynamicFilters[source.scan, default: []].append(DynamicFilter(column: column) { try keys.load() })
    }
  }

  /// Filters for the scans that the keys of a join's left side come from; empty where the join keeps left rows without
  /// a partner.
  private func announceKeys(of join: JoinNode) -> [DynamicFilter] {
    guard [.inner, .right, .semi].contains(join.kind) else { return [] }
    return join.criteria.enumerated().flatMap { key, clause in
      ScanSearch().origins(of: clause.left, in: join.left, fragment: fragment.number).map { origin in
        let filter = DynamicFilter(column: origin.position, key: key)
        dynamicFilters[origin.scan.id, default: []].append(filter)
        return filter
      }
    }
  }

  private func joinBuilding(
    _ number: Int, right: PlanNode, seed: UInt64, telling filters: [DynamicFilter] = []
  ) -> JoinBuilding {
    var shared: (builds: SharedBuilds, key: SharedBuilds.Key)?
    if let sharing = context.sharing, let fragments = SharableSide.fragments(of: right, inputs: fragment.inputs) {
      var inputs = fragments.map(sharing.inputIdentity)
      if let share = share(ofJoin: number) { inputs.append(Array("share \(share.index) of \(share.count)".utf8)) }
      let key = SharedBuilds.Key(scope: sharing.scope, node: number, inputs: inputs)
      shared = (sharing.builds, key)
    }
    return JoinBuilding(input: input, memory: context.memory, seed: seed, shared: shared, dynamicFilters: filters)
  }

  private func coalesce(_ inner: any Operator, _ node: PlanNode) -> any Operator {
    CoalescingOperator(inner, types: node.outputs.map(\.type))
  }

  private func makeScan(_ scan: TableScanNode, _ conditions: ScanConditions) throws -> any Operator {
    TableScanOperator(
      scan, splits: context.splits[scan.id] ?? [], connector: try context.catalogs.connector(scan.table.catalog),
      conditions: conditions, dynamicFilters: dynamicFilters[scan.id] ?? [], input: input)
  }

  private func makeWriter(_ writer: TableWriterNode) throws -> any Operator {
    let context = context
    guard let attempt = context.attempt else {
      throw WaterbearError(.genericInternalError, "A task that writes a table was not told which attempt it is")
    }
    let catalog = writer.target.catalog
    guard let connector = try context.catalogs.connector(catalog) as? any WritableConnector else {
      throw WaterbearError(.notSupported, "Catalog '\(catalog)' takes no rows")
    }
    return TableWriterOperator(
      writer, source: try measure(writer.source), account: context.memory.account("TableWriterOperator")
    ) {
      try connector.pageSink(for: writer.target, attempt: attempt)
    }
  }

  /// Where the numbers follow an order, all rows are sorted by it before they are numbered.
  private func makeRowNumber(_ numbered: RowNumberNode) throws -> (name: String, any Operator) {
    var source = try measure(numbered.source)
    let name = numbered.orderings.isEmpty ? "RowNumberOperator" : "TopNRankingOperator"
    if !numbered.orderings.isEmpty {
      let sort = SortNode(source: numbered.source, orderings: numbered.orderings)
      source = SortOperator(sort, source: source, account: context.memory.account("OrderByOperator"))
    }
    return (name, RowNumberOperator(numbered, source: source, account: context.memory.account(name)))
  }

  private func makeRemoteSource(_ source: RemoteSourceNode, _ node: PlanNode) throws -> any Operator {
    let context = context
    let filters = try source.fragments.map(shareFilter)
    let pages = PageSourcesOperator(
      sourceCount: source.fragments.count, columnCount: source.outputs.count, input: input
    ) { index in
      let opened = try context.openRemoteSource(source.fragments[index])
      return filters[index].map { SharePageSource(opened, $0) } ?? opened
    }
    return filters.contains { $0 != nil } ? coalesce(pages, node) : pages
  }

  private func makeMerge(_ source: RemoteSourceNode) throws -> any Operator {
    guard let open = context.openSortedSources else {
      throw WaterbearError(.genericInternalError, "A task that merges was given no sorted sources")
    }
    return MergeOperator(
      orderings: source.orderings ?? [], outputs: source.outputs, input: input,
      account: context.memory.account("MergeOperator")
    ) {
      try source.fragments.flatMap(open)
    }
  }

  // MARK: Shares

  /// What keeps the task's share of a partitioned input's rows; nil where the task reads all of them.
  private func shareFilter(of number: Int) throws -> ShareFilter? {
    guard let share = context.shares.first(where: { $0.build == nil }),
      let input = fragment.inputs.first(where: { $0.fragment == number }), input.mode == .partitioned
    else { return nil }
    guard let keys = input.keys else {
      throw WaterbearError(
        .genericInternalError, "A task of fragment \(fragment.number) reads a share of fragment \(number) by no keys")
    }
    return ShareFilter(share, keys: keys)
  }

  /// The share of both sides of the join at this place; nil where all rows are joined.
  private func share(ofJoin place: Int) -> RowShare? {
    context.shares.first { share in
      share.build.map { fragment.divisibleJoin(building: $0) == place } ?? false
    }
  }

  private func divided(
    _ side: any Operator, _ node: PlanNode, by keys: [Symbol], _ share: RowShare, keepsNulls: Bool = false
  ) -> any Operator {
    let filter = ShareFilter(share, keys: ColumnLayout(node.outputs).positions(of: keys), keepsNulls: keepsNulls)
    return coalesce(ShareOperator(side, filter), node)
  }
}

extension PlanNode {
  /// The table scan with this id in the tree.
  fileprivate func scan(_ id: Int) -> TableScanNode? {
    if case .tableScan(let scan) = self, scan.id == id { return scan }
    for source in sources { if let scan = source.scan(id) { return scan } }
    return nil
  }
}

/// Counts what an operator gives, and times it where the task has a clock.
final class MeasuredOperator: Operator {
  private let inner: any Operator
  private let clock: (() -> Int64)?
  private(set) var statistics: OperatorStatistics

  init(_ inner: any Operator, node: Int, name: String, clock: (() -> Int64)?) {
    self.inner = inner
    self.clock = clock
    statistics = OperatorStatistics(node: node, name: name)
  }

  func next() throws -> Batch? {
    let start = clock?() ?? 0
    let batch = try inner.next()
    if let clock { statistics.inclusiveNanoseconds += clock() - start }
    if let batch {
      statistics.outputRows += Int64(batch.count)
      statistics.outputBatches += 1
    }
    return batch
  }
}

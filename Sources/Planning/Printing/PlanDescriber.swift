// Owns what is said of each kind of plan node when it is printed.

import Columnar
import ConnectorAPI

/// Turns plan nodes into descriptions, numbering them from the root down.
struct PlanDescriber {
  private let names: SymbolNames
  private let statistics: PlanStatistics?
  private var nextID = 0

  init(names: SymbolNames, statistics: PlanStatistics?) {
    self.names = names
    self.statistics = statistics
  }

  mutating func describe(_ fragment: PlanFragment) -> DescribedFragment {
    let partitioning =
      switch fragment.output {
      case .single: "SINGLE []"
      case .hash(let symbols, let count): "HASH [\(names.list(symbols))] \(count)"
      }
    var facts = [
      (key: "Output layout", value: "[\(names.list(fragment.outputSymbols))]"),
      (key: "Output partitioning", value: partitioning),
    ]
    if !fragment.inputs.isEmpty {
      let inputs = fragment.inputs.map { "\($0.fragment) \($0.mode.rawValue.uppercased())" }
      facts.append((key: "Inputs", value: "[\(inputs.joined(separator: ", "))]"))
    }
    if !fragment.keySources.isEmpty {
      let filters = fragment.keySources.map { "\(names[$0.restricted]) IN \($0.fragment).\(names[$0.key])" }
      facts.append((key: "Dynamic filters", value: "[\(filters.joined(separator: ", "))]"))
    }
    return DescribedFragment(
      number: fragment.number, title: fragment.kind.rawValue.uppercased(), facts: facts,
      root: describe(fragment.root))
  }

  mutating func describe(_ node: PlanNode) -> DescribedNode {
    let id = nextID
    nextID += 1
    let (name, descriptor) = title(node)
    var described = DescribedNode(
      id: id, name: name, descriptor: descriptor,
      outputs: node.outputs.map { (names[$0], $0.type.description) }, details: details(node),
      estimate: estimate(node), children: [])
    if case .remoteSource(let source) = node { described.inputs = source.fragments }
    for source in node.sources { described.children.append(describe(source)) }
    return described
  }

  private func estimate(_ node: PlanNode) -> DescribedEstimate? {
    guard let statistics else { return nil }
    let estimate = statistics.estimate(node)
    guard estimate.isKnown else { return DescribedEstimate() }
    return DescribedEstimate(rows: estimate.rows, bytes: estimate.bytes(of: node.outputs))
  }

  private func text(_ expression: Expression) -> String { ExpressionText(names: names).text(expression) }

  // MARK: What stands in brackets

  private func title(_ node: PlanNode) -> (name: String, [(key: String, value: String)]) {
    switch node {
    case .tableScan(let scan):
      return ("TableScan", [("table", "\(scan.table.catalog):\(scan.table.schema):\(scan.table.name)")])
    case .values: return ("Values", [])
    case .filter(let filter): return ("Filter", [("filterPredicate", text(filter.predicate))])
    case .project: return ("Project", [])
    case .aggregate(let aggregate): return title(aggregate)
    case .join(let join): return title(join)
    case .semiJoin(let join): return title(join)
    case .sort(let sort): return ("Sort", [("orderBy", text(sort.orderings))])
    case .topN(let topN): return ("TopN", [("count", "\(topN.count)"), ("orderBy", text(topN.orderings))])
    case .limit(let limit):
      let count = limit.count.map { [(key: "count", value: "\($0)")] } ?? []
      return limit.offset == 0 ? ("Limit", count) : ("Offset", [("offset", "\(limit.offset)")] + count)
    case .union: return ("Union", [])
    case .enforceSingleRow: return ("EnforceSingleRow", [])
    case .uniqueID: return ("AssignUniqueId", [])
    case .rowNumber(let numbered): return title(numbered)
    case .exchange(let exchange): return ("Exchange", [("partitioning", text(exchange.partitioning))])
    case .remoteSource(let source):
      let fragments = source.fragments.map { "\($0)" }.joined(separator: ", ")
      guard let orderings = source.orderings else { return ("RemoteSource", [("sourceFragmentIds", "[\(fragments)]")]) }
      return ("RemoteMerge", [("sourceFragmentIds", "[\(fragments)]"), ("orderBy", text(orderings))])
    case .tableWriter(let writer): return ("TableWriter", [("target", Self.name(writer.target))])
    case .tableFinish(let finish): return ("TableCommit", [("target", Self.name(finish.target))])
    case .output(let output):
      return ("Output", [("columnNames", "[\(output.columnNames.joined(separator: ", "))]")])
    }
  }

  private static func name(_ target: WriteHandle) -> String { "\(target.catalog):\(target.schema):\(target.table)" }

  private func title(_ aggregate: AggregateNode) -> (String, [(key: String, value: String)]) {
    var descriptor: [(key: String, value: String)] = []
    if aggregate.step != .single { descriptor.append(("type", aggregate.step.rawValue.uppercased())) }
    if !aggregate.keys.isEmpty { descriptor.append(("keys", "[\(names.list(aggregate.keys))]")) }
    return ("Aggregate", descriptor)
  }

  private func title(_ numbered: RowNumberNode) -> (String, [(key: String, value: String)]) {
    var descriptor = [(key: "partitionBy", value: "[\(names.list(numbered.partition))]")]
    if !numbered.orderings.isEmpty { descriptor.append(("orderBy", text(numbered.orderings))) }
    if let most = numbered.most { descriptor.append(("limit", "\(most)")) }
    return (numbered.orderings.isEmpty ? "RowNumber" : "TopNRanking", descriptor)
  }

  private func title(_ join: JoinNode) -> (String, [(key: String, value: String)]) {
    let name =
      switch join.kind {
      case .inner: join.criteria.isEmpty && join.filter == nil ? "CrossJoin" : "InnerJoin"
      case .left: "LeftJoin"
      case .right: "RightJoin"
      case .full: "FullJoin"
      case .semi: "SemiJoin"
      case .anti: "AntiJoin"
      case .nullAwareAnti: "NullAwareAntiJoin"
      }
    return (name, matching(join.criteria, join.filter, join.distribution))
  }

  private func title(_ join: SemiJoinNode) -> (String, [(key: String, value: String)]) {
    var descriptor = matching(join.criteria, join.filter, join.distribution)
    descriptor.append(("mark", names[join.mark]))
    return (join.isNullAware ? "NullAwareMarkJoin" : "MarkJoin", descriptor)
  }

  private func matching(
    _ criteria: [EquiClause], _ filter: Expression?, _ distribution: JoinDistribution?
  ) -> [(key: String, value: String)] {
    var descriptor: [(key: String, value: String)] = []
    if !criteria.isEmpty {
      let pairs = criteria.map { "\(names[$0.left]) = \(names[$0.right])" }
      descriptor.append(("criteria", "(\(pairs.joined(separator: " AND ")))"))
    }
    if let filter { descriptor.append(("filter", text(filter))) }
    if let distribution { descriptor.append(("distribution", distribution.rawValue.uppercased())) }
    return descriptor
  }

  private func text(_ orderings: [Ordering]) -> String {
    let terms = orderings.map { ordering in
      "\(names[ordering.symbol]) \(ordering.ascending ? "ASC" : "DESC") NULLS \(ordering.nullsFirst ? "FIRST" : "LAST")"
    }
    return "[\(terms.joined(separator: ", "))]"
  }

  private func text(_ partitioning: Partitioning) -> String {
    switch partitioning {
    case .single: "SINGLE"
    case .broadcast: "BROADCAST"
    case .hash(let symbols): "HASH [\(names.list(symbols))]"
    }
  }

  // MARK: Lines below

  private func details(_ node: PlanNode) -> [String] {
    switch node {
    case .tableScan(let scan): return details(scan)
    case .values(let values):
      return values.rows.map { row in "(\(row.map(text).joined(separator: ", ")))" }
    case .project(let project):
      return project.assignments.filter { $0.expression != .symbol($0.symbol) }
        .map { "\(names[$0.symbol]) := \(text($0.expression))" }
    case .aggregate(let aggregate): return aggregate.aggregations.flatMap { details($0, in: aggregate) }
    case .union(let union):
      return union.outputs.indices.map { index in
        "\(names[union.outputs[index]]) := [\(names.list(union.mappings.map { $0[index] }))]"
      }
    case .tableWriter(let writer):
      return zip(writer.target.columns, writer.columns).map { column, symbol in
        "\(column.name):\(column.type) := \(names[symbol])"
      }
    case .output(let output):
      return zip(output.columnNames, output.outputs).filter { $0 != names[$1] }.map { "\($0) := \(names[$1])" }
    default: return []
    }
  }

  private func details(_ scan: TableScanNode) -> [String] {
    var lines: [String] = []
    var domains = scan.constraint.columns
    for column in scan.columns {
      let index = domains.firstIndex { $0.column == column.column }
      if names[column.symbol] != column.column.name || index != nil {
        lines.append("\(names[column.symbol]) := \(column.column.name):\(column.column.type)")
      }
      if let index { lines.append("    :: \(Self.text(domains.remove(at: index)))") }
    }
    // Columns that only skip and are not read.
    return lines + domains.map { "\($0.column.name):\($0.column.type) :: \(Self.text($0))" }
  }

  private static func text(_ domain: ColumnDomain) -> String {
    let literal = { (value: Value) in ValueFormatter(domain.column.type).text(value) ?? "NULL" }
    if let values = domain.values { return "[\(values.map { "[\(literal($0))]" }.joined(separator: ", "))]" }
    let low = domain.lowest.map { (domain.lowestInclusive ? "[" : "(") + literal($0) } ?? "(<min>"
    let high = domain.highest.map { literal($0) + (domain.highestInclusive ? "]" : ")") } ?? "<max>)"
    return "[\(low), \(high)]"
  }

  private func details(_ aggregation: Aggregation, in aggregate: AggregateNode) -> [String] {
    let name = aggregation.function == .countAll ? "count" : aggregation.function.rawValue
    let distinct = aggregation.isDistinct ? "DISTINCT " : ""
    let arguments =
      aggregate.step == .final
      ? names.list(aggregation.intermediates)
      : aggregation.function == .countAll ? "*" : names.list(aggregation.arguments)
    let mask = aggregate.step == .final ? nil : aggregation.filter
    let filter = mask.map { " FILTER (WHERE \(names[$0]))" } ?? ""
    let results = aggregate.step == .partial ? aggregation.intermediates : [aggregation.output]
    return ["\(names.list(results)) := \(name)(\(distinct)\(arguments))\(filter)"]
  }
}

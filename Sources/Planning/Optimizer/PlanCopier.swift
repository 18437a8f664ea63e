// Owns making a second copy of a piece of plan that stands beside the first: same tables, new symbols.

/// Hands out ids of table scans that are unique in a plan.
final class ScanNumbers {
  private var next: Int

  /// Numbers above all that `plan` has.
  init(after plan: PlanNode) { next = Self.highest(plan) + 1 }

  func number() -> Int {
    defer { next += 1 }
    return next
  }

  private static func highest(_ node: PlanNode) -> Int {
    if case .tableScan(let scan) = node { return scan.id }
    return node.sources.reduce(-1) { max($0, highest($1)) }
  }
}

/// Copies plans. Symbols made inside the plan become new ones; the same symbol becomes the same everywhere.
struct PlanCopier {
  private let symbols: SymbolAllocator
  private let scans: ScanNumbers
  private var copies: [Symbol: Symbol] = [:]

  init(symbols: SymbolAllocator, scans: ScanNumbers) {
    self.symbols = symbols
    self.scans = scans
  }

  /// The copy of a symbol.
  mutating func copy(_ symbol: Symbol) -> Symbol {
    if let known = copies[symbol] { return known }
    let fresh = symbols.symbol(symbol.name, symbol.type)
    copies[symbol] = fresh
    return fresh
  }

  mutating func copy(_ node: PlanNode) -> PlanNode {
    switch node {
    case .tableScan(var scan):
      scan.id = scans.number()
      for index in scan.columns.indices { scan.columns[index].symbol = copy(scan.columns[index].symbol) }
      return .tableScan(scan)
    case .values(var values):
      values.outputs = copy(values.outputs)
      return .values(values)
    case .filter(let filter):
      return .filter(FilterNode(source: copy(filter.source), predicate: copy(filter.predicate)))
    case .project(let project):
      let source = copy(project.source)
      var assignments: [Assignment] = []
      for assignment in project.assignments {
        assignments.append(Assignment(copy(assignment.symbol), copy(assignment.expression)))
      }
      return .project(ProjectNode(source: source, assignments: assignments))
    case .aggregate(let aggregate): return copy(aggregate)
    case .join(let join): return copy(join)
    case .semiJoin(var join):
      join.source = copy(join.source)
      join.filteringSource = copy(join.filteringSource)
      join.criteria = copy(join.criteria)
      join.filter = copy(join.filter)
      join.mark = copy(join.mark)
      return .semiJoin(join)
    case .sort(let sort): return .sort(SortNode(source: copy(sort.source), orderings: copy(sort.orderings)))
    case .topN(let topN):
      return .topN(TopNNode(source: copy(topN.source), orderings: copy(topN.orderings), count: topN.count))
    case .union(let union):
      var result = UnionNode(sources: [], outputs: copy(union.outputs), mappings: [])
      for source in union.sources { result.sources.append(copy(source)) }
      for mapping in union.mappings { result.mappings.append(copy(mapping)) }
      return .union(result)
    case .limit, .enforceSingleRow: return mapped(node)
    case .exchange, .remoteSource, .tableWriter, .tableFinish, .output:
      preconditionFailure("only plans without exchanges are copied")
    }
  }

  private mutating func mapped(_ node: PlanNode) -> PlanNode {
    var copier = self
    let result = node.mapSources { copier.copy($0) }
    self = copier
    return result
  }

  private mutating func copy(_ aggregate: AggregateNode) -> PlanNode {
    var result = aggregate
    result.source = copy(aggregate.source)
    result.keys = copy(aggregate.keys)
    for index in result.aggregations.indices {
      result.aggregations[index].arguments = copy(result.aggregations[index].arguments)
      if let filter = result.aggregations[index].filter { result.aggregations[index].filter = copy(filter) }
      result.aggregations[index].output = copy(result.aggregations[index].output)
      result.aggregations[index].intermediates = copy(result.aggregations[index].intermediates)
    }
    return .aggregate(result)
  }

  private mutating func copy(_ join: JoinNode) -> PlanNode {
    var result = join
    result.left = copy(join.left)
    result.right = copy(join.right)
    result.criteria = copy(join.criteria)
    result.filter = copy(join.filter)
    result.outputs = copy(join.outputs)
    return .join(result)
  }

  private mutating func copy(_ all: [Symbol]) -> [Symbol] {
    var result: [Symbol] = []
    for symbol in all { result.append(copy(symbol)) }
    return result
  }

  private mutating func copy(_ clauses: [EquiClause]) -> [EquiClause] {
    var result: [EquiClause] = []
    for clause in clauses { result.append(EquiClause(left: copy(clause.left), right: copy(clause.right))) }
    return result
  }

  private mutating func copy(_ orderings: [Ordering]) -> [Ordering] {
    var result = orderings
    for index in result.indices { result[index].symbol = copy(result[index].symbol) }
    return result
  }

  private mutating func copy(_ expression: Expression?) -> Expression? {
    guard let expression else { return nil }
    return copy(expression) as Expression
  }

  private mutating func copy(_ expression: Expression) -> Expression {
    for symbol in expression.symbols.sorted(by: { $0.id < $1.id }) { _ = copy(symbol) }
    let copies = copies
    return expression.replacingSymbols { copies[$0].map { .symbol($0) } }
  }
}

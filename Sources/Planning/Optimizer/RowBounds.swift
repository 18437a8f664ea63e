// Owns what is certain about a plan without looking at data: how many rows it can give, and which columns tell its rows
// apart.

/// The fewest and the most rows that a node can give.
struct RowBounds {
  var least: Int
  /// Nil: no bound.
  var most: Int?

  static let one = RowBounds(least: 1, most: 1)

  var isExactlyOne: Bool { least == 1 && most == 1 }

  init(least: Int, most: Int?) {
    self.least = least
    self.most = most
  }

  init(of node: PlanNode) {
    switch node {
    case .tableScan, .remoteSource, .tableWriter: self.init(least: 0, most: nil)
    case .values(let values): self.init(least: values.rows.count, most: values.rows.count)
    case .filter(let filter): self.init(least: 0, most: RowBounds(of: filter.source).most)
    case .project, .sort, .uniqueID, .exchange, .tableFinish, .output: self = RowBounds(of: node.sources[0])
    case .semiJoin(let join): self = RowBounds(of: join.source)
    case .enforceSingleRow: self = .one
    case .rowNumber(let numbered):
      let source = RowBounds(of: numbered.source)
      self.init(least: min(source.least, numbered.most ?? source.least, 1), most: source.most)
    case .aggregate(let aggregate): self.init(of: aggregate)
    case .join(let join): self.init(of: join)
    case .topN(let topN): self = RowBounds(of: topN.source).limited(to: topN.count)
    case .limit(let limit):
      let source = RowBounds(of: limit.source)
      let rest = RowBounds(
        least: max(0, source.least - limit.offset), most: source.most.map { max(0, $0 - limit.offset) })
      self = limit.count.map { rest.limited(to: $0) } ?? rest
    case .union(let union):
      let all = union.sources.map { RowBounds(of: $0) }
      self.init(
        least: all.reduce(0) { $0 + $1.least },
        most: all.reduce(Optional(0)) { Self.sum($0, $1.most) })
    }
  }

  private init(of aggregate: AggregateNode) {
    let source = RowBounds(of: aggregate.source)
    if aggregate.keys.isEmpty {
      self.init(least: aggregate.step == .partial ? 0 : 1, most: 1)
    } else {
      self.init(least: min(source.least, 1), most: source.most)
    }
  }

  private init(of join: JoinNode) {
    let left = RowBounds(of: join.left)
    let right = RowBounds(of: join.right)
    let product = Self.product(left.most, right.most)
    switch join.kind {
    case .inner:
      let isEmpty = left.most == 0 || right.most == 0
      self.init(least: 0, most: isEmpty ? 0 : product)
      if join.criteria.isEmpty && join.filter == nil && left.isExactlyOne { self = right }
      if join.criteria.isEmpty && join.filter == nil && right.isExactlyOne { self = left }
    case .left: self.init(least: left.least, most: left.most == 0 ? 0 : product)
    case .right: self.init(least: right.least, most: right.most == 0 ? 0 : product)
    case .full:
      let sum = Self.sum(left.most, right.most)
      self.init(least: max(left.least, right.least), most: product.flatMap { most in sum.map { max(most, $0) } })
    case .semi, .anti, .nullAwareAnti: self.init(least: 0, most: left.most)
    }
  }

  // What is beyond the numbers is no bound.

  private static func sum(_ left: Int?, _ right: Int?) -> Int? {
    guard let left, let right else { return nil }
    let (rows, overflow) = left.addingReportingOverflow(right)
    return overflow ? nil : rows
  }

  /// The most rows of an outer join of two sides.
  private static func product(_ left: Int?, _ right: Int?) -> Int? {
    guard let left, let right else { return nil }
    let (rows, overflow) = max(left, 1).multipliedReportingOverflow(by: max(right, 1))
    return overflow ? nil : rows
  }

  private func limited(to count: Int) -> RowBounds {
    RowBounds(least: min(least, count), most: min(most ?? count, count))
  }
}

extension PlanNode {
  /// A set of output columns in which no two rows agree (NULLs agree with each other); nil where none is known. Empty
  /// for at most one row.
  var uniqueKey: Set<Symbol>? {
    if let most = RowBounds(of: self).most, most <= 1 { return [] }
    switch self {
    case .aggregate(let aggregate):
      return aggregate.step == .partial || aggregate.keys.isEmpty ? nil : Set(aggregate.keys)
    case .uniqueID(let node): return [node.id]
    case .rowNumber(let node): return node.most == 1 ? Set(node.partition) : node.source.uniqueKey
    case .filter(let node): return node.source.uniqueKey
    case .sort(let node): return node.source.uniqueKey
    case .topN(let node): return node.source.uniqueKey
    case .limit(let node): return node.source.uniqueKey
    case .semiJoin(let node): return node.source.uniqueKey
    case .exchange(let node): return node.source.uniqueKey
    case .project(let node):
      guard let key = node.source.uniqueKey else { return nil }
      var names: [Symbol: Symbol] = [:]
      for assignment in node.assignments {
        if case .symbol(let old) = assignment.expression { names[old] = assignment.symbol }
      }
      let renamed = key.compactMap { names[$0] }
      return renamed.count == key.count ? Set(renamed) : nil
    case .join(let join): return join.uniqueKey
    default: return nil
    }
  }
}

extension JoinNode {
  fileprivate var uniqueKey: Set<Symbol>? {
    let key: Set<Symbol>?
    switch kind {
    case .semi, .anti, .nullAwareAnti: key = left.uniqueKey
    case .inner, .left:
      // At most one match for each left row.
      guard let rightKey = right.uniqueKey, rightKey.isSubset(of: criteria.map(\.right)) else { return nil }
      key = left.uniqueKey
    case .right, .full: key = nil
    }
    return key.flatMap { $0.isSubset(of: outputs) ? $0 : nil }
  }
}

// Owns the way of a column's values down to the scans that they come from. Knows nothing of the filters made of it.

/// A column of a scan. Rows may be dropped there as soon as it is known that none with their value is wanted above.
public struct ScanOrigin: Sendable {
  /// The number of the scan's fragment.
  public let fragment: Int
  public let scan: TableScanNode
  public let symbol: Symbol
  /// The scan with the conditions right above it.
  public let rows: PlanNode

  /// Position of the column in the scan's.
  public var position: Int {
    guard let position = scan.columns.firstIndex(where: { $0.symbol == symbol }) else {
      preconditionFailure("scan \(scan.id) has no column \(symbol)")
    }
    return position
  }
}

/// The search for the scans behind a column.
public struct ScanSearch {
  private let fragments: [PlanFragment]

  /// Goes on in `fragments`, by number, where these are given; else inputs from other fragments end the search.
  public init(fragments: [PlanFragment] = []) { self.fragments = fragments }

  /// The scan columns that `symbol`, an output of `node`, comes from, as far as rows may be dropped there that are not
  /// wanted above `node`. `fragment` is the number of the one that `node` belongs to. Cost: a walk down the tree.
  public func origins(of symbol: Symbol, in node: PlanNode, fragment: Int) -> [ScanOrigin] {
    switch node {
    case .tableScan(let scan):
      return scan.columns.contains { $0.symbol == symbol }
        ? [ScanOrigin(fragment: fragment, scan: scan, symbol: symbol, rows: node)] : []
    case .filter(let filter):
      let found = origins(of: symbol, in: filter.source, fragment: fragment)
      guard case .tableScan = filter.source else { return found }
      return found.map { ScanOrigin(fragment: fragment, scan: $0.scan, symbol: $0.symbol, rows: node) }
    case .sort(let sort): return origins(of: symbol, in: sort.source, fragment: fragment)
    case .project(let project):
      let assignment = project.assignments.first { $0.symbol == symbol }
      guard case .symbol(let inner)? = assignment?.expression else { return [] }
      return origins(of: inner, in: project.source, fragment: fragment)
    case .aggregate(let aggregate):
      return aggregate.keys.contains(symbol) ? origins(of: symbol, in: aggregate.source, fragment: fragment) : []
    case .join(let join): return origins(of: symbol, in: join, fragment: fragment)
    case .semiJoin(let join):
      return symbol == join.mark ? [] : origins(of: symbol, in: join.source, fragment: fragment)
    case .remoteSource(let source):
      guard source.fragments.count == 1, source.outputs.contains(symbol) else { return [] }
      let number = source.fragments[0]
      guard fragments.indices.contains(number) else { return [] }
      return origins(of: symbol, in: fragments[number].root, fragment: number)
    // Which rows come out depends on those that are dropped, or there is more than one source.
    case .values, .topN, .limit, .union, .enforceSingleRow, .uniqueID, .rowNumber, .exchange, .output, .tableWriter,
      .tableFinish:
      return []
    }
  }

  /// Through a join: on the side that has the symbol and, if both sides must match, on the side of its partner.
  private func origins(of symbol: Symbol, in join: JoinNode, fragment: Int) -> [ScanOrigin] {
    let isLeft = join.left.outputs.contains(symbol)
    switch join.kind {
    case .right, .full: return []
    case .left, .anti, .nullAwareAnti:
      return isLeft ? origins(of: symbol, in: join.left, fragment: fragment) : []
    case .inner, .semi:
      let own = origins(of: symbol, in: isLeft ? join.left : join.right, fragment: fragment)
      let partners = join.criteria.compactMap { clause -> Symbol? in
        isLeft ? (clause.left == symbol ? clause.right : nil) : (clause.right == symbol ? clause.left : nil)
      }
      return own + partners.flatMap { origins(of: $0, in: isLeft ? join.right : join.left, fragment: fragment) }
    }
  }
}

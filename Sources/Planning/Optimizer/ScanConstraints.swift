// Owns telling connectors what a filter above a scan says about single columns.

import Columnar
import ConnectorAPI

struct ScanConstraints {
  func optimize(_ node: PlanNode) -> PlanNode {
    guard case .filter(var filter) = node, case .tableScan(var scan) = filter.source else {
      return node.mapSources(optimize)
    }
    var columns: [Symbol: ColumnHandle] = [:]
    for column in scan.columns { columns[column.symbol] = column.column }
    let domains = ColumnDomains(of: filter.predicate, columns: columns)
    scan.constraint = TupleDomain(columns: scan.columns.compactMap { domains[$0.symbol] })
    filter.source = .tableScan(scan)
    return .filter(filter)
  }
}

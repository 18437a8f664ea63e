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
    var domains: [ColumnDomain] = []
    for conjunct in filter.predicate.conjuncts {
      guard let (symbol, narrow) = Self.bound(conjunct), let column = columns[symbol] else { continue }
      let index = domains.firstIndex { $0.column == column }
      var domain = index.map { domains[$0] } ?? ColumnDomain(column: column)
      narrow(&domain)
      if let index { domains[index] = domain } else { domains.append(domain) }
    }
    scan.constraint = TupleDomain(columns: domains)
    filter.source = .tableScan(scan)
    return .filter(filter)
  }

  /// What a conjunct says about one column, as a change of its domain.
  private static func bound(_ conjunct: Expression) -> (Symbol, (inout ColumnDomain) -> Void)? {
    switch conjunct {
    case .comparison(let op, .symbol(let symbol), .constant(let value, _)) where !value.isNull:
      return narrowing(symbol, op, value)
    case .comparison(let op, .constant(let value, _), .symbol(let symbol)) where !value.isNull:
      return narrowing(symbol, op.flipped, value)
    case .inList(.symbol(let symbol), let list):
      var values: [Value] = []
      for element in list {
        guard case .constant(let value, _) = element else { return nil }
        if !value.isNull { values.append(value) }
      }
      return (symbol, { $0.values = $0.values.map { known in known.filter(values.contains) } ?? values })
    default: return nil
    }
  }

  private static func narrowing(
    _ symbol: Symbol, _ op: ComparisonOperator, _ value: Value
  ) -> (Symbol, (inout ColumnDomain) -> Void)? {
    switch op {
    case .equal: return (symbol, { $0.values = $0.values.map { known in known.filter { $0 == value } } ?? [value] })
    case .lessThan, .lessThanOrEqual:
      return (symbol, { domain in
        // Of two bounds the first is kept where they cannot be compared here: a wider domain is never wrong.
        if let known = domain.highest, !value.isBelow(known) { return }
        (domain.highest, domain.highestInclusive) = (value, op == .lessThanOrEqual)
      })
    case .greaterThan, .greaterThanOrEqual:
      return (symbol, { domain in
        if let known = domain.lowest, !known.isBelow(value) { return }
        (domain.lowest, domain.lowestInclusive) = (value, op == .greaterThanOrEqual)
      })
    case .notEqual, .isDistinctFrom: return nil
    }
  }
}

extension Value {
  /// Whether this is less than `other`, both of one type; false where the order is not known here.
  fileprivate func isBelow(_ other: Value) -> Bool {
    switch (self, other) {
    case (.bytes(let left), .bytes(let right)): left.lexicographicallyPrecedes(right)
    default:
      if let left = asInt128, let right = other.asInt128 {
        left < right
      } else if let left = asDouble, let right = other.asDouble {
        left < right
      } else {
        false
      }
    }
  }
}

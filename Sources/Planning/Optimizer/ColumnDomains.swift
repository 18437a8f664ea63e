// Owns what a condition says about single columns, in the form that connectors understand.

import Columnar
import ConnectorAPI

/// What a condition says about single columns: for each the values that a row may have that passes.
struct ColumnDomains {
  private let columns: [Symbol: ColumnHandle]
  private var domains: [Symbol: ColumnDomain] = [:]

  init(of condition: Expression, columns: [Symbol: ColumnHandle]) {
    self.columns = columns
    for part in condition.conjuncts { add(part) }
  }

  subscript(symbol: Symbol) -> ColumnDomain? { domains[symbol] }

  private mutating func add(_ condition: Expression) {
    switch condition {
    case .comparison(let op, .symbol(let symbol), .constant(let value, _)) where !value.isNull:
      narrow(symbol) { $0.narrow(op, value) }
    case .comparison(let op, .constant(let value, _), .symbol(let symbol)) where !value.isNull:
      narrow(symbol) { $0.narrow(op.flipped, value) }
    case .inList(.symbol(let symbol), let list):
      var values: [Value] = []
      for element in list {
        guard case .constant(let value, _) = element else { return }
        if !value.isNull { values.append(value) }
      }
      narrow(symbol) { $0.narrow(to: values) }
    case .like(.symbol(let symbol), pattern: .constant(.bytes(let pattern), _), escape: nil, _):
      addPrefix(of: pattern, symbol)
    case .or(let branches): addAlternatives(branches.map { ColumnDomains(of: $0, columns: columns) })
    default: break
    }
  }

  private mutating func narrow(_ symbol: Symbol, _ change: (inout ColumnDomain) -> Void) {
    guard let column = columns[symbol] else { return }
    var domain = domains[symbol] ?? ColumnDomain(column: column)
    change(&domain)
    domains[symbol] = domain
  }

  /// `LIKE 'abc%'`: from `abc` to below `abd`.
  private mutating func addPrefix(of pattern: [UInt8], _ symbol: Symbol) {
    guard case .varchar = symbol.type else { return }
    let prefix = Array(pattern.prefix { $0 != UInt8(ascii: "%") && $0 != UInt8(ascii: "_") })
    guard let last = prefix.last, last < 0xff else { return }
    narrow(symbol) { domain in
      domain.narrow(.greaterThanOrEqual, .bytes(prefix))
      domain.narrow(.lessThan, .bytes(prefix.dropLast() + [last + 1]))
    }
  }

  /// A column is bounded by an OR if every branch bounds it.
  private mutating func addAlternatives(_ branches: [ColumnDomains]) {
    guard let first = branches.first else { return }
    for symbol in first.domains.keys {
      var union = first.domains[symbol]
      for branch in branches.dropFirst() {
        union = union.flatMap { left in branch.domains[symbol].flatMap { left.united(with: $0) } }
      }
      guard let union else { continue }
      narrow(symbol) { domain in
        if let values = union.values { domain.narrow(to: values) }
        if let low = union.lowest { domain.narrow(union.lowestInclusive ? .greaterThanOrEqual : .greaterThan, low) }
        if let high = union.highest { domain.narrow(union.highestInclusive ? .lessThanOrEqual : .lessThan, high) }
      }
    }
  }
}

extension ColumnDomain {
  fileprivate mutating func narrow(to list: [Value]) {
    values = values.map { known in known.filter(list.contains) } ?? list
  }

  fileprivate mutating func narrow(_ op: ComparisonOperator, _ value: Value) {
    switch op {
    case .equal: narrow(to: [value])
    case .lessThan, .lessThanOrEqual:
      // Of two bounds the first is kept where they cannot be compared here: a wider domain is never wrong.
      if let known = highest, !value.isBelow(known) { return }
      (highest, highestInclusive) = (value, op == .lessThanOrEqual)
    case .greaterThan, .greaterThanOrEqual:
      if let known = lowest, !known.isBelow(value) { return }
      (lowest, lowestInclusive) = (value, op == .greaterThanOrEqual)
    case .notEqual, .isDistinctFrom: break
    }
  }

  /// The smallest domain known here that holds both; nil where that is every value.
  fileprivate func united(with other: ColumnDomain) -> ColumnDomain? {
    if let mine = values, let theirs = other.values {
      return ColumnDomain(column: column, values: mine + theirs.filter { !mine.contains($0) })
    }
    guard let mine = bounds, let theirs = other.bounds else { return nil }
    var result = ColumnDomain(column: column)
    if let low = mine.lowest, let otherLow = theirs.lowest {
      let isOther = otherLow.isBelow(low) || !low.isBelow(otherLow) && theirs.lowestInclusive
      (result.lowest, result.lowestInclusive) =
        isOther ? (otherLow, theirs.lowestInclusive) : (low, mine.lowestInclusive)
    }
    if let high = mine.highest, let otherHigh = theirs.highest {
      let isOther = high.isBelow(otherHigh) || !otherHigh.isBelow(high) && theirs.highestInclusive
      (result.highest, result.highestInclusive) =
        isOther ? (otherHigh, theirs.highestInclusive) : (high, mine.highestInclusive)
    }
    return result.lowest == nil && result.highest == nil ? nil : result
  }

  /// The domain as a range; nil where it is a list of values whose order is not known here, or of none.
  private var bounds: ColumnDomain? {
    guard let values else { return self }
    guard let first = values.first, values.allSatisfy({ $0 == first || $0.isBelow(first) || first.isBelow($0) }) else {
      return nil
    }
    var range = ColumnDomain(column: column, lowest: first, highest: first)
    for value in values {
      if let low = range.lowest, value.isBelow(low) { range.lowest = value }
      if let high = range.highest, high.isBelow(value) { range.highest = value }
    }
    return range
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

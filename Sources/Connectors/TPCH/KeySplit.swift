// Owns the pieces a table is read in: ranges of key positions, how they travel, and which of them a filter leaves.

import Base
import ConnectorAPI
import Columnar

/// A range of a table's key positions, counted from 0.
struct KeySplit: Hashable, Sendable {
  var table: Table
  var scale: Scale
  var keys: Range<Int64>

  private static let format: UInt8 = 1
  private static let byteCount = 26

  /// Format, table, then scale factor, first and last position as 8 little-endian bytes each.
  var payload: [UInt8] {
    var bytes = [Self.format, table.rawValue]
    for word in [scale.factor.bitPattern, UInt64(keys.lowerBound), UInt64(keys.upperBound)] {
      for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift))) }
    }
    return bytes
  }

  init(table: Table, scale: Scale, keys: Range<Int64>) {
    self.table = table
    self.scale = scale
    self.keys = keys
  }

  /// Reads `payload`; GENERIC_INTERNAL_ERROR for one that no split of this connector has.
  init(payload: [UInt8]) throws(WaterbearError) {
    func word(_ index: Int) -> UInt64 {
      payload[2 + index * 8..<10 + index * 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    guard payload.count == Self.byteCount, payload[0] == Self.format, let table = Table(rawValue: payload[1]),
      let scale = Scale(factor: Double(bitPattern: word(0))),
      let start = Int64(exactly: word(1)), let end = Int64(exactly: word(2)),
      start <= end, end <= scale.keys(of: table)
    else {
      throw WaterbearError(.genericInternalError, "A split of \(payload.count) bytes is none of the tpch connector")
    }
    self.init(table: table, scale: scale, keys: start..<end)
  }
}

extension Table {
  /// Keys of a split: enough rows to pay for starting one, few enough that many workers share a table.
  var keysPerSplit: Int64 {
    switch self {
    case .lineitem: 20_000
    case .partsupp: 15_000
    default: 50_000
    }
  }

  /// Rows of a key, on average.
  var rowsPerKey: Int64 {
    switch self {
    case .lineitem, .partsupp: 4
    default: 1
    }
  }

  /// The key positions whose rows may lie in the domain of the table's first column, by which the rows are ordered.
  func keys(matching constraint: TupleDomain, naming: ColumnNaming, scale: Scale) -> Range<Int64> {
    let all = 0..<scale.keys(of: self)
    guard let domain = constraint.domain(of: naming.name(of: columns[0], in: self)) else { return all }
    var low = Int64.min
    var high = Int64.max
    if let values = domain.values {
      let numbers = values.compactMap(\.asInt64)
      guard numbers.count == values.count else { return all }
      guard let least = numbers.min(), let most = numbers.max() else { return 0..<0 }
      (low, high) = (least, most)
    } else {
      if let lowest = domain.lowest?.asInt64 {
        low = domain.lowestInclusive || lowest == .max ? lowest : lowest + 1
      }
      if let highest = domain.highest?.asInt64 {
        high = domain.highestInclusive || highest == .min ? highest : highest - 1
      }
    }
    guard low <= high else { return 0..<0 }
    let start = position(ofKeyFrom: low, count: all.upperBound)
    let end = high == .max ? all.upperBound : position(ofKeyFrom: high + 1, count: all.upperBound)
    return start..<max(start, end)
  }

  /// The position of the first key that is `key` or larger; `count` where all are smaller.
  private func position(ofKeyFrom key: Int64, count: Int64) -> Int64 {
    switch self {
    case .nation, .region: return min(max(key, 0), count)
    case .orders, .lineitem:
      // Of every 32 keys the first eight are used; see `OrdersGenerator.key`.
      let bounded = max(key, 1)
      return min((bounded >> 5) * 8 + min(bounded & 31, 8) - 1, count)
    default: return min(max(key, 1) - 1, count)
    }
  }
}

extension Value {
  fileprivate var asInt64: Int64? { if case .integer(let value) = self { value } else { nil } }
}

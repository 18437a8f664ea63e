// Owns the benchmark's tables: names, columns, types and average widths. Knows nothing of how values are made.

import Columnar

/// What a column holds, apart from the catalog's choices.
enum ColumnKind: Sendable {
  case identifier
  case integer
  /// Two decimal places: double or decimal(12,2), as `tpch.double-type-mapping` says.
  case money
  case date
  case text(Int)
}

/// One column. `averageBytes` is its width in memory: the value, or the text without its view.
struct ColumnSpec: Sendable {
  let name: String
  let kind: ColumnKind
  let averageBytes: Double

  init(_ name: String, _ kind: ColumnKind, bytes: Double? = nil) {
    self.name = name
    self.kind = kind
    averageBytes = bytes ?? kind.fixedBytes
  }
}

extension ColumnKind {
  fileprivate var fixedBytes: Double {
    switch self {
    case .identifier, .money: 8
    case .integer, .date: 4
    case .text(let length): Double(length)
    }
  }

  func type(money: MoneyMapping) -> DataType {
    switch self {
    case .identifier: .bigint
    case .integer: .integer
    case .money: money.type
    case .date: .date
    case .text(let length): .varchar(length: length)
    }
  }
}

/// A table; the raw value travels in splits.
enum Table: UInt8, CaseIterable, Sendable {
  case customer, lineitem, nation, orders, part, partsupp, region, supplier

  var name: String { "\(self)" }

  init?(name: String) {
    guard let table = Table.allCases.first(where: { $0.name == name }) else { return nil }
    self = table
  }

  /// What the standard puts before each column's name.
  var prefix: String {
    switch self {
    case .customer: "c_"
    case .lineitem: "l_"
    case .nation: "n_"
    case .orders: "o_"
    case .part: "p_"
    case .partsupp: "ps_"
    case .region: "r_"
    case .supplier: "s_"
    }
  }

  /// The columns in the standard's order.
  var columns: [ColumnSpec] {
    switch self {
    case .customer: Self.customerColumns
    case .lineitem: Self.lineitemColumns
    case .nation: Self.nationColumns
    case .orders: Self.ordersColumns
    case .part: Self.partColumns
    case .partsupp: Self.partsuppColumns
    case .region: Self.regionColumns
    case .supplier: Self.supplierColumns
    }
  }

  private static let customerColumns = [
    ColumnSpec("custkey", .identifier), ColumnSpec("name", .text(25), bytes: 18),
    ColumnSpec("address", .text(40), bytes: 25), ColumnSpec("nationkey", .identifier),
    ColumnSpec("phone", .text(15), bytes: 15), ColumnSpec("acctbal", .money),
    ColumnSpec("mktsegment", .text(10), bytes: 9), ColumnSpec("comment", .text(117), bytes: 73),
  ]

  private static let lineitemColumns = [
    ColumnSpec("orderkey", .identifier), ColumnSpec("partkey", .identifier),
    ColumnSpec("suppkey", .identifier), ColumnSpec("linenumber", .integer), ColumnSpec("quantity", .money),
    ColumnSpec("extendedprice", .money), ColumnSpec("discount", .money), ColumnSpec("tax", .money),
    ColumnSpec("returnflag", .text(1), bytes: 1), ColumnSpec("linestatus", .text(1), bytes: 1),
    ColumnSpec("shipdate", .date), ColumnSpec("commitdate", .date), ColumnSpec("receiptdate", .date),
    ColumnSpec("shipinstruct", .text(25), bytes: 12), ColumnSpec("shipmode", .text(10), bytes: 4.3),
    ColumnSpec("comment", .text(44), bytes: 26.5),
  ]

  private static let nationColumns = [
    ColumnSpec("nationkey", .identifier), ColumnSpec("name", .text(25), bytes: 7.1),
    ColumnSpec("regionkey", .identifier), ColumnSpec("comment", .text(152), bytes: 74.3),
  ]

  private static let ordersColumns = [
    ColumnSpec("orderkey", .identifier), ColumnSpec("custkey", .identifier),
    ColumnSpec("orderstatus", .text(1), bytes: 1), ColumnSpec("totalprice", .money),
    ColumnSpec("orderdate", .date), ColumnSpec("orderpriority", .text(15), bytes: 8.4),
    ColumnSpec("clerk", .text(15), bytes: 15), ColumnSpec("shippriority", .integer),
    ColumnSpec("comment", .text(79), bytes: 48.5),
  ]

  private static let partColumns = [
    ColumnSpec("partkey", .identifier), ColumnSpec("name", .text(55), bytes: 32.8),
    ColumnSpec("mfgr", .text(25), bytes: 14), ColumnSpec("brand", .text(10), bytes: 8),
    ColumnSpec("type", .text(25), bytes: 20.6), ColumnSpec("size", .integer),
    ColumnSpec("container", .text(10), bytes: 7.6), ColumnSpec("retailprice", .money),
    ColumnSpec("comment", .text(23), bytes: 13.5),
  ]

  private static let partsuppColumns = [
    ColumnSpec("partkey", .identifier), ColumnSpec("suppkey", .identifier), ColumnSpec("availqty", .integer),
    ColumnSpec("supplycost", .money), ColumnSpec("comment", .text(199), bytes: 123.5),
  ]

  private static let regionColumns = [
    ColumnSpec("regionkey", .identifier), ColumnSpec("name", .text(25), bytes: 6.8),
    ColumnSpec("comment", .text(152), bytes: 66),
  ]

  private static let supplierColumns = [
    ColumnSpec("suppkey", .identifier), ColumnSpec("name", .text(25), bytes: 18),
    ColumnSpec("address", .text(40), bytes: 25), ColumnSpec("nationkey", .identifier),
    ColumnSpec("phone", .text(15), bytes: 15), ColumnSpec("acctbal", .money),
    ColumnSpec("comment", .text(101), bytes: 62.5),
  ]
}

// Owns the scale factor: which schema names stand for which, and how many rows of each table follow.

/// How large the tables are; 1 is about a gigabyte.
struct Scale: Hashable, Sendable {
  let factor: Double

  /// Beyond this, keys no longer fit the kit's 32-bit streams.
  static let largest = 10_000.0
  /// Below this the four suppliers of a part are not four any more.
  static let smallest = 0.001

  init?(factor: Double) {
    guard factor >= Self.smallest, factor <= Self.largest else { return nil }
    self.factor = factor
  }

  /// The scale a schema stands for: `tiny`, or `sf` and a decimal number such as `sf100` or `sf0.1`.
  init?(schema: String) {
    if schema == "tiny" {
      self.init(factor: 0.01)
      return
    }
    let digits = schema.dropFirst(2)
    let isNumber = digits.utf8.allSatisfy { $0 >= 48 && $0 <= 57 || $0 == UInt8(ascii: ".") }
    guard schema.hasPrefix("sf"), isNumber, digits.first != ".", digits.last != ".",
      let factor = Double(digits)
    else { return nil }
    self.init(factor: factor)
  }

  /// What listings show.
  static let listedSchemas = [
    "tiny", "sf1", "sf10", "sf100", "sf300", "sf1000", "sf3000", "sf10000",
  ]

  /// `base` rows at scale 1, rounded down as the kit does.
  private func scaled(_ base: Double) -> Int64 { Int64(base * factor) }

  var suppliers: Int64 { scaled(10_000) }
  var customers: Int64 { scaled(150_000) }
  var parts: Int64 { scaled(200_000) }
  var orders: Int64 { scaled(1_500_000) }
  var clerks: Int64 { max(scaled(1000), 1000) }

  /// How many keys `table` has: its rows, but orders for lineitem and parts for partsupp.
  func keys(of table: Table) -> Int64 {
    switch table {
    case .customer: customers
    case .lineitem, .orders: orders
    case .nation: 25
    case .part, .partsupp: parts
    case .region: 5
    case .supplier: suppliers
    }
  }

  /// Rows of `table`: exact for every table at any scale, but for lineitem above scale 10 only at the standard's sizes.
  func rows(of table: Table) -> Int64 {
    switch table {
    case .lineitem: lineitems
    case .partsupp: parts * 4
    default: keys(of: table)
    }
  }

  /// The standard's sizes (clause 4.2.5); up to scale 10 the lines are counted, between sizes four an order.
  private var lineitems: Int64 {
    switch factor {
    case 0.01: 60_175
    case 1: 6_001_215
    case 10: 59_986_052
    case 30: 179_998_372
    case 100: 600_037_902
    case 300: 1_799_989_091
    case 1000: 5_999_989_709
    case 3000: 18_000_048_306
    case 10_000: 59_999_994_267
    case ..<10: Lines.total(orders: orders)
    default: orders * 4
    }
  }
}

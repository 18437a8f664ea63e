// Owns what is known of each column's values without making them: bounds and numbers of distinct values at a scale.
// Counts come from how a column is drawn; where draws repeat they are the expected ones.

import ConnectorAPI

#if canImport(Glibc)
import Glibc
#endif

/// Statistics at one scale. They are close, not exact; row counts and key columns are exact.
struct ColumnEstimates {
  let scale: Scale
  let money: MoneyMapping

  /// Statistics of a table's column, by its position.
  func column(_ index: Int, of table: Table) -> ColumnStatistics {
    let spec = table.columns[index]
    let shape = shape(table, spec.name)
    var statistics = ColumnStatistics(
      distinctCount: shape.distinct, nullFraction: 0, averageBytes: spec.averageBytes)
    if let bounds = shape.bounds {
      // Amounts are given in hundredths.
      let unit = if case .money = spec.kind, money == .double { 100.0 } else { 1.0 }
      statistics.minimum = bounds.lowerBound / unit
      statistics.maximum = bounds.upperBound / unit
    }
    return statistics
  }

  private struct Shape {
    var distinct: Double
    var bounds: ClosedRange<Double>?

    /// Every whole number of the range.
    static func all(_ low: Double, _ high: Double) -> Shape { Shape(distinct: high - low + 1, bounds: low...high) }
    static func words(_ count: Double) -> Shape { Shape(distinct: count) }
  }

  /// The expected number of different values in `draws` draws out of `values`.
  private func different(_ draws: Double, of values: Double) -> Double {
    draws == 0 ? 0 : max(1, values * (1 - exp(-draws / values)))
  }

  private func shape(_ table: Table, _ column: String) -> Shape {
    let rows = Double(scale.rows(of: table))
    switch table {
    case .customer, .supplier: return partyShape(column, rows: rows)
    case .lineitem: return lineitemShape(column, rows: rows)
    case .nation: return column == "regionkey" ? .all(0, 4) : column == "nationkey" ? .all(0, 24) : .words(25)
    case .orders: return ordersShape(column, rows: rows)
    case .part: return partShape(column, rows: rows)
    case .partsupp: return partsuppShape(column, rows: rows)
    case .region: return column == "regionkey" ? .all(0, 4) : .words(5)
    }
  }

  private func partyShape(_ column: String, rows: Double) -> Shape {
    switch column {
    case "custkey", "suppkey": .all(1, rows)
    case "nationkey": .all(0, 24)
    case "acctbal": Shape(distinct: different(rows, of: 1_099_999), bounds: -99_999...999_999)
    case "mktsegment": .words(5)
    default: .words(rows)
    }
  }

  private func partShape(_ column: String, rows: Double) -> Shape {
    switch column {
    case "partkey": .all(1, rows)
    case "name": .words(rows)
    case "mfgr": .words(5)
    case "brand": .words(25)
    case "type": .words(150)
    case "size": .all(1, 50)
    case "container": .words(40)
    case "retailprice": Shape(distinct: retailPrices, bounds: 90_100...highestRetailPrice)
    default: .words(different(rows, of: 215_000))
    }
  }

  /// The price rises by a cent with every ten parts, up to 20,000 cents, and by up to 999 dollars with the key's last
  /// three digits.
  private var retailPrices: Double { min(899 + (Double(scale.parts) / 10).rounded(.down), 119_901) }
  private var highestRetailPrice: Double { 189_900 + min(Double(scale.parts) / 10, 20_000).rounded(.down) }

  private func partsuppShape(_ column: String, rows: Double) -> Shape {
    switch column {
    case "partkey": .all(1, Double(scale.parts))
    case "suppkey": .all(1, Double(scale.suppliers))
    case "availqty": Shape(distinct: different(rows, of: 9999), bounds: 1...9999)
    case "supplycost": Shape(distinct: different(rows, of: 99_901), bounds: 100...100_000)
    default: .words(different(rows, of: 360_000_000))
    }
  }

  private func orderKeys(_ rows: Double) -> Shape {
    Shape(distinct: rows, bounds: 1...Double(max(OrdersGenerator.key(Int64(rows) - 1), 1)))
  }

  private func ordersShape(_ column: String, rows: Double) -> Shape {
    let customers = Double(scale.customers)
    return switch column {
    case "orderkey": orderKeys(rows)
    case "custkey": Shape(distinct: different(rows, of: customers * 2 / 3), bounds: 1...customers)
    case "orderstatus": .words(3)
    case "totalprice": Shape(distinct: different(rows, of: 31_000_000), bounds: 80_000...60_000_000)
    case "orderdate": Shape(distinct: different(rows, of: 2406), bounds: 8035...10_440)
    case "orderpriority": .words(5)
    case "clerk": .words(different(rows, of: Double(scale.clerks)))
    case "shippriority": .all(0, 0)
    default: .words(different(rows, of: 62_000_000))
    }
  }

  private func lineitemShape(_ column: String, rows: Double) -> Shape {
    switch column {
    case "orderkey": orderKeys(Double(scale.orders))
    case "partkey": .all(1, Double(scale.parts))
    case "suppkey": .all(1, Double(scale.suppliers))
    case "linenumber": .all(1, 7)
    case "quantity": Shape(distinct: 50, bounds: 100...5000)
    case "extendedprice":
      Shape(distinct: different(rows, of: retailPrices * 45), bounds: 90_100...highestRetailPrice * 50)
    case "discount": .all(0, 10)
    case "tax": .all(0, 8)
    case "returnflag": .words(3)
    case "linestatus": .words(2)
    case "shipdate": Shape(distinct: different(rows, of: 2526), bounds: 8036...10_561)
    case "commitdate": Shape(distinct: different(rows, of: 2466), bounds: 8065...10_530)
    case "receiptdate": Shape(distinct: different(rows, of: 2554), bounds: 8037...10_591)
    case "shipinstruct": .words(4)
    case "shipmode": .words(7)
    default: .words(different(rows, of: 10_400_000))
    }
  }
}

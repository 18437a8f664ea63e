// Owns the form that all tables' generators share.

import Columnar

/// Makes a table's rows from its keys' positions, which count from 0. Only the columns asked for cost anything. For one
/// thread.
protocol TableGenerator: AnyObject {
  /// The next batch: rows of keys `keys.lowerBound` and following, at most `rows` rows, and how many keys they took.
  func batch(_ keys: Range<Int64>, rows: Int, columns: [Int]) -> (batch: Batch, keys: Int64)
}

/// A table with one row for each key.
protocol KeyedGenerator: TableGenerator {
  /// `count` values of a column, from the row at `first` on.
  func vector(_ column: Int, first: Int64, count: Int) -> Vector
}

extension KeyedGenerator {
  func batch(_ keys: Range<Int64>, rows: Int, columns: [Int]) -> (batch: Batch, keys: Int64) {
    let count = min(keys.count, rows)
    let vectors = columns.map { vector($0, first: keys.lowerBound, count: count) }
    return (Batch(columns: vectors, count: count), Int64(count))
  }
}

/// What a generator needs to know beside its table.
struct GeneratorSettings: Sendable {
  var scale: Scale
  var money: MoneyMapping
}

extension Table {
  /// A generator of this table that makes batches of up to `rows` rows.
  func generator(_ settings: GeneratorSettings, rows: Int) -> any TableGenerator {
    switch self {
    case .customer: CustomerGenerator(settings, rows: rows)
    case .lineitem: LineitemGenerator(settings, rows: rows)
    case .nation: NationGenerator(rows: rows)
    case .orders: OrdersGenerator(settings, rows: rows)
    case .part: PartGenerator(settings, rows: rows)
    case .partsupp: PartsuppGenerator(settings, rows: rows)
    case .region: RegionGenerator(rows: rows)
    case .supplier: SupplierGenerator(settings, rows: rows)
    }
  }
}

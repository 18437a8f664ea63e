// Owns statistics of the columns whose values a file's place says: partitions, path, size, time.

import Columnar
import ConnectorAPI

/// Statistics from the list of files alone.
struct PlaceStatistics {
  private let files: [DataFile]
  private let layout: TableLayout

  init(_ files: [DataFile], layout: TableLayout) {
    self.files = files
    self.layout = layout
  }

  /// A table's statistics, of what its format knows and what its files' places say.
  func completing(_ found: FormatStatistics) -> TableStatistics {
    let rows = found.rows.reduce(0, +)
    var result = TableStatistics(rowCount: rows, columns: found.columns)
    for (index, partition) in layout.partitions.enumerated() {
      // A directory that is no value is said to be wrong when it is read.
      let values = files.map { (try? layout.partitionValue(index, in: $0)) ?? .null }
      result.columns[partition.name] = statistics(of: values, rows: found.rows, total: rows)
    }
    for column in HiddenColumn.allCases {
      let values = files.map { column.value(of: $0) }
      result.columns[column.rawValue] = statistics(of: values, rows: found.rows, total: rows)
    }
    return result
  }

  private func statistics(of values: [Value], rows: [Double], total: Double) -> ColumnStatistics {
    var nulls = 0.0
    var bytes = 0.0
    var distinct = Set<Value>()
    var minimum: Double?
    var maximum: Double?
    for (value, count) in zip(values, rows) {
      if value.isNull {
        nulls += count
        continue
      }
      distinct.insert(value)
      if case .bytes(let text) = value { bytes += Double(text.count) * count }
      if let number = value.asInt128 {
        minimum = min(minimum ?? .infinity, Double(number))
        maximum = max(maximum ?? -.infinity, Double(number))
      }
    }
    let isText = values.contains { if case .bytes = $0 { true } else { false } }
    return ColumnStatistics(
      distinctCount: Double(max(distinct.count, 1)), nullFraction: total > 0 ? nulls / total : 0, minimum: minimum,
      maximum: maximum, averageBytes: isText ? bytes / max(total, 1) : nil)
  }
}

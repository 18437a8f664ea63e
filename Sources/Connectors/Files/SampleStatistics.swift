// Owns estimates of a table's values from a sample of its rows, for formats without statistics of their own.

import Columnar
import ConnectorAPI
import Glibc

/// What batches of rows tell about the rows that were not looked at.
struct SampleStatistics {
  /// Statistics of columns `names` of `batches`, which are the first of about `total` rows.
  static func of(_ batches: [Batch], names: [String], total: Double) -> [String: ColumnStatistics] {
    let rows = Double(batches.reduce(0) { $0 + $1.count })
    guard rows > 0 else { return [:] }
    var result: [String: ColumnStatistics] = [:]
    for (index, name) in names.enumerated() {
      result[name] = column(batches.map { $0.columns[index] }, rows: rows, total: max(total, rows))
    }
    return result
  }

  private static func column(_ vectors: [Vector], rows: Double, total: Double) -> ColumnStatistics {
    var hashes = Set<UInt64>()
    var nulls = 0.0
    var textBytes = 0.0
    var minimum: Double?
    var maximum: Double?
    for vector in vectors {
      let buffer = Buffer(count: vector.count, of: UInt64.self)
      hashRows([vector], count: vector.count, into: buffer.pointer(to: UInt64.self))
      for row in 0..<vector.count {
        if vector.isNull(row) {
          nulls += 1
          continue
        }
        hashes.insert(buffer.pointer(to: UInt64.self)[row])
        switch vector.value(at: row) {
        case .bytes(let text): textBytes += Double(text.count)
        case .double(let number) where number.isFinite:
          minimum = min(minimum ?? number, number)
          maximum = max(maximum ?? number, number)
        case let value:
          guard let number = value.asInt128.map({ Double($0) }) else { continue }
          minimum = min(minimum ?? number, number)
          maximum = max(maximum ?? number, number)
        }
      }
    }
    let present = rows - nulls
    let isText = vectors.first?.type.layout == .string
    return ColumnStatistics(
      distinctCount: DistinctEstimate.of(Double(hashes.count), among: present, rows: total * present / rows),
      nullFraction: nulls / rows, minimum: minimum, maximum: maximum,
      averageBytes: isText ? (present > 0 ? textBytes / present : 0) : nil)
  }
}

/// Estimates of how many values there are.
enum DistinctEstimate {
  /// The distinct values of `rows` rows, of which `sample` have `distinct`, taken as draws from equally likely values.
  ///
  /// The number `d` of values is that for which `sample` draws are expected to show `distinct` of them:
  /// d · (1 − exp(−sample / d)) = distinct.
  static func of(_ distinct: Double, among sample: Double, rows: Double) -> Double {
    guard distinct > 0, sample > 0 else { return 0 }
    let domain = domain(distinct, among: sample)
    return max(distinct, min(rows, expected(rows, of: domain)))
  }

  /// The number of equally likely values of which `sample` draws show `distinct`; infinite where all differ.
  static func domain(_ distinct: Double, among sample: Double) -> Double {
    guard distinct < sample * 0.9999 else { return .infinity }
    // Few of many: the sample has seen them all.
    if distinct * 20 < sample { return distinct }
    var low = distinct
    var high = sample * sample
    for _ in 0..<100 where high - low > low * 1e-6 {
      let middle = (low + high) / 2
      if expected(sample, of: middle) < distinct { low = middle } else { high = middle }
    }
    return high
  }

  /// The distinct values that `draws` draws of `domain` values are expected to show.
  static func expected(_ draws: Double, of domain: Double) -> Double {
    guard domain.isFinite, domain > 0 else { return draws }
    return domain * (1 - exp(-draws / domain))
  }
}

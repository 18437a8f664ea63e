// Owns what footers tell of a table's columns: bounds, NULLs, how many distinct values, how long texts are.

import Columnar
import ConnectorAPI
import Parquet

/// Estimates over the row groups of open files.
struct ParquetEstimates {
  private let groups: [Group]
  /// Rows of all groups.
  private let rows: Double
  /// Row groups whose dictionaries are looked at, spread evenly.
  private static let sampledGroups = 6

  private struct Group {
    var file: ParquetFile
    var index: Int
    var rows: Double
  }

  init(_ files: [ParquetFile]) {
    groups = files.flatMap { file in
      (0..<file.rowGroupCount).compactMap { index in
        let rows = file.rowCount(ofRowGroup: index)
        return rows > 0 ? Group(file: file, index: index, rows: Double(rows)) : nil
      }
    }
    rows = groups.reduce(0) { $0 + $1.rows }
  }

  /// A column of one row group.
  private struct Part {
    var group: Group
    var column: Int
    var statistics: ParquetColumnStatistics
    /// Rows that are not NULL.
    var present: Double
    var minimum: Double?
    var maximum: Double?
  }

  /// What is known of a column.
  func column(_ column: TableLayout.Column) -> ColumnStatistics {
    let parts = parts(column)
    guard !parts.isEmpty else { return ColumnStatistics(distinctCount: 0, nullFraction: rows > 0 ? 1 : nil) }
    let present = parts.reduce(0) { $0 + $1.present }
    let valued = parts.filter { $0.present > 0 }
    var result = ColumnStatistics(nullFraction: rows > 0 ? max(0, 1 - present / rows) : nil)
    if valued.allSatisfy({ $0.minimum != nil && $0.maximum != nil }) {
      result.minimum = valued.compactMap(\.minimum).min()
      result.maximum = valued.compactMap(\.maximum).max()
    }
    let samples = samples(of: valued)
    if column.type.layout == .string { result.averageBytes = averageBytes(samples) }
    let bound = Self.whole(column.type) ? result.maximum.flatMap { high in result.minimum.map { high - $0 + 1 } } : nil
    result.distinctCount = distinct(valued, samples, type: column.type, present: present, bound: bound)
    return result
  }

  private func parts(_ column: TableLayout.Column) -> [Part] {
    var position: (file: ParquetFile, index: Int?)?
    return groups.compactMap { group in
      if position?.file !== group.file { position = (group.file, group.file.columnIndex(named: column.name)) }
      guard let index = position?.index else { return nil }
      let statistics = group.file.statistics(ofRowGroup: group.index, column: index)
      return Part(
        group: group, column: index, statistics: statistics,
        present: max(0, group.rows - Double(statistics.nullCount ?? 0)),
        minimum: statistics.minimum.flatMap(Self.number), maximum: statistics.maximum.flatMap(Self.number))
    }
  }

  private static func number(_ value: Value) -> Double? {
    if let number = value.asInt128 { return Double(number) }
    if case .double(let number) = value { return number }
    return nil
  }

  /// Types whose values lie one apart at least.
  private static func whole(_ type: DataType) -> Bool {
    switch type {
    case .tinyint, .smallint, .integer, .bigint, .decimal, .date, .timestamp: true
    default: false
    }
  }

  // MARK: Distinct values

  /// A row group whose dictionary was looked at.
  private struct Sample {
    var part: Part
    var dictionary: ParquetDictionarySize?

    /// Distinct values of the row group, where they are known.
    var distinct: Double? {
      if let written = part.statistics.distinctCount { return Double(written) }
      return dictionary.flatMap { $0.isComplete ? Double($0.count) : nil }
    }
  }

  private func samples(of parts: [Part]) -> [Sample] {
    let count = min(parts.count, Self.sampledGroups)
    return (0..<count).map { number in
      let part = parts[number * parts.count / count]
      return Sample(
        part: part,
        dictionary: part.group.file.dictionarySize(ofRowGroup: part.group.index, column: part.column))
    }
  }

  /// The number of distinct values: what samples show, carried over to all rows, within the bound that the range of
  /// whole numbers sets.
  ///
  /// Where row groups follow each other in the order of values, each has values of its own, and the numbers add up.
  /// Else a row group is taken for a draw from all values.
  private func distinct(
    _ parts: [Part], _ samples: [Sample], type: DataType, present: Double, bound: Double?
  ) -> Double {
    let limit = min(present, bound ?? present)
    let known = samples.filter { $0.distinct != nil }
    if known.isEmpty || known.count * 2 < samples.count {
      // Writers give a dictionary up where there are many values, or keep none.
      guard Self.whole(type), isOrdered(parts) else {
        return bound.map { min(DistinctEstimate.expected(present, of: $0), present) } ?? limit
      }
      let share = samples.map { sample -> Double in
        guard let low = sample.part.minimum, let high = sample.part.maximum else { return 1 }
        return min(1, (high - low + 1) / sample.part.present)
      }
      return min(limit, present * share.reduce(0, +) / Double(max(share.count, 1)))
    }
    let draws = known.reduce(0) { $0 + $1.part.present }
    let found = known.reduce(0) { $0 + ($1.distinct ?? 0) }
    if parts.count == 1 { return min(limit, found) }
    if isOrdered(parts) { return max(1, min(limit, present * found / draws)) }
    // Each sample for itself: values that several have in common would be counted again and again.
    let domains = known.map { DistinctEstimate.domain($0.distinct ?? 0, among: $0.part.present) }
    let finite = domains.filter(\.isFinite)
    guard finite.count * 2 > domains.count else { return limit }
    let domain = finite.reduce(0, +) / Double(finite.count)
    return max(1, min(limit, DistinctEstimate.expected(present, of: domain)))
  }

  /// Whether successive row groups hold successive values.
  private func isOrdered(_ parts: [Part]) -> Bool {
    guard parts.count > 1 else { return false }
    let bounds = parts.compactMap { part in
      part.statistics.minimum.flatMap { low in part.statistics.maximum.map { (low: low, high: $0) } }
    }
    guard bounds.count == parts.count else { return false }
    let sorted = bounds.sorted { ($0.low.order(against: $1.low) ?? 0) < 0 }
    var overlaps = 0
    for (before, after) in zip(sorted, sorted.dropFirst()) where (before.high.order(against: after.low) ?? 1) > 0 {
      overlaps += 1
    }
    return overlaps * 10 <= parts.count
  }

  // MARK: Lengths

  private func averageBytes(_ samples: [Sample]) -> Double? {
    var total = 0.0
    var count = 0.0
    for sample in samples {
      if let dictionary = sample.dictionary, dictionary.count > 0 {
        // Each text has its length of four bytes in front.
        total += max(Double(dictionary.bytes) / Double(dictionary.count) - 4, 1)
        count += 1
      } else if sample.dictionary == nil {
        let bytes = sample.part.group.file.uncompressedBytes(
          ofRowGroup: sample.part.group.index, columns: [sample.part.column])
        total += max(Double(bytes) / sample.part.group.rows - 4, 1)
        count += 1
      }
    }
    return count > 0 ? total / count : nil
  }
}

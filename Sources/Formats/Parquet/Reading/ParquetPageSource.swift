// Owns the order in which columns are read: those of filters first, the others for the rows that are left. Knows
// nothing of pages and encodings.

import Base
import Columnar
import ConnectorAPI

/// Rows of a file's row groups, filtered.
///
/// Each step takes a range of rows: the first filter's columns are read and it selects, the next filter's columns are
/// read for the rows that are left, and so on; the remaining columns come last. What ranges leave is collected until it
/// makes a batch of fair size; row groups are not mixed in a batch, so that dictionaries stay whole.
final class ParquetPageSource: PageSource {
  let appliesFilters = true

  private let file: ParquetFile
  private var rowGroups: ArraySlice<Int>
  private let columns: [ReadSource]
  private let constraint: TupleDomain
  private let filters: [any RowFilter]
  private let decompressor = PageDecompressor()
  /// Of the current row group, one for each column; nil for constants.
  private var readers: [ChunkReader?] = []
  /// Rows of the current row group that may match and are not yet read.
  private var ranges: ArraySlice<Range<Int>> = []
  /// The row of the group that readers stand at.
  private var position = 0
  /// For each column, the rows that the ranges so far have left.
  private var collected: [[Vector]]
  private var collectedRows = 0

  init(
    _ file: ParquetFile, rowGroups: [Int], columns: [ReadSource], constraint: TupleDomain, filters: [any RowFilter]
  ) {
    self.file = file
    self.rowGroups = rowGroups[...]
    self.columns = columns
    self.constraint = constraint
    self.filters = filters
    collected = Array(repeating: [], count: columns.count)
  }

  func next() throws -> Batch? {
    while true {
      guard let range = ranges.first else {
        if collectedRows > 0 { return flush() }
        guard let group = rowGroups.popFirst() else { return nil }
        try open(group)
        continue
      }
      if range.lowerBound > position {
        for reader in readers { reader?.skip(range.lowerBound - position) }
      }
      position = min(range.upperBound, range.lowerBound + Batch.targetRows)
      ranges.removeFirst()
      if position < range.upperBound { ranges.insert(position..<range.upperBound, at: ranges.startIndex) }
      try step(position - range.lowerBound)
      // One more range must fit.
      if collectedRows > Batch.targetRows / 2 { return flush() }
    }
  }

  private func open(_ group: Int) throws {
    ranges = try RowGroupPruning(file: file, rowGroup: group, constraint: constraint).matchingRows()[...]
    position = 0
    if ranges.isEmpty { return }
    readers = try columns.map { source in
      guard case .column(let column, let mapping) = source else { return nil }
      let pages = try ChunkPages(file, column: column, rowGroup: group, decompressor: decompressor)
      return ChunkReader(pages, mapping: mapping)
    }
  }

  /// Reads a range of rows and collects what passes.
  private func step(_ rows: Int) throws {
    var range = RowRange(rows: rows, columns: columns.count)
    for filter in filters {
      for column in filter.columns { try read(column, &range) }
      let inputs = filter.columns.map { range.vectors[$0]! }
      range.select(try filter.select(Batch(columns: inputs, count: range.count)))
      if range.count == 0 { break }
    }
    if range.count == 0 {
      for column in columns.indices where range.vectors[column] == nil { readers[column]?.skip(rows) }
      return
    }
    for column in columns.indices {
      try read(column, &range)
      collected[column].append(range.vectors[column]!)
    }
    collectedRows += range.count
  }

  /// Makes sure that a column's rows are in the range.
  private func read(_ column: Int, _ range: inout RowRange) throws {
    guard range.vectors[column] == nil else { return }
    if case .constant(let single) = columns[column] {
      range.vectors[column] = Vector(constant: single, count: range.count)
    } else if let reader = readers[column] {
      if let positions = range.positions {
        range.vectors[column] = try reader.read(
          UnsafePointer(positions.pointer(to: Int32.self)), count: range.count, span: range.rows)
      } else {
        range.vectors[column] = try reader.read(range.rows)
      }
    }
  }

  private func flush() -> Batch {
    let vectors = collected.indices.map { column in
      if case .constant(let single) = columns[column] { return Vector(constant: single, count: collectedRows) }
      return Vector.concatenating(collected[column])
    }
    let batch = Batch(columns: vectors, count: collectedRows)
    for column in collected.indices { collected[column].removeAll(keepingCapacity: true) }
    collectedRows = 0
    return batch
  }
}

/// Successive rows of a row group and what is left of them.
struct RowRange {
  /// Rows before any filter.
  let rows: Int
  /// Rows left.
  private(set) var count: Int
  /// The rows left, counted from the range's first; nil where all are.
  private(set) var positions: Buffer?
  /// The columns read so far, with the rows left.
  var vectors: [Vector?]

  init(rows: Int, columns: Int) {
    self.rows = rows
    count = rows
    vectors = Array(repeating: nil, count: columns)
  }

  /// Keeps the rows that `selection` has, counted among those left so far.
  mutating func select(_ selection: Selection) {
    guard let chosen = selection.indices, selection.count < count else { return }
    let indices = UnsafePointer(chosen.pointer(to: Int32.self))
    if selection.count > 0 {
      for column in vectors.indices {
        vectors[column] = vectors[column]?.gather(indices, count: selection.count)
      }
    }
    if let before = positions {
      let composed = Buffer(count: selection.count, of: Int32.self)
      let (source, target) = (before.pointer(to: Int32.self), composed.pointer(to: Int32.self))
      for row in 0..<selection.count { target[row] = source[Int(indices[row])] }
      withExtendedLifetime((before, composed)) {}
      positions = composed
    } else {
      positions = chosen
    }
    count = selection.count
    withExtendedLifetime(chosen) {}
  }
}

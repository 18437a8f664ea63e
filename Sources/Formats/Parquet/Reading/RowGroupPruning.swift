// Owns finding out which rows of a row group can match a constraint, by page indexes and Bloom filters. Reads no
// values.

import Base
import Columnar
import ConnectorAPI

/// Looks at what a row group has beside its values.
struct RowGroupPruning {
  /// Lists of more values are not looked up in Bloom filters: each may be there by chance.
  private static let bloomValuesMax = 256

  let file: ParquetFile
  let rowGroup: Int
  let constraint: TupleDomain

  /// The rows that may match, ascending and apart from each other; none where no row can.
  func matchingRows() throws -> [Range<Int>] {
    let rows = Int(file.rowCount(ofRowGroup: rowGroup))
    var ranges = [0..<rows]
    for domain in constraint.columns {
      guard let index = file.columnIndex(named: domain.column.name), let mapping = file.columns[index].mapping else {
        continue
      }
      let column = file.columns[index]
      let described = file.metadata.rowGroups[rowGroup].columns[column.leaves.lowerBound]
      guard let chunk = described.metadata, !described.isEncrypted, described.filePath == nil else { continue }
      if try isExcludedByBloomFilter(domain, column, mapping, chunk) { return [] }
      let bounds = file.statistics(ofRowGroup: rowGroup, column: index)
      // Where the domain leaves nothing out, its pages have nothing to say.
      if domain.holdsAll(from: bounds.minimum, to: bounds.maximum), bounds.nullCount == 0 { continue }
      if let pages = try PageIndex(file, described, column: column, rows: rows) {
        let matching = pages.matchingRows(domain, mapping, file.isOrdered(column.leaves.lowerBound))
        ranges = Self.intersection(ranges, matching)
        if ranges.isEmpty { return [] }
      }
    }
    return ranges
  }

  private func isExcludedByBloomFilter(
    _ domain: ColumnDomain, _ column: ParquetColumn, _ mapping: ValueMapping, _ chunk: ColumnMetadata
  ) throws -> Bool {
    guard let values = domain.singleValues, values.count <= Self.bloomValuesMax, chunk.bloomFilterOffset != nil else {
      return false
    }
    let forms = values.filter { !$0.isNull }.map { mapping.storedForm(of: $0) }
    if forms.contains(.unknown) { return false }
    guard let filter = try BloomFilter(file, chunk, column: column.name) else { return false }
    return !forms.contains { form in
      guard case .bytes(let bytes) = form else { return false }
      return filter.mayHold(bytes)
    }
  }

  /// The rows that are in both lists.
  static func intersection(_ left: [Range<Int>], _ right: [Range<Int>]) -> [Range<Int>] {
    var both: [Range<Int>] = []
    var (a, b) = (0, 0)
    while a < left.count, b < right.count {
      let shared = left[a].clamped(to: right[b])
      if !shared.isEmpty { both.append(shared) }
      if left[a].upperBound < right[b].upperBound { a += 1 } else { b += 1 }
    }
    return both
  }
}

/// Bounds and places of a chunk's pages.
struct PageIndex {
  private let bounds: ColumnIndex
  /// Where each page's rows begin, and where the last one's end.
  private let starts: [Int]

  /// Reads both indexes of a chunk; nil where one is missing.
  init?(_ file: ParquetFile, _ chunk: ColumnChunk, column: ParquetColumn, rows: Int) throws {
    guard let boundsOffset = chunk.columnIndexOffset, let boundsLength = chunk.columnIndexLength,
      let placesOffset = chunk.offsetIndexOffset, let placesLength = chunk.offsetIndexLength
    else { return nil }
    bounds = try Self.read(file, boundsOffset, boundsLength, column.name) { (decoder) throws(Damage) in
      try ColumnIndex(&decoder)
    }
    let places = try Self.read(file, placesOffset, placesLength, column.name) { (decoder) throws(Damage) in
      try OffsetIndex(&decoder)
    }
    // Indexes without pages say nothing of rows that are there.
    if places.pages.isEmpty, bounds.nullPages.isEmpty, rows > 0 { return nil }
    let firsts = places.pages.map { Int($0.firstRow) }
    let isOrdered = zip(firsts, firsts.dropFirst()).allSatisfy { $0 <= $1 }
    guard firsts.count == bounds.nullPages.count, firsts.first ?? 0 == 0, isOrdered, firsts.last ?? 0 <= rows else {
      throw file.descriptor.damaged("page indexes that do not agree", at: placesOffset, column: column.name)
    }
    starts = firsts + [rows]
  }

  private static func read<Index>(
    _ file: ParquetFile, _ offset: Int64, _ length: Int32, _ column: String,
    _ decode: (inout CompactDecoder) throws(Damage) -> Index
  ) throws -> Index {
    guard offset >= 4, length >= 0, offset <= file.footerOffset, Int64(length) <= file.footerOffset - offset,
      Int(length) <= file.limits.indexBytes
    else {
      throw file.descriptor.damaged(
        "a page index of \(length) bytes at \(offset)", at: file.footerOffset, column: column)
    }
    let bytes = try file.descriptor.read(at: offset, count: Int(length))
    defer { withExtendedLifetime(bytes) {} }
    var decoder = CompactDecoder(UnsafeRawBufferPointer(start: bytes.base, count: Int(length)))
    do {
      return try decode(&decoder)
    } catch {
      throw file.descriptor.error(error, at: offset + Int64(decoder.position), column: column)
    }
  }

  /// The rows of pages whose bounds do not exclude the domain.
  func matchingRows(_ domain: ColumnDomain, _ mapping: ValueMapping, _ isOrdered: Bool) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    for page in bounds.nullPages.indices {
      // NULL never matches.
      if bounds.nullPages[page] { continue }
      if isOrdered {
        let (low, high) = (mapping.bound(bounds.minima[page]), mapping.bound(bounds.maxima[page]))
        guard domain.mayHoldValue(from: low, to: high) else { continue }
      }
      let rows = starts[page]..<starts[page + 1]
      if rows.isEmpty { continue }
      if let last = ranges.last, last.upperBound == rows.lowerBound {
        ranges[ranges.count - 1] = last.lowerBound..<rows.upperBound
      } else {
        ranges.append(rows)
      }
    }
    return ranges
  }
}

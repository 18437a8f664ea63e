// Owns an open Parquet file: its footer, checked, and what can be asked of it without reading values.

import Base
import Columnar
import ConnectorAPI

/// A Parquet file (parquet-format 2.12). Opening it reads and checks the footer; values are read by `reader`.
///
/// It may be shared by threads and kept as long as the file does not change. A file that breaks the format gives
/// FILES_BAD_DATA with its name and the offset, one that uses what is not read NOT_SUPPORTED, and one that the system
/// does not give FILES_FILESYSTEM_ERROR.
public final class ParquetFile: Sendable {
  let descriptor: FileDescriptor
  let metadata: FileMetadata
  let limits: ParquetLimits
  /// Where the footer begins; all pages lie in front of it.
  let footerOffset: Int64
  /// The columns in the file's order, fields of structures each for itself.
  public let columns: [ParquetColumn]

  /// Opens a file. Cost: two reads, and time in proportion to the footer.
  public convenience init(path: String, limits: ParquetLimits = ParquetLimits()) throws {
    try self.init(FileDescriptor(path: path), limits: limits)
  }

  /// Takes over an open descriptor, which is closed with this object, also where opening fails. `name` is for messages.
  public convenience init(adopting descriptor: Int32, name: String, limits: ParquetLimits = ParquetLimits()) throws {
    try self.init(FileDescriptor(adopting: descriptor, name: name), limits: limits)
  }

  private init(_ descriptor: FileDescriptor, limits: ParquetLimits) throws {
    self.descriptor = descriptor
    self.limits = limits
    let footer = try Footer.read(descriptor, limits: limits)
    footerOffset = footer.offset
    metadata = try footer.metadata(descriptor, limits: limits)
    do {
      columns = try Self.columns(metadata, name: descriptor.name, limits: limits)
    } catch {
      throw descriptor.error(error, at: footer.offset)
    }
  }

  /// The name it was opened by.
  public var name: String { descriptor.name }
  /// Size of the file.
  public var byteCount: Int64 { descriptor.byteCount }
  /// Rows in all row groups.
  public var rowCount: Int64 { metadata.rowCount }
  /// Row groups.
  public var rowGroupCount: Int { metadata.rowGroups.count }
  /// The program that wrote it, as it calls itself.
  public var createdBy: String? { metadata.createdBy }

  /// Rows of a row group.
  public func rowCount(ofRowGroup index: Int) -> Int64 { metadata.rowGroups[index].rowCount }

  /// The position of the column `name`: spelled so, else the only one that differs from it in case alone.
  public func columnIndex(named name: String) -> Int? {
    if let exact = columns.firstIndex(where: { $0.name == name }) { return exact }
    let similar = columnIndices(similarTo: name)
    return similar.count == 1 ? similar[0] : nil
  }

  /// Whether several columns could be meant by `name`, which none is spelled as.
  public func isAmbiguous(_ name: String) -> Bool {
    !columns.contains { $0.name == name } && columnIndices(similarTo: name).count > 1
  }

  private func columnIndices(similarTo name: String) -> [Int] {
    let lower = name.lowercased()
    return columns.indices.filter { columns[$0].name.lowercased() == lower }
  }

  /// Bytes that columns of a row group take in the file.
  public func compressedBytes(ofRowGroup index: Int, columns wanted: [Int]) -> Int64 {
    bytes(ofRowGroup: index, columns: wanted) { $0.totalCompressedSize }
  }

  /// Bytes that columns of a row group take in memory, uncompressed but encoded.
  public func uncompressedBytes(ofRowGroup index: Int, columns wanted: [Int]) -> Int64 {
    bytes(ofRowGroup: index, columns: wanted) { $0.totalUncompressedSize }
  }

  private func bytes(ofRowGroup index: Int, columns wanted: [Int], _ size: (ColumnMetadata) -> Int64) -> Int64 {
    var total: Int64 = 0
    for column in wanted {
      for leaf in columns[column].leaves {
        // A footer may claim anything; an estimate is all this has to be.
        if let chunk = metadata.rowGroups[index].columns[leaf].metadata {
          total += min(max(size(chunk), 0), 1 << 40)
        }
      }
    }
    return total
  }

  /// What the footer says of a column's values in a row group.
  public func statistics(ofRowGroup index: Int, column: Int) -> ParquetColumnStatistics {
    let leaf = columns[column].leaves.lowerBound
    guard let mapping = columns[column].mapping,
      let statistics = metadata.rowGroups[index].columns[leaf].metadata?.statistics
    else { return ParquetColumnStatistics() }
    return ParquetColumnStatistics(statistics, mapping: mapping, isOrdered: isOrdered(leaf))
  }

  /// Whether a leaf's bounds are ordered as its type demands.
  func isOrdered(_ leaf: Int) -> Bool {
    metadata.hasTypeDefinedOrder.map { leaf < $0.count && $0[leaf] } ?? true
  }

  /// Whether a row group can hold a row that matches: false is certain, by the footer's statistics. Columns of the
  /// constraint are looked up by name; one that the file lacks excludes nothing.
  public func rowGroupMayMatch(_ index: Int, constraint: TupleDomain) -> Bool {
    let rows = metadata.rowGroups[index].rowCount
    return constraint.columns.allSatisfy { domain in
      guard let column = columnIndex(named: domain.column.name) else { return true }
      let statistics = statistics(ofRowGroup: index, column: column)
      if let nulls = statistics.nullCount, nulls == rows, rows > 0 { return false }
      return domain.mayHoldValue(from: statistics.minimum, to: statistics.maximum)
    }
  }

  /// Checks the schema and that each row group has a chunk for each leaf.
  private static func columns(_ metadata: FileMetadata, name: String, limits: ParquetLimits) throws(Damage)
    -> [ParquetColumn]
  {
    let tree = try SchemaTree(metadata.schema, limits: limits)
    for (index, group) in metadata.rowGroups.enumerated() {
      guard group.columns.count == tree.leafCount else {
        throw Damage("row group \(index) has \(group.columns.count) columns where the schema has \(tree.leafCount)")
      }
      guard group.rowCount >= 0, group.rowCount <= limits.rows else {
        throw Damage("row group \(index) claims \(group.rowCount) rows")
      }
      // Where nothing repeats, each row has a value or a NULL.
      for column in tree.columns where column.nesting == nil {
        guard let chunk = group.columns[column.leaves.lowerBound].metadata, chunk.valueCount != group.rowCount else {
          continue
        }
        throw Damage(
          "row group \(index) claims \(group.rowCount) rows, its column '\(column.path.joined(separator: "."))' "
            + "\(chunk.valueCount) values")
      }
    }
    // At most a million row groups of a trillion rows each: no overflow.
    let total = metadata.rowGroups.reduce(0) { $0 + $1.rowCount }
    guard total <= limits.rows else { throw Damage("\(total) rows, more than \(limits.rows)") }
    guard total == metadata.rowCount else {
      throw Damage("a footer that counts \(metadata.rowCount) rows, and \(total) in its row groups")
    }
    var columns: [ParquetColumn] = []
    for column in tree.columns { columns.append(ParquetColumn(column, file: name)) }
    return columns
  }
}

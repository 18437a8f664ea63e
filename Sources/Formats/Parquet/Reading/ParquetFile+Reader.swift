// Owns the opening of page sources over a file: which columns, in which types, from which row groups.

import Base
import Columnar
import ConnectorAPI

extension ParquetFile {
  /// The rows of some row groups in order, with `columns` in the order given. Rows that do not pass all `filters` are
  /// left out. `constraint` leaves out row groups and pages that cannot hold a matching row, by statistics, page
  /// indexes and Bloom filters; rows beside a matching one come out.
  ///
  /// A column of another type than the file's is widened: integers, real to double, decimals of the same scale, text to
  /// bytes. NOT_SUPPORTED for a column that cannot be read, TYPE_MISMATCH for one that cannot be widened so.
  ///
  /// Memory: the column chunks of one row group as they lie in the file, a page per column, and a batch.
  public func reader(
    rowGroups: some Sequence<Int>, columns wanted: [ParquetReadColumn], constraint: TupleDomain = .all,
    filters: [any RowFilter] = []
  ) throws -> any PageSource {
    let sources = try wanted.map { try readSource($0) }
    let groups = rowGroups.filter { rowCount(ofRowGroup: $0) > 0 && rowGroupMayMatch($0, constraint: constraint) }
    return ParquetPageSource(self, rowGroups: groups, columns: sources, constraint: constraint, filters: filters)
  }

  private func readSource(_ wanted: ParquetReadColumn) throws -> ReadSource {
    switch wanted.source {
    case .constant(let value): return .constant(Vector.repeating(value, type: wanted.type, count: 1).single)
    case .column(let index):
      let column = columns[index]
      if let refusal = column.unreadable { throw refusal }
      guard let mapping = column.mapping else {
        throw WaterbearError(.notSupported, "\(name): column '\(column.name)' cannot be read")
      }
      guard let widened = mapping.widened(to: wanted.type) else {
        throw WaterbearError(
          .typeMismatch,
          "\(name): column '\(column.name)' is \(mapping.type), which is not read as \(wanted.type)",
          remedy: "give all files of a table columns of the same types")
      }
      return .column(column, widened)
    }
  }
}

/// Where the values of a column that is read come from.
enum ReadSource {
  /// A flat vector of one row.
  case constant(Vector)
  case column(ParquetColumn, ValueMapping)
}

// Owns putting together rows of what a file holds and what its place says: partition values, path, size, time.

import Columnar
import ConnectorAPI

/// Where the columns of an assembled batch come from.
enum AssembledColumn {
  /// The position among the columns that the file's reader gives.
  case read(Int)
  /// A flat vector of one row.
  case constant(Vector)
}

/// Adds columns of one value to the batches of a file. Used by one thread.
final class AssembledPageSource: PageSource {
  private let source: any PageSource
  private let columns: [AssembledColumn]

  init(_ source: any PageSource, columns: [AssembledColumn]) {
    self.source = source
    self.columns = columns
  }

  var appliesFilters: Bool { source.appliesFilters }

  func next() throws -> Batch? {
    guard let batch = try source.next() else { return nil }
    return Batch(
      columns: columns.map { column in
        switch column {
        case .read(let position): batch.columns[position]
        case .constant(let single): Vector(constant: single, count: batch.count)
        }
      }, count: batch.count)
  }
}

/// A filter on assembled rows, for a reader that gives only some of the columns. Used by one thread.
final class AssembledFilter: RowFilter {
  let columns: [Int]
  private let filter: any RowFilter
  /// The columns of `filter`: positions among `columns`, or constants.
  private let parts: [AssembledColumn]

  /// `filter` counts the columns of `assembled`; this one counts those that are read.
  init(_ filter: any RowFilter, assembled: [AssembledColumn]) {
    self.filter = filter
    var read: [Int] = []
    for column in filter.columns {
      if case .read(let position) = assembled[column] { read.append(position) }
    }
    columns = Set(read).sorted()
    let positions = columns
    parts = filter.columns.map { column in
      switch assembled[column] {
      case .constant: assembled[column]
      // Every position was collected above.
      case .read(let position): .read(positions.firstIndex(of: position)!)
      }
    }
  }

  func select(_ batch: Batch) throws -> Selection {
    let whole = parts.map { part in
      switch part {
      case .read(let position): batch.columns[position]
      case .constant(let single): Vector(constant: single, count: batch.count)
      }
    }
    return try filter.select(Batch(columns: whole, count: batch.count))
  }
}

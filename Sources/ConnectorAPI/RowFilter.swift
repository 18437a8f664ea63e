// Owns the part of a filter that only the engine can evaluate, in the form that a page source can apply while it reads.

import Columnar

/// A condition on rows, compiled by the engine. A page source that applies it decodes the columns it asks for first,
/// and the others only for rows that pass.
///
/// Used by one thread. The same rows give the same answer every time, so the order in which several filters are applied
/// changes nothing but the cost; errors of SQL (a division by zero) come out of `select`.
public protocol RowFilter: AnyObject {
  /// Positions among the page source's columns whose values decide, ascending and without repetition.
  var columns: [Int] { get }

  /// The rows that pass, of a batch that holds the columns at `columns` in that order. Dictionary vectors are welcome:
  /// a condition on one column is then evaluated once per distinct value where that is cheaper.
  func select(_ batch: Batch) throws -> Selection
}

// Owns the place where a join leaves its keys for the scans that its left side's come from.

import Columnar
import ConnectorAPI
import Planning

/// Keys for a scan. Those of a join's table in the same task are set by the join before it asks for the first left row;
/// those of another stage's rows are loaded when the scan opens its first split. Until then, and where there never are
/// any, the scan reads everything.
final class DynamicFilter {
  /// Position among the scan's columns.
  let column: Int
  /// Which of the join's key pairs.
  let key: Int
  var keys: KeySummary?
  private var load: (() throws -> KeySummary?)?

  init(column: Int, key: Int = 0, load: (() throws -> KeySummary?)? = nil) {
    self.column = column
    self.key = key
    self.load = load
  }

  /// Loads what is to be loaded, once.
  func prepare() throws {
    guard let load else { return }
    self.load = nil
    keys = try load()
  }
}

extension TupleDomain {
  /// This domain, narrowed to the bounds of the keys where they are integers.
  func narrowed(_ columns: [ColumnHandle], by filters: [DynamicFilter]) -> TupleDomain {
    var narrowed = self
    for filter in filters {
      guard let bounds = filter.keys?.bounds else { continue }
      let column = columns[filter.column]
      // One domain for a column: a range of the query's own stays, since it usually is the narrower one.
      guard narrowed.domain(of: column.name) == nil else { continue }
      narrowed.columns.append(
        ColumnDomain(
          column: column, lowest: .integer(bounds.lowerBound), highest: .integer(bounds.upperBound)))
    }
    return narrowed
  }
}

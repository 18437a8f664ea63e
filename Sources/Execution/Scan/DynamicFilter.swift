// Owns the way of a join's keys to the scan of its left side: which scan column they restrict, and the place where the
// join leaves them for the scan.

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

/// A column of a scan.
struct ScanPlace {
  let scan: Int
  let column: Int

  /// Where the values of `symbol` come from below `node`, if rows of that scan may be dropped as soon as it is known
  /// that no row above `node` with such a value is wanted.
  static func find(_ symbol: Symbol, in node: PlanNode) -> ScanPlace? {
    switch node {
    case .tableScan(let scan):
      return scan.columns.firstIndex { $0.symbol == symbol }.map { ScanPlace(scan: scan.id, column: $0) }
    case .filter(let filter): return find(symbol, in: filter.source)
    case .sort(let sort): return find(symbol, in: sort.source)
    case .project(let project):
      let assignment = project.assignments.first { $0.symbol == symbol }
      guard case .symbol(let inner)? = assignment?.expression else { return nil }
      return find(inner, in: project.source)
    case .aggregate(let aggregate):
      return aggregate.keys.contains(symbol) ? find(symbol, in: aggregate.source) : nil
    case .join(let join):
      switch join.kind {
      case .inner, .left, .semi, .anti, .nullAwareAnti:
        return join.left.outputs.contains(symbol) ? find(symbol, in: join.left) : nil
      case .right, .full: return nil
      }
    case .semiJoin(let join): return symbol == join.mark ? nil : find(symbol, in: join.source)
    // Which rows come out depends on those that are dropped, or there is more than one source.
    case .values, .limit, .topN, .union, .enforceSingleRow, .uniqueID, .rowNumber, .exchange, .remoteSource,
      .tableWriter, .tableFinish, .output:
      return nil
    }
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

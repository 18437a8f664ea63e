// Owns what was found out about tables, as long as their files stay as they were. Reads nothing itself.

import ConnectorAPI
import Synchronization

/// A table at one moment.
final class TableSnapshot: Sendable {
  let list: FileList
  let layout: TableLayout
  /// Worked out when somebody asks.
  private let known = Mutex<TableStatistics?>(nil)

  init(list: FileList, layout: TableLayout) {
    self.list = list
    self.layout = layout
  }

  /// The statistics, made once. Two threads that ask at once may both make them.
  func statistics(_ make: () throws -> TableStatistics) rethrows -> TableStatistics {
    if let known = known.withLock({ $0 }) { return known }
    let made = try make()
    known.withLock { $0 = made }
    return made
  }
}

/// Snapshots by table. A snapshot is good as long as the same files are there with the same sizes and times.
final class TableCache: Sendable {
  private struct Key: Hashable {
    var schema: String
    var table: String
  }

  private let snapshots = Mutex<[Key: TableSnapshot]>([:])
  /// More tables than this are not remembered.
  private static let capacity = 1000

  /// The snapshot that describes exactly these files.
  func snapshot(schema: String, table: String, list: FileList) -> TableSnapshot? {
    let found = snapshots.withLock { $0[Key(schema: schema, table: table)] }
    return found?.list == list ? found : nil
  }

  func store(_ snapshot: TableSnapshot, schema: String, table: String) {
    snapshots.withLock { all in
      if all.count >= Self.capacity { all.removeAll() }
      all[Key(schema: schema, table: table)] = snapshot
    }
  }

  func removeAll() { snapshots.withLock { $0.removeAll() } }
}

// Owns where the splits of live queries are: in memory while they fit, and always in the store, from where those that
// do not fit are read when a task needs them.

import Base
import Scheduling
import TaskStore

extension Coordinator {
  /// Keeps to `fault-tolerant-execution-task-descriptor-storage-max-memory`: leaves the splits of the queries that have
  /// most of them to the store. O(queries) where there is nothing to do.
  func limitSplits() {
    let most = policy.splitBytesMax
    var held = queries.values.reduce(0) { $0 + $1.splitBytes }
    guard held > most else { return }
    let biggestFirst = queries.values.filter(\.hasStoredSplits)
      .sorted { ($1.splitBytes, $0.id) < ($0.splitBytes, $1.id) }
    for query in biggestFirst where held > most {
      held -= query.splitBytes
      query.dropSplits()
    }
  }

  /// Splits of a stage by their indexes.
  func splits(of stage: StageID, _ range: Range<Int>, of query: LiveQuery) throws -> [StageSplit] {
    guard !range.isEmpty else { return [] }
    if !query.splits.isEmpty { return Array(query.splits[stage.number][range]) }
    let stored = try store.splits(of: stage, range)
    guard stored.count == range.count else {
      throw WaterbearError(.taskStoreFailed, "Splits \(range) of stage \(stage) are not in the store")
    }
    return try stored.map { try BinaryDecoder.decode(StageSplit.self, from: $0.payload) }
  }
}

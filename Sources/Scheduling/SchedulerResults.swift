// Owns when a part of the result may be served: at once where a failure costs single tasks, and at the end where it may
// cost the whole query. docs/decisions/scheduling.md tells why.
import Base

extension QueryState {
  /// Whether no row is served before the query has finished, so that running all of it again doubles no row.
  var holdsResults: Bool { description.retryPolicy == .query && !commits }
}

extension Scheduler {
  /// An attempt of the root stage was selected.
  func takeResult(_ task: TaskReference, _ number: Int) {
    let query = task.query
    guard query.holdsResults else {
      query.hasAnnouncedResults = true
      perform(.resultReady(task.attempt(number)))
      return
    }
    // Running it again would not make the result any smaller.
    guard let limit = query.description.resultBytesMax, query.stages[0].partitionBytes.reduce(0, &+) > limit
    else { return }
    failQuery(
      query,
      WaterbearError(
        .exchangeManagerNotConfigured,
        "Exchange manager must be configured for the failure recovery capabilities to be fully functional",
        remedy: "the result exceeds exchange.deduplication-buffer-size (\(DataSize(bytes: limit))): raise it, or set "
          + "exchange-manager.name in exchange-manager.properties"))
  }

  /// The query has finished: what was held may be served.
  func announceHeldResults(_ query: QueryState) {
    query.hasAnnouncedResults = true
    for (partition, task) in query.stages[0].tasks.enumerated() where !query.stages[0].isSkipped {
      guard let selected = task.selected else { continue }
      perform(.resultReady(TaskReference(query: query, stage: 0, task: partition).attempt(selected)))
    }
  }
}

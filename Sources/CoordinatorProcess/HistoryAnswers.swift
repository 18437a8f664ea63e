// Owns the translation of the store's rows into what clients are told.

import Base
import TaskStore
import Wire

extension HistoryRow {
  var wireState: QueryState {
    QueryState(rawValue: state) ?? (hasEnded ? (error == nil ? .finished : .failed) : .running)
  }

  var wire: Wire.QuerySummary {
    Wire.QuerySummary(
      query: id, state: wireState, user: user, sql: sql, createdMicroseconds: createdMicros,
      endedMicroseconds: endedMicros, errorCode: error?.code.rawValue)
  }

  /// How a query stands that is not live any more.
  var status: QueryStatus {
    // Figures of a form that another release has written are as good as none: the attempts tell of the stages, too.
    let figures = stages.flatMap { try? BinaryDecoder.decode([StageProgress].self, from: $0) } ?? []
    return QueryStatus(
      query: id, state: wireState, error: error, stages: figures,
      elapsedMicroseconds: (endedMicros ?? createdMicros) - createdMicros, retriedAttempts: attemptCount - taskCount)
  }
}

extension QueryList {
  /// Bytes that all texts of a list may take together; a frame has room for twice as much.
  private static let textBytesMax = 32 << 20

  /// Long texts are cut, so that the list fits into a frame; `ShowQuery` gives the whole.
  init(_ rows: [HistoryRow]) {
    let bytesMax = Self.textBytesMax / max(1, rows.count)
    self.init(
      queries: rows.map { row in
        var summary = row.wire
        if summary.sql.utf8.count > bytesMax {
          summary.sql = String(decoding: summary.sql.utf8.prefix(bytesMax), as: UTF8.self) + "…"
        }
        return summary
      })
  }
}

extension StoredAttempt {
  var detail: AttemptDetail {
    AttemptDetail(
      stage: id.task.stage.number, partition: id.task.partition, number: id.number,
      worker: worker.description, state: state, isSelected: isSelected, startedMicroseconds: startedMicros,
      endedMicroseconds: endedMicros, errorCode: error?.code.rawValue, errorMessage: error?.message)
  }
}

extension PlanningQuery {
  /// The query's row in the store, without what planning adds.
  func row(retryPolicy: RetryPolicy, state: String, sealedKey: [UInt8]) -> NewQuery {
    NewQuery(
      id: request.id, nonce: nonce, sql: request.sql, user: user, catalog: request.catalog, schema: request.schema,
      session: given, retryPolicy: retryPolicy, state: state, createdMicros: createdMicroseconds,
      sealedKey: sealedKey, description: [], stages: [])
  }
}

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
    QueryStatus(
      query: id, state: wireState, error: error, stages: [],
      elapsedMicroseconds: (endedMicros ?? createdMicros) - createdMicros, retriedAttempts: attemptCount - taskCount)
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

extension StageProgress {
  /// The stages of a query that is over, as far as its attempts tell.
  static func summing(_ attempts: [AttemptDetail]) -> [StageProgress] {
    Dictionary(grouping: attempts, by: \.stage).sorted { $0.key < $1.key }.map { stage, attempts in
      let tasks = Set(attempts.map(\.partition)).count
      let finished = attempts.count(where: \.isSelected)
      return StageProgress(
        number: stage, state: finished == tasks ? "FINISHED" : "FAILED", totalTasks: tasks, runningTasks: 0,
        finishedTasks: finished, retries: attempts.count - tasks, outputRows: 0, outputBytes: 0)
    }
  }
}

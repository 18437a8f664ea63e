// Owns what people and clients ask about queries: the list, one query, its attempts; and forgetting old ones.
import Base
import Foundation
import GRDB

extension TaskStore {
  /// The query that a submission with this nonce made, if any.
  public func queryID(nonce: String) throws -> QueryID? {
    try read { db in
      try String.fetchOne(db, sql: "SELECT id FROM query WHERE nonce = ?", arguments: [nonce]).map { QueryID($0) }
    }
  }

  /// One query's row, live or history.
  public func query(_ id: QueryID) throws -> QuerySummary? {
    try read { db in
      try Row.fetchOne(db, sql: "SELECT * FROM query WHERE id = ?", arguments: [id.text]).map { try QuerySummary($0) }
    }
  }

  /// The newest queries, newest first.
  public func queries(limit: Int) throws -> [QuerySummary] {
    try read { db in
      try Row.fetchAll(db, sql: "SELECT * FROM query ORDER BY number DESC LIMIT ?", arguments: [limit])
        .map { try QuerySummary($0) }
    }
  }

  /// The attempts of a query in the order of their identifiers. They stay with the history row; of a released query
  /// with very many attempts only the failed ones do.
  public func attempts(_ id: QueryID) throws -> [StoredAttempt] {
    try read { db in
      let sql = """
        SELECT attempt.*, task.selected IS attempt.attempt AS is_selected
        FROM query JOIN attempt ON attempt.query = query.number
        JOIN task USING (query, stage, partition)
        WHERE query.id = ? ORDER BY stage, partition, attempt
        """
      return try Row.fetchAll(db, sql: sql, arguments: [id.text]).map { try StoredAttempt($0, query: id) }
    }
  }

  /// When the first attempt of a query started, in microseconds since 1970; nil where none has.
  public func firstStart(of id: QueryID) throws -> Int64? {
    try read { db in
      try Int64.fetchOne(
        db,
        sql: "SELECT MIN(started_us) FROM attempt WHERE query = (SELECT number FROM query WHERE id = ?)",
        arguments: [id.text])
    }
  }

  /// What was decided about a query's plan, in the order in which it was. Stays with the history row.
  public func decisions(_ id: QueryID) throws -> [StoredDecision] {
    try read { db in
      let sql = """
        SELECT decision.* FROM query JOIN decision ON decision.query = query.number
        WHERE query.id = ? ORDER BY decision.number
        """
      return try Row.fetchAll(db, sql: sql, arguments: [id.text]).map { row in
        StoredDecision(
          stage: row["stage"], kind: row["kind"], reason: row["reason"], madeMicros: row["made_us"])
      }
    }
  }

  /// Removes the oldest released queries beyond the newest `keep` of them, and returns their names.
  @discardableResult
  public func prune(keep: Int) throws -> [QueryID] {
    let removed = try write { db in
      var removed: [QueryID] = []
      try db.inTransaction(.immediate) {
        let rows = try Row.fetchAll(
          db, sql: "SELECT number, id FROM query WHERE is_released = 1 ORDER BY number DESC LIMIT -1 OFFSET ?",
          arguments: [keep])
        for row in rows {
          let number: Int64 = row["number"]
          removed.append(QueryID(row["id"]))
          for table in ["query_key", "task", "attempt", "decision"] {
            try db.execute(sql: "DELETE FROM \(table) WHERE query = ?", arguments: [number])
          }
          try db.execute(sql: "DELETE FROM query WHERE number = ?", arguments: [number])
        }
        return .commit
      }
      return removed
    }
    if !removed.isEmpty { noteChange() }
    return removed
  }
}

extension QuerySummary {
  init(_ row: Row) throws {
    let policy: String = row["retry_policy"]
    let error: String? = row["error"]
    let stages: Data? = row["stages"]
    guard let retryPolicy = RetryPolicy(rawValue: policy) else {
      throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "'\(policy)' is no retry policy")
    }
    self.init(
      id: QueryID(row["id"]), sql: row["sql"], user: row["user"], catalog: row["catalog"], schema: row["schema"],
      retryPolicy: retryPolicy, state: row["state"], createdMicros: row["created_us"], endedMicros: row["ended_us"],
      error: try error.map { try StoredText.decode(WaterbearError.self, $0) }, failures: row["failures"],
      hasEnded: row["has_ended"], isReleased: row["is_released"], taskCount: row["task_count"],
      attemptCount: row["attempt_count"], failedAttemptCount: row["failed_attempt_count"],
      updateCount: row["update_count"], stages: stages.map { [UInt8]($0) })
  }
}

extension StoredAttempt {
  init(_ row: Row, query: QueryID) throws {
    let error: String? = row["error"]
    let stage = StageID(query: query, number: row["stage"])
    self.init(
      id: AttemptID(task: TaskID(stage: stage, partition: row["partition"]), number: row["attempt"]),
      worker: WorkerID(number: row["worker"], incarnation: UInt64(bitPattern: row["incarnation"] as Int64)),
      memory: row["memory"], state: row["state"], isSelected: row["is_selected"], startedMicros: row["started_us"],
      endedMicros: row["ended_us"], error: try error.map { try StoredText.decode(WaterbearError.self, $0) })
  }
}

// Owns reading back the queries that are not released, whole, as a new coordinator needs them.
import Base
import Foundation
import GRDB

extension TaskStore {
  /// Every query that is not released, oldest first, with stages, splits, tasks, attempts and outputs. Reads each row
  /// once; cost is linear in what there is.
  public func liveQueries() throws -> [StoredQuery] { try read(Self.liveQueries) }

  static func liveQueries(_ db: Database) throws -> [StoredQuery] {
    try Row.fetchAll(db, sql: "SELECT * FROM query WHERE is_released = 0 ORDER BY number").map { row in
      let number: Int64 = row["number"]
      let session: String = row["session"]
      return StoredQuery(
        summary: try QuerySummary(row), nonce: row["nonce"],
        session: try StoredText.decode([String: String].self, session),
        description: bytes(row["description"]), stages: try stages(db, number))
    }
  }

  private static func stages(_ db: Database, _ query: Int64) throws -> [StoredStage] {
    var stages = try Row.fetchAll(db, sql: "SELECT * FROM stage WHERE query = ? ORDER BY stage", arguments: [query])
      .map { row in
        StoredStage(
          number: row["stage"], fragment: bytes(row["fragment"]), splitsComplete: row["splits_complete"],
          tasksComplete: row["tasks_complete"], isReleased: row["is_released"], isSkipped: row["is_skipped"])
      }
    for index in stages.indices {
      let key: StatementArguments = [query, stages[index].number]
      stages[index].splits = try splits(db, key)
      stages[index].tasks = try tasks(db, key)
      try addOutputs(db, key, to: &stages[index].tasks)
      try addAttempts(db, key, to: &stages[index].tasks)
    }
    return stages
  }

  private static func splits(_ db: Database, _ key: StatementArguments) throws -> [StoredSplit] {
    let statement = try db.cachedStatement(
      sql: "SELECT payload, weight FROM split WHERE query = ? AND stage = ? ORDER BY split")
    var splits: [StoredSplit] = []
    let rows = try Row.fetchCursor(statement, arguments: key)
    while let row = try rows.next() { splits.append(StoredSplit(payload: bytes(row[0]), weight: row[1])) }
    return splits
  }

  /// The splits with these indexes of a stage of a live query; fewer where it has fewer.
  public func splits(of stage: StageID, _ range: Range<Int>) throws -> [StoredSplit] {
    try read { db in
      let statement = try db.cachedStatement(
        sql: """
          SELECT payload, weight FROM split
          WHERE query = (SELECT number FROM query WHERE id = ?) AND stage = ? AND split >= ? AND split < ?
          ORDER BY split
          """)
      let rows = try Row.fetchCursor(
        statement, arguments: [stage.query.text, stage.number, range.lowerBound, range.upperBound])
      var splits: [StoredSplit] = []
      while let row = try rows.next() { splits.append(StoredSplit(payload: Self.bytes(row[0]), weight: row[1])) }
      return splits
    }
  }

  private static func tasks(_ db: Database, _ key: StatementArguments) throws -> [StoredTask] {
    let statement = try db.cachedStatement(
      sql: """
        SELECT partition, input, selected, failures, worker_losses, output_losses, memory, first_valid_attempt
        FROM task WHERE query = ? AND stage = ? ORDER BY partition
        """)
    var tasks: [StoredTask] = []
    let rows = try Row.fetchCursor(statement, arguments: key)
    while let row = try rows.next() {
      var counters = StoredCounters()
      counters.failures = row[3]
      counters.workerLosses = row[4]
      counters.outputLosses = row[5]
      counters.memory = row[6]
      counters.firstValidAttempt = row[7]
      guard row[0] == tasks.count else { throw damaged("a task is missing before partition \(row[0] as Int)") }
      tasks.append(StoredTask(partition: row[0], input: bytes(row[1]), counters: counters, selected: row[2]))
    }
    return tasks
  }

  private static func addOutputs(
    _ db: Database, _ key: StatementArguments, to tasks: inout [StoredTask]
  ) throws {
    let statement = try db.cachedStatement(sql: "SELECT partition, output FROM output WHERE query = ? AND stage = ?")
    let rows = try Row.fetchCursor(statement, arguments: key)
    while let row = try rows.next() {
      let partition: Int = row[0]
      guard tasks.indices.contains(partition) else { throw damaged("an output has no task") }
      tasks[partition].output = bytes(row[1])
    }
  }

  private static func addAttempts(
    _ db: Database, _ key: StatementArguments, to tasks: inout [StoredTask]
  ) throws {
    let statement = try db.cachedStatement(
      sql: """
        SELECT partition, attempt, worker, incarnation, memory, state FROM attempt
        WHERE query = ? AND stage = ? ORDER BY partition, attempt
        """)
    let rows = try Row.fetchCursor(statement, arguments: key)
    while let row = try rows.next() {
      let partition: Int = row[0]
      guard tasks.indices.contains(partition) else { throw damaged("an attempt has no task") }
      let number: Int = row[1]
      tasks[partition].nextAttempt = number + 1
      if row[5] == "RUNNING" {
        let worker = WorkerID(number: row[2], incarnation: UInt64(bitPattern: row[3] as Int64))
        tasks[partition].running.append(StoredTask.Running(number: number, worker: worker, memory: row[4]))
      }
    }
  }

  private static func damaged(_ what: String) -> DatabaseError {
    DatabaseError(resultCode: .SQLITE_CORRUPT, message: what)
  }

  static func bytes(_ data: Data?) -> [UInt8] { data.map { [UInt8]($0) } ?? [] }
}

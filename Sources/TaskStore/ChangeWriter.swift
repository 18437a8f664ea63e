// Owns the SQL of each change. Statements are prepared once per connection; every change touches a bounded number of
// rows by primary key, so its cost does not grow with the number of tasks.
import Base
import Foundation
import GRDB

/// Applies changes within one transaction.
struct ChangeWriter {
  /// Up to so many attempts of a released query stay whole in the history.
  static let keptAttemptsMax = 10_000

  let db: Database
  /// Row numbers of queries, looked up once.
  var numbers: [QueryID: Int64]

  init(db: Database, numbers: [QueryID: Int64]) {
    self.db = db
    self.numbers = numbers
  }

  mutating func apply(_ change: StoreChange) throws {
    switch change {
    case .querySubmitted(let query): try insert(query)
    case .splits(let stage, let first, let splits, let last): try insert(splits, of: stage, first: first, last: last)
    case .tasksCreated(let stage, let tasks): try insert(tasks, of: stage)
    case .stageTasksComplete(let stage): try mark(stage, "tasks_complete")
    case .stageReleased(let stage): try mark(stage, "is_released")
    case .stageRestarted(let stage, let forgetsOutputs): try restart(stage, forgetsOutputs: forgetsOutputs)
    case .attemptStarted(let id, let worker, let memory, let time):
      try start(id, worker: worker, memory: memory, at: time)
    case .attemptEnded(let id, let end, let error, let time):
      try finish(id, state: end.rawValue, error: error, at: time)
    case .outputSelected(let id, let output, let time): try select(id, output: output, at: time)
    case .outputUnselected(let id, let error, let time): try unselect(id, error: error, at: time)
    case .taskDivided(let task, let input): try divide(task, input: input)
    case .taskCounters(let task, let counters): try set(counters, of: task)
    case .stageSkipped(let stage, let isSkipped):
      try execute(
        "UPDATE stage SET is_skipped = ? WHERE query = ? AND stage = ?",
        [isSkipped, try number(stage.query), stage.number], "stage \(stage) is unknown")
    case .planChanged(let id, let description, let fragments):
      try execute(
        "UPDATE query SET description = ? WHERE number = ?", [Data(description), try number(id)], "\(id) is unknown")
      for (stage, fragment) in fragments {
        try execute(
          """
          INSERT INTO stage (query, stage, fragment) VALUES (?, ?, ?)
          ON CONFLICT (query, stage) DO UPDATE SET fragment = excluded.fragment
          """, [try number(id), stage, Data(fragment)], "stage \(stage) of \(id)")
      }
    case .decisionMade(let stage, let kind, let reason, let time):
      try execute(
        """
        INSERT INTO decision (query, number, stage, kind, reason, made_us)
        SELECT ?1, count(*), ?2, ?3, ?4, ?5 FROM decision WHERE query = ?1
        """, [try number(stage.query), stage.number, kind, reason, time], "a decision on \(stage)")
    case .queryStateChanged(let id, let state):
      try execute("UPDATE query SET state = ? WHERE number = ?", [state, try number(id)], "\(id) is unknown")
    case .queryRetried(let id, let failures):
      try execute("UPDATE query SET failures = ? WHERE number = ?", [failures, try number(id)], "\(id) is unknown")
    case .queryEnded(let id, let state, let error, let time): try end(id, state: state, error: error, at: time)
    case .queryResumed(let id, let state):
      try execute(
        "UPDATE query SET state = ?, has_ended = 0 WHERE number = ?", [state, try number(id)], "\(id) is unknown")
    case .queryReleased(let id, let stages): try release(id, stages: stages)
    case .writeOpened(let id, let act):
      try execute(
        "INSERT INTO write (id, act, state) VALUES (?, ?, ?)", [id.text, Data(act), WriteState.open.rawValue],
        "the write of \(id) exists")
    case .commitStarted(let id, let rowCount, let outputs):
      try execute(
        "UPDATE write SET state = ?, outputs = ? WHERE id = ? AND state = ?",
        [WriteState.committing.rawValue, Data(outputs), id.text, WriteState.open.rawValue],
        "the write of \(id) is not open")
      try execute(
        "UPDATE query SET update_count = ? WHERE number = ?", [rowCount, try number(id)], "\(id) is unknown")
    case .writeEnded(let id, let isCommitted):
      let state = isCommitted ? WriteState.committed : .aborted
      try execute(
        "UPDATE write SET state = ?, outputs = NULL WHERE id = ?", [state.rawValue, id.text],
        "the write of \(id) is unknown")
    case .writeForgotten(let id):
      try execute("DELETE FROM write WHERE id = ?", [id.text], "the write of \(id) is unknown")
    }
  }

  // MARK: Queries and stages

  private mutating func insert(_ query: NewQuery) throws {
    try execute(
      """
      INSERT INTO query (id, nonce, sql, user, catalog, schema, session, retry_policy, state, created_us, description)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """,
      [
        query.id.text, query.nonce, query.sql, query.user, query.catalog, query.schema,
        try StoredText.encode(query.session), query.retryPolicy.rawValue, query.state, query.createdMicros,
        Data(query.description),
      ], "\(query.id) or its nonce exists")
    let number = db.lastInsertedRowID
    numbers[query.id] = number
    try execute("INSERT INTO query_key VALUES (?, ?)", [number, Data(query.sealedKey)], "the key of \(query.id)")
    for stage in query.stages {
      try execute(
        "INSERT INTO stage (query, stage, fragment) VALUES (?, ?, ?)", [number, stage.number, Data(stage.fragment)],
        "stage \(stage.number) of \(query.id) exists")
    }
  }

  private mutating func mark(_ stage: StageID, _ column: String) throws {
    try execute(
      "UPDATE stage SET \(column) = 1 WHERE query = ? AND stage = ?", [try number(stage.query), stage.number],
      "stage \(stage) is unknown")
  }

  private mutating func restart(_ stage: StageID, forgetsOutputs: Bool) throws {
    let key: [(any DatabaseValueConvertible)?] = [try number(stage.query), stage.number]
    try execute(
      "UPDATE stage SET is_released = 0 WHERE query = ? AND stage = ?", key, "stage \(stage) is unknown")
    try executeOnMany(
      """
      UPDATE task SET selected = NULL, first_valid_attempt = (
        SELECT coalesce(max(attempt.attempt) + 1, 0) FROM attempt
        WHERE attempt.query = task.query AND attempt.stage = task.stage AND attempt.partition = task.partition)
      WHERE query = ? AND stage = ?
      """, key)
    if forgetsOutputs { try executeOnMany("DELETE FROM output WHERE query = ? AND stage = ?", key) }
  }

  private mutating func end(_ id: QueryID, state: String, error: WaterbearError?, at time: Int64) throws {
    let number = try number(id)
    // What is made again of a result that was lost belongs to no query's time.
    try execute(
      """
      UPDATE query SET state = ?1, has_ended = 1, error_code = ?3, error = ?4,
        ended_us = CASE WHEN ?4 IS NULL THEN coalesce(ended_us, ?2) ELSE ?2 END
      WHERE number = ?5
      """, [state, time, error?.code.rawValue, try error.map { try StoredText.encode($0) }, number],
      "\(id) is unknown")
    if error != nil { try destroyKey(number) }
  }

  private mutating func release(_ id: QueryID, stages: [UInt8]) throws {
    let number = try number(id)
    try destroyKey(number)
    // Nobody will say of these how they end.
    try executeOnMany(
      """
      UPDATE attempt SET state = 'ABORTED', ended_us = (SELECT ended_us FROM query WHERE number = ?1)
      WHERE query = ?1 AND state = 'RUNNING'
      """, [number])
    try execute(
      """
      UPDATE query SET is_released = 1, description = NULL, stages = ?2,
        task_count = (SELECT count(*) FROM task WHERE query = ?1),
        attempt_count = (SELECT count(*) FROM attempt WHERE query = ?1),
        failed_attempt_count = (SELECT count(*) FROM attempt WHERE query = ?1 AND state IN ('FAILED', 'LOST'))
      WHERE number = ?1 AND is_released = 0
      """, [number, stages.isEmpty ? nil : Data(stages)], "\(id) was released before")
    for table in ["stage", "split", "output"] {
      try executeOnMany("DELETE FROM \(table) WHERE query = ?", [number])
    }
    try executeOnMany("UPDATE task SET input = x'' WHERE query = ?", [number])
    // Of a query with very many attempts only those stay that tell a story.
    try executeOnMany(
      """
      DELETE FROM attempt WHERE query = ?1 AND state = 'FINISHED' AND
        (SELECT attempt_count FROM query WHERE number = ?1) > \(Self.keptAttemptsMax)
      """, [number])
    numbers[id] = nil
  }

  /// Overwrites the key where it lies: a value of the same length is replaced in place, never moved.
  private func destroyKey(_ number: Int64) throws {
    try executeOnMany("UPDATE query_key SET sealed_key = zeroblob(length(sealed_key)) WHERE query = ?", [number])
  }

  // MARK: Splits and tasks

  private mutating func insert(_ splits: [StoredSplit], of stage: StageID, first: Int, last: Bool) throws {
    let number = try number(stage.query)
    for (offset, split) in splits.enumerated() {
      try execute(
        "INSERT INTO split (query, stage, split, weight, payload) VALUES (?, ?, ?, ?, ?)",
        [number, stage.number, first + offset, split.weight, Data(split.payload)],
        "split \(first + offset) of \(stage) exists")
    }
    if last { try mark(stage, "splits_complete") }
  }

  private mutating func insert(_ tasks: [NewTask], of stage: StageID) throws {
    let number = try number(stage.query)
    for task in tasks {
      try execute(
        "INSERT INTO task (query, stage, partition, input) VALUES (?, ?, ?, ?)",
        [number, stage.number, task.partition, Data(task.input)], "task \(task.partition) of \(stage) exists")
    }
  }

  private mutating func divide(_ task: TaskID, input: [UInt8]) throws {
    try execute(
      "UPDATE task SET input = ? WHERE query = ? AND stage = ? AND partition = ? AND selected IS NULL",
      [Data(input), try number(task.stage.query), task.stage.number, task.partition],
      "task \(task) is unknown or has a selected attempt")
  }

  private mutating func set(_ counters: StoredCounters, of task: TaskID) throws {
    try execute(
      """
      UPDATE task SET failures = ?, worker_losses = ?, output_losses = ?, memory = ?, first_valid_attempt = ?
      WHERE query = ? AND stage = ? AND partition = ?
      """,
      [
        counters.failures, counters.workerLosses, counters.outputLosses, counters.memory, counters.firstValidAttempt,
        try number(task.stage.query), task.stage.number, task.partition,
      ], "task \(task) is unknown")
  }

  // MARK: Attempts

  private mutating func start(_ id: AttemptID, worker: WorkerID, memory: Int64, at time: Int64) throws {
    try execute(
      """
      INSERT INTO attempt (query, stage, partition, attempt, worker, incarnation, memory, state, started_us)
      VALUES (?, ?, ?, ?, ?, ?, ?, 'RUNNING', ?)
      """,
      [
        try number(id.task.stage.query), id.task.stage.number, id.task.partition, id.number, worker.number,
        Int64(bitPattern: worker.incarnation), memory, time,
      ], "attempt \(id) was started before")
  }

  private mutating func finish(_ id: AttemptID, state: String, error: WaterbearError?, at time: Int64) throws {
    try execute(
      """
      UPDATE attempt SET state = ?, ended_us = ?, error_code = ?, error = ?
      WHERE query = ? AND stage = ? AND partition = ? AND attempt = ?
      """,
      [
        state, time, error?.code.rawValue, try error.map { try StoredText.encode($0) },
        try number(id.task.stage.query), id.task.stage.number, id.task.partition, id.number,
      ], "attempt \(id) was never started")
  }

  private mutating func select(_ id: AttemptID, output: [UInt8], at time: Int64) throws {
    let query = try number(id.task.stage.query)
    try finish(id, state: "FINISHED", error: nil, at: time)
    try execute(
      "UPDATE task SET selected = ? WHERE query = ? AND stage = ? AND partition = ? AND selected IS NULL",
      [id.number, query, id.task.stage.number, id.task.partition], "task \(id.task) has a selected attempt already")
    try execute(
      """
      INSERT INTO output (query, stage, partition, attempt, output) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET attempt = excluded.attempt, output = excluded.output
      """,
      [query, id.task.stage.number, id.task.partition, id.number, Data(output)], "the output of \(id)")
  }

  private mutating func unselect(_ id: AttemptID, error: WaterbearError, at time: Int64) throws {
    // It ended when it was selected, not when its output was found to be lost.
    let ended = try Int64.fetchOne(
      db.cachedStatement(
        sql: "SELECT ended_us FROM attempt WHERE query = ? AND stage = ? AND partition = ? AND attempt = ?"),
      arguments: [try number(id.task.stage.query), id.task.stage.number, id.task.partition, id.number])
    try finish(id, state: AttemptEnd.lost.rawValue, error: error, at: ended ?? time)
    try execute(
      "UPDATE task SET selected = NULL WHERE query = ? AND stage = ? AND partition = ? AND selected = ?",
      [try number(id.task.stage.query), id.task.stage.number, id.task.partition, id.number],
      "attempt \(id) is not the selected one")
  }

  // MARK: Statements

  private mutating func number(_ id: QueryID) throws -> Int64 {
    if let known = numbers[id] { return known }
    let statement = try db.cachedStatement(sql: "SELECT number FROM query WHERE id = ? AND is_released = 0")
    guard let number = try Int64.fetchOne(statement, arguments: [id.text]) else {
      throw StoreFailure.refused("\(id) is unknown or released")
    }
    numbers[id] = number
    return number
  }

  /// Runs a statement that must change exactly one row; `refusal` says what is wrong where it does not.
  private func execute(
    _ sql: String, _ arguments: [(any DatabaseValueConvertible)?], _ refusal: @autoclosure () -> String
  ) throws {
    let statement = try db.cachedStatement(sql: sql)
    do {
      try statement.execute(arguments: StatementArguments(arguments))
    } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
      throw StoreFailure.refused(refusal())
    }
    guard db.changesCount == 1 else { throw StoreFailure.refused(refusal()) }
  }

  /// Runs a statement that may change any number of rows.
  private func executeOnMany(_ sql: String, _ arguments: [(any DatabaseValueConvertible)?]) throws {
    try db.cachedStatement(sql: sql).execute(arguments: StatementArguments(arguments))
  }
}

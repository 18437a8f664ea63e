// Owns the life of a query in the coordinator: accepted, running, finished or failed, released.

import Base
import Exchange
import NIOCore
import Platform
import Scheduling
import Sealing
import Settings
import TaskStore
import Telemetry
import Wire

/// A query whose plan is not ready, and those who wait for its id.
final class PlanningQuery {
  let nonce: String
  let user: String
  let createdMicroseconds: Int64
  let request: QueryRequest
  /// Session properties as the client gave them.
  let given: [String: String]
  let submission: Submission
  /// Two columns of one name make the result useless.
  let needsDistinctNames: Bool
  /// Ends it when its plan takes too long.
  var limit: Scheduled<Void>?
  var waiters: [(Result<QueryID, WaterbearError>) -> Void] = []
  /// The plan is there.
  var isPlanned = false
  /// Ends the query when its plan takes too long.
  var timer: Scheduled<Void>?

  init(
    nonce: String, user: String, createdMicroseconds: Int64, request: QueryRequest, given: [String: String],
    submission: Submission, needsDistinctNames: Bool = false
  ) {
    self.submission = submission
    self.needsDistinctNames = needsDistinctNames
    self.given = given
    self.nonce = nonce
    self.user = user
    self.createdMicroseconds = createdMicroseconds
    self.request = request
  }
}

extension Coordinator {
  /// Plans a query and accepts it. `answer` gets its id once everything needed to finish it is durable, or the error
  /// that ended it before.
  func submit(
    _ message: SubmitQuery, user: String, answer: @escaping (Result<QueryID, WaterbearError>) -> Void
  ) throws {
    guard !isDraining else {
      throw WaterbearError(
        .serverShuttingDown, "The daemon is stopping", remedy: "submit the query again when it has been restarted")
    }
    guard (1...256).contains(message.nonce.utf8.count) else {
      throw WaterbearError(.invalidArguments, "A query's nonce has 1 to 256 bytes, not \(message.nonce.utf8.count)")
    }
    if let known = planning.values.first(where: { $0.nonce == message.nonce }) {
      known.waiters.append(answer)
      return
    }
    if let known = try store.queryID(nonce: message.nonce) { return answer(.success(known)) }
    let session = try SessionProperties(settings, given: message.session)
    let id = try makeQueryID()
    let created = SystemClock.wallMicroseconds()
    let request = QueryRequest(
      id: id, user: user, startMicroseconds: created, sql: message.sql, catalog: message.catalog,
      schema: message.schema, session: session)
    let planned = PlanningQuery(
      nonce: message.nonce, user: user, createdMicroseconds: created, request: request,
      given: message.session, submission: Submission(isAwaited: message.isAwaited ?? false),
      needsDistinctNames: message.needsDistinctNames ?? false)
    planned.waiters.append(answer)
    planning[id] = planned
    limitPlanning(planned)
    planner.plan(request, on: loop) { [weak self] outcome in self?.accept(id, outcome) }
    let limit = QueryPolicy(session).planningTime
    planned.timer = loop.assumeIsolated().scheduleTask(in: .nanoseconds(limit.nanoseconds)) { [weak self] in
      self?.expirePlanning(id, limit)
    }
  }

  /// A data source that hangs would keep the client waiting for ever. What the planner says of the query later is not
  /// heard.
  private func expirePlanning(_ id: QueryID, _ limit: TimeSpan) {
    guard let planned = planning[id], !planned.isPlanned else { return }
    planner.replaceThread()
    accept(
      id,
      .failure(
        WaterbearError(
          .exceededTimeLimit, "Query exceeded the maximum planning time limit of \(limit)",
          remedy: "see whether the file systems of its tables answer; raise query.max-planning-time for large tables")))
  }

  /// `isOpen`: the write that is part of the plan, if any, has been noted.
  private func accept(
    _ id: QueryID, _ outcome: Result<PlannedQuery, WaterbearError>, isOpen: Bool = false
  ) {
    guard let planned = planning[id] else { return }
    planned.limit?.cancel()
    planned.isPlanned = true
    planned.timer?.cancel()
    do {
      switch outcome {
      case .failure(let error): try refuse(planned, error)
      case .success(let plan):
        if planned.needsDistinctNames, let error = Self.sameNames(in: plan.columns) {
          return try refuse(planned, error)
        }
        guard let write = plan.write, !isOpen else { return try start(planned, plan) }
        open(write, of: id) { [weak self] error in
          self?.accept(id, error.map { .failure($0) } ?? .success(plan), isOpen: true)
        }
      }
    } catch {
      endPlanning(id, .failure(WaterbearError.wrapping(error)))
    }
  }

  /// What is wrong with the names of a result where each must be another.
  private static func sameNames(in columns: [ResultColumn]) -> WaterbearError? {
    var names: Set<String> = []
    guard let column = columns.first(where: { !names.insert($0.name).inserted }) else { return nil }
    return WaterbearError(
      .duplicateColumnName, "A file of this format cannot have two columns with the name '\(column.name)'",
      remedy: "Give them names with AS, or choose another format.")
  }

  /// Answers all who wait for a query's id. Not before the query is durable: until then a second submission must find
  /// it here, as the store does not know its nonce yet.
  private func endPlanning(_ id: QueryID, _ result: Result<QueryID, WaterbearError>) {
    guard let planned = planning.removeValue(forKey: id) else { return }
    for waiter in planned.waiters { waiter(result) }
  }

  /// A query that cannot be planned leaves only its history.
  func refuse(_ planning: PlanningQuery, _ error: WaterbearError) throws {
    let id = planning.request.id
    log.write(.queryFailed, about: .query(id), .error(error))
    let policy = planning.request.session[.retryPolicy]
    try store.apply([
      .querySubmitted(planning.row(retryPolicy: policy, state: QueryStateName.failed, sealedKey: [])),
      .queryEnded(id, state: QueryStateName.failed, error, at: SystemClock.wallMicroseconds()), .queryReleased(id),
    ])
    endPlanning(id, .failure(error))
  }

  private func start(_ planning: PlanningQuery, _ plan: PlannedQuery) throws {
    let id = planning.request.id
    let key = try SealingKey.random()
    let query = LiveQuery(
      id: id, sql: planning.request.sql, user: planning.user, createdMicroseconds: planning.createdMicroseconds,
      description: plan.description, columns: plan.columns, fragments: plan.fragments, splits: plan.splits,
      compressionCodec: plan.compressionCodec, key: plan.encryption ? key : nil, write: plan.write,
      submission: planning.submission, adaptive: plan.adaptivePlan?.options)
    var row = planning.row(
      retryPolicy: plan.description.retryPolicy, state: QueryStateName.running,
      sealedKey: try store.sealQueryKey(key, for: id))
    row.description = try BinaryEncoder.encode(query.stored)
    row.stages = plan.fragments.enumerated().map { (number: $0.offset, fragment: $0.element) }
    queries[id] = query
    if let adaptive = plan.adaptivePlan { advisor.add(adaptive, of: id, stages: plan.description.stages) }
    log.write(
      .querySubmitted, about: .query(id),
      [
        "user": .string(planning.user), "retry_policy": .string(plan.description.retryPolicy.rawValue),
        "stages": .int(plan.fragments.count), "sql_bytes": .int(planning.request.sql.utf8.count),
      ])
    watchClient(of: query)
    enqueue(
      .querySubmitted(plan.description, age: query.age), with: [.querySubmitted(row)],
      then: { [weak self] in self?.endPlanning(id, .success(id)) })
    for stage in plan.description.stages where stage.kind == .source {
      enqueue(
        .splitsDiscovered(
          StageID(query: id, number: stage.number), weights: plan.splits[stage.number].map(\.bytes), last: true))
    }
    // All of it shares one turn.
    afterThisTurn { [weak self] in
      query.hasStoredSplits = true
      self?.limitSplits()
    }
  }

  /// A part of the result is final.
  func addResult(_ attempt: AttemptID) {
    guard let query = queries[attempt.task.stage.query] else { return }
    query.results[attempt.task.partition] = attempt
    query.wake()
  }

  func completeResult(of id: QueryID, taskCount: Int) {
    guard let query = queries[id] else { return }
    query.resultTasks = taskCount
    query.state = .finished
    endWrite(of: query)
    // It may have been so before: in an earlier life of the coordinator, or until a part of its result was lost.
    if query.endedMicroseconds == nil { noteFirstEnd(of: query) }
    // However long it took: nobody could have asked before.
    query.lastAccess = .now()
    query.wake()
    expireResult(of: query)
  }

  private func noteFirstEnd(of query: LiveQuery) {
    query.endedMicroseconds = SystemClock.wallMicroseconds()
    let status = query.status(nowMicroseconds: SystemClock.wallMicroseconds())
    let rows = query.write?.rowCount ?? query.progress[0].rows
    log.write(
      .queryFinished, about: .query(query.id),
      [
        "milliseconds": .int(status.elapsedMicroseconds / 1000), "rows": .int(rows),
        "tasks": .int(query.progress.reduce(0) { $0 + $1.total }), "retries": .int(status.retriedAttempts),
      ])
  }

  func noteFailure(of id: QueryID, _ error: WaterbearError) {
    guard let query = queries[id] else { return }
    query.state = .failed
    query.error = error
    query.endedMicroseconds = SystemClock.wallMicroseconds()
    endWrite(of: query)
    let status = query.status(nowMicroseconds: SystemClock.wallMicroseconds())
    let figures: LogFields = [
      "milliseconds": .int(status.elapsedMicroseconds / 1000), "retries": .int(status.retriedAttempts),
    ]
    let event: LogEvent = error.code == .userCanceled ? .queryCancelled : .queryFailed
    log.write(event, about: .query(id), figures + .error(error))
    query.wake()
  }

  /// Releases a result that nobody has asked for during `query.min-expire-age`.
  func expireResult(of query: LiveQuery) {
    let age = TimeAmount.nanoseconds(policy.resultAge.nanoseconds)
    loop.assumeIsolated().scheduleTask(deadline: query.lastAccess + age) { [weak self, weak query] in
      guard let self, let query, queries[query.id] === query, query.state == .finished else { return }
      guard query.lastAccess + age <= .now() else { return expireResult(of: query) }
      log.write(
        .queryExpired, about: .query(query.id),
        ["kept_seconds": .int(policy.resultAge.milliseconds / 1000)])
      enqueue(.queryReleased(query.id))
    }
  }

  /// Nobody needs anything of the query any more: workers forget it, its files go.
  func release(_ id: QueryID) {
    for session in workers.values where session.definedStages.contains(where: { $0.query == id }) {
      session.definedStages = session.definedStages.filter { $0.query != id }
      send(ForgetQuery(query: id), to: session.id)
    }
    results.close(id)
    advisor.forget(id)
    if let query = queries.removeValue(forKey: id) { query.wake() }
    removeFiles(of: id)
  }

  private func makeQueryID() throws -> QueryID {
    let sequence = try store.nextQuerySequence()
    let digits = String(sequence % 100_000)
    let padded = String(repeating: "0", count: 5 - digits.count) + digits
    return QueryID("\(SystemClock.utcCompact())_\(padded)_\(instanceName)")
  }
}

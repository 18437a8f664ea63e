// Tests of each change: what it makes of the store, what a crash right after it leaves, and what is refused.
import Base
import Foundation
import GRDB
import Testing

@testable import TaskStore

@Suite struct StoreChangeTests {
  let fixture: StoreFixture
  let store: TaskStore

  init() throws {
    fixture = try StoreFixture()
    store = try fixture.open()
  }

  @Test func aSubmittedQueryComesBackWhole() throws {
    let query = try newQuery(store)
    try store.apply([.querySubmitted(query)])
    let stored = try #require(try store.liveQueries().first)
    #expect(stored.summary.id == queryID && stored.summary.sql == "SELECT 1" && stored.summary.user == "ada")
    #expect(stored.summary.catalog == "tpch" && stored.summary.schema == nil)
    #expect(stored.summary.retryPolicy == .task && stored.summary.state == "QUEUED")
    #expect(stored.summary.createdMicros == 1_000 && stored.summary.endedMicros == nil)
    #expect(stored.nonce == "nonce" && stored.session == ["retry_policy": "TASK"] && stored.description == [1, 2, 3])
    #expect(stored.stages.map(\.number) == [0, 1] && stored.stages.map(\.fragment) == [[10], [11, 12]])
    #expect(try store.queryID(nonce: "nonce") == queryID && store.queryID(nonce: "other") == nil)
  }

  @Test func splitsComeBackInOrder() throws {
    try store.apply([.querySubmitted(try newQuery(store))])
    let splits = (0..<5).map { StoredSplit(payload: [UInt8($0)], weight: Int64($0) * 10) }
    try store.apply([.splits(stage, first: 0, Array(splits[..<3]), last: false)])
    #expect(try !liveStage(store).splitsComplete)
    try store.apply([.splits(stage, first: 3, Array(splits[3...]), last: true)])
    let stored = try liveStage(store)
    #expect(stored.splits == splits && stored.splitsComplete && !stored.tasksComplete)
  }

  @Test func aChangedPlanComesBackAndItsReasonsStay() throws {
    try store.apply([.querySubmitted(try newQuery(store))])
    try store.apply([
      .planChanged(queryID, description: [7], fragments: [(stage: 1, fragment: [8, 9])]),
      .decisionMade(stage, kind: "JOIN_SIDES_SWAPPED", reason: "big", at: 5),
      .stageSkipped(stage, isSkipped: true), .decisionMade(stage, kind: "STAGE_SKIPPED", reason: "empty", at: 6),
    ])
    let stored = try #require(try store.liveQueries().first)
    #expect(stored.description == [7] && stored.stages.map(\.fragment) == [[10], [8, 9]])
    #expect(try liveStage(store).isSkipped)
    try store.apply([.stageSkipped(stage, isSkipped: false)])
    #expect(try !liveStage(store).isSkipped)
    try store.apply([.queryEnded(queryID, state: "FINISHED", nil, at: 9), .queryReleased(queryID)])
    #expect(
      try store.decisions(queryID) == [
        StoredDecision(stage: stage.number, kind: "JOIN_SIDES_SWAPPED", reason: "big", madeMicros: 5),
        StoredDecision(stage: stage.number, kind: "STAGE_SKIPPED", reason: "empty", madeMicros: 6),
      ])
    try store.prune(keep: 0)
    #expect(try store.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM decision") } == 0)
    #expect(throws: WaterbearError.self) {
      try store.apply([.planChanged(QueryID("other"), description: [], fragments: [])])
    }
  }

  @Test func anAttemptsLifeIsKept() throws {
    try submitWithTasks(store)
    try store.apply([.attemptStarted(attempt(0, 0), worker, memory: 77, at: 5)])
    #expect(
      try liveStage(store).tasks[0].running == [StoredTask.Running(number: 0, worker: worker, memory: 77)])
    try store.apply([
      .attemptEnded(attempt(0, 0), .failed, failure, at: 6), .attemptStarted(attempt(0, 1), worker, memory: 77, at: 7),
      .outputSelected(attempt(0, 1), output: [9, 9], at: 8),
    ])
    let stored = try liveStage(store).tasks
    #expect(stored[0].running.isEmpty && stored[0].nextAttempt == 2 && stored[0].selected == 1)
    #expect(stored[0].output == [9, 9] && stored[1].nextAttempt == 0 && stored[1].output == nil)
    let attempts = try store.attempts(queryID)
    #expect(attempts.map(\.state) == ["FAILED", "FINISHED"] && attempts.map(\.isSelected) == [false, true])
    #expect(attempts[0].error == failure && attempts[0].startedMicros == 5 && attempts[0].endedMicros == 6)
    #expect(attempts[0].worker == worker && attempts[1].id == attempt(0, 1))
  }

  @Test func aLostOutputOpensTheTaskAndIsRemembered() throws {
    try submitWithTasks(store)
    try store.apply([
      .attemptStarted(attempt(0, 0), worker, memory: 1, at: 5), .outputSelected(attempt(0, 0), output: [9], at: 6),
      .outputUnselected(attempt(0, 0), failure, at: 7),
    ])
    let open = try liveStage(store).tasks[0]
    #expect(open.selected == nil && open.output == [9] && open.nextAttempt == 1)
    #expect(try store.attempts(queryID).map(\.state) == ["LOST"])
    try store.apply([
      .attemptStarted(attempt(0, 1), worker, memory: 1, at: 8), .outputSelected(attempt(0, 1), output: [8], at: 9),
    ])
    let again = try liveStage(store).tasks[0]
    #expect(again.selected == 1 && again.output == [8])
  }

  @Test func countersAreKeptWhole() throws {
    try submitWithTasks(store)
    var counters = StoredCounters()
    (counters.failures, counters.workerLosses, counters.outputLosses) = (1, 2, 3)
    (counters.memory, counters.firstValidAttempt) = (Int64.max, 4)
    try store.apply([.taskCounters(task(1), counters)])
    #expect(try liveStage(store).tasks.map(\.counters) == [StoredCounters(), counters])
  }

  @Test(arguments: [false, true])
  func aRestartedStageOpensItsTasks(forgetsOutputs: Bool) throws {
    try submitWithTasks(store)
    try store.apply([
      .attemptStarted(attempt(0, 0), worker, memory: 1, at: 5), .outputSelected(attempt(0, 0), output: [9], at: 6),
      .stageTasksComplete(stage), .stageReleased(stage),
    ])
    #expect(try liveStage(store).isReleased && liveStage(store).tasksComplete)
    try store.apply([.stageRestarted(stage, forgetsOutputs: forgetsOutputs)])
    let stored = try liveStage(store)
    #expect(!stored.isReleased && stored.tasksComplete)
    #expect(stored.tasks.map(\.selected) == [nil, nil])
    #expect(stored.tasks.map(\.counters.firstValidAttempt) == [1, 0])
    #expect(stored.tasks[0].output == (forgetsOutputs ? nil : [9]))
  }

  @Test func aQueryEndsResumesAndIsReleased() throws {
    try submitWithTasks(store)
    try store.apply([
      .queryStateChanged(queryID, state: "RUNNING"), .queryRetried(queryID, failures: 2),
      .attemptStarted(attempt(0, 0), worker, memory: 1, at: 5), .attemptEnded(attempt(0, 0), .lost, failure, at: 6),
      .attemptStarted(attempt(0, 1), worker, memory: 1, at: 5),
      .queryEnded(queryID, state: "FINISHED", nil, at: 70),
    ])
    let ended = try #require(try store.query(queryID))
    #expect(ended.state == "FINISHED" && ended.hasEnded && ended.endedMicros == 70 && ended.failures == 2)
    #expect(try store.liveQueries().count == 1)
    try store.apply([.queryResumed(queryID, state: "RUNNING")])
    // A result that is made again does not make the query longer.
    #expect(try store.query(queryID)?.hasEnded == false)
    #expect(try store.query(queryID)?.endedMicros == 70)
    try store.apply([.queryEnded(queryID, state: "FINISHED", nil, at: 80), .queryReleased(queryID)])
    #expect(try store.liveQueries().isEmpty)
    #expect(try store.attempts(queryID).map(\.state) == ["LOST", "ABORTED"])
    #expect(try store.attempts(queryID).map(\.endedMicros) == [6, 70])
    let history = try #require(try store.queries(limit: 10).first)
    #expect(history.isReleased && history.sql == "SELECT 1" && history.endedMicros == 70)
    #expect(history.taskCount == 2 && history.attemptCount == 2 && history.failedAttemptCount == 1)
    try store.prune(keep: 0)
    #expect(try store.attempts(queryID).isEmpty)
  }

  @Test func aFailedQueryKeepsItsError() throws {
    try submitWithTasks(store)
    try store.apply([.queryEnded(queryID, state: "FAILED", failure, at: 70)])
    #expect(try store.query(queryID)?.error == failure)
  }

  /// After each change a new process finds exactly what this one sees.
  @Test func aCrashAfterAnyChangeLosesNothing() throws {
    let changes: [StoreChange] = [
      .querySubmitted(try newQuery(store)),
      .splits(stage, first: 0, [StoredSplit(payload: [1], weight: 1)], last: true),
      .tasksCreated(stage, [NewTask(partition: 0, input: [1])]),
      .stageTasksComplete(stage),
      .attemptStarted(attempt(0, 0), worker, memory: 1, at: 1),
      .attemptEnded(attempt(0, 0), .aborted, nil, at: 2),
      .attemptStarted(attempt(0, 1), worker, memory: 1, at: 3),
      .outputSelected(attempt(0, 1), output: [1], at: 4),
      .outputUnselected(attempt(0, 1), failure, at: 5),
      .taskCounters(task(0), StoredCounters()),
      .stageReleased(stage),
      .stageRestarted(stage, forgetsOutputs: true),
      .queryStateChanged(queryID, state: "RUNNING"),
      .queryRetried(queryID, failures: 1),
      .queryEnded(queryID, state: "FINISHED", nil, at: 6),
      .queryResumed(queryID, state: "RUNNING"),
      .queryEnded(queryID, state: "FAILED", failure, at: 7),
      .queryReleased(queryID),
    ]
    for (number, change) in changes.enumerated() {
      try store.apply([change])
      if number % 5 == 4 { try store.flush() }
      let other = try fixture.openAfterCrash()
      #expect(other.damage == nil)
      #expect(try other.liveQueries() == store.liveQueries(), "\(change)")
      #expect(try other.queries(limit: 9) == store.queries(limit: 9), "\(change)")
      #expect(try other.attempts(queryID) == store.attempts(queryID), "\(change)")
      try other.close()
    }
  }

  @Test func anAttemptNumberIsNeverUsedTwice() throws {
    try submitWithTasks(store)
    try store.apply([.attemptStarted(attempt(0, 0), worker, memory: 1, at: 1)])
    try store.apply([.attemptEnded(attempt(0, 0), .failed, failure, at: 2)])
    let error = #expect(throws: WaterbearError.self) {
      try store.apply([
        .queryStateChanged(queryID, state: "CHANGED"), .attemptStarted(attempt(0, 0), worker, memory: 1, at: 3),
      ])
    }
    #expect(error?.code == .taskStoreFailed)
    #expect(error?.message.contains("attempt \(attempt(0, 0)) was started before") == true)
    // Nothing of the transaction stays.
    #expect(try store.query(queryID)?.state == "QUEUED")
    #expect(try store.attempts(queryID).map(\.state) == ["FAILED"])
  }

  @Test func changesOfWhatIsNotThereAreRefused() throws {
    try submitWithTasks(store)
    let unknown = QueryID("20260101_000000_00009_zzzzz")
    let changes: [StoreChange] = [
      .querySubmitted(try newQuery(store, nonce: "other")),
      .querySubmitted(try newQuery(store, id: unknown)),
      .queryStateChanged(unknown, state: "RUNNING"),
      .stageTasksComplete(StageID(query: queryID, number: 7)),
      .tasksCreated(stage, [NewTask(partition: 1, input: [])]),
      .taskCounters(task(7), StoredCounters()),
      .attemptEnded(attempt(0, 3), .failed, failure, at: 1),
      .outputSelected(attempt(0, 3), output: [], at: 1),
      .outputUnselected(attempt(0, 3), failure, at: 1),
    ]
    let before = try store.liveQueries()
    for change in changes {
      #expect(throws: WaterbearError.self, "\(change)") { try store.apply([change]) }
    }
    #expect(try store.liveQueries() == before)
    try store.apply([.queryReleased(queryID)])
    #expect(throws: WaterbearError.self) { try store.apply([.queryReleased(queryID)]) }
  }

  @Test func onlyOneAttemptCanBeSelected() throws {
    try submitWithTasks(store)
    try store.apply([
      .attemptStarted(attempt(0, 0), worker, memory: 1, at: 1),
      .attemptStarted(attempt(0, 1), worker, memory: 1, at: 1),
      .outputSelected(attempt(0, 1), output: [1], at: 2),
    ])
    let error = #expect(throws: WaterbearError.self) {
      try store.apply([.outputSelected(attempt(0, 0), output: [0], at: 3)])
    }
    #expect(error?.message.contains("has a selected attempt already") == true)
    #expect(try liveStage(store).tasks[0].output == [1])
  }

  @Test func aFailedTransactionForgetsItsQuery() throws {
    #expect(throws: WaterbearError.self) {
      try store.apply([.querySubmitted(try newQuery(store)), .stageTasksComplete(StageID(query: queryID, number: 9))])
    }
    #expect(throws: WaterbearError.self) { try store.apply([.queryStateChanged(queryID, state: "RUNNING")]) }
    try submitWithTasks(store)
    #expect(try store.liveQueries().count == 1)
  }
}

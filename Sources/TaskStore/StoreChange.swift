// Owns the changes that the task store can make durable. One-to-one with what the scheduler records, with contents
// as opaque bytes: the store must not know plans, splits or outputs.
import Base

/// A change of durable state. Times are microseconds since 1970; blobs are the caller's encoding.
public enum StoreChange: Sendable {
  /// A query with its stages. Its `nonce` must be new; see `TaskStore.queryID(nonce:)`.
  case querySubmitted(NewQuery)
  /// More splits of a stage, from index `first` on.
  case splits(StageID, first: Int, [StoredSplit], last: Bool)
  /// New tasks of a stage, their partitions following on the stage's last one.
  case tasksCreated(StageID, [NewTask])
  /// The stage will get no more tasks.
  case stageTasksComplete(StageID)
  /// The attempt's number is used up. A number used before throws, and nothing of the transaction is kept.
  case attemptStarted(AttemptID, WorkerID, memory: Int64, at: Int64)
  /// The attempt ended and is not the selected one.
  case attemptEnded(AttemptID, AttemptEnd, WaterbearError?, at: Int64)
  /// The attempt is the one that counts; `output` replaces what the task had.
  case outputSelected(AttemptID, output: [UInt8], at: Int64)
  /// The selected output is gone; the task is open again. The output's description is remembered.
  case outputUnselected(AttemptID, WaterbearError, at: Int64)
  /// The task, of which no attempt was ever selected, reads only this from now on.
  case taskDivided(TaskID, input: [UInt8])
  /// The task's counters, whole.
  case taskCounters(TaskID, StoredCounters)
  /// The stage's outputs are no longer needed and may be deleted.
  case stageReleased(StageID)
  /// All tasks of the stage are open again, and attempts already numbered can no longer be selected.
  case stageRestarted(StageID, forgetsOutputs: Bool)
  /// The stage counts as complete without outputs, or runs after all.
  case stageSkipped(StageID, isSkipped: Bool)
  /// Stages that have not started get other fragments, or are added, and the query the description that belongs to
  /// them.
  case planChanged(QueryID, description: [UInt8], fragments: [(stage: Int, fragment: [UInt8])])
  /// Something was decided about the plan; kept with the history for people.
  case decisionMade(StageID, kind: String, reason: String, at: Int64)
  /// The query's state as people see it, such as `RUNNING`.
  case queryStateChanged(QueryID, state: String)
  /// How often the whole query was run again.
  case queryRetried(QueryID, failures: Int)
  /// Before the query is accepted: `act` tells what is to be committed or cleaned up. Its name must be new.
  case writeOpened(QueryID, act: [UInt8])
  /// The write will be committed with these outputs, whatever happens. Refused unless it is open.
  case commitStarted(QueryID, rowCount: Int64, outputs: [UInt8])
  /// The write was committed, or never will be; attempts of it may still leave something to be cleaned up.
  case writeEnded(QueryID, isCommitted: Bool)
  /// Nothing of the write is left to be cleaned up: it is forgotten.
  case writeForgotten(QueryID)
  /// The query has its outcome. With an error, its sealed key is destroyed.
  case queryEnded(QueryID, state: String, WaterbearError?, at: Int64)
  /// A finished query lost a part of its result and runs again, in this state.
  case queryResumed(QueryID, state: String)
  /// Nobody needs the query any more: its key is destroyed, and its fragments, splits, outputs and the inputs of its
  /// tasks are removed. The history row stays, with the attempts and with `stages`, figures for people.
  case queryReleased(QueryID, stages: [UInt8] = [])
}

/// A query as it is first stored.
public struct NewQuery: Sendable {
  public var id: QueryID
  /// Chosen by the client, so that a submission sent twice makes one query.
  public var nonce: String
  public var sql: String
  public var user: String
  public var catalog: String?
  public var schema: String?
  /// Session properties as the client gave them.
  public var session: [String: String]
  public var retryPolicy: RetryPolicy
  /// State as people see it.
  public var state: String
  public var createdMicros: Int64
  /// From `TaskStore.sealQueryKey`.
  public var sealedKey: [UInt8]
  /// What the scheduler was told.
  public var description: [UInt8]
  /// Fragments by stage number.
  public var stages: [(number: Int, fragment: [UInt8])]

  public init(
    id: QueryID, nonce: String, sql: String, user: String, catalog: String?, schema: String?,
    session: [String: String], retryPolicy: RetryPolicy, state: String, createdMicros: Int64,
    sealedKey: [UInt8], description: [UInt8], stages: [(number: Int, fragment: [UInt8])]
  ) {
    self.id = id
    self.nonce = nonce
    self.sql = sql
    self.user = user
    self.catalog = catalog
    self.schema = schema
    self.session = session
    self.retryPolicy = retryPolicy
    self.state = state
    self.createdMicros = createdMicros
    self.sealedKey = sealedKey
    self.description = description
    self.stages = stages
  }
}

/// A split of a stage: its contents and its weight.
public struct StoredSplit: Sendable, Equatable {
  public var payload: [UInt8]
  public var weight: Int64

  public init(payload: [UInt8], weight: Int64) {
    self.payload = payload
    self.weight = weight
  }
}

/// A task as it is first stored.
public struct NewTask: Sendable, Equatable {
  public var partition: Int
  public var input: [UInt8]

  public init(partition: Int, input: [UInt8]) {
    self.partition = partition
    self.input = input
  }
}

/// How an attempt ended that is not the selected one.
public enum AttemptEnd: String, Sendable {
  /// It reported an error.
  case failed = "FAILED"
  /// Its worker died or never got it.
  case lost = "LOST"
  /// It was not needed.
  case aborted = "ABORTED"
}

/// What a task has been through.
public struct StoredCounters: Sendable, Equatable {
  public var failures = 0
  public var workerLosses = 0
  public var outputLosses = 0
  /// Bytes the task is known to need; 0 where nothing is known.
  public var memory: Int64 = 0
  /// No attempt below this number can be selected any more.
  public var firstValidAttempt = 0

  public init() {}
}

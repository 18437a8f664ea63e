// Owns the shapes in which the store gives back what it holds.
import Base

/// A query that is not released, with everything needed to go on with it.
public struct StoredQuery: Sendable, Equatable {
  public var summary: QuerySummary
  public var nonce: String
  public var session: [String: String]
  public var description: [UInt8]
  /// In the order of their numbers.
  public var stages: [StoredStage]
}

/// A stage of a live query.
public struct StoredStage: Sendable, Equatable {
  public var number: Int
  public var fragment: [UInt8]
  /// By index.
  public var splits: [StoredSplit] = []
  public var splitsComplete: Bool
  public var tasksComplete: Bool
  public var isReleased: Bool
  public var isSkipped: Bool
  /// By partition, without gaps.
  public var tasks: [StoredTask] = []
}

/// A task of a live query.
public struct StoredTask: Sendable, Equatable {
  /// An attempt that was started and has neither ended nor been selected.
  public struct Running: Sendable, Equatable {
    public var number: Int
    public var worker: WorkerID
    public var memory: Int64
  }

  public var partition: Int
  public var input: [UInt8]
  public var counters: StoredCounters
  /// The highest attempt number ever started, plus 1.
  public var nextAttempt = 0
  public var running: [Running] = []
  public var selected: Int?
  /// The selected attempt's output or, while none is selected, the last one that was.
  public var output: [UInt8]?
}

/// A query's row in the history.
public struct QuerySummary: Sendable, Equatable {
  public var id: QueryID
  public var sql: String
  public var user: String
  public var catalog: String?
  public var schema: String?
  public var retryPolicy: RetryPolicy
  public var state: String
  public var createdMicros: Int64
  public var endedMicros: Int64?
  public var error: WaterbearError?
  /// Times the whole query was run again.
  public var failures: Int
  /// An outcome is recorded; with no error, the result may be fetched until the query is released.
  public var hasEnded: Bool
  public var isReleased: Bool
  /// Counted when the query was released; 0 before.
  public var taskCount: Int
  public var attemptCount: Int
  public var failedAttemptCount: Int
  /// How many rows a write has written, from the start of its commit on.
  public var updateCount: Int64?
  /// What was said at the release of the query's stages.
  public var stages: [UInt8]?
}

/// Something that was decided about the plan of a query, live or in the history.
public struct StoredDecision: Sendable, Equatable {
  public var stage: Int
  /// The name of what was decided, such as `STAGE_SKIPPED`.
  public var kind: String
  public var reason: String
  public var madeMicros: Int64
}

/// An attempt of a query, live or in the history.
public struct StoredAttempt: Sendable, Equatable {
  public var id: AttemptID
  public var worker: WorkerID
  public var memory: Int64
  /// `RUNNING`, `FINISHED`, or a raw value of `AttemptEnd`.
  public var state: String
  public var isSelected: Bool
  public var startedMicros: Int64
  public var endedMicros: Int64?
  public var error: WaterbearError?
}

// Owns the figures by which a query's state is shown to people.
import Base

/// How far a query is.
public struct QueryProgress: Hashable, Codable, Sendable {
  /// Where the query is in its life.
  public enum State: String, Hashable, Codable, Sendable {
    case running = "RUNNING"
    /// Waits before it runs again as a whole.
    case delayed = "DELAYED"
    case finished = "FINISHED"
  }

  /// The figures of one stage, in tasks and attempts.
  public struct Stage: Hashable, Codable, Sendable {
    public var number: Int
    public var tasks: Int
    /// More tasks may come.
    public var isOpen: Bool
    public var finishedTasks: Int
    public var runningAttempts: Int
    /// Attempts that failed or were lost with their worker.
    public var failedAttempts: Int
    /// Bytes of output over all tasks that finished.
    public var outputBytes: Int64
  }

  public var state: State
  public var stages: [Stage]
  /// Times the query was run again as a whole.
  public var retries: Int
}

extension Scheduler {
  /// The ids of the live queries, sorted.
  public var liveQueries: [QueryID] { queries.keys.sorted() }

  /// How far a live query is; nil for one that is unknown or ended. O(stages).
  public func progress(of id: QueryID) -> QueryProgress? {
    guard let query = queries[id] else { return nil }
    let state: QueryProgress.State =
      switch query.phase {
      case .running, .collecting, .committing: .running
      case .delayed: .delayed
      case .finished, .ended: .finished
      }
    let stages = query.stages.map { stage in
      QueryProgress.Stage(
        number: stage.id.number, tasks: stage.tasks.count, isOpen: !stage.tasksComplete,
        finishedTasks: stage.selectedCount, runningAttempts: stage.runningAttempts,
        failedAttempts: stage.failedAttempts, outputBytes: stage.partitionBytes.reduce(0, &+))
    }
    return QueryProgress(state: state, stages: stages, retries: query.failures)
  }

  /// The running queries that have a task which any slot would do for, by id. (One that needs more memory than a slot's
  /// share waits until a place that is kept for it is free.) O(queries + workers).
  public var waitingQueries: [QueryID] {
    let share = workers.byID.values.filter { $0.isConnected }.map(\.slotShare).min() ?? 0
    return queries.values.filter { query in query.nextTask().map { requirement($0) <= share } ?? false }.map(\.id)
      .sorted()
  }
}

// Owns the names of queries, stages, tasks and attempts, in Trino's spelling: `query.stage.partition.attempt`.

/// A query's name, unique for the life of the data directory: `yyyyMMdd_HHmmss_nnnnn_xxxxx`.
public struct QueryID: Hashable, Codable, Sendable, Comparable, CustomStringConvertible {
  public let text: String

  public init(_ text: String) { self.text = text }

  public init(from decoder: any Decoder) throws {
    text = try decoder.singleValueContainer().decode(String.self)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }

  public var description: String { text }
  public static func < (left: QueryID, right: QueryID) -> Bool { left.text < right.text }
}

/// One stage of a query: a plan fragment at work. Stage 0 gives the result.
public struct StageID: Hashable, Codable, Sendable, Comparable, CustomStringConvertible {
  public let query: QueryID
  public let number: Int

  public init(query: QueryID, number: Int) {
    self.query = query
    self.number = number
  }

  public var description: String { "\(query).\(number)" }
  public static func < (left: StageID, right: StageID) -> Bool {
    (left.query, left.number) < (right.query, right.number)
  }
}

/// One task of a stage. `partition` counts the stage's tasks from 0.
public struct TaskID: Hashable, Codable, Sendable, Comparable, CustomStringConvertible {
  public let stage: StageID
  public let partition: Int

  public init(stage: StageID, partition: Int) {
    self.stage = stage
    self.partition = partition
  }

  public var description: String { "\(stage).\(partition)" }
  public static func < (left: TaskID, right: TaskID) -> Bool {
    (left.stage, left.partition) < (right.stage, right.partition)
  }
}

/// One run of a task. Attempt numbers start at 0 and are never used twice.
public struct AttemptID: Hashable, Codable, Sendable, Comparable, CustomStringConvertible {
  public let task: TaskID
  public let number: Int

  public init(task: TaskID, number: Int) {
    self.task = task
    self.number = number
  }

  public var description: String { "\(task).\(number)" }
  public static func < (left: AttemptID, right: AttemptID) -> Bool {
    (left.task, left.number) < (right.task, right.number)
  }
}

/// A worker process. `incarnation` grows with every start of a process in that place, so that a report of a dead
/// process is never taken for one of its successor.
public struct WorkerID: Hashable, Codable, Sendable, Comparable, CustomStringConvertible {
  /// How many attempts a worker takes beyond its slots: each of a query of which nothing else runs, so that a short
  /// query need not wait for a long task of another.
  public static let attemptsBeyondSlots = 1

  public let number: Int
  public let incarnation: UInt64

  public init(number: Int, incarnation: UInt64) {
    self.number = number
    self.incarnation = incarnation
  }

  public var description: String { "worker-\(number)#\(incarnation)" }
  public static func < (left: WorkerID, right: WorkerID) -> Bool {
    (left.number, left.incarnation) < (right.number, right.incarnation)
  }
}

// Owns what settings and session say about planning.

/// A session property as SHOW SESSION lists it.
public struct SessionRow: Sendable {
  public var name: String
  public var value: String
  public var standard: String
  public var type: String
  public var meaning: String

  public init(name: String, value: String, standard: String, type: String, meaning: String) {
    self.name = name
    self.value = value
    self.standard = standard
    self.type = type
    self.meaning = meaning
  }
}

/// Choices that the planner does not make by itself.
public struct PlanningOptions: Sendable {
  /// `join-distribution-type`; nil for AUTOMATIC.
  public var joinDistribution: JoinDistribution?
  /// `join-max-broadcast-table-size` in bytes.
  public var broadcastBytesMax: Int64
  /// The most partitions of a hash exchange, `fault-tolerant-execution-max-partition-count`.
  public var partitionCount: Int
  /// The fewest, `fault-tolerant-execution-min-partition-count`; between the two the size of the input decides.
  public var partitionCountMin: Int
  /// The fewest of a query that writes a table, `fault-tolerant-execution-min-partition-count-for-write`.
  public var partitionCountMinForWrite = 1
  /// Bytes of input of a task that reads tables:
  /// `fault-tolerant-execution-arbitrary-distribution-compute-task-target-size-min`.
  public var taskInputBytes: Int64
  /// Tasks that can run at once, for estimates of how many there will be.
  public var taskSlots: Int
  /// A scan waits for another stage's keys only if they spare it at least this many rows, as far as is known.
  public var dynamicFilterRowsMin = 100_000.0
  /// `query.max-stage-count`.
  public var stageCountMax: Int
  /// Whether tasks or queries are run again when they fail; connectors must then bear it.
  public var retries: Bool
  public var session: [SessionRow]

  public init(
    joinDistribution: JoinDistribution? = nil, broadcastBytesMax: Int64 = 100 << 20, partitionCount: Int = 16,
    partitionCountMin: Int? = nil, taskInputBytes: Int64 = 32 << 20, taskSlots: Int = 4,
    stageCountMax: Int = 150, retries: Bool = true, session: [SessionRow] = []
  ) {
    self.joinDistribution = joinDistribution
    self.broadcastBytesMax = broadcastBytesMax
    self.partitionCount = partitionCount
    self.partitionCountMin = min(partitionCountMin ?? partitionCount, partitionCount)
    self.taskInputBytes = taskInputBytes
    self.taskSlots = taskSlots
    self.stageCountMax = stageCountMax
    self.retries = retries
    self.session = session
  }
}

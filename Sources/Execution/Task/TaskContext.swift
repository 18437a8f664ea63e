// Owns what a task attempt is given besides its plan fragment: inputs, memory, the stop signal. Does no I/O itself.

import Base
import Columnar
import ConnectorAPI

/// The surroundings of one task attempt. Made and used by the one thread that runs the attempt.
public struct TaskContext {
  /// Where scans find their connectors.
  public var catalogs: Catalogs
  /// The splits to read, in order, by the id of the scan they belong to. A scan without an entry reads nothing.
  public var splits: [Int: [Split]]
  /// Opens the output of a fragment as far as this task is to read it: columns in the order of the producer's
  /// `outputSymbols`, the same batches in the same order in every attempt. Called at most once for each fragment
  /// that a remote source names, when its first batch is wanted.
  public var openRemoteSource: (_ fragment: Int) throws -> any PageSource
  /// The same as one source for each task of the fragment, whose output is sorted, in the order of the tasks. Nil where
  /// nothing is merged.
  public var openSortedSources: ((_ fragment: Int) throws -> [any PageSource])?
  /// The memory grant.
  public var memory: MemoryContext
  /// Asked at least once for each batch read; true ends the task with `TaskStopped`. Cheap: reads a flag.
  public var shouldStop: () -> Bool
  /// Makes random() differ between tasks but not between attempts of one task.
  public var seed: UInt64
  /// Which task of its fragment this is, from 0 on; the same in every attempt.
  public var taskNumber = 0
  /// Bytes of unfinished output pages to hold at most. As all limits that shape the output, it must be the same for
  /// all attempts of a task and so is not taken from the memory grant, which grows.
  public var outputBufferBytes = 64 << 20
  /// When partial aggregations give way.
  public var partialAggregation = PartialAggregationLimits()
  /// Where build sides of broadcast joins are shared with other tasks; nil where each task builds its own.
  public var sharing: BuildSharing?
  /// Which shares of its rows the task reads; empty: all of them. At most one for each axis.
  public var shares: [RowShare] = []
  /// Which attempt this is, for connectors that are written to; nil where none is.
  public var attempt: AttemptID?
  /// Nanoseconds of CPU time of this thread, for statistics. Nil: operators are not timed.
  public var cpuClock: (() -> Int64)?

  public init(
    catalogs: Catalogs, splits: [Int: [Split]] = [:],
    openRemoteSource: @escaping (_ fragment: Int) throws -> any PageSource,
    memory: MemoryContext, shouldStop: @escaping () -> Bool = { false }, seed: UInt64 = 0,
    cpuClock: (() -> Int64)? = nil
  ) {
    self.catalogs = catalogs
    self.splits = splits
    self.openRemoteSource = openRemoteSource
    self.memory = memory
    self.shouldStop = shouldStop
    self.seed = seed
    self.cpuClock = cpuClock
  }
}

/// One of `count` equal shares of a task's rows, by their hash.
public struct RowShare: Hashable, Sendable {
  /// The broadcast input whose join has its sides divided, by the join's keys; nil: the rows of partitioned inputs, by
  /// the keys that they are partitioned by.
  public var build: Int?
  public var index: Int
  public var count: Int

  public init(build: Int? = nil, index: Int, count: Int) {
    self.build = build
    self.index = index
    self.count = count
  }
}

/// When a partial aggregation gives out what it has, and when it stops trying. The defaults are those of Trino's
/// task.max-partial-aggregation-memory and adaptive-partial-aggregation.min-rows and .unique-rows-ratio-threshold.
public struct PartialAggregationLimits: Sendable {
  /// Bytes of groups at which they are given out and forgotten.
  public var memoryBytes = 16 << 20
  /// Rows to look at before judging.
  public var minimumRows = 100_000
  /// Groups per row above which rows pass through from then on.
  public var uniqueRowsRatio = 0.8

  public init() {}
}

/// Thrown out of a task whose `shouldStop` said so. Not a failure: whoever stopped the task knows why.
public struct TaskStopped: Error {
  public init() {}
}

/// Takes the output of a task attempt, page by page. Pages of one partition keep their order.
public protocol PartitionedSink {
  /// Appends a page of some thousand rows, about 1 MB at most unless single rows are wider, to a partition.
  func append(partition: Int, batch: Batch) throws
}

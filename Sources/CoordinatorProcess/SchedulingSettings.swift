// Owns the translation of settings and session properties into what the scheduler takes.

import Base
import ConnectorAPI
import Planning
import Scheduling
import Settings

extension SchedulerSettings {
  init(_ settings: Settings) {
    self.init(
      workerTimeout: settings[.remoteTaskMaxErrorDuration], taskMemoryOverhead: settings[.taskMemoryOverhead].bytes,
      spoolWait: settings[.maxSpoolWait])
  }
}

extension QueryDescription {
  init(_ id: QueryID, _ plan: FragmentedPlan, _ session: SessionProperties) {
    let stages = plan.fragments.map { fragment in
      StageDescription(
        fragment, memoryEstimate: fragment.root.finishesTable ? session.grant(.coordinatorTaskMemory) : 0)
    }
    self.init(
      id: id, retryPolicy: session[.retryPolicy], limits: RetryLimits(session), sizing: TaskSizing(session),
      memory: MemoryPolicy(session), completion: plan.write == nil ? nil : .commit, stages: stages)
    timeLimits = TimeLimits(session)
    if session[.exchangeManagerName] == .none {
      resultBytesMax = session[.exchangeDeduplicationBufferSize].bytes
    }
  }
}

extension RetryLimits {
  init(_ session: SessionProperties) {
    self.init(
      taskRetryAttempts: session[.taskRetryAttemptsPerTask], queryRetryAttempts: session[.queryRetryAttempts],
      initialDelay: session[.retryInitialDelay], maxDelay: session[.retryMaxDelay],
      delayScaleFactor: session[.retryDelayScaleFactor])
  }
}

extension TaskSizing {
  init(_ session: SessionProperties) {
    self.init(
      compute: Growth(
        minimum: session[.arbitraryTaskTargetSizeMin].bytes, maximum: session[.arbitraryTaskTargetSizeMax].bytes,
        growthPeriod: session[.arbitraryTaskTargetSizeGrowthPeriod],
        growthFactor: session[.arbitraryTaskTargetSizeGrowthFactor]),
      write: Growth(
        minimum: session[.writeTaskTargetSizeMin].bytes, maximum: session[.writeTaskTargetSizeMax].bytes,
        growthPeriod: session[.writeTaskTargetSizeGrowthPeriod],
        growthFactor: session[.writeTaskTargetSizeGrowthFactor]),
      maxSplitsPerTask: session[.maxTaskSplitCount], hashTaskTargetSize: session[.hashTaskTargetSize].bytes,
      hashWriteTaskTargetSize: session[.hashWriteTaskTargetSize].bytes,
      hashTasksPerSlot: session[.hashTaskToNodeMinRatio])
    hashWriteTasksPerSlot = session[.hashWriteTaskToNodeMinRatio]
    hashWriteTaskMaxCount = session[.hashWriteTaskTargetMaxCount]
    tasksWaitingForNodeMax = session[.maxTasksWaitingForNode]
    tasksWaitingForExecutionMax = session[.maxTasksWaitingForExecution]
  }
}

/// What splits count for when tasks are made of them, as in Trino: one of 64 MB, whose weight is 1, for the standard
/// size, others in proportion, and one whose size is not known for the standard size, too.
struct SplitWeights {
  /// `fault-tolerant-execution-standard-split-size`, in bytes.
  let standard: Int64
  /// The size of a split whose weight is 1.
  private static let unit = 64.0 * 1_048_576
  /// More than any task takes, and little enough for the sum of millions of them.
  private static let most = Double(1 << 40)

  init(_ session: SessionProperties) { standard = session[.standardSplitSize].bytes }

  /// At least 1.
  func bytes(of split: Split) -> Int64 {
    let size = split.bytes > 0 ? Double(split.bytes) : Self.unit
    return max(1, Int64(min(size * (Double(standard) / Self.unit), Self.most)))
  }
}

extension TimeLimits {
  init(_ session: SessionProperties) {
    self.init(
      run: session[.queryMaxRunTime], execution: session[.queryMaxExecutionTime],
      queued: session[.queryMaxQueuedTime])
  }
}

extension MemoryPolicy {
  init(_ session: SessionProperties) {
    self.init(
      taskMemory: session.grant(.taskMemory), growthFactor: session[.taskMemoryGrowthFactor],
      estimationQuantile: session[.taskMemoryEstimationQuantile], taskMemoryMax: session.grant(.taskMaxMemory),
      queryMemoryMax: session.grant(.queryMaxMemory))
  }
}

extension SessionProperties {
  /// A setting of memory in bytes: at least what any task needs, however little it does.
  fileprivate func grant(_ key: SettingKey<DataSize>) -> Int64 { max(1 << 20, self[key].bytes) }
}

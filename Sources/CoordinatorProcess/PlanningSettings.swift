// Owns the translation of settings and session properties into what the planner takes, and what is done with a query
// besides planning and scheduling it.

import Base
import Planning
import SQLSyntax
import Settings

extension ParserLimits {
  init(_ session: SessionProperties) { self.init(maximumLength: session[.queryMaxLength]) }
}

extension PlanningOptions {
  init(_ session: SessionProperties) {
    self.init(
      joinDistribution: session[.joinDistributionType].forced,
      broadcastBytesMax: session[.joinMaxBroadcastTableSize].bytes,
      partitionCount: session[.maxPartitionCount], partitionCountMin: session[.minPartitionCount],
      taskInputBytes: max(1, session[.arbitraryTaskTargetSizeMin].bytes),
      taskSlots: session[.workers] * session[.taskMaxWorkerThreads],
      stageCountMax: session[.queryMaxStageCount], retries: session[.retryPolicy] != .none,
      session: session.rows.map {
        SessionRow(name: $0.name, value: $0.value, standard: $0.standard, type: $0.type, meaning: $0.meaning)
      })
    partitionCountMinForWrite = session[.minPartitionCountForWrite]
  }
}

extension AdaptiveOptions {
  /// How plans may change while they run; nil where they may not.
  init?(_ session: SessionProperties) {
    guard session[.adaptiveQueryPlanningEnabled] else { return nil }
    self.init(
      broadcastBytesMax: session[.joinMaxBroadcastTableSize].bytes,
      mayDistribute: session[.joinDistributionType].forced == nil, mayReorder: session[.adaptiveJoinReorderingEnabled],
      sizeDifferenceRatio: session[.adaptiveJoinReorderingSizeDifferenceRatio],
      minSizeThreshold: session[.adaptiveJoinReorderingMinSizeThreshold].bytes)
    // What is added while the query runs keeps to the same limit as what is planned.
    let partitionsMax = session[.exchangeMaxOutputPartitionCount]
    partitionCount = min(session[.maxPartitionCount], partitionsMax)
    stageCountMax = session[.queryMaxStageCount]
    if session[.runtimeAdaptivePartitioningEnabled] {
      partitioning = Partitioning(
        count: min(session[.runtimeAdaptivePartitioningPartitionCount], partitionsMax),
        taskBytesMax: session[.runtimeAdaptivePartitioningMaxTaskSize].bytes)
    }
  }
}

extension JoinDistributionType {
  /// The distribution that every join must take, nil where the optimiser chooses.
  var forced: JoinDistribution? {
    switch self {
    case .automatic: nil
    case .broadcast: .broadcast
    case .partitioned: .partitioned
    }
  }
}

/// What a session says of its query that neither the planner nor the scheduler takes.
struct QueryPolicy: Sendable {
  /// `query.max-planning-time`.
  let planningTime: TimeSpan
  /// `exchange-manager.name`: whether there is one.
  let hasExchangeManager: Bool
  /// `exchange.max-output-partition-count`.
  let outputPartitionsMax: Int
  /// `fault-tolerant-execution.exchange-encryption-enabled`.
  let encryption: Bool
  /// `exchange.compression-codec`.
  let compressionCodec: String

  init(_ session: SessionProperties) {
    planningTime = session[.queryMaxPlanningTime]
    hasExchangeManager = session[.exchangeManagerName] != .none
    outputPartitionsMax = session[.exchangeMaxOutputPartitionCount]
    encryption = session[.exchangeEncryptionEnabled]
    compressionCodec = session[.exchangeCompressionCodec].rawValue
  }
}

// Owns the list of all settings, in the order of the documentation. A setting that is not listed here does not exist.

extension Setting {
  /// All settings by topic. A computed default may use settings listed before it.
  public static let groups: [SettingGroup] = [
    SettingGroup(
      title: "Retries",
      settings: [
        Setting(.retryPolicy), Setting(.allowedRetryPolicies), Setting(.queryRetryAttempts),
        Setting(.taskRetryAttemptsPerTask), Setting(.retryInitialDelay), Setting(.retryMaxDelay),
        Setting(.retryDelayScaleFactor), Setting(.remoteTaskMaxErrorDuration),
      ]),
    SettingGroup(
      title: "Queries",
      settings: [
        Setting(.queryMaxStageCount), Setting(.queryMaxLength), Setting(.queryMaxHistory),
        Setting(.queryMinExpireAge), Setting(.queryMaxPlanningTime), Setting(.queryMaxRunTime),
        Setting(.queryMaxExecutionTime), Setting(.queryMaxQueuedTime), Setting(.queryClientTimeout),
        Setting(.joinDistributionType), Setting(.joinMaxBroadcastTableSize),
      ]),
    SettingGroup(
      title: "Workers and memory",
      settings: [
        Setting(.workers), Setting(.taskMaxWorkerThreads), Setting(.workerMemory), Setting(.queryMaxMemory),
        Setting(.taskMaxMemory), Setting(.memoryReserve), Setting(.taskLowMemoryKillerPolicy),
        Setting(.memoryIncreaseOnWorkerCrash),
      ]),
    SettingGroup(
      title: "Tasks",
      settings: [
        Setting(.maxTasksWaitingForNode), Setting(.maxTasksWaitingForExecution),
        Setting(.standardSplitSize), Setting(.maxTaskSplitCount),
        Setting(.arbitraryTaskTargetSizeMin), Setting(.arbitraryTaskTargetSizeMax),
        Setting(.arbitraryTaskTargetSizeGrowthPeriod),
        Setting(.arbitraryTaskTargetSizeGrowthFactor), Setting(.hashTaskTargetSize),
        Setting(.writeTaskTargetSizeMin), Setting(.writeTaskTargetSizeMax),
        Setting(.writeTaskTargetSizeGrowthPeriod), Setting(.writeTaskTargetSizeGrowthFactor),
        Setting(.hashWriteTaskTargetSize),
        Setting(.hashTaskToNodeMinRatio), Setting(.hashWriteTaskToNodeMinRatio),
        Setting(.hashWriteTaskTargetMaxCount), Setting(.maxPartitionCount), Setting(.minPartitionCount),
        Setting(.minPartitionCountForWrite), Setting(.taskDescriptorStorageMaxMemory),
        Setting(.taskMemory), Setting(.taskMemoryGrowthFactor), Setting(.taskMemoryEstimationQuantile),
        Setting(.coordinatorTaskMemory), Setting(.taskMemoryOverhead),
      ]),
    SettingGroup(
      title: "Changing plans",
      settings: [
        Setting(.adaptiveQueryPlanningEnabled), Setting(.adaptiveJoinReorderingEnabled),
        Setting(.adaptiveJoinReorderingSizeDifferenceRatio), Setting(.adaptiveJoinReorderingMinSizeThreshold),
        Setting(.runtimeAdaptivePartitioningEnabled), Setting(.runtimeAdaptivePartitioningPartitionCount),
        Setting(.runtimeAdaptivePartitioningMaxTaskSize),
      ]),
    SettingGroup(
      title: "Exchange",
      settings: [
        Setting(.exchangeDeduplicationBufferSize), Setting(.exchangeCompressionCodec),
        Setting(.exchangeEncryptionEnabled), Setting(.exchangeManagerName),
        Setting(.exchangeBaseDirectories), Setting(.exchangeMaxPageStorageSize),
        Setting(.exchangeSinkMaxFileSize), Setting(.exchangeSinkBufferPoolMinSize),
        Setting(.exchangeSinkBuffersPerPartition), Setting(.exchangeSourceConcurrentReaders),
        Setting(.exchangeSourceMaxFilesPerReader), Setting(.exchangeSourceHandleTargetDataSize),
        Setting(.exchangeMaxOutputPartitionCount), Setting(.exchangeFileListingParallelism),
        Setting(.spoolMemoryDirectory), Setting(.spoolMemorySize), Setting(.maxSpoolWait),
        Setting(.spoolCallTimeout),
      ]),
    SettingGroup(
      title: "Supervision", settings: [Setting(.drainTimeout), Setting(.hangTimeout), Setting(.startTimeout)]),
    SettingGroup(
      title: "Log", settings: [Setting(.logLevel), Setting(.logMaxSize), Setting(.logMaxHistory)]),
  ]

  /// All settings in table order.
  public static let all: [Setting] = groups.flatMap(\.settings)

  static let byName: [String: Setting] = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
}

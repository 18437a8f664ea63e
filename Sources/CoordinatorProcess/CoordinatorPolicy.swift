// Owns what the settings say about the coordinator's own work, as opposed to what they say about single queries.

import Base
import Settings
import Wiring

/// The settings that the coordinator itself obeys.
struct CoordinatorPolicy: Sendable {
  /// `waterbear.workers`.
  let workers: Int
  /// How often the supervisor is told that the event loop turns.
  let signsOfLife: TimeSpan
  /// `query.max-history`.
  let historyMax: Int
  /// `query.min-expire-age`.
  let resultAge: TimeSpan
  /// `query.client.timeout`.
  let clientPatience: TimeSpan
  /// The longest request, in bytes: a query's text of `query.max-length` characters, each of up to four bytes.
  let requestBytesMax: Int
  /// `fault-tolerant-execution-task-descriptor-storage-max-memory`, in bytes.
  let splitBytesMax: Int64
  /// `waterbear.memory-reserve`, in bytes.
  let memoryReserve: Int64
  /// `task.low-memory-killer.policy`.
  let lowMemoryKiller: LowMemoryKillerPolicy
  /// `fault-tolerant-execution.memory-requirement-increase-on-worker-crash-enabled`.
  let suspectsMemory: Bool
  /// `waterbear.max-spool-wait`, for what the coordinator itself reads.
  let spoolWait: TimeSpan
  /// `retry-initial-delay`, `retry-max-delay` and `retry-delay-scale-factor`, for what the coordinator itself repeats.
  let initialDelay: TimeSpan
  let maxDelay: TimeSpan
  let delayScaleFactor: Double

  init(_ settings: Settings) {
    workers = settings[.workers]
    signsOfLife = Wiring.signsOfLife(settings)
    historyMax = settings[.queryMaxHistory]
    resultAge = settings[.queryMinExpireAge]
    clientPatience = settings[.queryClientTimeout]
    requestBytesMax = settings[.queryMaxLength] * 4 + (1 << 20)
    splitBytesMax = settings[.taskDescriptorStorageMaxMemory].bytes
    memoryReserve = settings[.memoryReserve].bytes
    lowMemoryKiller = settings[.taskLowMemoryKillerPolicy]
    suspectsMemory = settings[.memoryIncreaseOnWorkerCrash]
    spoolWait = settings[.maxSpoolWait]
    initialDelay = settings[.retryInitialDelay]
    maxDelay = settings[.retryMaxDelay]
    delayScaleFactor = settings[.retryDelayScaleFactor]
  }

  /// How long to wait before something is tried again that has failed `count` + 1 times. A tenth of a second at least:
  /// what has no limit of tries must not be tried without a pause.
  func pause(afterFailures count: Int) -> TimeSpan {
    var pause = max(1e8, Double(initialDelay.nanoseconds))
    for _ in 0..<min(count, 64) where pause < Double(maxDelay.nanoseconds) { pause *= delayScaleFactor }
    return pause < Double(maxDelay.nanoseconds)
      ? TimeSpan(nanoseconds: Int64(pause)) : max(maxDelay, .milliseconds(100))
  }
}

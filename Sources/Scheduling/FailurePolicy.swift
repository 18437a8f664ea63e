// Owns the table of what follows from a failure: again, when, with how much memory, or the end. Pure arithmetic.
import Base

/// What a task's failure means for the task under `RetryPolicy.task`.
///
/// | error | counted as | delay | memory |
/// |---|---|---|---|
/// | USER_ERROR | the end | | |
/// | INTERNAL_ERROR | failure | from the second on | |
/// | worker killed from outside | worker loss | none: the cause is gone with the process | |
/// | EXTERNAL | failure | always | |
/// | INSUFFICIENT_RESOURCES (memory) | failure | none | × growth factor |
/// | the same, with a grant below what was asked for | nothing | none | what was asked for, or more |
/// | INSUFFICIENT_RESOURCES (time, queue) | failure | from the second on | |
/// | INSUFFICIENT_RESOURCES (a file too large, descriptors) | failure | always | |
/// | SPOOL_UNAVAILABLE | not at all | from the second on, at least some | |
struct FailurePolicy {
  enum Verdict: Equatable {
    /// Run the task again.
    case retry(after: TimeSpan)
    /// No attempts are left, or another would not help.
    case giveUp
  }

  var limits: RetryLimits
  var memory: MemoryPolicy

  init(limits: RetryLimits, memory: MemoryPolicy) {
    self.limits = limits
    self.memory = memory
  }

  init(_ query: QueryDescription) { self.init(limits: query.limits, memory: query.memory) }

  /// Counts a failure of a task in `counters` and says what to do.
  ///
  /// `grant` and `peak` are the failed attempt's, `asked` what the task asks for by now, in bytes.
  func judge(
    _ code: ErrorCode, workerDied: Bool, grant: Int64, peak: Int64, asked: Int64, _ counters: inout TaskCounters
  ) -> Verdict {
    if code.type == .userError { return .giveUp }
    if lacksMemory(code), grant < asked {
      // Whoever gave it less took the risk. It is asked for from now on, so this happens once.
      counters.memory = max(counters.memory, asked, grown(max(grant, peak)))
      return .retry(after: .zero)
    }
    let isInnocent = workerDied && code == .remoteHostGone
    if isInnocent { counters.workerLosses += 1 } else { counters.failures += 1 }
    if counters.failures > limits.taskRetryAttempts || counters.workerLosses > limits.taskWorkerLosses {
      return .giveUp
    }
    if lacksMemory(code) {
      counters.memory = grown(max(counters.memory, grant, peak))
      return .retry(after: .zero)
    }
    // Waiting would not bring the next worker a longer life.
    if isInnocent { return .retry(after: .zero) }
    // A full disk gets no room by being asked again at once.
    let isOutside = code.type == .external || code == .genericInsufficientResources
    return .retry(after: delay(beforeRetry: isOutside ? counters.failures : counters.failures - 1))
  }

  /// Whether more memory may help.
  func lacksMemory(_ code: ErrorCode) -> Bool {
    code == .exceededLocalMemoryLimit || code == .clusterOutOfMemory
  }

  /// `bytes` times the growth factor.
  func grown(_ bytes: Int64) -> Int64 {
    Int64(min(Double(bytes) * max(1, memory.growthFactor), Double(Int64.max / 4)))
  }

  /// So many attempts may find that no spool directory takes their output, whatever time they took to find it.
  static let spoolFaultsMin = 4
  private static let spoolPauseMin = TimeSpan.milliseconds(100)
  /// So often a task's output may go with its directory at no cost.
  static let lossesWithDirectoryMax = 32
  /// After how long without one those before are forgotten.
  static let lossesWithDirectoryPause = TimeSpan.seconds(3600)

  /// The pause after the nth attempt in a row that found no spool directory, n from 1: none after the first, for there
  /// may be another directory; then that of other retries, but at least 100 ms, doubled from time to time up to 3.2 s.
  /// Without it a query that wants no delays would do nothing but start attempts while all disks are full.
  func delay(afterSpoolFaults count: Int) -> TimeSpan {
    guard count > 1 else { return .zero }
    let least = Self.spoolPauseMin.nanoseconds << Int64(min(count - 2, 5))
    return max(delay(beforeRetry: count - 1), TimeSpan(nanoseconds: least))
  }

  /// The pause before the nth delayed retry, n from 1; none for 0.
  func delay(beforeRetry count: Int) -> TimeSpan {
    guard count > 0 else { return .zero }
    var nanoseconds = Double(limits.initialDelay.nanoseconds)
    let maximum = Double(limits.maxDelay.nanoseconds)
    for _ in 1..<count where nanoseconds < maximum { nanoseconds *= max(1, limits.delayScaleFactor) }
    return TimeSpan(nanoseconds: Int64(min(nanoseconds, maximum)))
  }
}

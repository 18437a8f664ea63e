// Owns the names of faults, by which people choose those that a world suffers.

/// A group of faults that can be left out of a plan.
public enum FaultKind: String, CaseIterable, Sendable {
  case coordinatorCrash = "coordinator-crash"
  case coordinatorPause = "coordinator-pause"
  case workerDeath = "worker-death"
  case workerHang = "worker-hang"
  case connectionLoss = "connection-loss"
  case spoolLoss = "spool-loss"
  case spoolFull = "spool-full"
  case powerCut = "power-cut"
  case drain
  case duplicateReport = "duplicate-report"
  case failure
  case memory
  case memoryShort = "memory-short"
  case slowness
  case userError = "user-error"
  case poison
  case cancel
  case nondeterminism
}

extension FaultPlan {
  /// This plan without the faults of other kinds.
  public func keeping(_ kinds: Set<FaultKind>) -> FaultPlan {
    var plan = self
    for kind in FaultKind.allCases where !kinds.contains(kind) { plan.drop(kind) }
    return plan
  }

  private mutating func drop(_ kind: FaultKind) {
    switch kind {
    case .coordinatorCrash: (coordinatorCrash, coordinatorCrashesAt) = (0, [])
    case .coordinatorPause: coordinatorPause = 0
    case .workerDeath: (workerDeathEvery, deathUnreported, workerReturns) = (nil, 0, 1)
    case .workerHang: workerHangEvery = nil
    case .connectionLoss: (connectionLossEvery, staleDelivery) = (nil, 0)
    case .spoolLoss: (spoolLossEvery, lossWithDirectory) = (nil, 0)
    case .spoolFull: (spoolFullEvery, smallSpool, spoolWait) = (nil, 0, FaultPlan.none.spoolWait)
    case .powerCut: powerCutEvery = nil
    case .drain: drainEvery = nil
    case .duplicateReport: duplicateReport = 0
    case .failure: (internalFailure, externalFailure, attemptCrashesWorker) = (0, 0, 0)
    case .memory: (attemptIsKilledForMemory, bigTask, stuckMemory) = (0, 0, 0)
    case .memoryShort: memoryShortEvery = nil
    case .slowness: slowAttempt = 0
    case .userError: userError = 0
    case .poison: poison = 0
    case .cancel: cancel = 0
    case .nondeterminism: nondeterministicStage = 0
    }
  }
}

// Owns the figures by which the workers' state is shown to people.
import Base

/// What the scheduler knows of a worker that is not known to be dead.
public struct WorkerStatus: Hashable, Codable, Sendable {
  public var id: WorkerID
  public var isConnected: Bool
  public var isDraining: Bool
  public var slots: Int
  /// Bytes.
  public var memory: Int64
  /// Bytes granted to attempts.
  public var grantedMemory: Int64
  /// Attempts that take a slot, sorted.
  public var running: [AttemptID]
}

extension Scheduler {
  /// All workers that are not known to be dead, by id.
  public var workerStatus: [WorkerStatus] {
    workers.byID.values.sorted { $0.id < $1.id }.map { worker in
      WorkerStatus(
        id: worker.id, isConnected: worker.isConnected, isDraining: worker.isDraining, slots: worker.slots,
        memory: worker.memory, grantedMemory: worker.usedMemory, running: worker.running.keys.sorted())
    }
  }
}

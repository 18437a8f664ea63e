// Owns the state of one simulated worker process.
import Base
import Scheduling

/// A worker process of the simulated world: one incarnation, from its start to its death.
final class ModelWorker {
  /// An attempt under way.
  struct Execution {
    var start: AttemptStart
    /// What it will write; nil until it has read its inputs.
    var content: [UInt64]?
  }

  let id: WorkerID
  let slots: Int
  let memory: Int64
  var isDead = false
  /// Stopped until this time: it does and says nothing.
  var hungUntil = MonotonicTime(nanoseconds: 0)
  /// Number of the open connection.
  var connection: Int?
  var executing: [AttemptID: Execution] = [:]
  /// Reports the coordinator has not acknowledged.
  var unacknowledged: [AttemptID: SchedulerEvent] = [:]
  /// Attempts that arrived once; a start that comes twice is done once.
  var seen: Set<AttemptID> = []

  init(id: WorkerID, slots: Int, memory: Int64) {
    self.id = id
    self.slots = slots
    self.memory = memory
  }

  /// Every attempt the worker holds, as it says when it joins.
  var held: [AttemptID] { (Array(executing.keys) + Array(unacknowledged.keys)).sorted() }
}

// Owns what the scheduler knows of one worker process.
import Base

/// A worker process, from the first word of it to its death.
///
/// ```
///   named by a restored attempt             workerJoined
///  ───────────────► disconnected ◄────────────────────────────────┐
///                     │      ▲ workerDisconnected                 │
///        workerJoined ▼      │                                    │
///  ───────────────► connected ──── silent for workerTimeout ────► buried (forgotten; may never join again)
///   workerJoined             ──── workerLost, or a successor joins ──►
/// ```
final class WorkerState {
  let id: WorkerID
  var isConnected = false
  var isDraining = false
  /// `workerDrained` was sent.
  var isDrained = false
  var isBuried = false
  var slots = 0
  /// Bytes.
  var memory: Int64 = 0
  /// Bytes of it that attempts hold which have ended as far as anybody but their threads knows.
  var stuckMemory: Int64 = 0
  var lastHeard: MonotonicTime
  /// All attempts that take a slot, with their grants; also those aborted whose end was not reported yet, and those
  /// of queries that ended.
  private(set) var running: [AttemptID: Int64] = [:]
  private(set) var usedMemory: Int64 = 0
  /// Attempts the worker holds although nobody waits for them. Their grants are not known here, so nothing is placed
  /// beside them; they are being aborted.
  private var foreign: Set<AttemptID> = []
  /// Those of `running` that were placed beyond the slots, and stay so to their end: a slot that becomes free is free.
  /// Not known of attempts restored after a restart, which count as holders of slots.
  private var beyondSlots: Set<AttemptID> = []
  /// Place in `WorkerTable`'s heap; -1 where the worker can take nothing.
  var heapIndex = -1

  /// Bytes kept free beside each grant.
  private let overhead: Int64

  init(id: WorkerID, lastHeard: MonotonicTime, overhead: Int64 = 0) {
    self.overhead = overhead
    self.id = id
    self.lastHeard = lastHeard
  }

  /// What one more attempt may be granted; without a reserve beside it where it would be the only one.
  var freeMemory: Int64 {
    unstuckMemory - usedMemory - (running.isEmpty ? 0 : overhead * Int64(running.count + 1))
  }
  /// What it can ever grant as long as nothing that is stuck comes free, in bytes.
  var unstuckMemory: Int64 { memory - min(memory, stuckMemory) }
  /// What may be granted where there is no other place, nor will be: a lone attempt may also have what is stuck. That
  /// may last for days, and must not end all work.
  var lastResortMemory: Int64 { running.isEmpty ? memory : freeMemory }
  private var freeSlots: Int { slots - (running.count - beyondSlots.count) }
  var acceptsAttempts: Bool { isConnected && !isDraining && freeSlots > 0 && foreign.isEmpty }
  /// All slots are taken, but a query of which nothing runs may still have an attempt here.
  var acceptsExtraAttempt: Bool {
    isConnected && !isDraining && slots > 0 && foreign.isEmpty && freeSlots <= 0
      && running.count < slots + WorkerID.attemptsBeyondSlots
  }

  /// What the attempt in a slot gets in bytes if it asks for no more: something is left for one beyond the slots.
  var slotShare: Int64 { memory / (8 * Int64(max(1, slots)) + 1) * 8 }
  /// The least that an attempt beyond the slots gets, in bytes: an eighth of a slot's share.
  var extraShare: Int64 { memory / (8 * Int64(max(1, slots)) + 1) }

  func take(_ attempt: AttemptID, memory: Int64, beyondSlots isBeyond: Bool = false) {
    if isBeyond { beyondSlots.insert(attempt) }
    let old = running.updateValue(memory, forKey: attempt)
    usedMemory += memory - (old ?? 0)
  }

  func takeForeign(_ attempt: AttemptID) {
    take(attempt, memory: 0)
    foreign.insert(attempt)
  }

  func release(_ attempt: AttemptID) {
    foreign.remove(attempt)
    beyondSlots.remove(attempt)
    usedMemory -= running.removeValue(forKey: attempt) ?? 0
  }
}

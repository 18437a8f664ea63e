// Owns the order of what happens in a simulated world.
import Base
import Scheduling

/// What may happen in the simulated world.
enum WorldEvent {
  case submit(Int)
  case discoverSplits(Int, stage: Int, life: Int)
  case cancel(Int)
  case serve(QueryID, life: Int)
  /// The coordinator's threads read what the root stage left, commit it, and say so.
  case collect(QueryID, attempts: [Int], life: Int)
  case commit(QueryID, life: Int)
  case commitDone(QueryID, WaterbearError?, life: Int)
  case toCoordinator(connection: Int, SchedulerEvent)
  /// A message of a connection that broke long ago, perhaps of a process that is dead; none outlives a loss of power.
  case lateReport(SchedulerEvent, era: Int)
  case toWorker(connection: Int, WorkerMessage)
  case connect(ModelWorker)
  case heartbeat(ModelWorker)
  case readInputs(ModelWorker, AttemptID)
  case endAttempt(ModelWorker, AttemptID)
  /// The supervisor starts a worker with this number, ends one, or tells the coordinator of a death.
  case spawn(Int)
  case kill(WorkerID)
  case reportDeath(WorkerID, WaterbearError, era: Int)
  case restartCoordinator
  /// The coordinator's loop does what has come in.
  case turn(life: Int)
  case timer(Int)
  /// A spool directory takes files again.
  case spoolRecovers
  case fault(Fault)
  case calm
}

/// Faults that come at random times.
enum Fault: Int, CaseIterable {
  case workerDeath
  case workerHang
  case connectionLoss
  case spoolLoss
  case drain
  case memoryShort
  case spoolFull
  case powerCut
}

/// What the coordinator tells a worker.
enum WorkerMessage {
  case start(AttemptStart)
  case abort(AttemptID)
  case acknowledge(AttemptID)
}

/// A heap of events by time; those of one time in the order they were added.
struct EventQueue {
  private struct Entry {
    var time: Int64
    var sequence: Int
    var event: WorldEvent
  }

  private var heap: [Entry] = []
  private var nextSequence = 0

  mutating func add(_ time: MonotonicTime, _ event: WorldEvent) {
    heap.append(Entry(time: time.nanoseconds, sequence: nextSequence, event: event))
    nextSequence += 1
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      if !isBefore(child, parent) { return }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  mutating func next() -> (MonotonicTime, WorldEvent)? {
    guard let first = heap.first else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      var parent = 0
      while true {
        var least = parent
        let left = 2 * parent + 1
        if left < heap.count, isBefore(left, least) { least = left }
        if left + 1 < heap.count, isBefore(left + 1, least) { least = left + 1 }
        if least == parent { break }
        heap.swapAt(least, parent)
        parent = least
      }
    }
    return (MonotonicTime(nanoseconds: first.time), first.event)
  }

  private func isBefore(_ left: Int, _ right: Int) -> Bool {
    heap[left].time != heap[right].time
      ? heap[left].time < heap[right].time : heap[left].sequence < heap[right].sequence
  }
}

// Owns the points in time at which the scheduler has something to do.
import Base

/// Deadlines in the order of their time. A deadline is never taken back: who gets one checks whether it still means
/// something.
struct TimerQueue {
  /// What a deadline is for.
  enum Subject {
    /// A task's delay is over.
    case task(TaskReference)
    /// The attempt with this number may be far slower than others of its stage.
    case attempt(TaskReference, number: Int)
    /// A whole query's delay is over.
    case query(QueryState)
    /// A worker may have been silent for too long.
    case worker(WorkerState)
    /// A query may have waited for the spool for too long.
    case spoolHold(QueryID)
    /// A query has had all the time that this limit gives. By its id: limits are far away, and queries are soon over.
    case limit(TimeLimit, QueryID)
  }

  struct Entry {
    var time: MonotonicTime
    /// Keeps entries of one time in the order they came, so that runs repeat exactly.
    var sequence: UInt64
    var subject: Subject

    func isBefore(_ other: Entry) -> Bool { (time, sequence) < (other.time, other.sequence) }
  }

  private var heap: [Entry] = []
  private var nextSequence: UInt64 = 0

  var earliest: MonotonicTime? { heap.first?.time }

  mutating func add(_ time: MonotonicTime, _ subject: Subject) {
    heap.append(Entry(time: time, sequence: nextSequence, subject: subject))
    nextSequence += 1
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child].isBefore(heap[parent]) else { return }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  var count: Int { heap.count }

  /// Drops entries. O(n log n).
  mutating func removeAll(where isStale: (Subject) -> Bool) {
    // What is sorted is a heap.
    heap = heap.filter { !isStale($0.subject) }.sorted { $0.isBefore($1) }
  }

  /// Takes the earliest entry if its time has come.
  mutating func popDue(_ now: MonotonicTime) -> Entry? {
    guard let entry = heap.first, entry.time <= now else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      siftDown()
    }
    return entry
  }

  private mutating func siftDown() {
    var parent = 0
    while true {
      var least = parent
      let left = 2 * parent + 1
      if left < heap.count, heap[left].isBefore(heap[least]) { least = left }
      if left + 1 < heap.count, heap[left + 1].isBefore(heap[least]) { least = left + 1 }
      if least == parent { return }
      heap.swapAt(least, parent)
      parent = least
    }
  }
}

// Owns the set of workers and answers which of them should run the next attempt.
import Base

/// All workers that are not known to be dead, those with a free slot ordered by free memory.
struct WorkerTable {
  private(set) var byID: [WorkerID: WorkerState] = [:]
  private var byNumber: [Int: WorkerState] = [:]
  /// For each worker number the highest incarnation that was given up.
  private var buried: [Int: UInt64] = [:]
  /// A binary heap of the workers with a free slot, most free memory on top.
  private var heap: [WorkerState] = []
  /// Slots of the workers that are connected and do not drain.
  private(set) var slots = 0
  /// Workers whose slots are taken but that may get an attempt beyond them.
  private(set) var extraSlots = 0
  /// Workers with memory that is stuck.
  private var stuckWorkers: Set<WorkerID> = []
  /// The most memory any such worker has, in bytes; nil where it has to be looked up again.
  private var cachedBiggestMemory: Int64?
  /// What `biggestMemory` was when there last was a worker.
  private var lastBiggestMemory: Int64 = 0

  var hasFreeSlot: Bool { !heap.isEmpty }
  var hasStuckMemory: Bool { !stuckWorkers.isEmpty }

  /// The process with this number that is not known to be dead, whatever its incarnation.
  func current(_ number: Int) -> WorkerState? { byNumber[number] }

  func isBuried(_ id: WorkerID) -> Bool { buried[id.number].map { id.incarnation <= $0 } ?? false }

  mutating func insert(_ worker: WorkerState) {
    precondition(byNumber[worker.id.number] == nil, "\(worker.id) has a living predecessor")
    byID[worker.id] = worker
    byNumber[worker.id.number] = worker
  }

  /// Forgets a dead worker.
  mutating func bury(_ worker: WorkerState) {
    change(worker) {
      $0.isBuried = true
      $0.isConnected = false
    }
    byID[worker.id] = nil
    byNumber[worker.id.number] = nil
    buried[worker.id.number] = max(worker.id.incarnation, buried[worker.id.number] ?? 0)
  }

  /// Changes a worker and restores the order. O(log workers).
  mutating func change(_ worker: WorkerState, _ body: (WorkerState) -> Void) {
    let before = worker.isConnected && !worker.isDraining ? (worker.slots, worker.memory) : (0, 0)
    let extra = worker.acceptsExtraAttempt
    body(worker)
    if worker.stuckMemory > 0, !worker.isBuried {
      stuckWorkers.insert(worker.id)
    } else if !stuckWorkers.isEmpty {
      stuckWorkers.remove(worker.id)
    }
    extraSlots += (worker.acceptsExtraAttempt ? 1 : 0) - (extra ? 1 : 0)
    let after = worker.isConnected && !worker.isDraining ? (worker.slots, worker.memory) : (0, 0)
    if before != after {
      slots += after.0 - before.0
      cachedBiggestMemory = nil
    }
    if worker.heapIndex >= 0 {
      if worker.acceptsAttempts { siftDown(siftUp(worker.heapIndex)) } else { removeFromHeap(worker) }
    } else if worker.acceptsAttempts {
      worker.heapIndex = heap.count
      heap.append(worker)
      siftUp(heap.count - 1)
    }
  }

  /// Of the workers with a free slot that `isAllowed`, the one with the most free memory. Costs a few steps for each
  /// worker that is not allowed.
  func best(where isAllowed: (WorkerState) -> Bool) -> WorkerState? { best(below: 0, isAllowed) }

  private func best(below index: Int, _ isAllowed: (WorkerState) -> Bool) -> WorkerState? {
    guard index < heap.count else { return nil }
    if isAllowed(heap[index]) { return heap[index] }
    let left = best(below: 2 * index + 1, isAllowed)
    let right = best(below: 2 * index + 2, isAllowed)
    guard let left, let right else { return left ?? right }
    return Self.isBetter(right, left) ? right : left
  }

  /// The same among all workers that get attempts, also those whose slots are taken now. O(workers).
  func roomiest(where isAllowed: (WorkerState) -> Bool) -> WorkerState? {
    var best: WorkerState?
    for worker in byID.values where worker.isConnected && !worker.isDraining && isAllowed(worker) {
      if best.map({ Self.isBetter(worker, $0) }) ?? true { best = worker }
    }
    return best
  }

  /// The most memory of any worker that may get attempts, in bytes.
  mutating func biggestMemory() -> Int64 {
    if let cachedBiggestMemory { return cachedBiggestMemory }
    var biggest: Int64 = 0
    for worker in byID.values where worker.isConnected && !worker.isDraining {
      biggest = max(biggest, worker.memory)
    }
    cachedBiggestMemory = biggest
    if biggest > 0 { lastBiggestMemory = biggest }
    return biggest
  }

  /// The same or, while there is no such worker, what it was before.
  mutating func usualBiggestMemory() -> Int64 {
    let biggest = biggestMemory()
    return biggest > 0 ? biggest : lastBiggestMemory
  }

  private static func isBetter(_ left: WorkerState, _ right: WorkerState) -> Bool {
    if left.freeMemory != right.freeMemory { return left.freeMemory > right.freeMemory }
    return left.id < right.id
  }

  @discardableResult
  private mutating func siftUp(_ start: Int) -> Int {
    var child = start
    while child > 0 {
      let parent = (child - 1) / 2
      guard Self.isBetter(heap[child], heap[parent]) else { break }
      swap(child, parent)
      child = parent
    }
    return child
  }

  private mutating func siftDown(_ start: Int) {
    var parent = start
    while true {
      var best = parent
      let left = 2 * parent + 1
      if left < heap.count, Self.isBetter(heap[left], heap[best]) { best = left }
      if left + 1 < heap.count, Self.isBetter(heap[left + 1], heap[best]) { best = left + 1 }
      if best == parent { return }
      swap(best, parent)
      parent = best
    }
  }

  private mutating func removeFromHeap(_ worker: WorkerState) {
    let index = worker.heapIndex
    swap(index, heap.count - 1)
    heap.removeLast()
    worker.heapIndex = -1
    if index < heap.count { siftDown(siftUp(index)) }
  }

  private mutating func swap(_ left: Int, _ right: Int) {
    heap.swapAt(left, right)
    heap[left].heapIndex = left
    heap[right].heapIndex = right
  }
}

// Owns how a stage's input is cut into tasks. Pure arithmetic on sizes.
import Base

/// Packs splits, in the order they are discovered, into tasks of a size that grows with the number of tasks.
struct SplitPacker {
  private let growth: TaskSizing.Growth
  private let maxSplitsPerTask: Int
  private let minimumSize: Int64
  private var target: Int64
  /// Tasks until the target grows.
  private var untilGrowth: Int
  /// Index of the first split in no task yet, and of the first not looked at.
  private(set) var openStart = 0
  private var position = 0
  private var openBytes: Int64 = 0
  /// Sizes of the splits from `position` on.
  private var waiting = FIFO<Int64>()
  /// No more splits will be given.
  private(set) var isLast = false
  /// The size up to which tasks are packed although the target is larger.
  private var limit = Int64.max
  /// Number of splits given so far.
  private(set) var splitCount = 0

  init(_ sizing: TaskSizing, isWriter: Bool) {
    growth = isWriter ? sizing.write : sizing.compute
    maxSplitsPerTask = max(1, sizing.maxSplitsPerTask)
    minimumSize = sizing.taskMinimumSize
    target = max(1, growth.minimum)
    untilGrowth = max(1, growth.growthPeriod)
  }

  /// Takes up work after a restart: the splits before `packed` are in `taskCount` tasks already.
  mutating func resume(packed: Int, taskCount: Int) {
    (openStart, position, splitCount) = (packed, packed, packed)
    for _ in 0..<taskCount { countTask() }
  }

  /// All splits there are have been given and are in tasks.
  var isDone: Bool { isLast && openStart == splitCount }
  /// Whether `take` may give a task.
  var hasMore: Bool { !waiting.isEmpty || (isLast && openStart < splitCount) }

  /// Adds splits by their sizes in bytes and returns the tasks that are full; all of them where `last` is set.
  mutating func add(_ weights: [Int64], last: Bool, slots: Int) -> [Range<Int>] {
    give(weights, last: last, slots: slots)
    return take(.max)
  }

  /// Takes in splits by their sizes in bytes.
  ///
  /// `slots` is how many tasks can run at once. Where these are all the splits there are, tasks are made small enough
  /// for each slot to get two.
  mutating func give(_ weights: [Int64], last: Bool, slots: Int) {
    if last, slots > 0, splitCount == 0 {
      let total = weights.reduce(0) { $0 + max(0, $1) }
      limit = max(minimumSize, total / Int64(slots * 2), 1)
    }
    for weight in weights { waiting.append(max(0, weight)) }
    splitCount += weights.count
    isLast = isLast || last
  }

  /// The next tasks that are full, and behind the last split the one that is not; `count` at most.
  mutating func take(_ count: Int) -> [Range<Int>] {
    var tasks: [Range<Int>] = []
    while tasks.count < count, let bytes = waiting.first {
      if position > openStart, openBytes + bytes > min(target, limit) || position - openStart >= maxSplitsPerTask {
        close(&tasks)
        continue
      }
      waiting.removeFirst()
      openBytes += bytes
      position += 1
    }
    if isLast, waiting.isEmpty, position > openStart, tasks.count < count { close(&tasks) }
    return tasks
  }

  private mutating func close(_ tasks: inout [Range<Int>]) {
    tasks.append(openStart..<position)
    openStart = position
    openBytes = 0
    countTask()
  }

  private mutating func countTask() {
    untilGrowth -= 1
    if untilGrowth > 0 { return }
    untilGrowth = max(1, growth.growthPeriod)
    target = Int64(min(Double(max(1, growth.maximum)), Double(target) * growth.growthFactor))
  }
}

/// Merges hash partitions into tasks.
enum PartitionPacking {
  /// Divides the partitions, given by their sizes in bytes, into tasks; each is in exactly one, and none is empty.
  ///
  /// There are enough tasks for none to exceed the target size by much, at least `hashTasksPerSlot` for each slot
  /// unless they would become smaller than `taskMinimumSize`, and never more than partitions. The biggest
  /// partitions are dealt first, each to the task that has the least: O(partitions × log tasks).
  static func pack(_ sizes: [Int64], sizing: TaskSizing, isWriter: Bool, slots: Int) -> [[Int]] {
    let total = sizes.reduce(0.0) { $0 + Double($1) }
    let target = Double(max(1, isWriter ? sizing.hashWriteTaskTargetSize : sizing.hashTaskTargetSize))
    let perSlot = isWriter ? sizing.hashWriteTasksPerSlot ?? sizing.hashTasksPerSlot : sizing.hashTasksPerSlot
    let forSlots = min(
      (perSlot * Double(slots)).rounded(.up),
      (total / Double(max(1, sizing.taskMinimumSize))).rounded(.up))
    let wanted = max(1, forSlots, (total / target).rounded(.up))
    let most = isWriter ? max(1, sizing.hashWriteTaskMaxCount ?? .max) : .max
    let count = min(most, Int(min(Double(sizes.count), wanted)))

    let bySize = sizes.indices.sorted { (sizes[$1], $0) < (sizes[$0], $1) }
    var tasks = [[Int]](repeating: [], count: count)
    var bins = LeastFilled(count: count)
    for partition in bySize {
      // One byte more than it has, so that empty partitions are spread as well.
      let bin = bins.addToLeast(sizes[partition] + 1)
      tasks[bin].append(partition)
    }
    for index in tasks.indices { tasks[index].sort() }
    return tasks
  }

  /// A heap of bins, the least filled on top.
  private struct LeastFilled {
    private var heap: [(bytes: Int64, bin: Int)]

    init(count: Int) { heap = (0..<count).map { (0, $0) } }

    mutating func addToLeast(_ bytes: Int64) -> Int {
      let bin = heap[0].bin
      heap[0].bytes += bytes
      var parent = 0
      while true {
        var least = parent
        let left = 2 * parent + 1
        if left < heap.count, heap[left] < heap[least] { least = left }
        if left + 1 < heap.count, heap[left + 1] < heap[least] { least = left + 1 }
        if least == parent { return bin }
        heap.swapAt(least, parent)
        parent = least
      }
    }
  }
}

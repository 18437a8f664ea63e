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
  /// Index of the first split not packed yet.
  private(set) var openStart = 0
  private var openBytes: Int64 = 0
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
    openStart = packed
    splitCount = packed
    for _ in 0..<taskCount { countTask() }
  }

  /// Adds splits by their sizes in bytes and returns the tasks that are full; all of them where `last` is set.
  ///
  /// `slots` is how many tasks can run at once. Where these are all the splits there are, tasks are made small enough
  /// for each slot to get two.
  mutating func add(_ weights: [Int64], last: Bool, slots: Int) -> [Range<Int>] {
    var limit = Int64.max
    if last, slots > 0, splitCount == 0 {
      let total = weights.reduce(0) { $0 + max(0, $1) }
      limit = max(minimumSize, total / Int64(slots * 2), 1)
    }
    var tasks: [Range<Int>] = []
    for weight in weights {
      let bytes = max(0, weight)
      if splitCount > openStart, openBytes + bytes > min(target, limit) || splitCount - openStart >= maxSplitsPerTask {
        close(&tasks)
      }
      openBytes += bytes
      splitCount += 1
    }
    if last, splitCount > openStart { close(&tasks) }
    return tasks
  }

  private mutating func close(_ tasks: inout [Range<Int>]) {
    tasks.append(openStart..<splitCount)
    openStart = splitCount
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
    let forSlots = min(
      (sizing.hashTasksPerSlot * Double(slots)).rounded(.up),
      (total / Double(max(1, sizing.taskMinimumSize))).rounded(.up))
    let wanted = max(1, forSlots, (total / target).rounded(.up))
    let count = Int(min(Double(sizes.count), wanted))

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
